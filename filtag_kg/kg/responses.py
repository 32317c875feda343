"""Where filters respond in their exemplars, collected image by image, in memory that does not grow with the images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from filtag_kg.array_file import new_array
from filtag_kg.kg.activation_maps import View, response
from filtag_kg.kg.exemplars import ExemplarRow
from filtag_kg.kg.where import MAP_SIDE, MAPS_FILE, WHERE, WhereRow
from filtag_kg.network import Network, ReceptiveFields, WantedMaps, receptive_fields

_MOST_NUMBERS = 2**26
"""Of feature maps that leave the network at a time."""
_AT_A_TIME = 10_000

_Rows: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SeenImage:
    """An image, prepared for a network.

    Parameters
    ----------
    name : str
    pixels : uint8 or float32 array of shape (height, width, channels)
    view : View
    """

    name: str
    pixels: NDArray[Any]
    view: View


class Responses:
    """Where filters respond in their exemplars.

    Parameters
    ----------
    rows : sequence of ExemplarRow
        Those of ``exemplars.csv``, a filter's one after the other.
    folder : Path
        The one that ``exemplars.csv`` is going to be in.
    batch_size : int
        Images at a time.
    """

    def __init__(self, network: Network, rows: Sequence[ExemplarRow], folder: Path, batch_size: int) -> None:
        self.batch_size = batch_size
        self._network = network
        self._reader = network.map_reader(batch_size)
        self._rows = rows
        self._rows_of: dict[str, list[int]] = {}
        for number, row in enumerate(rows):
            self._rows_of.setdefault(row.image, []).append(number)
        self._layer = np.array([row.layer_index for row in rows], np.int64)
        self._filter = np.array([row.filter for row in rows], np.int64)
        self._fields: list[ReceptiveFields] = []
        self._folder = folder
        shape = (len(rows), MAP_SIDE, MAP_SIDE)
        # Until all are there, each map from 0 to 255 by its own range: [low, high].
        self._maps = new_array(folder / MAPS_FILE, np.uint8, shape)
        self._low, self._high = np.zeros((2, len(rows)), np.float64)
        self._where: list[WhereRow | None] = [None] * len(rows)

    def add(self, images: Sequence[SeenImage]) -> None:
        """Add images, `batch_size` at most."""
        pixels = np.stack([image.pixels for image in images])
        if not self._fields:
            self._fields = receptive_fields(self._network, self._reader, pixels, batch_size=self.batch_size)
        rows_of = [self._rows_of[image.name] for image in images]
        rows = np.array([number for numbers in rows_of for number in numbers], np.int64)
        image_of = np.repeat(np.arange(len(images)), [len(numbers) for numbers in rows_of])
        for part in self._parts(rows):
            wanted = [
                np.flatnonzero(self._layer[rows[part]] == layer) + part.start for layer in range(len(self._fields))
            ]
            chosen = [WantedMaps(image_of[each], self._filter[rows[each]]) for each in wanted]
            for layer, maps in enumerate(self._reader.maps(pixels, chosen)):
                for position, feature_map in zip(wanted[layer].tolist(), maps, strict=True):
                    self._add(int(rows[position]), feature_map, images[image_of[position]].view)

    def _parts(self, rows: _Rows) -> list[slice]:
        """Return the rows in parts whose feature maps may be in memory together."""
        sizes = np.array([len(fields.rows) * len(fields.columns) for fields in self._fields])[self._layer[rows]]
        part = np.cumsum(sizes) // _MOST_NUMBERS
        edges = [0, *(np.flatnonzero(np.diff(part)) + 1).tolist(), len(rows)]
        return [slice(*edge) for edge in pairwise(edges)]

    def _add(self, row: int, feature_map: NDArray[np.float32], view: View) -> None:
        answer = response(feature_map, self._fields[self._layer[row]], view)
        low, high = answer.floor, float(answer.map.max())
        share = (answer.map - low) / (high - low) if high > low else np.zeros_like(answer.map)
        self._maps[row] = np.rint(share.clip(0, 1) * 255)
        self._low[row], self._high[row] = low, high
        self._where[row] = WhereRow.of(self._rows[row], crop=answer.crop, field=answer.field, view=view.seen)

    def write(self) -> list[WhereRow]:
        """Write maps and table, now that all images were added; return the table's rows."""
        filters = np.stack([self._layer, self._filter], axis=1)
        first = np.flatnonzero(np.diff(filters, axis=0, prepend=-1).any(axis=1))
        of_filter = np.repeat(np.arange(len(first)), np.diff([*first, len(filters)]))
        high = np.maximum.reduceat(self._high, first)[of_filter]
        low = np.where(high > 0, 0, np.minimum.reduceat(self._low, first)[of_filter])
        for start in range(0, len(filters), _AT_A_TIME):
            part = slice(start, start + _AT_A_TIME)
            own_low, own_high, lowest, highest = (each[part, None, None] for each in (self._low, self._high, low, high))
            numbers = own_low + self._maps[part] / 255 * (own_high - own_low)
            span = highest - lowest
            shares = np.divide(numbers - lowest, span, out=np.zeros(numbers.shape), where=span > 0)
            self._maps[part] = np.rint(shares.clip(0, 1) * 255)
        self._maps.flush()
        rows = [row for row in self._where if row is not None]
        assert len(rows) == len(self._rows)
        with (self._folder / WHERE.file_name).open("w", encoding="utf-8", newline="") as file:
            WHERE.write(rows, file)
        return rows
