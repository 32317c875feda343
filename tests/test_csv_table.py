"""Tables from outside: what is read, what is refused, and how a mistake is told."""

from __future__ import annotations

import contextlib
import csv
import io
import math
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filtag_kg.csv_table import ANY_TEXT, TEXT, file_beside, one_of, optional, read_sheet, read_table, real, whole
from filtag_kg.errors import FiltagError

CELLS = {"name": TEXT, "rank": optional(whole(1)), "share": real(0, 1), "note": ANY_TEXT}
GOOD = "name,rank,share,note\ndog,1,0.5,\ncat,,1,old\n"


def read(folder: Path, content: str | bytes) -> list[tuple[object, ...]]:
    path = folder / "t.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_table(path, CELLS, advice="mend it"))


def test_cells_come_as_values(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD) == [("dog", 1, 0.5, ""), ("cat", None, 1.0, "old")]
    assert read(tmp_path, "\ufeff" + GOOD.replace("\n", "\r\n") + "\r\n") == read(tmp_path, GOOD), (
        "as spreadsheets save"
    )
    some = read_table(tmp_path / "t.csv", CELLS, advice="", where={"note": ("old",)})
    assert list(some) == [("cat", None, 1.0, "old")]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", " has no column name"),
        (GOOD.replace("note", "name"), " has 2 column name"),
        (GOOD.replace("dog,1", ",1"), ", line 2, column name: '' is not text"),
        (GOOD.replace("dog,1", "dog,0"), ", line 2, column rank: '0' is not a whole number from 1, or empty"),
        (GOOD.replace("dog,1", "dog,1_0"), ", line 2, column rank: '1_0' is not a whole number from 1, or empty"),
        (
            GOOD.replace("dog,1", f"dog,{'9' * 5000}"),
            f", line 2, column rank: '{'9' * 60}' is not a whole number from 1, or empty",
        ),
        (GOOD.replace("0.5", "nan"), ", line 2, column share: 'nan' is not a number from 0 to 1"),
        (GOOD.replace("0.5", "1e999"), ", line 2, column share: '1e999' is not a number from 0 to 1"),
        (GOOD.replace("0.5", "-1e-9"), ", line 2, column share: '-1e-9' is not a number from 0 to 1"),
        (GOOD + "a,b\n", ", line 4: 2 cells, where the header has 4"),
        (GOOD + '"a', " is not CSV in line 4 (unexpected end of data)"),
        (GOOD.encode() + b"\xff", " is not UTF-8 text"),
    ],
)
def test_a_mistake_is_told_with_its_place(content: str | bytes, what: str, tmp_path: Path) -> None:
    with pytest.raises(FiltagError) as caught:
        read(tmp_path, content)
    assert str(caught.value) == f"{tmp_path / 't.csv'}{what}: mend it"


def test_a_row_is_checked_as_a_whole(tmp_path: Path) -> None:
    read(tmp_path, GOOD)
    with pytest.raises(FiltagError, match=r"t.csv, line 3: no cats: mend it$"):
        list(
            read_table(
                tmp_path / "t.csv", CELLS, advice="mend it", check=lambda row: "no cats" if row[0] == "cat" else None
            )
        )


def test_a_missing_table_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FiltagError) as caught:
        list(read_table(tmp_path / "none.csv", CELLS, advice="mend it"))
    assert str(caught.value) == f"{tmp_path / 'none.csv'} cannot be read (No such file or directory): mend it"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a", "a\\b", "a\0"])
def test_a_file_beside_the_table_is_nowhere_else(name: str) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        file_beside(name)
    assert file_beside("a b.png") == "a b.png"


@given(st.text(max_size=12))
@example("\u0661")
@example("1\u2028")
def test_a_number_is_finite_and_in_its_range_or_refused(text: str) -> None:
    for cell, least, most in ((whole(1), 1, 2**31), (real(-2, 3), -2, 3), (real(), -math.inf, math.inf)):
        try:
            value = cell.parse(text)
        except ValueError:
            continue
        assert math.isfinite(value)
        assert least <= value <= most
    assert one_of({"a": 1}).parse("a") == 1


@settings(derandomize=True, max_examples=200)
@given(st.binary(max_size=60), st.integers(0, len(GOOD)))
def test_damage_gives_rows_in_range_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int
) -> None:
    content = GOOD.encode()[:at] + noise + GOOD.encode()[at:]
    with contextlib.suppress(FiltagError):
        for name, rank, share, _ in read(tmp_path_factory.mktemp("csv"), content):
            assert name
            assert rank is None or (isinstance(rank, int) and rank >= 1)
            assert isinstance(share, float)
            assert 0 <= share <= 1


@pytest.mark.parametrize("row", ['a,""x,b', '"","', '",""', 'a,"""x', '"a""b', '"'])
def test_quotes_that_do_not_end_take_time_in_proportion(row: str) -> None:
    start = time.process_time()
    sheet = read_sheet("filter,label\n0,dog\n" + f"{row}\n" * 30_000, ("filter", "label"), strict=True)
    assert time.process_time() - start < 5
    assert sheet is not None
    assert sheet.rows[0] == (2, {"filter": "0", "label": "dog"})


def test_what_is_not_read_after_quotes_without_end_is_said() -> None:
    # Each of these rows seems to begin a cell that the rows after it continue.
    lines = ["filter,label", "0,dog", *['1",2,"'] * 20_000, "2,cat"]
    sheet = read_sheet("\n".join(lines), ("filter", "label"), strict=True)
    assert sheet is not None
    assert [row["label"] for _, row in sheet.rows] == ["dog"]
    assert sheet.unreadable[-1][1] == "too many quotes before it do not end, so all from here on is not read"


@given(st.lists(st.tuples(st.text(min_size=1), st.integers(1, 2**31 - 1), st.floats(0, 1)), max_size=5))
@settings(derandomize=True, max_examples=100)
def test_what_was_written_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int, float]]
) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("name", "rank", "share", "note"), *((*row, "") for row in rows)])
    assert read(tmp_path_factory.mktemp("csv"), text.getvalue()) == [(*row, "") for row in rows]
