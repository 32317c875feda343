"""What a graph puts out: the network's own output, in float32, and what is measured of feature maps on the way."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from operator import getitem
from typing import Any

from filtag_kg.network.torch.backend import GraphModule, Node, Tensor, import_torch
from filtag_kg.network.torch.steps import output_maker


def means(output: Tensor) -> Tensor:
    """Return an output as one number for each image and channel: of a map, the mean over its places."""
    output = output.float()
    return output.flatten(2).mean(2) if output.dim() > 2 else output.reshape(len(output), -1)


def in_float32(output: Node) -> None:
    """Let the operations that make an output compute in float32: a softmax over many classes has small numbers."""
    maker = output_maker(output)
    last = [maker]
    if str(maker.target).startswith(("aten.softmax", "aten._softmax", "aten.sigmoid", "aten.log_softmax")):
        last.append(output_maker(maker.args[0]))
    for node in last:
        if node.op == "call_function":
            node.target = _exactly(node.target)


def _exactly(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        torch = import_torch()

        def to_float32(each: Any) -> Any:  # noqa: ANN401
            return each.float() if isinstance(each, torch.Tensor) and each.is_floating_point() else each

        args, kwargs = torch.utils._pytree.tree_map(to_float32, (args, kwargs))
        device = next((each.device.type for each in args if isinstance(each, torch.Tensor)), "cpu")
        with torch.autocast(device, enabled=False):
            return function(*args, **kwargs)

    return call


def measured_copy(
    module: GraphModule,
    feature_maps: Sequence[str],
    measure: Callable[..., Any],
    *,
    argument: str | None = None,
) -> tuple[Any, Sequence[Node], list[Node]]:
    """Copy a graph, and measure feature maps right after they are there: what follows may change them in place.

    Parameters
    ----------
    measure : callable
        From the feature maps of a layer to what is measured of them.
    argument : str, optional
        A name for a second argument of the graph: a sequence whose element for each layer is `measure`'s second.

    Returns
    -------
    torch.fx.Graph, without outputs; the nodes of the network's outputs; those of what is measured
    """
    nodes = import_torch().fx.Graph()
    copies: dict[Node, Node] = {}
    outputs = nodes.graph_copy(module.graph, copies)
    by_name = {node.name: copy for node, copy in copies.items()}
    more = None
    if argument is not None:
        with nodes.inserting_after(next(node for node in nodes.nodes if node.op == "placeholder")):
            more = nodes.placeholder(argument)
    measured = []
    for layer, name in enumerate(feature_maps):
        with nodes.inserting_after(by_name[name]):
            element = () if more is None else (nodes.call_function(getitem, (more, layer)),)
        with nodes.inserting_after(*element or (by_name[name],)):
            measured.append(nodes.call_function(measure, (by_name[name], *element)))
    return nodes, outputs, measured


def erase_after(nodes: Any, last: Container[Node]) -> None:  # noqa: ANN401 - torch.fx.Graph
    """Erase what is computed after all of some nodes; the graph must not have an output yet."""
    for node in reversed(list(nodes.nodes)):
        if node in last:
            return
        nodes.erase_node(node)
