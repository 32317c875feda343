"""Receptive fields, measured: which part of the input each place of a feature map depends on.

Stripes of noise images are replaced one after the other, and it is noted which places of which layers change at all.
This needs no knowledge of what the layers do, so it is right for all of them and in every framework: strides, dilation,
pooling, branches; behind a squeeze-and-excitation or another global pooling, every place sees everything.

A field is as large as the network's precision can tell: what changes a place by less than a rounding error does not
count. In deep layers this leaves out a border of the field that follows from kernels and strides alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.network.map_reader import MapReader, WantedMaps
from filtag_kg.network.network import Network

_MOST_STRIPES = 128
"""Of an axis: a field is measured to as many parts of the input's side."""
_MOST_FILTERS = 16
_MOST_NUMBERS = 2**18
"""Of an image in a layer: of large maps, fewer filters are looked at. All filters of a layer have the same field."""
_MOST_IMAGES = 16
_BLOCKS = (1, 8)
"""Sides of the squares that noise is made of, in pixels: coarse noise reaches filters that ignore the fine."""
_FEWEST_PLACES = 3
"""Whose fields must begin, and end, inside the input to tell where a map lies."""
_ROUNDING = {"float32": 1e-6, "float16": 4e-3, "bfloat16": 3e-2}


@dataclass(frozen=True, slots=True, eq=False)
class ReceptiveFields:
    """The receptive fields of a layer's places.

    Parameters
    ----------
    columns, rows : float64 arrays of shape (width, 2) and (height, 2), in [0, 1]
        For each column and row of the feature maps, where its field begins and ends, as shares of the input's width
        and height.
    """

    columns: NDArray[np.float64]
    rows: NDArray[np.float64]

    def of(self, row: int, column: int) -> tuple[float, float, float, float]:
        """Return the field of a place: its left, top, right and bottom side."""
        (left, right), (top, bottom) = self.columns[column].tolist(), self.rows[row].tolist()
        return left, top, right, bottom

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Where the feature maps lie on the input: left, top, right and bottom, as shares of its sides.

        A place lies in the middle of its field. Without padding, maps leave out a border of the input.
        """
        (left, right), (top, bottom) = _extent(self.columns), _extent(self.rows)
        return left, top, right, bottom


def _extent(fields: NDArray[np.float64]) -> tuple[float, float]:
    """Return where the first place of an axis begins and the last ends.

    Fields begin and end at equal distances, as far as the input's border does not cut them. Where it cuts nearly all,
    the places are taken to cover the input.
    """
    places = np.arange(len(fields))
    inside = (fields[:, 0] > 0, fields[:, 1] < 1)
    if min(map(np.count_nonzero, inside)) < _FEWEST_PLACES:
        return 0.0, 1.0
    lines = [np.polyfit(places[here], fields[here, side], 1) for side, here in enumerate(inside)]
    step = float(np.mean([slope for slope, _ in lines]))
    if step <= 0:
        return 0.0, 1.0
    middle = [float(np.mean(fields[here, side] - step * places[here])) for side, here in enumerate(inside)]
    begin = (middle[0] + middle[1] - step) / 2
    return begin, begin + step * len(fields)


def receptive_fields(
    network: Network, reader: MapReader, pixels: NDArray[Any], *, batch_size: int, seed: int = 0
) -> list[ReceptiveFields]:
    """Measure the receptive fields of a network's layers.

    Parameters
    ----------
    reader : MapReader
        Of the network.
    pixels : uint8 or float32 array of shape (n_images, height, width, channels)
        Images as the network gets them: the noise is of the same range.
    batch_size : int
        The one that the reader was made for.

    Returns
    -------
    list of ReceptiveFields
        One for each layer.
    """
    random = np.random.default_rng(seed)
    one = [WantedMaps(np.zeros(1, np.int64), np.zeros(1, np.int64)) for _ in network.layers]
    sizes = [maps.shape[1:] for maps in reader.maps(pixels[:1], one)]
    filters = [_some(layer.n_filters, *size) for layer, size in zip(network.layers, sizes, strict=True)]
    n_images = min(batch_size, _MOST_IMAGES)
    wanted = [WantedMaps(np.repeat(np.arange(n_images), len(each)), np.tile(each, n_images)) for each in filters]
    measured = [_axis(network, reader, pixels, wanted, n_images, axis, sizes, random) for axis in (1, 0)]
    return [ReceptiveFields(columns, rows) for columns, rows in zip(*measured, strict=True)]


def _some(n_filters: int, height: int, width: int) -> NDArray[np.int64]:
    most = max(1, min(_MOST_FILTERS, n_filters, _MOST_NUMBERS // (height * width)))
    return np.linspace(0, n_filters - 1, most).astype(np.int64)


def _axis(
    network: Network,
    reader: MapReader,
    pixels: NDArray[Any],
    wanted: Sequence[WantedMaps],
    n_images: int,
    axis: int,
    sizes: Sequence[tuple[int, ...]],
    random: np.random.Generator,
) -> list[NDArray[np.float64]]:
    """Return, for each layer, where the fields of its rows (axis 0) or columns (axis 1) begin and end."""
    side = pixels.shape[1 + axis]
    edges = np.unique(np.linspace(0, side, min(side, _MOST_STRIPES) + 1).round().astype(np.int64))
    stripes = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    changed = [np.zeros((len(stripes), size[axis]), np.bool_) for size in sizes]
    for block in _BLOCKS:
        image, other = _noise(pixels, block, random), _noise(pixels, block, random)
        before = reader.maps(np.stack([image] * n_images), wanted)
        least = [_ROUNDING[network.precision] * float(np.abs(maps).max(initial=0)) for maps in before]
        for start, batch in _replaced(image, other, stripes, axis, n_images):
            after = reader.maps(batch, wanted)
            for layer, (old, new) in enumerate(zip(before, after, strict=True)):
                # Written so that a number that is not finite counts as no change.
                differs = (np.abs(new - old) > least[layer]).reshape(n_images, -1, *sizes[layer])
                places = differs.any(axis=(1, 3 - axis))[: len(stripes) - start]
                changed[layer][start : start + n_images] |= places
    return [_begin_and_end(each, edges / side) for each in changed]


def _noise(pixels: NDArray[Any], block: int, random: np.random.Generator) -> NDArray[Any]:
    _, height, width, channels = pixels.shape
    low, high = float(pixels.min()), float(pixels.max())
    if pixels.dtype == np.uint8 or low == high:
        low, high = 0.0, 255.0
    coarse = random.uniform(low, high, (-(-height // block), -(-width // block), channels))
    return np.kron(coarse, np.ones((block, block, 1)))[:height, :width].astype(pixels.dtype)


def _replaced(
    image: NDArray[Any], other: NDArray[Any], stripes: Sequence[tuple[int, int]], axis: int, n_images: int
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield batches of one image, each time with another stripe replaced, and the number of the batch's first stripe.

    All batches are of one size: the same image at the same place of such a batch has the same numbers to the last bit.
    """
    for start in range(0, len(stripes), n_images):
        batch = np.stack([image] * n_images)
        for index, (first, end) in enumerate(stripes[start : start + n_images]):
            stripe = (slice(first, end), slice(None)) if axis == 0 else (slice(None), slice(first, end))
            batch[index][stripe] = other[stripe]
        yield start, batch


def _begin_and_end(changed: NDArray[np.bool_], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where the field of each place begins and ends, given which stripes change it.

    Fields move on with their places. So a place that no noise has reached, as behind a dead activation, sees at least
    what lies between the fields of its neighbours; where none was reached, everything may be seen.
    """
    n_stripes = len(changed)
    reached = changed.any(axis=0)
    first = np.where(reached, changed.argmax(axis=0), n_stripes)
    end = np.where(reached, n_stripes - changed[::-1].argmax(axis=0), 0)
    first = np.minimum.accumulate(first[::-1])[::-1]
    end = np.maximum.accumulate(end)
    return np.stack([edges[np.where(first == n_stripes, 0, first)], edges[np.where(end == 0, n_stripes, end)]], axis=1)
