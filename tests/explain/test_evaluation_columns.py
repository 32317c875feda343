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
    null = np.full((permutations, 2, 2, 3), 0.25)
    hits = Hits((Rule("k", 1), Rule("q", 0.05, "contrast")), (1, 5, 10), np.array([4, 2, 0]), by_class, null)
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
    assert {row.null is None for row in read} == {permutations == 0}


GOOD = "k=1,all,1,5,0.5,0.1,0.01,,,,3"


@pytest.mark.parametrize(
    "line",
    ["", GOOD.replace("0.5", "1.5"), GOOD.replace("all", "some"), GOOD.replace("k=1", "k"), "k=1,all,1", "\udcff"],
)
def test_a_damaged_file_is_refused(line: str, tmp_path: Path) -> None:
    header = hits_csv(evaluation(0)).partition("\n")[0]
    path = tmp_path / "hits.csv"
    path.write_text(f"{header}\n{GOOD}\n", encoding="utf-8")
    assert len(read_hits(path)) == 1
    path.write_bytes(f"{header}\n{line}\n".encode("utf-8", "surrogateescape"))
    with pytest.raises(FiltagError) as error:
        read_hits(path)
    assert str(error.value) == f"{path} is missing or damaged: make it anew with filtag evaluate -o"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FiltagError, match="is missing or damaged: make it anew with filtag evaluate -o"):
        read_hits(tmp_path / "hits.csv")
