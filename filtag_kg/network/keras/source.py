"""A Keras model as a network's source, and the engine that runs it."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.network.feature_map import Layer
from filtag_kg.network.keras.ablation import KerasAblatable
from filtag_kg.network.keras.backend import KerasModel, Tensor, import_keras
from filtag_kg.network.keras.channels_last import channels_last, has_channels_first
from filtag_kg.network.keras.compiled_pass import Computation, compile_pass, run_once
from filtag_kg.network.keras.gradients import KerasDifferentiable, differentiable
from filtag_kg.network.keras.map_reader import KerasMapReader
from filtag_kg.network.keras.model_graph import Graph, trace
from filtag_kg.network.keras.precision import compute_in
from filtag_kg.network.keras.steps import last_function, steps_of
from filtag_kg.network.network import CompiledPass, Computed, Source, weights_sha256
from filtag_kg.network.preparation import Preparation
from filtag_kg.network.scaling import Scaling, named_scaling

_BACKENDS = {"tensorflow": ("tensorflow", "tensorflow-cpu"), "jax": ("jax",), "torch": ("torch",)}


@dataclass(frozen=True, slots=True)
class KerasSource(Source):
    """A Keras model before layers are chosen."""

    graph: Graph = field(repr=False)
    tensors: Mapping[str, Tensor] = field(repr=False)
    output: Tensor = field(repr=False)

    def engine(self, precision: str) -> KerasEngine:
        """Return what runs it; its layers compute in `precision` from now on."""
        compute_in(self.graph, precision)
        return KerasEngine(self.graph.model, self.tensors, self.output)


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
    """

    model: KerasModel
    tensors: Mapping[str, Tensor]
    output: Tensor

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

    def differentiable(self, layer: Layer, scaling: Scaling) -> KerasDifferentiable:
        """Return a layer with its gradient: see :meth:`~filtag_kg.network.network.Engine.differentiable`."""
        feature_map = self.tensors[layer.feature_map]
        return differentiable(self.model, feature_map, layer, scaling)

    def ablatable(self, layers: Sequence[Layer], scaling: Scaling, batch_size: int) -> KerasAblatable:
        """Return the network without some filters: see :meth:`~filtag_kg.network.network.Engine.ablatable`."""
        maps = tuple(self.tensors[layer.feature_map] for layer in layers)
        return KerasAblatable(self.model, maps, self.output, scaling, batch_size)

    def map_reader(
        self, layers: Sequence[Layer], scaling: Scaling, batch_size: int, *, once: bool = False
    ) -> KerasMapReader:
        """Return what gives away feature maps: see :meth:`~filtag_kg.network.network.Engine.map_reader`."""
        tensors = tuple(self.tensors[layer.feature_map] for layer in layers)
        return KerasMapReader(self.model, tensors, scaling, batch_size, compiled=not once)

    def computation(self, layers: Sequence[Layer], scaling: Scaling, *, scores: bool) -> Computation:
        """Return what is to be computed."""
        return Computation(
            self.model,
            tuple(self.tensors[layer.feature_map] for layer in layers),
            self.output if scores else None,
            scaling,
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
    graph = trace(_with_channel(model), where, input_size)
    index = _output_index(graph, model, output_name, where)
    if has_channels_first(graph):
        graph = channels_last(graph, where)
    size, channels = _input(graph, where)
    chosen = graph.model.outputs[index]
    steps, tensors = steps_of(graph)
    shape = tuple(chosen.shape[1:])
    # One place is no map, as of a classifier that is a convolution.
    is_map = math.prod(shape[:-1]) > 1
    return KerasSource(
        name=name,
        steps=steps,
        preparation=Preparation(size, named_scaling(preprocess, channels), preprocess),
        class_ids=class_ids,
        output_size=shape[-1] if is_map else math.prod(shape),
        output_is_map=is_map,
        last=last_function(graph, chosen),
        graph=graph,
        tensors=tensors,
        output=chosen,
        weights_sha256=sha256,
        named=named,
    )


def _with_channel(model: KerasModel) -> KerasModel:
    """Return a network of grey images of shape (height, width), as of MNIST, as one of (height, width, 1)."""
    keras = import_keras()
    layers = keras.layers
    inputs: list[Tensor] = list(getattr(model, "inputs", None) or [])
    two_dimensional = (layers.Conv2D, layers.SeparableConv2D, layers.DepthwiseConv2D)
    if (
        not isinstance(model, keras.Sequential | keras.Function)
        or len(inputs) != 1
        or len(inputs[0].shape) != 3
        or not any(isinstance(layer, two_dimensional) for layer in model._flatten_layers())
    ):
        return model
    image = keras.Input(batch_shape=(*inputs[0].shape, 1), dtype=inputs[0].dtype, name=inputs[0].name)
    return keras.Model(image, model(keras.ops.squeeze(image, axis=-1)), name=model.name)


def _input(graph: Graph, where: str) -> tuple[tuple[int, int], int]:
    """Return the height and width of the input, and its number of channels."""
    shape = tuple(graph.model.inputs[0].shape[1:])
    if len(shape) != 3:
        raise FiltagError(f"{where} takes input of shape {shape}: give a network for images, (height, width, channels)")
    height, width, channels = shape
    if height is None or width is None:
        raise FiltagError(
            f"{where} takes images of any size, {shape}: say which size to give it", options=("input_size",)
        )
    if channels is None:
        raise FiltagError(f"{where} takes images of any number of channels: save it with one number")
    return (height, width), channels


def _output_index(graph: Graph, model: KerasModel, name: str | None, where: str) -> int:
    """Return which output has a name: that of its layer, of the model's own layer or its key in the model's outputs."""
    if name is None:
        return 0
    keras = import_keras()
    makers = {id(tensor): call.operation.name for call in graph.calls for tensor in call.outputs}
    layers = [makers.get(id(tensor), "") for tensor in graph.model.outputs]
    keys = [".".join(map(str, path)) for path, _ in keras.tree.flatten_with_path(model.output)]
    # A model within another gives all its outputs its own name.
    spellings = [names for names in (keys, list(model.output_names), layers) if len(set(names)) == len(layers)]
    for names in spellings:
        if name in names:
            return names.index(name)
    choices = spellings[0] if isinstance(model.output, dict) else spellings[-1]
    raise FiltagError(f"{where} has no output {name!r}: choose from {', '.join(choices)}", options=("output_name",))
