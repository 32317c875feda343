"""What a convolution of an ONNX graph is called: exporters keep the network's own names in different places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

# What exporters put behind a layer's name: torch and Keras the weight's own name, TensorFlow the operation and the
# output's number, tf2onnx and Paddle what they did to it.
_ENDINGS = re.compile(
    r"(?::\d+|_deepcopy_\d+|_weights_fused_bn|_quantized|_dequantized?|/ReadVariableOp(?:_\d+)?|/convolution(?:_\d+)?"
    r"|/(?:Conv2D|BiasAdd|DepthwiseConv2dNative|depthwise|Conv)(?:_\d+)?|[._/](?:weights?|kernel|W|w|w_0|weight_0))$"
)
# Names that an exporter made up.
_MADE_UP = re.compile(r"(?:onnx::.*|(?:node_)?[A-Za-z]*_*(?:Conv|conv|const|val|opt|init|initializer)?_+\d+|[Nn]?\d+|)")


def layer_names(convolutions: Sequence[tuple[str, str | None, str]]) -> list[str]:
    """Return a name for each convolution; those with the same weights share it, others do not.

    Parameters
    ----------
    convolutions : sequence of (str, str or None, str)
        What identifies its weights, the name of the initialiser that holds them, and the node's name.

    >>> layer_names([("0", "layer4.1.conv2.weight", "n0"), ("1", "onnx::Conv_7", "/layer4/layer4.1/conv3/Conv")])
    ['layer4.1.conv2', 'layer4.1.conv3']
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for identity, weight, node in convolutions:
        if identity in names:
            continue
        base = next(_candidates(weight, node), f"conv_{len(names)}")
        name, number = base, 1
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name)
        names[identity] = name
    return [names[identity] for identity, _, _ in convolutions]


def _candidates(weight: str | None, node: str) -> Iterator[str]:
    cleaned = [_scope(node) if node.startswith("/") else _without_endings(node)]
    if weight is not None:
        cleaned.insert(0, _without_endings(weight))
    yield from (name for name in cleaned if not _MADE_UP.fullmatch(name))
    # A made-up name is better than none.
    yield from (name for name in (node, weight) if name)


def _scope(node: str) -> str:
    """Return torch's path of a module: ``layer4.1.conv2`` for ``/layer4/layer4.1/conv2/Conv``."""
    path: list[str] = []
    for part in node.strip("/").split("/")[:-1]:
        # A child of a Sequential repeats its parent's name.
        if path and part.startswith(f"{path[-1]}."):
            path[-1] = part
        else:
            path.append(part)
    return ".".join(path)


def _without_endings(name: str) -> str:
    while (shorter := _ENDINGS.sub("", name)) != name:
        name = shorter
    return name
