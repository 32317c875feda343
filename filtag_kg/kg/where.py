"""Where in its exemplars a filter responds: small activation maps, and a table of the regions to show.

Both have a row for each row of ``exemplars.csv``, in its order. A KG that was built without the network has neither.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import ceil, floor
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from filtag_kg.csv_table import real, whole
from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.kg.exemplars import ExemplarRow
from filtag_kg.kg.tables import Table

MAP_SIDE = 14
"""Of an activation map in a KG. Networks for 224 pixels have maps of 112, 56, 28, 14 and 7 places a side."""
MAPS_FILE = "maps.npy"
_MOST_SIDE = 64
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle in a picture, as shares of its width and height from the top left corner, in [0, 1]."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        """Refuse what is no rectangle inside a picture."""
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise ValueError(f"no rectangle inside a picture: {self}")

    @property
    def width(self) -> float:
        """Its share of the picture's width."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Its share of the picture's height."""
        return self.bottom - self.top


WHOLE_PICTURE = Region(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class WhereRow:
    """Where a filter responds in an exemplar: a row of ``where.csv``, its fields the columns in order.

    `crop`, `field` and `view` are regions of the thumbnail: what to show, the receptive field of the most active place,
    and what the network saw of the image.
    """

    layer_index: int
    filter: int
    rank: int
    crop_left: float
    crop_top: float
    crop_right: float
    crop_bottom: float
    field_left: float
    field_top: float
    field_right: float
    field_bottom: float
    view_left: float
    view_top: float
    view_right: float
    view_bottom: float

    @property
    def crop(self) -> tuple[float, float, float, float]:
        """What to show of the thumbnail: left, top, right and bottom."""
        return self.crop_left, self.crop_top, self.crop_right, self.crop_bottom

    @classmethod
    def of(cls, exemplar: ExemplarRow, *, crop: Region, field: Region, view: Region) -> WhereRow:
        """Return the row that belongs to a row of ``exemplars.csv``."""
        numbers = [number for region in (crop, field, view) for number in _rounded(region)]
        return cls(exemplar.layer_index, exemplar.filter, exemplar.rank, *numbers)


def _rounded(region: Region) -> tuple[float, ...]:
    """Return the sides with few digits; outwards, so that the smallest region keeps an extent."""
    scale = 10.0**_DIGITS
    low = (floor(round(side * scale, _DIGITS)) / scale for side in (region.left, region.top))
    high = (ceil(round(side * scale, _DIGITS)) / scale for side in (region.right, region.bottom))
    return (*low, *high)


WHERE = Table(
    "where.csv",
    WhereRow,
    {"layer_index": whole(), "filter": whole(), "rank": whole(1)}
    | {f"{name}_{side.name}": real(0, 1) for name in ("crop", "field", "view") for side in fields(Region)},
    problem=lambda row: None if _are_regions(np.array(row[3:])) else "a region has no extent",
)

_Regions: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class WhereTable:
    """Where filters respond in all exemplars of a build.

    Parameters
    ----------
    regions : float64 array of shape (n_exemplars, 3, 4), in [0, 1]
        Crop, field and view, each with its left, top, right and bottom side.
    maps : uint8 array of shape (n_exemplars, side, side)
        Not read into memory before it is used.
    """

    regions: _Regions
    maps: NDArray[np.uint8]

    def crop_field_view(self, row: int) -> tuple[Region, Region, Region]:
        """Return the regions of an exemplar, given its row in ``exemplars.csv``, from 0."""
        crop, field, view = self.regions[row].tolist()
        return Region(*crop), Region(*field), Region(*view)


def read_where(folder: Path, exemplars: Sequence[ExemplarRow]) -> WhereTable | None:
    """Read where the exemplars' filters respond: a hundred thousand rows take half a second.

    Parameters
    ----------
    folder : Path
        The one that ``exemplars.csv`` is in.
    exemplars : sequence of ExemplarRow
        All its rows.

    Returns
    -------
    WhereTable or None
        None if the KG was built without the network.

    Raises
    ------
    FiltagError
        If table or maps are damaged, or one of them is missing.
    """
    path = folder / WHERE.file_name
    if not path.exists() and not (folder / MAPS_FILE).exists():
        return None
    numbers = _read_numbers(path)
    keys = np.array([(row.layer_index, row.filter, row.rank) for row in exemplars]).reshape(-1, 3)
    if not np.array_equal(numbers[:, :3], keys):
        raise FiltagError(f"{path} is not about the rows of exemplars.csv beside it: {WHERE.advice}")
    return WhereTable(numbers[:, 3:].reshape(-1, 3, 4), _read_maps(folder / MAPS_FILE, len(exemplars)))


def _read_numbers(path: Path) -> NDArray[np.float64]:
    try:
        with path.open(encoding="utf-8") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if tuple(file.readline().rstrip("\r\n").split(",")) == WHERE.columns:
                numbers = np.loadtxt(file, delimiter=",", comments=None, ndmin=2)
                if numbers.shape[1] == len(WHERE.columns) and _are_regions(numbers[:, 3:]):
                    return numbers
    except (OSError, ValueError):
        pass
    # The slow way says where the table is damaged.
    rows = [[getattr(row, name) for name in WHERE.columns] for row in WHERE.read(path)]
    return np.array(rows, dtype=np.float64).reshape(-1, len(WHERE.columns))


def _are_regions(numbers: NDArray[np.float64]) -> bool:
    """Return whether rows of twelve numbers are rectangles in a picture."""
    left_top, right_bottom = np.split(numbers.reshape(-1, 2, 2), 2, axis=1)
    # Written so that NaN fails, too.
    return bool(((left_top >= 0) & (left_top < right_bottom) & (right_bottom <= 1)).all())


def _read_maps(path: Path, n_exemplars: int) -> NDArray[np.uint8]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            maps: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise FiltagError(f"{path} is missing: {WHERE.advice}") from None
    except Exception as error:  # noqa: BLE001
        # Broad on purpose: a damaged header makes NumPy's parser raise anything, tokenize.TokenError included.
        raise FiltagError(f"{path} cannot be read ({reason_of(error)}): {WHERE.advice}") from None
    # A renamed .npz is no array; a header may promise any type and shape.
    whole_bytes = isinstance(maps, np.ndarray) and maps.dtype == np.uint8 and maps.ndim == 3
    if not whole_bytes or len(maps) != n_exemplars or not 1 <= maps.shape[1] == maps.shape[2] <= _MOST_SIDE:
        raise FiltagError(f"{path} does not hold a map for each of {n_exemplars:,} exemplars: {WHERE.advice}")
    return maps
