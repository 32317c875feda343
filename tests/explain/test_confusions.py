from __future__ import annotations

from pathlib import Path

import pytest

from filtag_kg import FiltagError
from filtag_kg.explain import Confusion, confusions_csv, read_confusions

FOUND = [
    Confusion(
        "c:dog", 'dog, "domestic"', "c:dog", 'dog, "domestic"', same=True, mistakes=3, share_of_true=1.0, share=0.6
    ),
    Confusion("n1", "crane", "n2", "crane", same=False, mistakes=2, share_of_true=1.0, share=0.4),
]


@pytest.mark.parametrize("found", [FOUND, []])
def test_confusions_are_read_back(found: list[Confusion], tmp_path: Path) -> None:
    path = tmp_path / "confusions.csv"
    path.write_text(confusions_csv(found), encoding="utf-8")
    assert read_confusions(path) == found


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (None, " cannot be read (No such file or directory)"),
        ("", " has no column true_concept"),
        ("rule,layers,n\nk=1,all,1\n", " has no column true_concept"),
        (confusions_csv(FOUND).replace("true", "yes"), " has no column true_concept"),
        (confusions_csv(FOUND).replace(",true,", ",yes,"), "column same: 'yes' is not one of true, false"),
        (confusions_csv(FOUND).replace(",2,1.0", ",0,1.0"), "column mistakes: '0' is not a whole number from 1"),
        (confusions_csv(FOUND).replace(",2,1.0", ",2,inf"), "column share_of_true: 'inf' is not a number above 0 to 1"),
        (confusions_csv(FOUND).replace(",2,1.0,0.4", ",2"), ": 6 cells, where the header has 8"),
    ],
)
def test_a_missing_or_damaged_file_is_refused(text: str | None, what: str, tmp_path: Path) -> None:
    path = tmp_path / "confusions.csv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(FiltagError) as error:
        read_confusions(path)
    assert str(error.value).startswith(str(path))
    assert str(error.value).endswith(f"{what}: classify the images anew")
