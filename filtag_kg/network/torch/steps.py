"""A PyTorch graph as the steps that the rule of feature maps walks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from filtag_kg.network.feature_map import DEPTHWISE, Role, Step
from filtag_kg.network.torch.backend import Node, import_torch
from filtag_kg.network.torch.graph import (
    TorchGraph,
    argument,
    changed_by,
    constants,
    operation,
    tensor_inputs,
    uses,
)

# Functions of single numbers that PyTorch does not mark as such.
_ELEMENTWISE = ("contiguous", "hardswish", "log_sigmoid", "_prelu_kernel", "prelu", "relu6", "threshold")
# Those that only multiply by constants, or add some.
_LINEAR = ("add", "sub", "rsub", "mul", "div", "neg", "clone", "contiguous", "positive")
_SPELLINGS = {
    "_prelu_kernel": "prelu",
    "hardsigmoid": "hard_sigmoid",
    "hardswish": "hard_silu",
    "leaky_relu": "leakyrelu",
}
# Activations that are written as several operations, by those in them that are not linear.
_WRITTEN_OUT = {
    frozenset({"sigmoid", "mul"}): "silu",
    frozenset({"softplus", "tanh", "mul"}): "mish",
    frozenset({"relu6", "mul"}): "hard_silu",
    frozenset({"clamp", "mul"}): "hard_silu",
    frozenset({"relu", "clamp", "mul"}): "hard_silu",
    frozenset({"relu", "clamp"}): "hard_sigmoid",
    frozenset({"hard_sigmoid", "mul"}): "hard_silu",
    frozenset({"erf", "mul"}): "gelu",
    frozenset({"tanh", "mul", "pow"}): "gelu",
    frozenset({"abs", "div"}): "softsign",
    frozenset({"tanh", "sub"}): "tanhshrink",
}
# What changes no number of an output, or takes means of it, or adds the same to all, or multiplies all by the same.
# fmt: off
_SHAPING = (
    "adaptive_avg_pool2d", "avg_pool2d", "clone", "contiguous", "div", "dropout", "flatten", "interpolate", "mean",
    "mul", "permute", "reshape", "select", "slice", "squeeze", "transpose", "unflatten", "unsqueeze",
    "upsample_bicubic2d", "upsample_bilinear2d", "upsample_nearest2d", "view",
)
# fmt: on
_DENSE = (
    "linear",
    "addmm",
    "mm",
    "matmul",
    "bmm",
    "baddbmm",
    "einsum",
    "add",
    "batch_norm",
    "log_softmax",
    "_log_softmax",
)


@dataclass(frozen=True, slots=True)
class _Follower:
    """Operations that are one step: they end in `last`, and nothing but them uses what is `within`."""

    role: Role
    spelling: str
    last: Node
    within: frozenset[Node] = frozenset()


def steps_of(graph: TorchGraph) -> tuple[Step, ...]:
    """Return the steps of a graph in forward order; its constant parts are none."""
    return _Walk(graph).steps()


class _Walk:
    """One walk over a graph.

    Attributes
    ----------
    fixed : set of Node
        What does not depend on the images.
    order : dict of Node to int
    n_images : int
        The images that the shapes are for.
    at : dict of str to set of str
        The operations in each module, by its path.
    """

    def __init__(self, graph: TorchGraph) -> None:
        self.nodes = graph.nodes
        self.fixed = constants(self.nodes)
        self.order = {node: index for index, node in enumerate(self.nodes)}
        self.n_images = graph.images.meta["shape"][0]
        self.at: dict[str, set[str]] = defaultdict(set)
        for node in self.nodes:
            self.at[node.meta.get("path", "")].add(operation(node))

    def steps(self) -> tuple[Step, ...]:
        followers: dict[Node, tuple[Node, _Follower]] = {}
        within: set[Node] = set()
        for node in self.nodes:
            last = node if self._kind(node) else None
            while last is not None and (follower := self._follower(last)) is not None:
                if follower.last in followers:
                    break
                followers[follower.last] = last, follower
                within |= follower.within
                last = follower.last
        steps = []
        for node in self.nodes:
            if node in followers:
                before, follower = followers[node]
                name = self._name(node)
                steps.append(Step(name, follower.spelling, follower.role, (before.name,), (node.name,)))
            elif node not in self.fixed and node not in within and (step := self._step(node)) is not None:
                steps.append(step)
        return tuple(steps)

    def _step(self, node: Node) -> Step | None:
        if node.op == "placeholder" or not ("shape" in node.meta or node.op == "output" or changed_by(node)):
            return None
        inputs = tuple(each.name for each in tensor_inputs(node) if each not in self.fixed)
        kind = self._kind(node)
        if kind is None:
            return Step(self._name(node), operation(node).strip("_") or node.op, "other", inputs, (node.name,))
        return Step(_convolution_name(node), kind, "convolution", inputs, (node.name,), kind, node.meta["shape"][1])

    def _kind(self, node: Node) -> str | None:
        """Return which convolution an operation is; only those over the height and width of each image are any."""
        name = operation(node)
        if name not in ("conv2d", "convolution", "_convolution") or node in self.fixed:
            return None
        weight = argument(node, "weight")
        shape = argument(node, "input").meta["shape"]
        # Weights that depend on the image are no filters that stay the same.
        if len(shape) != 4 or node.meta["shape"][0] != self.n_images or weight not in self.fixed:
            return None
        if name != "conv2d" and argument(node, "transposed"):
            return None
        return DEPTHWISE if argument(node, "groups") == shape[1] > 1 else "Conv2D"

    def _name(self, node: Node) -> str:
        """Return the path of the module that does nothing else, or else the name of the operation."""
        if operation(node) == "batch_norm" and (path := _path_of_weight(argument(node, "running_mean"))):
            return path.rpartition(".")[0] or path
        path = node.meta.get("path", "")
        return path if path and len(self.at[path]) == 1 else str(node.name)

    def _follower(self, node: Node) -> _Follower | None:
        using = uses(node)
        if len(using) == 1 and operation(using[0]) == "batch_norm" and argument(using[0], "input") is node:
            statistics = argument(using[0], "running_mean"), argument(using[0], "running_var")
            if not argument(using[0], "training") and self.fixed.issuperset(statistics):
                return _Follower("normalisation", "BatchNormalization", using[0])
        return self._elementwise(node)

    def _elementwise(self, start: Node) -> _Follower | None:
        """Return the function of single numbers that directly follows a tensor, if there is one.

        It may be written as several operations. `region` holds those on the way that take only the tensor, each other
        and constants. Where nothing else uses any of them, the function ends: ``x * sigmoid(x)`` at the product. A
        squeeze-and-excitation takes means of the tensor, which are no numbers of one place, so it ends nowhere.
        """
        region: dict[Node, bool] = {start: False}
        functions: set[str] = set()
        waiting = set(uses(start))
        while waiting:
            node = min(waiting, key=self.order.__getitem__)
            waiting.remove(node)
            if not self._continues(node, region):
                return None
            operands = [each for each in tensor_inputs(node) if each in region]
            name = operation(node).rstrip("_")
            bent = _is_bent(node, name, operands)
            region[node] = bent or any(region[each] for each in operands)
            if bent:
                functions.add(_function(node, name))
            waiting |= set(uses(node))
            before = [each for each in region if each is not node]
            open_ended = not all(user in region for each in before for user in uses(each))
            # Both bounds are one function.
            if open_ended or (name == "clamp_min" and [operation(user) for user in uses(node)] == ["clamp_max"]):
                continue
            within = frozenset(before[1:])
            if region[node]:
                only = next(iter(functions)) if len(functions) == 1 else "elementwise"
                return _Follower("activation", _WRITTEN_OUT.get(frozenset(functions), only), node, within)
            if name == "add" and self._scales_channels(operands[0], start) and self._per_channel(node, start):
                return _Follower("normalisation", "BatchNormalization", node, within)
        return None

    def _continues(self, node: Node, region: dict[Node, bool]) -> bool:
        return (
            _is_elementwise(node)
            and node.meta["shape"] == next(iter(region)).meta["shape"]
            and all(each in region or each in self.fixed for each in tensor_inputs(node))
        )

    def _scales_channels(self, node: Node, start: Node) -> bool:
        """Return whether each channel of `start` is multiplied by a number of its own, as in a frozen batch norm."""
        return operation(node).rstrip("_") == "mul" and start in tensor_inputs(node) and self._per_channel(node, start)

    def _per_channel(self, node: Node, start: Node) -> bool:
        sizes = [each.meta["shape"] for each in tensor_inputs(node) if each in self.fixed]
        return any(len(x) >= 3 and x[-3:] == (start.meta["shape"][1], 1, 1) for x in sizes)


def last_function(output: Node) -> str:
    """Return what the operation that makes an output applies: ``softmax``, ``sigmoid``, or another function's name."""
    node = output_maker(output)
    name = operation(node).rstrip("_")
    if name in ("softmax", "_softmax"):
        return "softmax"
    return "linear" if name in _DENSE or name.startswith("conv") else name or "none"


