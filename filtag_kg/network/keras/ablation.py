"""A Keras network without some of its filters, on the backend that Keras runs on.

What no replaced feature map reaches is computed once for a batch, the rest once for each set of filters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from filtag_kg.network.keras.backend import KerasModel, Tensor, import_keras
from filtag_kg.network.keras.compiled_function import Function, compiled_function
from filtag_kg.network.keras.compiled_pass import map_means, output_means, scaled
from filtag_kg.network.scaling import Scaling

# Of Keras, which has no types: one call of an operation in a model's graph.
Node: TypeAlias = Any


@dataclass(frozen=True, eq=False)
class KerasAblatable:
    """A Keras network: see :class:`~filtag_kg.network.ablation.Ablatable`.

    Parameters
    ----------
    model : keras.Model
        Functional and flat, from what the network takes.
    maps : tuple of keras.KerasTensor
        The feature maps of the chosen layers, shape (n_images, height, width, n_filters).
    output : keras.KerasTensor
    batch_size : int
        The one that is compiled; smaller batches are padded.
    """

    model: KerasModel
    maps: tuple[Tensor, ...]
    output: Tensor
    scaling: Scaling
    batch_size: int

    def measured(self, pixels: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run the network as it is: see :meth:`~filtag_kg.network.ablation.Ablatable.measured`."""
        scores, means = map(import_keras().ops.convert_to_numpy, self._measure(self._padded(pixels)))
        return scores[: len(pixels)], means[: len(pixels)]

    def ablated(
        self, pixels: NDArray[Any], kept: NDArray[np.bool_], values: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Run it once for each set: see :meth:`~filtag_kg.network.ablation.Ablatable.ablated`."""
        to_numpy = import_keras().ops.convert_to_numpy
        before = self._begin(self._padded(pixels))
        filled = np.asarray(values, np.float32)
        return np.stack([to_numpy(self._end(one_set, filled, *before)[0])[: len(pixels)] for one_set in kept])

    def _padded(self, pixels: NDArray[Any]) -> NDArray[Any]:
        missing = self.batch_size - len(pixels)
        return np.concatenate([pixels, np.zeros((missing, *pixels.shape[1:]), pixels.dtype)]) if missing > 0 else pixels

    @cached_property
    def _measure(self) -> Function:
        keras = import_keras()
        model = keras.Model(self.model.inputs[0], [self.output, *self.maps])

        def measure(pixels: Tensor) -> tuple[Tensor, ...]:
            output, *maps = model(scaled(self.scaling, keras.ops.cast(pixels, "float32")), training=False)
            means = [map_means(keras.ops, keras.ops.cast(one, "float32")) for one in maps]
            return output_means(keras.ops, output), keras.ops.concatenate(means, axis=1)

        return compiled_function(measure, self.model)

    @cached_property
    def _parts(self) -> tuple[list[Node], list[Node], list[Tensor]]:
        """The calls before and after the replaced feature maps, and the tensors that cross from one to the other."""
        nodes = _needed(self.model, self.output)
        reached = {id(tensor) for tensor in self.maps}
        before, after = [], []
        for node in nodes:
            if any(id(tensor) in reached for tensor in node.input_tensors):
                reached.update(id(tensor) for tensor in node.outputs)
                after.append(node)
            else:
                before.append(node)
        made = {id(tensor) for node in after for tensor in node.outputs}
        used = [tensor for node in after for tensor in node.input_tensors] + [self.output]
        crossing = {id(tensor): tensor for tensor in used if id(tensor) not in made}
        return before, after, list(crossing.values())

    @cached_property
    def _begin(self) -> Function:
        keras = import_keras()
        before, _, crossing = self._parts
        start = self.model.inputs[0]

        def begin(pixels: Tensor) -> tuple[Tensor, ...]:
            images = scaled(self.scaling, keras.ops.cast(pixels, "float32"))
            values = {id(start): keras.ops.cast(images, start.dtype)}
            _compute(before, values, {})
            return tuple(values[id(tensor)] for tensor in crossing)

        return compiled_function(begin, self.model)

    @cached_property
    def _end(self) -> Function:
        keras = import_keras()
        _, after, crossing = self._parts
        ends = np.cumsum([0, *(tensor.shape[-1] for tensor in self.maps)]).tolist()

        def end(kept: Tensor, filled: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
            columns = (slice(*each) for each in pairwise(ends))
            parts = ((kept[column], filled[column]) for column in columns)
            replaced = dict(zip(map(id, self.maps), parts, strict=True))
            values = {id(tensor): value for tensor, value in zip(crossing, tensors, strict=True)}
            values = {key: _replaced(value, replaced.get(key)) for key, value in values.items()}
            _compute(after, values, replaced)
            return (output_means(keras.ops, values[id(self.output)]),)

        return compiled_function(end, self.model)


def _needed(model: KerasModel, output: Tensor) -> list[Node]:
    """Return the calls that an output depends on, in forward order."""
    # Keras has no public way to walk a graph: these are the calls that a model itself makes.
    depths = sorted(model._nodes_by_depth, reverse=True)
    nodes = [node for depth in depths for node in model._nodes_by_depth[depth] if not node.is_input]
    wanted = {id(output)}
    needed = []
    for node in reversed(nodes):
        if any(id(tensor) in wanted for tensor in node.outputs):
            wanted.update(id(tensor) for tensor in node.input_tensors)
            needed.append(node)
    return needed[::-1]


def _compute(nodes: Iterable[Node], values: dict[int, Tensor], replaced: Mapping[int, Sequence[Tensor]]) -> None:
    """Make calls in order; `values` has the value of each symbolic tensor, by its id, and gets those of the calls."""
    flatten = import_keras().tree.flatten
    for node in nodes:
        args, kwargs = node.arguments.fill_in(values)
        kwargs.pop("training", None)
        if getattr(node.operation, "_call_has_training_arg", False):
            kwargs["training"] = False
        for tensor, value in zip(node.outputs, flatten(node.operation(*args, **kwargs)), strict=True):
            values[id(tensor)] = _replaced(value, replaced.get(id(tensor)))


def _replaced(maps: Tensor, replacement: Sequence[Tensor] | None) -> Tensor:
    if replacement is None:
        return maps
    ops = import_keras().ops
    kept, filled = replacement
    # Selected, not multiplied: what is replaced may be infinite.
    return ops.where(kept, maps, ops.cast(filled, maps.dtype))
