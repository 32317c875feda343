"""Single feature maps of an ONNX network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.network.map_reader import WantedMaps
from filtag_kg.network.onnx.pass_graph import wanted_name
from filtag_kg.network.onnx.session import run_session


@dataclass(slots=True, eq=False)
class OnnxMapReader:
    """An ONNX network: see :class:`~filtag_kg.network.map_reader.MapReader`.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        Of :func:`~filtag_kg.network.onnx.pass_graph.maps_model`.
    n_filters : tuple of int
        Of each layer.
    batch : int or None
        How many images the network takes at a time; None for any number.
    at_a_time : int
        How many it is given.
    where : str
        The network as the user named it, for messages.
    """

    session: Any
    n_filters: tuple[int, ...]
    batch: int | None
    at_a_time: int
    where: str

    def maps(self, pixels: NDArray[Any], wanted: Sequence[WantedMaps]) -> list[NDArray[np.float32]]:
        """Return feature maps: see :meth:`~filtag_kg.network.map_reader.MapReader.maps`."""
        pixels = np.ascontiguousarray(pixels, dtype=np.float32)
        maps: list[NDArray[np.float32]] = []
        start = 0
        while start < len(pixels):
            part = pixels[start : start + self.at_a_time]
            inside = [(start <= each.images) & (each.images < start + len(part)) for each in wanted]
            rows = [
                (each.images[here] - start) * n_filters + each.filters[here]
                for each, here, n_filters in zip(wanted, inside, self.n_filters, strict=True)
            ]
            try:
                arrays = self._run(part, rows)
            except FiltagError:
                if len(part) == 1 or self.batch is not None:
                    raise
                # It says that it takes any number of images, but works for one alone.
                self.at_a_time = 1
                continue
            if not maps:
                maps = [
                    np.empty((len(here), *array.shape[1:]), np.float32)
                    for here, array in zip(inside, arrays, strict=True)
                ]
            for whole, here, array in zip(maps, inside, arrays, strict=True):
                whole[here] = array
            start += len(part)
        return maps

    def _run(self, pixels: NDArray[np.float32], rows: Sequence[NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        missing = (self.batch or 0) - len(pixels)
        if missing > 0:
            pixels = np.concatenate([pixels, np.zeros((missing, *pixels.shape[1:]), pixels.dtype)])
        inputs = {wanted_name(layer): each for layer, each in enumerate(rows)}
        outputs = run_session(self.session, pixels, self.where, more=inputs)
        maps, shapes = outputs[: len(rows)], outputs[len(rows) :]
        return [one.reshape(-1, *shape[2:].tolist()) for one, shape in zip(maps, shapes, strict=True)]