def output_maker(output: Node) -> Node:
    """Return the operation that makes an output, before its numbers are only brought into another shape."""
    node = output
    while operation(node).rstrip("_") in _SHAPING:
        inputs = [each for each in tensor_inputs(node) if each.op != "get_attr"]
        if len(inputs) != 1:
            break
        node = inputs[0]
    return node


def _is_elementwise(node: Node) -> bool:
    torch = import_torch()
    if operation(node).rstrip("_") in _ELEMENTWISE:
        return True
    return node.op == "call_function" and torch.Tag.pointwise in getattr(node.target, "tags", ())


def _is_bent(node: Node, name: str, operands: list[Node]) -> bool:
    """Return whether an operation is not linear in its operands."""
    if name not in _LINEAR:
        return True
    both = sum(each in operands for each in node.args) > 1
    return (name == "mul" and both) or (name == "div" and node.args[1] in operands)


def _function(node: Node, name: str) -> str:
    """Return how Keras calls a function."""
    if name in ("hardtanh", "clamp", "clamp_min", "clamp_max"):
        low, high = ("min_val", "max_val") if name == "hardtanh" else ("min", "max")
        bounds = (
            None if name == "clamp_max" else argument(node, low),
            None if name == "clamp_min" else argument(node, high),
        )
        known: dict[tuple[Any, Any], str] = {(0, 6): "relu6", (0, None): "relu"}
        return known.get(bounds, "hardtanh" if name == "hardtanh" else "clamp")
    return _SPELLINGS.get(name, name)


def _convolution_name(node: Node) -> str:
    """Return the path of the module whose weights a convolution applies; of a bare parameter, its own."""
    path = _path_of_weight(argument(node, "weight"))
    if path is None:
        return node.meta.get("path") or str(node.name)
    owner, _, leaf = f".{path}".partition(".parametrizations.")[0].removeprefix(".").rpartition(".")
    if ".parametrizations." in f".{path}":
        return f"{owner}.{leaf}".removeprefix(".") or path
    return owner if owner and leaf in ("weight", "weight_g", "weight_v", "weight_orig", "weight_mask") else path


def _path_of_weight(node: Node | None) -> str | None:
    """Return the path of the parameter or buffer that a constant is computed from, by its first operands."""
    while node is not None and node.op != "get_attr":
        node = next(iter(node.all_input_nodes), None)
    return None if node is None else node.meta.get("weight")
