from __future__ import annotations

import json
from pathlib import Path

import pytest

from filtag_kg import FiltagError
from filtag_kg.explain import MisclassificationAnalysis, confusions_csv, read_misclassifications
from filtag_kg.report import write_misclassifications
from tests.explain.test_confusions import FOUND

ANALYSIS = MisclassificationAnalysis("lite-0123456789ab", "k=1", "test.tar", 10, 5, (), ("one note",))


def test_the_folder_says_what_it_is_about(tmp_path: Path) -> None:
    folder = tmp_path / "errors"
    write_misclassifications(ANALYSIS, folder)
    assert json.loads((folder / "errors.json").read_text(encoding="utf-8")) == {
        "network": "lite-0123456789ab",
        "rule": "k=1",
        "images": "test.tar",
        "n_images": 10,
        "n_classes": 5,
        "n_misclassified": 0,
        "notes": ["one note"],
    }
    assert read_misclassifications(folder, ["lite-0123456789ab"]) == []
    with pytest.raises(FiltagError, match=r"errors\.csv is a file: give the folder that it is in$"):
        read_misclassifications(folder / "errors.csv", ["lite-0123456789ab"])
    with pytest.raises(FiltagError) as error:
        read_misclassifications(folder, {"vgg-1": 1, "toy-2": 2})
    assert str(error.value) == (
        f"{folder} has the mistakes of lite-0123456789ab, and the KG is about toy-2, vgg-1: "
        "give the mistakes of its network"
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "cannot be read"),
        ("[]", "is damaged (it is not an object"),
        ('{"network": 1}', "is damaged ("),
        ('{"network": "toy-2", "n_images": -1}', "is damaged ("),
    ],
)
def test_a_damaged_record_is_one_line(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "confusions.csv").write_text(confusions_csv(FOUND), encoding="utf-8")
    assert read_misclassifications(tmp_path, []) == FOUND, "an earlier version wrote no record"
    (tmp_path / "errors.json").write_text(text, encoding="utf-8")
    with pytest.raises(FiltagError) as error:
        read_misclassifications(tmp_path, ["toy-2"])
    assert str(error.value).startswith(f"{tmp_path / 'errors.json'} {what}"), str(error.value)
    assert str(error.value).endswith("): classify the images anew")
