"""The graph of the pass: a network's own, with pixels as its input, and nodes that reduce feature maps.

Of each image, only a mean per filter, a minimum and a maximum per layer leave onnxruntime. Nothing after the last
chosen feature map is computed unless the network's own outputs are wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from filtag_kg.network.feature_map import Layer
from filtag_kg.network.onnx.graph import OnnxGraph
from filtag_kg.network.onnx.packages import Model, Node, import_onnx
from filtag_kg.network.scaling import Scaling

# No tensor of a network may be called so.
_PREFIX = "filtag-kg/"


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
    size : int
        Numbers for an image; of a map, its channels.
    map_axes : tuple of int
        The axes of the places of a map; empty if the output is none.
    squeezed : bool
        Whether all axes of length 1 are taken away, so that of the images, too, where there is a single one.
    """

    tensor: str
    size: int
    map_axes: tuple[int, ...] = ()
    squeezed: bool = False


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


def maps_model(graph: OnnxGraph, input_: Input, layers: Sequence[Layer], scaling: Scaling) -> Model:
    """Return the graph from pixels, float32, and the rows of the wanted feature maps of each layer to these maps.

    A layer's maps are the rows of a matrix: those of the first image, filter by filter, then those of the second. Its
    outputs are the chosen rows of each layer, then the shape of each layer's maps.
    """
    onnx = import_onnx()
    builder = _Builder(graph)
    tensors = [layer.feature_map for layer in layers]
    nodes = [*builder.scaled(input_, scaling), *graph.needed(tensors, [graph.image])]
    maps, shapes = [f"maps {layer}" for layer in range(len(layers))], [f"shape {layer}" for layer in range(len(layers))]
    for layer, tensor in enumerate(tensors):
        cast, floats = builder.floats(tensor, f"map {layer}")
        nodes += cast
        nodes.append(builder.node("Flatten", [floats], f"rows {layer}", axis=2))
        nodes.append(builder.node("Gather", [builder.name(f"rows {layer}"), wanted_name(layer)], maps[layer], axis=0))
        nodes.append(builder.node("Shape", [floats], shapes[layer]))
    info, types = onnx.helper.make_tensor_value_info, onnx.TensorProto
    outputs = [info(builder.name(name), types.FLOAT, None) for name in maps]
    outputs += [info(builder.name(name), types.INT64, None) for name in shapes]
    model = builder.model(nodes, input_, np.dtype(np.float32), outputs)
    model.graph.input.extend(info(wanted_name(layer), types.INT64, (None,)) for layer in range(len(layers)))
    return model


def wanted_name(layer: int) -> str:
    """Return the name of the input that says which rows of a layer are wanted."""
    return f"{_PREFIX}wanted {layer}"


def output_model(graph: OnnxGraph, input_: Input, tensor: str) -> Model:
    """Return the graph from pixels as whole numbers, which it does not scale, to one of its tensors."""
    builder = _Builder(graph)
    channels = input_.channels
    nodes = builder.scaled(input_, Scaling((0.0,) * channels, (1.0,) * channels, tuple(range(channels))))
    nodes += graph.needed([tensor], [graph.image])
    return builder.model(nodes, input_, np.dtype(np.uint8), [import_onnx().ValueInfoProto(name=tensor)])


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
        if output.squeezed:
            nodes.append(self.node("Reshape", [tensor, self.constant("score", (-1, output.size), np.int64)], "scores"))
        else:
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
