"""From a feature map to what a page shows: a small map of the image, the most active region, its receptive field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from filtag_kg.kg.where import MAP_SIDE, Region
from filtag_kg.network import Framing, ReceptiveFields

_Map: TypeAlias = NDArray[np.float32]

_ACTIVE = 0.5
"""Of the highest response: what a region must reach to be shown."""
_SURROUNDINGS = 1.0
"""Around the active region, in places of the small map."""
_LEAST_SHARE = 0.4
"""Of a crop, of the view's shorter side: less shows too little to be recognised."""
_HAIR = 0.1
"""Of a place: a part of the image that covers no more of it does not touch it. Fields are measured, not exact."""
_THINNEST = 1e-3
"""Of a receptive field, as a share of the image's side, where all of it lies in the padding."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """An image as a network sees it.

    Parameters
    ----------
    size : tuple of int
        (width, height) of the image, in pixels.
    seen : Region
        The part of the image that the network sees.
    filled : Region
        Where in what the network takes that part lies; the rest is padding.
    """

    size: tuple[int, int]
    seen: Region
    filled: Region

    @classmethod
    def of(cls, size: tuple[int, int], framing: Framing) -> View:
        """Return the view of an image that is framed for a network."""
        return cls(size, Region(*framing.seen()), Region(*framing.filled()))

    def on_image(self, left: float, top: float, right: float, bottom: float) -> Region:
        """Return a part of what the network takes as a part of the image, cut at its border."""
        (left, right), (top, bottom) = (
            _between(low, high, begin, end, first, last)
            for low, high, begin, end, first, last in (
                (left, right, self.filled.left, self.filled.right, self.seen.left, self.seen.right),
                (top, bottom, self.filled.top, self.filled.bottom, self.seen.top, self.seen.bottom),
            )
        )
        return Region(left, top, right, bottom)


def _between(low: float, high: float, begin: float, end: float, first: float, last: float) -> tuple[float, float]:
    """Move an interval from [begin, end] to [first, last], and cut it at 0 and 1; something of it always stays."""
    scale = (last - first) / (end - begin)
    low, high = (min(1.0, max(0.0, first + (each - begin) * scale)) for each in (low, high))
    if high - low >= _THINNEST:
        return low, high
    middle = min(1 - _THINNEST / 2, max(_THINNEST / 2, (low + high) / 2))
    return middle - _THINNEST / 2, middle + _THINNEST / 2


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """How a filter responds to an image.

    Parameters
    ----------
    map : float32 array of shape (MAP_SIDE, MAP_SIDE)
        Of each part of what the network saw of the image, the highest response there, in the feature map's own units.
    crop, field : Region
        In the image: the most active region with its surroundings, and the receptive field of the most active place.
    """

    map: _Map
    crop: Region
    field: Region

    @property
    def floor(self) -> float:
        """What counts as no response: 0; of a map without any number above 0, its lowest."""
        return 0.0 if self.map.max() > 0 else float(self.map.min())


def response(feature_map: _Map, fields: ReceptiveFields, view: View) -> Response:
    """Reduce a feature map.

    Parameters
    ----------
    feature_map : float32 array of shape (height, width)
    fields : ReceptiveFields
        Of its layer.
    """
    height, width = feature_map.shape
    left, top, right, bottom = fields.extent
    columns = _touched(view.filled.left, view.filled.right, left, right, width)
    rows = _touched(view.filled.top, view.filled.bottom, top, bottom, height)
    small = _highest(_highest(feature_map, rows).T, columns).T
    (first_row, last_row), (first_column, last_column) = ((int(x.min()), int(x.max())) for x in (rows, columns))
    inside = feature_map[first_row:last_row, first_column:last_column]
    row, column = divmod(int(inside.argmax()), inside.shape[1])
    field = view.on_image(*fields.of(first_row + row, first_column + column))
    return Response(small, _crop(small, view), field)


def _touched(begin: float, end: float, first: float, last: float, n_places: int) -> NDArray[np.int64]:
    """Return which places each part of an interval touches.

    Parameters
    ----------
    begin, end : float
        The interval, which has MAP_SIDE parts.
    first, last : float
        Where the places lie. Parts beside them touch the nearest.

    Returns
    -------
    int64 array of shape (MAP_SIDE, 2)
        The first place, and the one after the last.
    """
    edges = (np.linspace(begin, end, MAP_SIDE + 1) - first) / (last - first) * n_places
    low = np.floor(edges[:-1] + _HAIR).clip(0, n_places - 1)
    high = np.ceil(edges[1:] - _HAIR).clip(1, n_places)
    return np.stack([low, np.maximum(high, low + 1)], axis=1).astype(np.int64)


def _highest(numbers: _Map, parts: NDArray[np.int64]) -> _Map:
    """Return the highest of the rows of each part."""
    # For each pair of indices, reduceat takes the rows from the first to before the second.
    padded = np.concatenate([numbers, numbers[-1:]])
    highest: _Map = np.maximum.reduceat(padded, parts.ravel(), axis=0)[::2]
    return highest


def _crop(small: _Map, view: View) -> Region:
    """Return a square of pixels around the region that responds most, inside what the network saw."""
    from scipy.ndimage import label

    floor = 0.0 if small.max() > 0 else float(small.min())
    peak = divmod(int(small.argmax()), MAP_SIDE)
    regions, _ = label(small - floor >= _ACTIVE * (float(small.max()) - floor))
    here = regions == regions[peak]
    seen, (width, height) = view.seen, view.size
    lengths = seen.width * width, seen.height * height
    spans = [_span(here.any(axis=axis), peak[1 - axis], length) for axis, length in zip((0, 1), lengths, strict=True)]
    shorter = min(lengths)
    side = min(shorter, max(_LEAST_SHARE * shorter, *(end - begin for begin, end, _ in spans)))
    (left, top) = (_begin(*span, side, length) for span, length in zip(spans, lengths, strict=True))
    return Region(
        seen.left + left / width,
        seen.top + top / height,
        min(1.0, seen.left + (left + side) / width),
        min(1.0, seen.top + (top + side) / height),
    )


def _span(active: NDArray[np.bool_], peak: int, length: float) -> tuple[float, float, float]:
    """Return where the active places begin and end with their surroundings, and the middle of the peak, in pixels."""
    places = np.flatnonzero(active)
    part = length / MAP_SIDE
    begin, end = places[0] - _SURROUNDINGS, places[-1] + 1 + _SURROUNDINGS
    return max(0.0, begin * part), min(length, end * part), (peak + 0.5) * part


def _begin(begin: float, end: float, peak: float, side: float, length: float) -> float:
    """Return where a square of some side begins: around the region, or around its peak where that is larger."""
    middle = (begin + end) / 2 if end - begin <= side else min(end - side / 2, max(begin + side / 2, peak))
    return min(length - side, max(0.0, middle - side / 2))
