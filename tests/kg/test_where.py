"""Where filters respond, on disk: written, read as it was, and refused where it is damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from filtag_kg import FiltagError
from filtag_kg.kg import WHERE, ExemplarRow, Region, WhereRow, read_where

EXEMPLAR_ROWS = [
    ExemplarRow(0, "stem", filter_, rank, f"{rank}.png", "n02087394", 0.5, f"000000{rank}.jpg")
    for filter_ in range(2)
    for rank in (1, 2)
]
CROP, FIELD, VIEW = Region(0.25, 0, 0.5, 1 / 3), Region(0.3, 0.1, 0.3 + 1e-7, 0.2), Region(0, 0.125, 1, 0.875)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [WhereRow.of(row, crop=CROP, field=FIELD, view=VIEW) for row in EXEMPLAR_ROWS]
    (tmp_path / "where.csv").write_text(WHERE.text(rows))
    np.save(tmp_path / "maps.npy", np.arange(4 * 9, dtype=np.uint8).reshape(4, 3, 3))
    return tmp_path


def test_what_is_written_is_read(folder: Path) -> None:
    table = read_where(folder, EXEMPLAR_ROWS)
    assert table is not None
    crop, field, view = table.crop_field_view(2)
    assert (crop, view) == (Region(0.25, 0, 0.5, 0.3334), VIEW)
    # However small it is, it keeps an extent.
    assert field == Region(0.3, 0.1, 0.3001, 0.2)
    assert isinstance(table.maps, np.memmap)
    assert table.maps[2].tolist() == [[18, 19, 20], [21, 22, 23], [24, 25, 26]]


def test_a_kg_without_the_network_has_none(tmp_path: Path) -> None:
    assert read_where(tmp_path, EXEMPLAR_ROWS) is None


@pytest.mark.parametrize("sides", [(0.5, 0, 0.5, 1), (-0.1, 0, 1, 1), (0, 0, 1, 1.01), (0, float("nan"), 1, 1)])
def test_a_region_is_a_rectangle_in_a_picture(sides: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="no rectangle inside a picture"):
        Region(*sides)


def shorter(folder: Path) -> None:
    np.save(folder / "maps.npy", np.zeros((3, 3, 3), np.uint8))


def floats(folder: Path) -> None:
    np.save(folder / "maps.npy", np.zeros((4, 3, 3)))


def objects(folder: Path) -> None:
    np.save(folder / "maps.npy", np.array([{}, {}, {}, {}]), allow_pickle=True)


def cut_off(folder: Path) -> None:
    path = folder / "maps.npy"
    path.write_bytes(path.read_bytes()[:-1])


def open_bracket(folder: Path) -> None:
    path = folder / "maps.npy"
    path.write_bytes(path.read_bytes().replace(b"}", b"(", 1))


def no_map(folder: Path) -> None:
    (folder / "maps.npy").unlink()


def no_table(folder: Path) -> None:
    (folder / "where.csv").unlink()


def edited(old: str, new: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / "where.csv"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return edit


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (shorter, "maps.npy does not hold a map for each of 4 exemplars"),
        (floats, "maps.npy does not hold a map for each of 4 exemplars"),
        (objects, "maps.npy cannot be read"),
        (cut_off, "maps.npy cannot be read"),
        (open_bracket, "maps.npy cannot be read"),
        (no_map, "maps.npy is missing"),
        (no_table, "where.csv cannot be read (No such file or directory)"),
        (edited("crop_left", "crop_right"), "where.csv has no column crop_left"),
        (edited("0.25,0.0,0.5", "0.25,0.0,x"), "where.csv, line 2, column crop_right: 'x' is not a number from 0 to 1"),
        (edited("0.25,0.0,0.5", "0.25,0.0,0.2"), "where.csv, line 2: a region has no extent"),
        (edited("0,0,1,", "0,0,3,"), "where.csv is not about the rows of exemplars.csv beside it"),
    ],
)
def test_damage_is_named(folder: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(folder)
    with pytest.raises(FiltagError) as raised:
        read_where(folder, EXEMPLAR_ROWS)
    assert message in str(raised.value)
    assert str(raised.value).endswith("build the KG anew")
