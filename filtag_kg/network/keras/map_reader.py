"""Single feature maps of a Keras network, on the backend that Keras runs on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.network.keras.backend import KerasModel, Tensor, import_keras
from filtag_kg.network.keras.compiled_function import Function, compiled_function
from filtag_kg.network.keras.compiled_pass import scaled
from filtag_kg.network.map_reader import WantedMaps
from filtag_kg.network.scaling import Scaling

_FEWEST = 8


@dataclass(frozen=True, eq=False)
class KerasMapReader:
    """A Keras network: see :class:`~filtag_kg.network.map_reader.MapReader`.

    Parameters
    ----------
    model : keras.Model
        Functional and flat, from what the network takes.
    tensors : tuple of keras.KerasTensor
        The feature maps of the chosen layers, shape (n_images, height, width, n_filters).
    batch_size : int
        The one that is compiled; smaller batches are padded.
    compiled : bool
    """

    model: KerasModel
    tensors: tuple[Tensor, ...]
    scaling: Scaling
    batch_size: int
    compiled: bool = True

    def maps(self, pixels: NDArray[Any], wanted: Sequence[WantedMaps]) -> list[NDArray[np.float32]]:
        """Return feature maps: see :meth:`~filtag_kg.network.map_reader.MapReader.maps`."""
        missing = self.batch_size - len(pixels)
        if missing > 0:
            pixels = np.concatenate([pixels, np.zeros((missing, *pixels.shape[1:]), pixels.dtype)])
        # Each number of maps is compiled anew, so there are few: powers of two.
        most = max(_FEWEST, *(len(each.images) for each in wanted))
        n_maps = 1 << (most - 1).bit_length()
        chosen = np.zeros((len(wanted), 2, n_maps), np.int32)
        for layer, each in enumerate(wanted):
            chosen[layer, :, : len(each.images)] = each.images, each.filters
        to_numpy = import_keras().ops.convert_to_numpy
        maps = self._run(pixels, chosen)
        return [to_numpy(one)[: len(each.images)] for one, each in zip(maps, wanted, strict=True)]

    @cached_property
    def _run(self) -> Function:
        keras = import_keras()
        model = keras.Model(self.model.inputs[0], list(self.tensors))

        def run(pixels: Tensor, chosen: Tensor) -> tuple[Tensor, ...]:
            outputs = model(scaled(self.scaling, keras.ops.cast(pixels, "float32")), training=False)
            # Keras returns the only output of a model without a list.
            outputs = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
            return tuple(_chosen(output, chosen[layer, 0], chosen[layer, 1]) for layer, output in enumerate(outputs))

        return compiled_function(run, self.model) if self.compiled else run


def _chosen(maps: Tensor, images: Tensor, filters: Tensor) -> Tensor:
    """Return chosen ones of the feature maps of a layer, shape (n_maps, height, width).

    Their numbers are looked up one by one: to move the filters' axis first would copy all maps.
    """
    ops = import_keras().ops
    n_images, height, width, n_filters = maps.shape
    places = np.arange(height * width, dtype=np.int32) * n_filters
    first = images * (height * width * n_filters) + filters
    chosen = ops.take(ops.reshape(maps, (n_images * height * width * n_filters,)), first[:, None] + places, axis=0)
    return ops.reshape(ops.cast(chosen, "float32"), (-1, height, width))
