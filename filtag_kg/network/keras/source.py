"""A Keras model as a network's source, and the engine that runs it."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.network.feature_map import Layer
from filtag_kg.network.keras.backend import KerasModel, Operation, Tensor, import_keras
from filtag_kg.network.keras.compiled_pass import Computation, compile_pass, run_once
from filtag_kg.network.keras.model_graph import Graph, trace
from filtag_kg.network.keras.precision import compute_in
from filtag_kg.network.keras.steps import last_function, steps_of
from filtag_kg.network.network import CompiledPass, Computed, Source, weights_sha256
from filtag_kg.network.preparation import Preparation, Scaling, named_scaling

_BACKENDS = {"tensorflow": ("tensorflow", "tensorflow-cpu"), "jax": ("jax",), "torch": ("torch",)}


@dataclass(frozen=True, slots=True)
class KerasSource(Source):
    """A Keras model before layers are chosen."""

    graph: Graph = field(repr=False)
    tensors: Mapping[str, Tensor] = field(repr=False)
    output: Tensor = field(repr=False)
    channels_first: bool

    def engine(self, precision: str) -> KerasEngine:
        """Return what runs it; its layers compute in `precision` from now on."""
        compute_in(self.graph, precision)
        return KerasEngine(self.graph.model, self.tensors, self.output, self.channels_first)


@dataclass(frozen=True, slots=True)
class KerasEngine:
    """Keras, on the backend that it is set to: see :class:`~filtag_kg.network.network.Engine`.

    Parameters
    ----------
    model : keras.Model
        Functional, without submodels: from preprocessed images to the scores of the classes.
    tensors : mapping of str to keras.KerasTensor
        The tensors of the model's graph, by the names that layers know them by.
    output : keras.KerasTensor
        The chosen output.
    channels_first : bool
        Whether the model takes images of shape (channels, height, width).
    """

    model: KerasModel
    tensors: Mapping[str, Tensor]
    output: Tensor
    channels_first: bool = False

    def versions(self) -> dict[str, str]:
        """Return the backend, and the versions of Keras and of the backend."""
        backend = import_keras().backend.backend()
        versions = {"backend": backend, "keras": importlib.metadata.version("keras")}
        for name in _BACKENDS.get(backend, ()):
            try:
                versions["backend_version"] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                # The other of TensorFlow's two distributions.
                continue
        return versions

    def compile(
        self, layers: Sequence[Layer], scaling: Scaling, batch_size: int, *, scores: bool, once: bool
    ) -> CompiledPass:
        """Return the pass: see :meth:`~filtag_kg.network.network.Engine.compile`."""
        computation = self.computation(layers, scaling, scores=scores)
        if not once:
            return compile_pass(computation, batch_size)

        def run(pixels: NDArray[Any]) -> Computed:
            return run_once(computation, pixels)

        return run

    def computation(self, layers: Sequence[Layer], scaling: Scaling, *, scores: bool) -> Computation:
        """Return what is to be computed."""
        return Computation(
            self.model,
            tuple(self.tensors[layer.feature_map] for layer in layers),
            tuple(_channels_first(self.model.get_layer(layer.name)) for layer in layers),
            self.output if scores else None,
            self.channels_first,
            scaling,
            self.channels_first,
        )


def keras_source(
    model: KerasModel,
    name: str,
    where: str,
    *,
    preprocess: str = "none",
    class_ids: tuple[str, ...] = (),
    named: bool = False,
    output_name: str | None = None,
    input_size: tuple[int, int] | None = None,
) -> KerasSource:
    """Return a Keras model as a source.

    Parameters
    ----------
    model : keras.Model
        Functional or Sequential.
    where : str
        The network as the user named it, for messages.
    preprocess : str
        The scaling that it expects.
    class_ids : tuple of str
        The classes of its outputs.
    named : bool
        Whether it is a network that Keras names.
    output_name : str, optional
        Which of several outputs counts, by its layer's name; by default the first.
    input_size : tuple of int, optional
        (height, width), for a model that takes images of any size.

    Raises
    ------
    FiltagError
        If its graph cannot be followed, it takes no images of one size, or there is no such output.
    """
    sha256 = weights_sha256(model.get_weights())
    graph = trace(model, where, input_size)
    channels_first, size, channels = _input(graph, where)
    chosen = _chosen_output(graph, output_name, where)
    steps, tensors = steps_of(graph)
    shape = tuple(chosen.shape[1:])
    is_map = len(shape) > 1
    n_outputs = 1
    for length in shape if not is_map else (shape[0] if channels_first else shape[-1],):
        n_outputs *= length or 0
    return KerasSource(
        name=name,
        steps=steps,
        preparation=Preparation(size, named_scaling(preprocess, channels), preprocess),
        class_ids=class_ids,
        output_size=n_outputs,
        output_is_map=is_map,
        last=last_function(graph, chosen),
        graph=graph,
        tensors=tensors,
        output=chosen,
        channels_first=channels_first,
        weights_sha256=sha256,
        named=named,
    )


def _input(graph: Graph, where: str) -> tuple[bool, tuple[int, int], int]:
    """Return whether the channels of the input come first, its height and width, and its number of channels."""
    shape = tuple(graph.model.inputs[0].shape[1:])
    layouts = {getattr(call.operation, "data_format", None) for call in graph.calls}
    channels_first = "channels_first" in layouts and "channels_last" not in layouts
    if len(shape) != 3:
        raise FiltagError(f"{where} takes input of shape {shape}: give a network for images, (height, width, channels)")
    height, width, channels = (shape[1], shape[2], shape[0]) if channels_first else shape
    if height is None or width is None:
        raise FiltagError(
            f"{where} takes images of any size, {shape}: say which size to give it", options=("input_size",)
        )
    if channels is None:
        raise FiltagError(f"{where} takes images of any number of channels: save it with one number")
    return channels_first, (height, width), channels


def _chosen_output(graph: Graph, output: str | None, where: str) -> Tensor:
    outputs = graph.model.outputs
    if output is None:
        return outputs[0]
    makers = {call.operation.name: tensor for call in graph.calls for tensor in call.outputs}
    named = {name: tensor for name, tensor in makers.items() if any(tensor is each for each in outputs)}
    if output not in named:
        raise FiltagError(f"{where} has no output {output!r}: choose from {', '.join(named)}", options=("output_name",))
    return named[output]


def _channels_first(layer: Operation) -> bool:
    return getattr(layer, "data_format", "channels_last") == "channels_first"
