"""The graph of a PyTorch network: ATen operations in the order in which they run.

It comes from torch.export. The weights are attributes; there is one placeholder, the images; and the output is a tuple
of tensors. Each node knows, in its ``meta``:

- ``shape`` and ``dtype``, of a tensor, for `EXAMPLES` images;
- ``path``, that of the module in which it is computed: ``layer4.1.conv2``;
- ``weight``, for an attribute, the path of the parameter or buffer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from filtag_kg.errors import FiltagError
from filtag_kg.network.torch.backend import GraphModule, Node, Tensor, import_torch

EXAMPLES = 5
"""The number of images that a graph is traced with: one that is hardly ever another side of a tensor."""
NO_LIMIT = 2**30
"""A number of images that nobody has at a time."""
WRAPPERS = ("wrap_with_set_grad_enabled", "wrap_with_autocast", "tag_activation_checkpoint")
"""Operations that run another graph as it is, under a setting that does not matter here."""


@dataclass(frozen=True, slots=True)
class TorchGraph:
    """A network as a graph, with its weights.

    Parameters
    ----------
    module : torch.fx.GraphModule
        From images, float32 of shape (n_images, channels, height, width), to a tuple of tensors.
    outputs : tuple of str
        The names of those.
    channels : int
    size : tuple of int
        (height, width).
    fewest, most : int
        Images at a time that it takes; `most` is 0 if there is no limit.
    """

    module: GraphModule
    outputs: tuple[str, ...]
    channels: int
    size: tuple[int, int]
    fewest: int
    most: int

    @property
    def nodes(self) -> list[Node]:
        """The operations, in the order in which they run."""
        return list(self.module.graph.nodes)

    @property
    def images(self) -> Node:
        """The placeholder."""
        return next(node for node in self.nodes if node.op == "placeholder")

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the path and the tensor of every weight that is used, in the order of the module."""
        for node in self.nodes:
            if node.op == "get_attr":
                yield node.meta["weight"], getattr(self.module, node.target)


def graph_module(nodes: Any, tensors: Mapping[str, Tensor]) -> GraphModule:  # noqa: ANN401
    """Return a module of a torch.fx.Graph whose attributes are `tensors`; what nothing uses is dropped.

    In-place operations stay what they are, but whatever uses a tensor after it was changed takes it from the operation
    that changed it. So the uses of a value are uses of its node. What changes no number is left out.
    """
    torch = import_torch()
    for node in list(nodes.nodes):
        _simplify(nodes, node)
    _follow_changes(nodes)
    for node in reversed(list(nodes.nodes)):
        if not node.users and (node.op == "get_attr" or _only_computes(node)):
            nodes.erase_node(node)
    used = {node.target for node in nodes.nodes if node.op == "get_attr"}
    root = torch.nn.Module()
    for name, tensor in tensors.items():
        if name in used:
            root.register_buffer(name, tensor.detach())
    nodes.lint()
    return torch.fx.GraphModule(root, nodes)


def _simplify(nodes: Any, node: Node) -> None:  # noqa: ANN401
    """Write a batch normalisation as PyTorch's modules do, and leave out copies to another place."""
    torch = import_torch()
    if node.op != "call_function":
        return
    # A network saved in half precision computes in what it is asked to.
    half = (torch.float16, torch.bfloat16)

    def widened(each: Any) -> Any:  # noqa: ANN401
        return torch.float32 if isinstance(each, torch.dtype) and each in half else each

    node.args = torch.fx.node.map_aggregate(node.args, widened)
    node.kwargs = torch.fx.node.map_aggregate(node.kwargs, widened)
    name = operation(node)
    if name in ("to", "_to_copy", "detach", "detach_", "alias", "lift_fresh_copy"):
        before, after = node.args[0].meta.get("dtype"), node.meta.get("dtype")
        floating = (*half, torch.float32)
        if before == after or {before, after}.issubset(floating):
            node.replace_all_uses_with(node.args[0])
            nodes.erase_node(node)
    elif name == "_native_batch_norm_legit_no_training":
        first = next((user for user in node.users if user.args[1] == 0), None)
        if first is not None:
            inputs, (momentum, eps) = node.args[:5], node.args[5:]
            node.target = torch.ops.aten.batch_norm.default
            node.args = (*inputs, False, momentum, eps, False)
            first.replace_all_uses_with(node)
        for user in list(node.users):
            if operation(user) == "getitem":
                nodes.erase_node(user)


