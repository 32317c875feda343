"""What a convolution of an ONNX graph is called: exporters keep the network's own names in different places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from filtag_kg.network.onnx.packages import Node

# What exporters put behind a layer's name: torch and Keras the weight's own name, TensorFlow the operation and the
# output's number, tf2onnx and Paddle what they did to it.
_ENDINGS = re.compile(
    r"(?::\d+|_deepcopy_\d+|_weights_fused_bn|_quantized|_dequantized?|/ReadVariableOp(?:_\d+)?|/convolution(?:_\d+)?"
    r"|/(?:Conv2D|BiasAdd|DepthwiseConv2dNative|depthwise|Conv)(?:_\d+)?|[._/](?:weights?|kernel|W|w|w_0|weight_0))$"
)
# Names that an exporter made up.
_MADE_UP = re.compile(
    r"(?:onnx::.*|(?:node_)?[A-Za-z]*_*(?:Conv|conv|const|val|opt|init|initializer)?_+\d+|[Nn]?\d+|weights?|kernel|[Ww]|)"
)


def layer_names(convolutions: Sequence[tuple[str, str | None, str, str]]) -> list[str]:
    """Return a name for each convolution; those of one layer share it, others do not.

    Parameters
    ----------
    convolutions : sequence of (str, str or None, str, str)
        What identifies its weights, the name of the initialiser that holds them, the node's name, and the path of
        torch's module, empty if it is not known.

    >>> layer_names([("0", "layer4.1.conv2.weight", "n0", ""), ("1", "onnx::Conv_7", "n1", "layer4.1.conv3")])
    ['layer4.1.conv2', 'layer4.1.conv3']
    >>> layer_names([("0", "0.weight", "node_conv2d", "0"), ("1", "div", "node_conv2d_1", "2")])
    ['0', '2']
    """
    scopes: dict[str, set[str]] = {}
    for weights, _, _, scope in convolutions:
        scopes.setdefault(weights, set()).add(scope)
    names: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for weights, initialiser, node, scope in convolutions:
        # Exporters keep equal weights once. Then the initialiser's name is that of one of several layers.
        shared = len(scopes[weights]) > 1
        identity = (weights, scope if shared else "")
        if identity in names:
            continue
        base = next(_candidates(None if shared else initialiser, node, scope), f"conv_{len(names)}")
        name, number = base, 1
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name)
        names[identity] = name
    return [names.get((weights, scope)) or names[weights, ""] for weights, _, _, scope in convolutions]


def scope_of(node: Node) -> str:
    """Return the path of torch's module that a node belongs to, ``layer4.1.conv2``; empty if it is not known."""
    if node.name.startswith("/"):
        path: list[str] = []
        # The last part is the operator. A module that is called again has a number behind it.
        for part in node.name.strip("/").split("/")[:-1]:
            # A child of a Sequential repeats its parent's name.
            if path and part.startswith(f"{path[-1]}."):
                path[-1] = part
            else:
                path.append(part)
        return re.sub(r"_\d+$", "", ".".join(path))
    for entry in node.metadata_props:
        if entry.key == "pkg.torch.onnx.name_scopes":
            # The modules from the outermost, each by its whole path, and the operator.
            scopes = re.findall(r"'([^']*)'", entry.value)
            return scopes[-2] if len(scopes) > 1 else ""
    return ""


def _candidates(initialiser: str | None, node: str, scope: str) -> Iterator[str]:
    cleaned = [_without_endings(node)]
    if initialiser is not None:
        without = _without_endings(initialiser)
        if initialiser.endswith(".weight"):
            # Modules in a torch.nn.Sequential are called by numbers, which are not made up.
            yield without
        # What has no ending is no weight of a layer, but computed from weights.
        cleaned.insert(0, without)
        if without != initialiser and not _MADE_UP.fullmatch(without):
            yield without
    if scope:
        yield scope
    yield from (name for name in cleaned if not _MADE_UP.fullmatch(name))
    # A made-up name is better than none.
    yield from (name for name in (node, initialiser) if name)


def _without_endings(name: str) -> str:
    while (shorter := _ENDINGS.sub("", name)) != name:
        name = shorter
    return name
