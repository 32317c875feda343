"""The pass of an ONNX network: nodes that reduce feature maps are added to its graph, and onnxruntime runs it.

Of each image, only a mean per filter, a minimum and a maximum per layer leave onnxruntime. Nothing after the last
chosen feature map is computed unless the network's own outputs are wanted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.network.feature_map import Layer
from filtag_kg.network.network import CompiledPass, Computed
from filtag_kg.network.onnx.file import IN_MEMORY
from filtag_kg.network.onnx.graph import OnnxGraph
from filtag_kg.network.onnx.packages import Model, Node, import_onnx, import_onnxruntime, onnxruntime_errors
from filtag_kg.network.preparation import Scaling

# On a processor, feature maps are reduced while they are in its cache: it holds those of few images.
_IMAGES_AT_A_TIME = 2
# No tensor of a network may be called so.
_PREFIX = "filtag-kg/"
_CUDA = "CUDAExecutionProvider"


@dataclass(frozen=True, slots=True)
class Input:
    """What a network takes.

    Parameters
    ----------
    size : tuple of int
        (height, width).
    channels : int
    channels_first : bool
    batch : int or None
        How many images it takes at a time; None for any number.
    """

    size: tuple[int, int]
    channels: int
    channels_first: bool
    batch: int | None

    def shape(self, n_images: int | None) -> tuple[int | None, ...]:
        """Return the shape of some images as the network takes them."""
        if self.channels_first:
            return (n_images, self.channels, *self.size)
        return (n_images, *self.size, self.channels)


@dataclass(frozen=True, slots=True)
class Output:
    """The output of a network that counts.

    Parameters
    ----------
    tensor : str
    map_axes : tuple of int
        The axes of the places of a map; empty if the output is none.
    """

    tensor: str
    map_axes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class OnnxEngine:
    """onnxruntime: see :class:`~filtag_kg.network.network.Engine`."""

    graph: OnnxGraph
    input: Input
    output: Output
    where: str
    _passes: dict[Any, CompiledPass] = field(default_factory=dict, compare=False)

    def versions(self) -> dict[str, str]:
        """Return the version of onnxruntime, and what it computes on."""
        onnxruntime = import_onnxruntime()
        return {"backend": "onnxruntime", "onnxruntime": onnxruntime.__version__, "provider": _providers()[0]}

    def differentiable(self, layer: Layer, scaling: Scaling) -> NoReturn:
        """Refuse: onnxruntime computes no gradients."""
        del layer, scaling
        raise FiltagError(
            f"{self.where} runs in onnxruntime, which computes no gradients, and pictures of what a filter looks for "
            "need them: visualize the Keras or PyTorch network that it was exported from"
        )

    def compile(
        self, layers: Sequence[Layer], scaling: Scaling, batch_size: int, *, scores: bool, once: bool
    ) -> CompiledPass:
        """Return the pass: see :meth:`~filtag_kg.network.network.Engine.compile`."""
        # A server asks for the same again with each image.
        key = (tuple(layer.feature_map for layer in layers), scaling, batch_size, scores)
        if once and key in self._passes:
            return self._passes[key]
        run = self._compile(layers, scaling, batch_size, scores=scores)
        self._passes.clear()
        if once:
            self._passes[key] = run
        return run

    def _compile(self, layers: Sequence[Layer], scaling: Scaling, batch_size: int, *, scores: bool) -> CompiledPass:
        whole_numbers = import_onnx().helper.tensor_dtype_to_np_dtype(self.graph.types[self.graph.image]).kind in "iu"
        if whole_numbers and (any(scaling.mean) or any(std != 1 for std in scaling.std)):
            raise FiltagError(
                f"{self.where} takes pixels as whole numbers and scales them itself: leave the preprocessing out",
                options=("preprocess", "mean", "std"),
            )
        n_filters = [layer.n_filters for layer in layers]
        at_a_time = self.input.batch or (batch_size if _providers()[0] == _CUDA else _IMAGES_AT_A_TIME)
        n_runs = -(-batch_size // at_a_time)
        workers = 1 if _providers()[0] == _CUDA else min(os.cpu_count() or 1, n_runs)

        @cache
        def session(dtype: np.dtype[Any]) -> Any:  # noqa: ANN401 - of onnxruntime
            model = pass_model(self.graph, self.input, self.output if scores else None, layers, scaling, dtype)
            # Workers share the threads that a session has besides their own.
            return open_session(model, self.graph.weights, (os.cpu_count() or 1) - workers + 1, self.where)

        pool = ThreadPoolExecutor(workers, thread_name_prefix="onnxruntime")

        def run(pixels: NDArray[Any]) -> Computed:
            pixels = np.ascontiguousarray(pixels, dtype=None if pixels.dtype == np.uint8 else np.float32)
            parts = [pixels[start : start + at_a_time] for start in range(0, len(pixels), at_a_time)]
            opened = session(pixels.dtype)
            ran = list(pool.map(lambda part: self._run(opened, part), parts))
            means, low, high, *own = (np.concatenate(arrays) for arrays in zip(*ran, strict=True))
            return _computed(means, low, high, n_filters, own[0] if own else np.zeros((len(pixels), 0), np.float32))

        return run

    def _run(self, session: Any, pixels: NDArray[Any]) -> list[NDArray[np.float32]]:  # noqa: ANN401 - of onnxruntime
        n_images, batch = len(pixels), self.input.batch
        if batch is not None and n_images < batch:
            pixels = np.concatenate([pixels, np.zeros((batch - n_images, *pixels.shape[1:]), pixels.dtype)])
        try:
            arrays = run_session(session, pixels, self.where)
        except FiltagError:
            if n_images == 1:
                raise
            arrays = []
        if arrays and all(len(array) == len(pixels) for array in arrays):
            return [array[:n_images] for array in arrays]
        if n_images == 1:
            raise FiltagError(f"{self.where} has no output for each image: give a network that takes images")
        # It says that it takes any number of images, but works for one alone.
        alone = [self._run(session, pixels[i : i + 1]) for i in range(n_images)]
        return [np.concatenate(of_images) for of_images in zip(*alone, strict=True)]


def pass_model(
    graph: OnnxGraph,
    input_: Input,
    output: Output | None,
    layers: Sequence[Layer],
    scaling: Scaling,
    dtype: np.dtype[Any],
) -> Model:
    """Return the graph of the pass: from pixels to means, minima, maxima and scores.

    Parameters
    ----------
    output : Output or None
        The network's own, where it is wanted.
    dtype : dtype
        Of the pixels.
    """
    onnx = import_onnx()
    builder = _Builder(graph)
    maps = list(dict.fromkeys(layer.feature_map for layer in layers))
    wanted = [*maps, *([] if output is None else [output.tensor])]
    nodes = builder.scaled(input_, scaling)
    reduced: dict[str, tuple[str, str, str]] = {}
    for node in graph.needed(wanted, [graph.image]):
        nodes.append(node)
        # Right behind its maker, while the map is in the processor's cache.
        for tensor in node.output:
            if tensor in maps:
                more, reduced[tensor] = builder.reductions(tensor, len(reduced))
                nodes += more
    names = ["means", "minima", "maxima"]
    for name, parts in zip(names, zip(*(reduced[layer.feature_map] for layer in layers), strict=True), strict=True):
        nodes.append(builder.node("Concat", parts, f"{name} 4d", axis=1))
        nodes.append(builder.node("Flatten", [builder.name(f"{name} 4d")], name, axis=1))
    if output is not None:
        names.append("scores")
        nodes += builder.scores(output)
    info = onnx.helper.make_tensor_value_info
    outputs = [info(builder.name(name), onnx.TensorProto.FLOAT, None) for name in names]
    return builder.model(nodes, input_, dtype, outputs)


def sample_output(graph: OnnxGraph, input_: Input, tensor: str, where: str) -> NDArray[Any]:
    """Return what a tensor is for a black image, where that is not known without running the network."""
    onnx = import_onnx()
    builder = _Builder(graph)
    channels = input_.channels
    nodes = builder.scaled(input_, Scaling((0.0,) * channels, (1.0,) * channels, tuple(range(channels))))
    nodes += graph.needed([tensor], [graph.image])
    model = builder.model(nodes, input_, np.dtype(np.uint8), [onnx.ValueInfoProto(name=tensor)])
    session = open_session(model, graph.weights, 0, where)
    pixels = np.zeros((input_.batch or 1, *input_.size, channels), np.uint8)
    output = run_session(session, pixels, where)[0]
    if not isinstance(output, np.ndarray) or output.dtype.kind not in "fiub":
        raise FiltagError(f"output {tensor} of {where} holds no numbers: choose another", options=("output_name",))
    return output


class _Builder:
    """Makes nodes in the version of ONNX's operators that a network is written in."""

    def __init__(self, graph: OnnxGraph) -> None:
        self.graph = graph
        self.constants: dict[str, Any] = {}

    def name(self, name: str) -> str:
        return f"{_PREFIX}{name}"

    def node(self, operator: str, inputs: Iterable[str], output: str, **attributes: object) -> Node:
        output = self.name(output)
        return import_onnx().helper.make_node(operator, list(inputs), [output], name=output, **attributes)

    def model(self, nodes: Sequence[Node], input_: Input, dtype: np.dtype[Any], outputs: Sequence[Any]) -> Model:
        """Return the model of some nodes, whose input are pixels."""
        onnx = import_onnx()
        model = onnx.ModelProto()
        model.ir_version = self.graph.model.ir_version
        model.opset_import.extend(self.graph.model.opset_import)
        model.graph.name = "pass"
        model.graph.node.extend(nodes)
        model.graph.initializer.extend([*self.graph.initialisers(nodes), *self.constants.values()])
        data_type = onnx.helper.np_dtype_to_tensor_dtype(dtype)
        shape = (input_.batch, *input_.size, input_.channels)
        model.graph.input.append(onnx.helper.make_tensor_value_info(self.name("pixels"), data_type, shape))
        model.graph.output.extend(outputs)
        return model

    def constant(self, name: str, values: object, dtype: type) -> str:
        name = self.name(name)
        if name not in self.constants:
            self.constants[name] = import_onnx().numpy_helper.from_array(np.array(values, dtype), name)
        return name

    def scaled(self, input_: Input, scaling: Scaling) -> list[Node]:
        """Return the nodes from pixels to the network's input."""
        onnx = import_onnx()
        nodes: list[Node] = []
        tensor = self.name("pixels")

        def then(operator: str, name: str, *more: str, **attributes: object) -> None:
            nonlocal tensor
            nodes.append(self.node(operator, [tensor, *more], name, **attributes))
            tensor = self.name(name)

        if scaling.order != tuple(range(input_.channels)):
            then("Gather", "ordered", self.constant("order", scaling.order, np.int64), axis=3)
        if input_.channels_first:
            then("Transpose", "transposed", perm=(0, 3, 1, 2))
        shape = (-1, 1, 1) if input_.channels_first else (-1,)
        then("Cast", "numbers", to=onnx.TensorProto.FLOAT)
        if any(scaling.mean):
            then("Sub", "centred", self.constant("mean", np.reshape(scaling.mean, shape), np.float32))
        if any(std != 1 for std in scaling.std):
            then("Div", "scaled", self.constant("std", np.reshape(scaling.std, shape), np.float32))
        nodes.append(onnx.helper.make_node("Cast", [tensor], [self.graph.image], to=self.graph.types[self.graph.image]))
        return nodes

    def reductions(self, tensor: str, index: int) -> tuple[list[Node], tuple[str, str, str]]:
        """Return the nodes that reduce the feature maps of a layer, and the names of the three results."""
        nodes, tensor = self.floats(tensor, f"map {index}")
        names = [f"{what} {index}" for what in ("mean", "minimum", "maximum")]
        nodes += [
            self.reduce("ReduceMean", tensor, names[0], (2, 3)),
            self.reduce("ReduceMin", tensor, names[1], (1, 2, 3)),
            self.reduce("ReduceMax", tensor, names[2], (1, 2, 3)),
        ]
        mean, low, high = map(self.name, names)
        return nodes, (mean, low, high)

    def scores(self, output: Output) -> list[Node]:
        """Return the nodes from the network's output to a number for each image and channel."""
        nodes, tensor = self.floats(output.tensor, "output")
        if output.map_axes:
            nodes.append(self.reduce("ReduceMean", tensor, "output means", output.map_axes))
            tensor = self.name("output means")
        nodes.append(self.node("Flatten", [tensor], "scores", axis=1))
        return nodes

    def floats(self, tensor: str, name: str) -> tuple[list[Node], str]:
        """Return the node that makes float32 of a tensor that is something else, and the name of the result."""
        float32 = import_onnx().TensorProto.FLOAT
        if self.graph.types.get(tensor) == float32:
            return [], tensor
        return [self.node("Cast", [tensor], name, to=float32)], self.name(name)

    def reduce(self, operator: str, tensor: str, name: str, axes: tuple[int, ...]) -> Node:
        if self.graph.opset < 18:
            return self.node(operator, [tensor], name, axes=axes, keepdims=1)
        constant = self.constant(f"axes {axes}", axes, np.int64)
        return self.node(operator, [tensor, constant], name, keepdims=1)


