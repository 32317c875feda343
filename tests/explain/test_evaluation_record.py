from __future__ import annotations

import json
from pathlib import Path

import pytest

from filtag_kg import FiltagError
from filtag_kg.explain import EvaluationRecord, read_evaluation, write_evaluation_record

RECORD = EvaluationRecord(
    "toy-0123456789ab", "tést.tar", "ab" * 32, 5, 3, 0.6, 20, 1000, 0, ("a note",), {"numpy": "2"}
)
HITS = "rule,layers,n,images,hits,null,null_sd,rho,rho_low,rho_high,classes\nk=1,all,1,5,0.5,0.1,0.01,,,,3\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hits.csv").write_text(HITS, encoding="utf-8")
    return tmp_path


def test_a_record_is_read_back(folder: Path) -> None:
    write_evaluation_record(RECORD, folder)
    rows, record = read_evaluation(folder, ["other", RECORD.network])
    assert (len(rows), record) == (1, RECORD)


def test_a_folder_of_an_earlier_version_has_none(folder: Path) -> None:
    rows, record = read_evaluation(folder, ["any"])
    assert (len(rows), record) == (1, None)


def test_another_network_is_refused(folder: Path) -> None:
    write_evaluation_record(RECORD, folder)
    with pytest.raises(FiltagError) as error:
        read_evaluation(folder, ["vgg16-0123456789ab"])
    assert str(error.value) == (
        f"{folder} has the evaluation of toy-0123456789ab, and the KG is about vgg16-0123456789ab: "
        "give the evaluation of its network"
    )


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"seed": -1}, "is damaged (seed is not a whole number from 0)"),
        ({"top1": 2}, "is damaged (top1 is not a number from 0 to 1)"),
        ({"network": ""}, "is damaged (network is not a name)"),
    ],
)
def test_a_damaged_record_is_refused(folder: Path, change: dict[str, object], what: str) -> None:
    write_evaluation_record(RECORD, folder)
    path = folder / "evaluation.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(FiltagError) as error:
        read_evaluation(folder, [RECORD.network])
    assert str(error.value) == f"{path} {what}: evaluate anew"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(FiltagError, match=r"evaluation\.json cannot be read \(.*\): evaluate anew$"):
        read_evaluation(folder, [RECORD.network])
