"""The graph of an ONNX network: what is made from the image, what is constant, and who uses which tensor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from filtag_kg.network.onnx.file import OnnxFile, opset_of, subgraphs, without_weights
from filtag_kg.network.onnx.packages import Model, Node, import_onnx

Shape = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """A network's nodes in forward order, with names resolved: no ``Identity`` is left.

    Parameters
    ----------
    model : onnx.ModelProto
        As its file holds it, without large weights.
    weights : mapping of str to array
        The initialisers.
    image : str
        The input.
    nodes : tuple of onnx.NodeProto
        In forward order.
    outputs : mapping of str to str
        The network's outputs and the tensors that they are, in order.
    varying : frozenset of str
        The tensors that depend on the image. All others are constant.
    makers : mapping of str to int
        For each tensor that a node makes, the node.
    users : mapping of str to tuple of int
        For each tensor, the nodes that take it as input, each once.
    shapes : mapping of str to tuple
        Of tensors whose rank is known, for one image; a length that is not known is None.
    types : mapping of str to int
        Of tensors whose type is known: a number of ``onnx.TensorProto.DataType``.
    """

    model: Model
    weights: Mapping[str, NDArray[Any]]
    image: str
    nodes: tuple[Node, ...]
    outputs: Mapping[str, str]
    varying: frozenset[str]
    makers: Mapping[str, int]
    users: Mapping[str, tuple[int, ...]]
    shapes: Mapping[str, Shape]
    types: Mapping[str, int]

    @property
    def opset(self) -> int:
        """The version of ONNX's operators that the network is written in."""
        return opset_of(self.model)

    def needed(self, tensors: Iterable[str], given: Iterable[str] = ()) -> list[Node]:
        """Return the nodes that compute tensors, in forward order, from those that are given."""
        seen = set(given)
        chosen: set[int] = set()
        todo = [tensor for tensor in tensors if tensor not in seen]
        while todo:
            tensor = todo.pop()
            if tensor in seen:
                continue
            seen.add(tensor)
            if (index := self.makers.get(tensor)) is not None and index not in chosen:
                chosen.add(index)
                todo.extend(inputs_of(self.nodes[index]))
        return [self.nodes[index] for index in sorted(chosen)]

    def initialisers(self, nodes: Iterable[Node]) -> list[Any]:
        """Return the initialisers, as tensors of the model, that nodes use."""
        used = {tensor for node in nodes for tensor in inputs_of(node)}
        return [tensor for tensor in self.model.graph.initializer if tensor.name in used]

    def constants_of(self, node: Node) -> list[str]:
        """Return a node's inputs that do not depend on the image."""
        return [tensor for tensor in inputs_of(node) if tensor not in self.varying]


def graph_of(file: OnnxFile, image: str, shape: Shape | None = None) -> OnnxGraph:
    """Return the graph of a network.

    Parameters
    ----------
    image : str
        The name of its input.
    shape : tuple, optional
        The shape of one image as input; by default as the file declares it.
    """
    nodes, names = _without_identities(file.model.graph.node)
    varying = {image}
    users: dict[str, list[int]] = {}
    for index, node in enumerate(nodes):
        inputs = dict.fromkeys(inputs_of(node))
        for tensor in inputs:
            users.setdefault(tensor, []).append(index)
        if any(tensor in varying for tensor in inputs):
            varying.update(filter(None, node.output))
    shapes, types = _inferred(file, nodes, names, image, shape)
    return OnnxGraph(
        model=file.model,
        weights=file.weights,
        image=image,
        nodes=tuple(nodes),
        outputs={value.name: names.get(value.name, value.name) for value in file.model.graph.output},
        varying=frozenset(varying),
        makers={tensor: index for index, node in enumerate(nodes) for tensor in node.output if tensor},
        users={tensor: tuple(indices) for tensor, indices in users.items()},
        shapes=shapes,
        types=types,
    )


def inputs_of(node: Node) -> list[str]:
    """Return the tensors that a node takes, those that its subgraphs take from outside included."""
    inputs = [tensor for tensor in node.input if tensor]
    for graph in subgraphs(node):
        # Names within a subgraph are its own, so none of them is made by the nodes around it.
        inputs += [tensor for inner in graph.node for tensor in inputs_of(inner)]
        inputs += [output.name for output in graph.output]
    return inputs


def attribute(node: Node, name: str, default: Any = None) -> Any:  # noqa: ANN401 - of any type
    """Return a node's attribute."""
    for each in node.attribute:
        if each.name == name:
            return import_onnx().helper.get_attribute_value(each)
    return default


def _without_identities(nodes: Sequence[Node]) -> tuple[list[Node], dict[str, str]]:
    """Return the nodes without those that copy a tensor, and which tensor each copy is."""
    onnx = import_onnx()
    names: dict[str, str] = {}
    kept: list[Node] = []
    if any(True for node in nodes for _ in subgraphs(node)):
        # A subgraph may use a copy by its name.
        return [node for node in nodes if node.output], names
    for node in nodes:
        if not node.output:
            continue
        inputs = [names.get(tensor, tensor) for tensor in node.input]
        if node.op_type == "Identity" and node.domain in ("", "ai.onnx"):
            names[node.output[0]] = inputs[0]
        elif inputs == list(node.input):
            kept.append(node)
        else:
            renamed = onnx.NodeProto()
            renamed.CopyFrom(node)
            renamed.input[:] = inputs
            kept.append(renamed)
    return kept, names


def _inferred(
    file: OnnxFile, nodes: Sequence[Node], names: Mapping[str, str], image: str, shape: Shape | None
) -> tuple[dict[str, Shape], dict[str, int]]:
    """Return the shapes and types of the tensors for which they can be inferred."""
    onnx = import_onnx()
    model = without_weights(file.model)
    # onnx does not follow numbers, such as a shape, through copies.
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    for output in model.graph.output:
        output.name = names.get(output.name, output.name)
    if shape is not None:
        _give_shape(model.graph, image, shape)
    # What is declared is known without it.
    with suppress(onnx.shape_inference.InferenceError, RuntimeError, ValueError):
        model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    shapes: dict[str, Shape] = {}
    types: dict[str, int] = {}
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        tensor = value.type.tensor_type
        if tensor.elem_type:
            types[value.name] = tensor.elem_type
        if tensor.HasField("shape"):
            shapes[value.name] = tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim)
    for tensor in file.model.graph.initializer:
        shapes[tensor.name] = tuple(tensor.dims)
        types[tensor.name] = tensor.data_type
    return shapes, types


def _give_shape(graph: Any, image: str, shape: Shape) -> None:  # noqa: ANN401 - see packages.py
    # What the file says of other tensors may be for another batch.
    del graph.value_info[:]
    for output in graph.output:
        output.type.tensor_type.ClearField("shape")
    for value in graph.input:
        if value.name == image:
            data_type = value.type.tensor_type.elem_type
            value.CopyFrom(import_onnx().helper.make_tensor_value_info(image, data_type, shape))