def open_session(model: Model, weights: Mapping[str, NDArray[Any]], threads: int, where: str) -> Any:  # noqa: ANN401
    """Return a session of onnxruntime.

    Parameters
    ----------
    weights : mapping of str to array
        The initialisers that `model` only names.
    threads : int
        For each run, its own included.

    Raises
    ------
    FiltagError
        If onnxruntime cannot run it.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.execution_order = onnxruntime.ExecutionOrder.PRIORITY_BASED
    # Warnings are about names and versions in the file; errors are raised.
    options.log_severity_level = 4
    apart = [tensor.name for tensor in model.graph.initializer if _is_apart(tensor)]
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(weights[name])) for name in apart]
    options.add_external_initializers(apart, values)
    try:
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=_providers())
    except onnxruntime_errors() as error:
        raise FiltagError(f"onnxruntime cannot run {where} ({_reason(error)}): export it again") from None


def run_session(session: Any, pixels: NDArray[Any], where: str) -> list[NDArray[np.float32]]:  # noqa: ANN401
    """Return the outputs of a session for its only input.

    Raises
    ------
    FiltagError
        If it fails.
    """
    try:
        outputs: list[NDArray[np.float32]] = session.run(None, {session.get_inputs()[0].name: pixels})
    except onnxruntime_errors() as error:
        raise FiltagError(f"onnxruntime cannot run {where} ({_reason(error)}): check its input size") from None
    return outputs


def _is_apart(tensor: Any) -> bool:  # noqa: ANN401 - of onnx
    return any(entry.value == IN_MEMORY for entry in tensor.external_data)


@cache
def _providers() -> tuple[str, ...]:
    onnxruntime = import_onnxruntime()
    available = onnxruntime.get_available_providers()
    if _CUDA in available:
        # CUDA's libraries may have come with pip.
        getattr(onnxruntime, "preload_dlls", lambda: None)()
        return (_CUDA, "CPUExecutionProvider")
    return ("CPUExecutionProvider",)


def _computed(
    means: NDArray[np.float32],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    n_filters: Sequence[int],
    scores: NDArray[np.float32],
) -> Computed:
    """Scale: mean((x − min) / (max − min)) = (mean(x) − min) / (max − min), see the pass of Keras."""
    constant = high == low
    with np.errstate(invalid="ignore", over="ignore"):
        # Multiplied, not selected: NaN stays NaN, and is noticed.
        factor = np.where(constant, np.float32(0), 1 / np.where(constant, np.float32(1), high - low))
        activations = (means - np.repeat(low, n_filters, axis=1)) * np.repeat(factor, n_filters, axis=1)
    return Computed(activations.astype(np.float32, copy=False), constant, scores)


def _reason(error: BaseException) -> str:
    # The message may begin with "[ONNXRuntimeError]", the error's number and its name, in colons.
    message = reason_of(error).rpartition("[ONNXRuntimeError] : ")[2]
    return " ".join(re.sub(r"^\d+ : \w+ : ", "", message).split())[:200]
