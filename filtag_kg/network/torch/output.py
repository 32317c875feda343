"""The network's own output, as one number for each image and channel, in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from filtag_kg.network.torch.backend import Node, Tensor, import_torch
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
