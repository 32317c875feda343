from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from filtag_kg import FiltagError, Rule
from filtag_kg.explain import Evaluation, Hits, hits_csv, hits_rows, read_hits


def evaluation(permutations: int) -> Evaluation:
    """Two rules, two classes and three n; the third class has no images."""
    by_class = np.linspace(0.125, 0.875, 2 * 2 * 3 * 3).reshape(2, 2, 3, 3)
    by_class[..., 2] = np.nan
    by_label, null = np.full((2, 2, 3, 3), 0.25), np.full((permutations, 2, 2, 3), 0.25)
    rules = (Rule("k", 1), Rule("q", 0.05, "contrast"))
    hits = Hits(rules, (1, 5, 10), np.array([4, 2, 0]), by_class, by_label, null, np.zeros((6, 2, 2, 3)))
    return Evaluation(("n1", "n2", "n3"), ("a", "b", "c"), hits, np.array([0.5, 1.0, np.nan]), ())


@pytest.mark.parametrize("permutations", [0, 1, 4])
def test_hits_are_read_back(permutations: int, tmp_path: Path) -> None:
    found = evaluation(permutations)
    (tmp_path / "hits.csv").write_text(hits_csv(found), encoding="utf-8")
    read, made = read_hits(tmp_path / "hits.csv"), list(hits_rows(found))
    assert [(row.rule, row.layers, row.n, row.images, row.classes) for row in read] == [
        (row.rule, row.layers, row.n, row.images, row.classes) for row in made
    ]
    assert [row.hits for row in read] == pytest.approx([row.hits for row in made], abs=1e-6)
    assert [(row.null, row.null_sd) for row in read] == [(row.null, row.null_sd) for row in made]
    assert {row.null for row in read} == ({0.25} if permutations else {None})
    assert {row.null_sd is None for row in read} == {permutations < 2}


GOOD = "k=1,all,1,5,0.5,0.4,0.6,0.1,0.01,,,,3"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("", " has no rows"),
        (GOOD.replace("0.5", "1.5"), ", line 2, column hits: '1.5' is not a number from 0 to 1"),
        (GOOD.replace("0.5", "nan"), ", line 2, column hits: 'nan' is not a number from 0 to 1"),
        (GOOD.replace("all", "some"), ", line 2, column layers: 'some' is not one of all, last"),
        (GOOD.replace("k=1", "k"), ", line 2, column rule: 'k' is not a rule"),
        (GOOD.replace("k=1", "k=1-1"), ", line 2, column rule: 'k=1-1' is not a rule"),
        ("k=1,all,1", ", line 2: 3 cells, where the header has 13"),
        ("\udcff", " is not UTF-8 text"),
    ],
)
def test_a_damaged_file_is_refused(line: str, what: str, tmp_path: Path) -> None:
    header = hits_csv(evaluation(0)).partition("\n")[0]
    path = tmp_path / "hits.csv"
    path.write_text(f"{header}\n{GOOD}\n", encoding="utf-8")
    assert len(read_hits(path)) == 1
    path.write_bytes(f"{header}\n{line}\n".encode("utf-8", "surrogateescape"))
    with pytest.raises(FiltagError) as error:
        read_hits(path)
    assert str(error.value) == f"{path}{what}: evaluate anew"


def test_a_file_of_an_earlier_version_has_no_intervals(tmp_path: Path) -> None:
    header = "rule,layers,n,images,hits,null,null_sd,rho,rho_low,rho_high,classes"
    (tmp_path / "hits.csv").write_text(f"{header}\nk=1,all,1,5,0.5,0.1,0.01,,,,3\n", encoding="utf-8")
    (row,) = read_hits(tmp_path / "hits.csv")
    assert (row.hits, row.hits_low, row.hits_high, row.null) == (0.5, None, None, 0.1)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FiltagError, match=r"cannot be read \(No such file or directory\): evaluate anew$"):
        read_hits(tmp_path / "hits.csv")
