"""An ONNX graph as the steps that the rule of feature maps walks."""

from __future__ import annotations

from collections.abc import Iterator

from filtag_kg.network.feature_map import DEPTHWISE, Step
from filtag_kg.network.onnx.activation import activation_after
from filtag_kg.network.onnx.graph import OnnxGraph, attribute, inputs_of
from filtag_kg.network.onnx.names import layer_names, scope_of
from filtag_kg.network.onnx.packages import Node

_AFFINE = ("Add", "Sub", "Mul", "Div")


def convolutions_of(graph: OnnxGraph) -> list[int]:
    """Return the nodes that convolve images, or maps made from them, with constant weights."""
    return [index for index, node in enumerate(graph.nodes) if is_convolution(graph, node)]


def is_convolution(graph: OnnxGraph, node: Node) -> bool:
    """Return whether a node is a convolution in two dimensions with filters of its own."""
    return (
        node.op_type in ("Conv", "FusedConv")
        and len(node.input) > 1
        and node.input[0] in graph.varying
        and node.input[1] not in graph.varying
        and len(graph.shapes.get(node.input[1], ())) == 4
        and graph.shapes[node.input[1]][0] is not None
    )


def steps_of(graph: OnnxGraph) -> tuple[Step, ...]:
    """Return the steps of a graph in forward order.

    The nodes of one activation, or of one normalisation, are one step.
    """
    names = _names(graph)
    absorbed: set[int] = set()
    steps: list[Step] = []
    for index, node in enumerate(graph.nodes):
        inputs = tuple(dict.fromkeys(tensor for tensor in _inputs(graph, index)))
        if index in absorbed or not inputs:
            continue
        if index not in names:
            steps.append(Step(node.output[0], node.op_type.lower(), "other", inputs, tuple(node.output)))
            continue
        for step, nodes in _filters(graph, index, names[index]):
            steps.append(step)
            absorbed.update(nodes)
    return tuple(steps)


def _inputs(graph: OnnxGraph, index: int) -> Iterator[str]:
    return (tensor for tensor in inputs_of(graph.nodes[index]) if tensor in graph.varying)


def _names(graph: OnnxGraph) -> dict[int, str]:
    indices = convolutions_of(graph)
    described = []
    for index in indices:
        node = graph.nodes[index]
        weight = node.input[1]
        # Weights may be made from an initialiser: transposed, standardised, dequantised.
        initialiser: str | None = weight
        while initialiser is not None and initialiser not in graph.weights:
            maker = graph.makers.get(initialiser)
            inputs = () if maker is None else [x for x in graph.nodes[maker].input if x]
            initialiser = inputs[0] if inputs else None
        described.append((weight, initialiser, node.name, scope_of(node)))
    return dict(zip(indices, layer_names(described), strict=True))


def _filters(graph: OnnxGraph, index: int, name: str) -> Iterator[tuple[Step, tuple[int, ...]]]:
    """Yield a convolution and what directly follows it, with the nodes that each consists of."""
    node = graph.nodes[index]
    n_filters, per_group = graph.shapes[node.input[1]][:2]
    depthwise = attribute(node, "group", 1) != 1 and per_group == 1
    kind = DEPTHWISE if depthwise else "Conv2D"
    activation = attribute(node, "activation")
    function = activation.decode("utf-8", "replace").lower() if isinstance(activation, bytes) else ""
    tensor: str = node.output[0]
    nodes: tuple[int, ...] = (index,)
    # A bias that is added apart belongs to the convolution.
    affine = _affine(graph, tensor, int(n_filters or 0))
    if len(affine) == 1 and graph.nodes[affine[0]].op_type in ("Add", "Sub"):
        tensor, nodes = graph.nodes[affine[0]].output[0], (index, affine[0])
    yield (
        Step(
            name,
            f"{kind} with {function}" if function else kind,
            "convolution",
            (node.input[0],),
            (tensor,),
            kind,
            int(n_filters or 0),
            activated=bool(function),
        ),
        nodes,
    )
    for _ in range(3):
        normalisation = _normalisation(graph, tensor, int(n_filters or 0))
        if normalisation:
            last = graph.nodes[normalisation[-1]]
            step = Step(
                last.name or last.output[0], "BatchNormalization", "normalisation", (tensor,), (last.output[0],)
            )
            yield step, normalisation
        elif follower := activation_after(graph, tensor):
            last = graph.nodes[follower.nodes[-1]]
            step = Step(last.name or last.output[0], follower.name, "activation", (tensor,), (follower.tensor,))
            yield step, follower.nodes
        else:
            return
        tensor = step.outputs[0]


def _normalisation(graph: OnnxGraph, tensor: str, n_filters: int) -> tuple[int, ...]:
    """Return the nodes of the batch normalisation that directly follows."""
    users = graph.users.get(tensor, ())
    if len(users) != 1:
        return ()
    node = graph.nodes[users[0]]
    if node.op_type == "BatchNormalization":
        constant = node.input[0] == tensor and all(x not in graph.varying for x in node.input[1:])
        # In training mode, the statistics are the batch's own.
        if not constant or attribute(node, "training_mode", 0):
            return ()
        # Caffe scales in a layer of its own.
        return (users[0], *_affine(graph, node.output[0], n_filters))
    affine = _affine(graph, tensor, n_filters)
    operators = {graph.nodes[index].op_type for index in affine}
    return affine if operators & {"Mul", "Div"} and operators & {"Add", "Sub"} else ()


def _affine(graph: OnnxGraph, tensor: str, n_filters: int) -> tuple[int, ...]:
    """Return the sums and products, with a constant for each filter, that directly follow one another."""
    nodes: list[int] = []
    while len(users := graph.users.get(tensor, ())) == 1:
        node = graph.nodes[users[0]]
        constants = graph.constants_of(node)
        if node.op_type not in _AFFINE or len(constants) != 1 or not _per_filter(graph, constants[0], n_filters):
            break
        if node.op_type == "Div" and node.input[0] != tensor:
            break
        nodes.append(users[0])
        tensor = node.output[0]
    return tuple(nodes)


def _per_filter(graph: OnnxGraph, constant: str, n_filters: int) -> bool:
    """Return whether a constant has a number for each filter: its shape is (n_filters, 1, 1), or that in a batch."""
    shape = graph.shapes.get(constant, ())
    return len(shape) in (3, 4) and shape[-3] == n_filters and all(x == 1 for x in (*shape[:-3], *shape[-2:]))
