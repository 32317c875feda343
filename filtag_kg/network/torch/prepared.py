"""A graph prepared to run: on its device, in its memory layout, with batch normalisation folded into convolutions.

Nodes keep their names, so layers find their feature maps: a folded convolution takes the place, and the name, of the
normalisation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from filtag_kg.network.torch.backend import GraphModule, Node, Tensor, import_torch
from filtag_kg.network.torch.graph import TorchGraph, argument, changed_by, is_view, operation, tensor_inputs, uses

# Operations whose results depend on where in memory the numbers are.
_LAYOUT_MATTERS = ("as_strided", "_reshape_alias", "view_as_complex", "view_as_real", "unfold", "set_")


def prepared(graph: TorchGraph, device: Any) -> GraphModule:  # noqa: ANN401
    """Return a graph that is ready to run, with weights of its own in float32.

    Parameters
    ----------
    device : torch.device
    """
    torch = import_torch()
    channels_last = not _layout_matters(graph)
    module = _copied(graph, device)
    nodes = module.graph
    with torch.no_grad():
        _fold_constants(module)
        for node in list(nodes.nodes):
            if operation(node) == "batch_norm":
                _fold(module, node)
        _drop_unused(module)
        for name, tensor in list(module.named_buffers()):
            if channels_last and tensor.dim() == 4:
                setattr(module, name, tensor.contiguous(memory_format=torch.channels_last))
    for node in nodes.nodes:
        if channels_last and node.target is torch.ops.aten.view.default:
            # A view of neighbours in memory, which channels last are not.
            node.target = torch.ops.aten.reshape.default
    if not channels_last:
        first = next(node for node in nodes.nodes if node.op == "placeholder")
        with nodes.inserting_after(first):
            dense = nodes.call_function(torch.ops.aten.contiguous.default, (first,))
        first.replace_all_uses_with(dense, lambda user: user is not dense)
    module.recompile()
    return module


def _layout_matters(graph: TorchGraph) -> bool:
    for node in graph.nodes:
        if operation(node) in _LAYOUT_MATTERS:
            return True
        # A view that is changed changes what it is a view of: it must not become a copy.
        changed = changed_by(node)
        while changed is not None and is_view(changed):
            changed = tensor_inputs(changed)[0]
            if len(uses(changed)) > 1:
                return True
    return False


def _copied(graph: TorchGraph, device: Any) -> GraphModule:  # noqa: ANN401
    torch = import_torch()
    nodes = torch.fx.Graph()
    output = nodes.graph_copy(graph.module.graph, {}, return_output_node=True)
    nodes.output(output[0])
    for node in nodes.nodes:
        place = _placing(torch, device)
        node.args = torch.fx.node.map_aggregate(node.args, place)
        node.kwargs = torch.fx.node.map_aggregate(node.kwargs, place)
    root = torch.nn.Module()
    for name, tensor in graph.module.named_buffers():
        dtype = torch.float32 if tensor.is_floating_point() else tensor.dtype
        root.register_buffer(name, tensor.detach().to(device, dtype, copy=True))
    return torch.fx.GraphModule(root, nodes)


def _placing(torch: Any, device: Any) -> Callable[[Any], Any]:  # noqa: ANN401
    return lambda each: device if isinstance(each, torch.device) else each


def _fold_constants(module: GraphModule) -> None:
    """Compute once what depends on the weights alone, such as standardised weights."""
    torch = import_torch()
    nodes = module.graph
    for node in list(nodes.nodes):
        inputs = node.all_input_nodes
        if node.op != "call_function" or not inputs or "shape" not in node.meta:
            continue
        known = [x.op == "get_attr" for x in inputs]
        mutable = changed_by(node) is not None or any(changed_by(user) is node for user in node.users)
        if not all(known) or mutable or torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()):
            continue
        value = torch.fx.node.map_arg((node.args, node.kwargs), lambda each: getattr(module, each.target))
        result = node.target(*value[0], **value[1])
        if isinstance(result, torch.Tensor):
            _replace(module, node, result)


def _replace(module: GraphModule, node: Node, value: Tensor) -> None:
    with module.graph.inserting_before(node):
        constant = _attribute(module, f"constant_{node.name}", value)
    constant.meta = {"shape": tuple(value.shape), "dtype": value.dtype}
    node.replace_all_uses_with(constant)
    module.graph.erase_node(node)


def _attribute(module: GraphModule, name: str, value: Tensor) -> Node:
    module.register_buffer(name, value)
    node = module.graph.get_attr(name)
    node.meta = {"shape": tuple(value.shape), "dtype": value.dtype}
    return node


def _fold(module: GraphModule, norm: Node) -> None:
    """Fold a batch normalisation into the convolution that it directly follows; do nothing if there is none."""
    torch = import_torch()
    convolution = argument(norm, "input")
    if operation(convolution) not in ("conv2d", "convolution") or set(convolution.users) != {norm}:
        return
    if operation(convolution) == "convolution" and argument(convolution, "transposed"):
        return
    names = ("weight", "bias", "running_mean", "running_var")
    held = [argument(convolution, "weight"), argument(convolution, "bias"), *(argument(norm, name) for name in names)]
    if argument(norm, "training") or any(x is not None and x.op != "get_attr" for x in held):
        return
    values: list[Any] = [None if x is None else getattr(module, x.target).double() for x in held]
    weight, bias, gain, shift, mean, variance = values
    # In float64: the product is rounded once.
    factor = torch.rsqrt(variance + argument(norm, "eps")) * (1.0 if gain is None else gain)
    weight = weight * factor[:, None, None, None]
    bias = ((0.0 if bias is None else bias) - mean) * factor + (0.0 if shift is None else shift)
    with module.graph.inserting_before(norm):
        folded = [_attribute(module, f"{x}_{norm.name}", y.float()) for x, y in (("weight", weight), ("bias", bias))]
    rest = {each.name: argument(convolution, each.name) for each in convolution.target._schema.arguments}
    norm.target = convolution.target
    norm.args = (argument(convolution, "input"), *folded, *list(rest.values())[3:])
    norm.kwargs = {}
    module.graph.erase_node(convolution)


def _drop_unused(module: GraphModule) -> None:
    for node in reversed(list(module.graph.nodes)):
        if node.op == "get_attr" and not node.users:
            module.graph.erase_node(node)
    used = {node.target for node in module.graph.nodes if node.op == "get_attr"}
    for name, _ in list(module.named_buffers()):
        if name not in used:
            delattr(module, name)
