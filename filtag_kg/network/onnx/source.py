"""An ONNX network as a source: its input, its outputs, its steps and the hash of its weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from filtag_kg.errors import FiltagError
from filtag_kg.network.network import Source, weights_sha256
from filtag_kg.network.onnx.engine import OnnxEngine, sample_shape
from filtag_kg.network.onnx.file import OnnxFile
from filtag_kg.network.onnx.graph import OnnxGraph, Shape, attribute, graph_of, inputs_of
from filtag_kg.network.onnx.packages import import_onnx
from filtag_kg.network.onnx.pass_graph import Input, Output
from filtag_kg.network.onnx.steps import convolutions_of, steps_of
from filtag_kg.network.preparation import Preparation
from filtag_kg.network.scaling import named_scaling

_QUANTISED = ("QLinearConv", "ConvInteger", "QLinearConvTranspose")
# What changes no number of an output, or takes means of it, or multiplies all by the same.
# fmt: off
_SHAPING = (
    "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Identity", "Cast", "Dropout", "GlobalAveragePool",
    "AveragePool", "ReduceMean", "Slice", "Gather", "Resize", "Upsample", "Mul", "Div",
)
# fmt: on
# The softmax of a logarithm of a softmax is that softmax.
_LINEAR = (
    "Gemm",
    "MatMul",
    "FusedMatMul",
    "Conv",
    "Add",
    "Sub",
    "Einsum",
    "BatchNormalization",
    "LogSoftmax",
)
# What a file may ask for: a mistaken or malicious length would fill the memory.
_MOST_IMAGES, _MOST_CHANNELS, _LONGEST_SIDE = 4096, 4096, 16384
_TO_CHANNELS_FIRST, _TO_CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]


@dataclass(frozen=True, slots=True)
class OnnxSource(Source):
    """An ONNX network before layers are chosen."""

    graph: OnnxGraph = field(repr=False)
    input: Input
    output: Output
    own_precision: str
    where: str

    def computes_in(self, precision: str) -> str:
        """Return the file's own precision: a graph fixes the types of its tensors.

        Raises
        ------
        FiltagError
            If another is asked for.
        """
        if precision not in ("float32", self.own_precision):
            raise FiltagError(
                f"{self.where} computes in {self.own_precision}: leave the precision out, or convert the file to "
                f"{precision}",
                options=("precision",),
            )
        return self.own_precision

    def engine(self, precision: str) -> OnnxEngine:  # noqa: ARG002 - the file's own
        """Return what runs it."""
        return OnnxEngine(self.graph, self.input, self.output, self.where)


def onnx_source(
    file: OnnxFile,
    name: str,
    where: str,
    *,
    output_name: str | None = None,
    input_size: tuple[int, int] | None = None,
) -> OnnxSource:
    """Return an ONNX network as a source.

    Parameters
    ----------
    where : str
        The network as the user named it, for messages.
    output_name : str, optional
        Which of several outputs counts; by default the first.
    input_size : tuple of int, optional
        (height, width), for a network that takes images of any size.

    Raises
    ------
    FiltagError
        If it takes no images of one size, is quantised, or has no such output.
    """
    image = _image(file, where)
    declared = graph_of(file, image)
    if not convolutions_of(declared) and any(node.op_type in _QUANTISED for node in declared.nodes):
        raise FiltagError(f"{where} is quantised to whole numbers: give the network that it was made from")
    input_ = _input(declared, where, input_size)
    graph = graph_of(file, image, input_.shape(input_.batch or 1))
    tensor = _chosen_output(graph, output_name, where)
    shape = graph.shapes.get(tensor)
    if shape is None or None in shape or shape[:1] != (input_.batch or 1,):
        shape = sample_shape(graph, input_, tensor, where)
    channels_first = _outer_transpose(graph, tensor) != _TO_CHANNELS_LAST
    places = tuple(axis for axis in range(1, len(shape)) if axis != (1 if channels_first else len(shape) - 1))
    # Means over a single place need not be taken.
    is_map = any(shape[axis] != 1 for axis in places)
    size = _output_size(shape, places if is_map else ())
    chosen = Output(tensor, size, places if is_map else (), _is_squeezed(graph, tensor))
    return OnnxSource(
        name=name,
        steps=steps_of(graph),
        preparation=Preparation(input_.size, named_scaling("none", input_.channels), "none"),
        class_ids=(),
        output_size=size,
        output_is_map=is_map,
        last=_last_function(graph, tensor),
        named=False,
        weights_sha256=_weights_sha256(graph),
        graph=graph,
        input=input_,
        output=chosen,
        own_precision=_precision(graph),
        where=where,
    )


def _image(file: OnnxFile, where: str) -> str:
    """Return the name of the only input."""
    # Older files list initialisers as inputs too.
    inputs = [value for value in file.model.graph.input if value.name not in file.weights]
    if len(inputs) != 1:
        names = ", ".join(value.name for value in inputs)
        raise FiltagError(f"{where} takes {len(inputs)} inputs ({names}): give a network that takes one image")
    (value,) = inputs
    tensor_type = import_onnx().TensorProto.DataType
    types = {tensor_type.Value(x) for x in ("FLOAT", "FLOAT16", "BFLOAT16", "DOUBLE", "UINT8", "INT32", "INT64")}
    if value.type.tensor_type.elem_type not in types:
        raise FiltagError(f"{where} takes input {value.name}, which holds no numbers of pixels: give a CNN for images")
    return str(value.name)


def _input(graph: OnnxGraph, where: str, input_size: tuple[int, int] | None) -> Input:
    declared = graph.shapes.get(graph.image, (None,) * 4)
    if len(declared) != 4:
        raise FiltagError(
            f"{where} takes input of {len(declared)} dimensions: give a network for images, "
            "(images, channels, height, width) or (images, height, width, channels)"
        )
    indices = convolutions_of(graph)
    if not indices:
        raise FiltagError(f"{where} has no convolutional layer: give a CNN")
    first = graph.nodes[indices[0]]
    of_first = (graph.shapes[first.input[1]][1] or 0) * attribute(first, "group", 1)
    channels_first = _channels_first(graph, declared, of_first, indices[0])
    # Zero stands for a length that is not known, too.
    batch, *lengths = (length or None for length in declared)
    channels = lengths.pop(0 if channels_first else 2) or of_first
    sizes = [own or given for own, given in zip(lengths, input_size or (None, None), strict=True)]
    height, width = sizes
    if height is None or width is None:
        raise FiltagError(f"{where} takes images of any size: say which size to give it", options=("input_size",))
    limits = ((batch or 1, _MOST_IMAGES), (channels, _MOST_CHANNELS), (height, _LONGEST_SIDE), (width, _LONGEST_SIDE))
    if not all(0 < length <= limit for length, limit in limits):
        raise FiltagError(f"{where} takes input of shape {declared}, which cannot be images: export it again")
    return Input((height, width), channels, channels_first, batch)


def _channels_first(graph: OnnxGraph, declared: Shape, of_first: int, first: int) -> bool:
    """Return whether the input is (images, channels, height, width), which all convolutions of ONNX take.

    Parameters
    ----------
    of_first, first : int
        The channels of the first convolution, and its node.
    """
    if declared[3] == of_first and declared[1] != of_first:
        return False
    # A network of TensorFlow transposes its input first.
    return not any(
        node.op_type == "Transpose"
        and node.input[0] in graph.varying
        and list(attribute(node, "perm", ())) == _TO_CHANNELS_FIRST
        for node in graph.nodes[:first]
    )


def _chosen_output(graph: OnnxGraph, output_name: str | None, where: str) -> str:
    if output_name is None:
        return next(iter(graph.outputs.values()))
    if output_name not in graph.outputs:
        raise FiltagError(
            f"{where} has no output {output_name!r}: choose from {', '.join(graph.outputs)}", options=("output_name",)
        )
    return graph.outputs[output_name]


def _outer_transpose(graph: OnnxGraph, tensor: str) -> list[int]:
    """Return the order of axes that the last operations give an output; empty if they leave it."""
    while (index := graph.makers.get(tensor)) is not None:
        node = graph.nodes[index]
        if node.op_type == "Transpose":
            return list(attribute(node, "perm", ()))
        if node.op_type not in ("Softmax", "Sigmoid", "Cast"):
            return []
        tensor = node.input[0]
    return []


def _is_squeezed(graph: OnnxGraph, tensor: str) -> bool:
    index = graph.makers.get(tensor)
    node = None if index is None else graph.nodes[index]
    return node is not None and node.op_type == "Squeeze" and len(node.input) == 1 and not attribute(node, "axes")


def _output_size(shape: Shape, places: tuple[int, ...]) -> int:
    return math.prod(length or 1 for axis, length in enumerate(shape) if axis > 0 and axis not in places)


def _last_function(graph: OnnxGraph, tensor: str) -> str:
    """Return what the operation that makes an output applies, such as ``softmax`` or ``linear``."""
    while (index := graph.makers.get(tensor)) is not None:
        node = graph.nodes[index]
        varying = [each for each in node.input if each in graph.varying]
        if node.op_type in _SHAPING and len(varying) == 1:
            tensor = varying[0]
        else:
            return "linear" if node.op_type in _LINEAR else node.op_type.lower()
    return "none"


def _precision(graph: OnnxGraph) -> str:
    """Return what most filters compute in."""
    names = {"FLOAT": "float32", "DOUBLE": "float64"}
    types = [graph.types.get(graph.nodes[index].input[1], 1) for index in convolutions_of(graph)]
    name = import_onnx().TensorProto.DataType.Name(max(types, key=types.count))
    return names.get(name) or str(name).lower()


def _weights_sha256(graph: OnnxGraph) -> str:
    """Hash the initialisers in the order in which the graph uses them: neither names nor files count.

    Shapes, axes and indices are int64 and are left out: exporters spell them differently.
    """
    used = dict.fromkeys(tensor for node in graph.nodes for tensor in inputs_of(node))
    arrays = [graph.weights[name] for name in used if name in graph.weights]
    return weights_sha256([array for array in arrays if array.dtype.name != "int64"])