def _follow_changes(nodes: Any) -> None:  # noqa: ANN401
    order = {node: index for index, node in enumerate(nodes.nodes)}
    for node in list(nodes.nodes):
        if (changed := changed_by(node)) is not None and isinstance(changed, type(node)):
            at = order[node]
            changed.replace_all_uses_with(node, lambda user, at=at: order[user] > at)


def _only_computes(node: Node) -> bool:
    """Return whether an operation has no effect but its result; checks of shapes and types have none that matters."""
    schema = getattr(node.target, "_schema", None)
    return node.op == "call_function" and not (schema is not None and schema.is_mutable)


def operation(node: Node) -> str:
    """Return the name of the operation: ``conv2d`` for ``aten.conv2d.default``; empty for what is no call."""
    if node.op != "call_function":
        return ""
    packet = getattr(node.target, "overloadpacket", None)
    return str(getattr(packet or node.target, "__name__", "")).rpartition(".")[2]


def changed_by(node: Node) -> Node | None:
    """Return the tensor that an operation changes in place and returns; None if there is none."""
    schema = getattr(node.target, "_schema", None)
    if node.op != "call_function" or schema is None or not schema.is_mutable or not node.args:
        return None
    first = schema.arguments[0].alias_info if schema.arguments else None
    return node.args[0] if first is not None and first.is_write else None


def is_view(node: Node) -> bool:
    """Return whether an operation returns its input's numbers without copying them."""
    schema = getattr(node.target, "_schema", None)
    if node.op != "call_function" or schema is None or not schema.returns:
        return False
    alias = schema.returns[0].alias_info
    return alias is not None and not alias.is_write


def argument(node: Node, name: str) -> Any:  # noqa: ANN401
    """Return an argument of a call by its name in the operation's schema, or its default."""
    for index, each in enumerate(node.target._schema.arguments):
        if each.name == name:
            if name in node.kwargs:
                return node.kwargs[name]
            return node.args[index] if index < len(node.args) else each.default_value
    raise ValueError(f"{node.target} has no argument {name}")


def tensor_inputs(node: Node) -> list[Node]:
    """Return the nodes that an operation takes tensors from, each once."""
    return [each for each in node.all_input_nodes if "shape" in each.meta]


def uses(node: Node) -> list[Node]:
    """Return the nodes that use the numbers of a tensor; to ask for its size is no use."""
    return [user for user in node.users if "shape" in user.meta or user.op == "output" or changed_by(user) is not None]


def constants(nodes: Iterable[Node]) -> set[Node]:
    """Return the nodes that do not depend on the images."""
    found: set[Node] = set()
    for node in nodes:
        if node.op == "get_attr" or (node.op == "call_function" and found.issuperset(node.all_input_nodes)):
            found.add(node)
    return found


def refuse_training(graph: TorchGraph, where: str) -> None:
    """Refuse a network whose numbers for an image depend on chance, or on the other images of a batch."""
    fixed = constants(graph.nodes)
    for node in graph.nodes:
        if node in fixed:
            continue
        name = operation(node)
        if name == "batch_norm" and argument(node, "training"):
            raise FiltagError(
                f"{where} normalises over the images of a batch ({node.meta.get('path') or node.name}), so its numbers "
                "depend on which images come together: export it after eval(), with running statistics"
            )
        if name in ("dropout", "feature_dropout", "alpha_dropout") and argument(node, "train"):
            raise FiltagError(f"{where} was exported for training, with dropout: export it after eval()")
