"""Which tensor is a filter's feature map, and which layers have filters.

A filter's feature map is what it says to the rest of the network: its layer's output *after* the batch
normalisation and the activation that directly follow. "Directly" means that nobody else takes the tensor in
between: where the path forks, or joins another (Add, Concatenate), the filter's own voice ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import ModuleType

from filtag_kg.errors import FiltagError
from filtag_kg.network.backend import Operation, Tensor, import_keras
from filtag_kg.network.trace import Graph, Step

__all__ = ["Layer", "select_layers"]

_ACTIVATION_LAYERS = ("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU")
# Activations called as functions in a functional model, such as keras.ops.relu6(x).
# fmt: off
_ACTIVATION_OPERATIONS = (
    "Celu", "Elu", "Gelu", "HardShrink", "HardSigmoid", "HardSilu", "HardSwish", "HardTanh",
    "LeakyRelu", "LogSigmoid", "Mish", "Relu", "Relu6", "Selu", "Sigmoid", "Silu", "SoftShrink",
    "Softplus", "Softsign", "SparsePlus", "Squareplus", "Swish", "Tanh", "TanhShrink", "Threshold",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolutional layer of a network.

    Parameters
    ----------
    name : str
        Its name in the network.
    n_filters : int
        Output channels.
    kind : str
        ``Conv2D``, ``SeparableConv2D`` or ``DepthwiseConv2D``.
    feature_map : keras.KerasTensor of shape (n_images, height, width, n_filters)
        Symbolic: where in the network's graph the feature maps of all its filters are.
    """

    name: str
    n_filters: int
    kind: str
    feature_map: Tensor = field(repr=False, compare=False)


def select_layers(graph: Graph, choice: str, where: str) -> tuple[Layer, ...]:
    """Return the layers that `choice` names, in forward order.

    Parameters
    ----------
    graph : Graph
    choice : str
        ``conv``: all convolutions but depthwise ones, whose channels filter one channel each. ``all``: these
        too. Else names or patterns of layers (``block5_conv3``, ``block5_*``), comma-separated.
    where : str
        The network as the user named it, for messages.

    Raises
    ------
    FiltagError
        If there is no such layer, or a layer is applied more than once, so that it has no one feature map.
    """
    found = [(step, kind) for step in graph.steps if (kind := _kind(step)) is not None]
    if not found:
        raise FiltagError(f"{where} has no convolutional layer: give a CNN")
    chosen = _chosen([(step.operation.name, kind) for step, kind in found], choice, where)
    layers = [(step, kind) for step, kind in found if step.operation.name in chosen]
    names = [step.operation.name for step, _ in layers]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise FiltagError(
            f"layer {repeated} of {where} is applied {names.count(repeated)} times, so that a filter has no one "
            "feature map: choose other layers with --layers"
        )
    return tuple(_layer(graph, step, kind, where) for step, kind in layers)


def _chosen(layers: list[tuple[str, str]], choice: str, where: str) -> set[str]:
    if choice == "all":
        return {name for name, _ in layers}
    if choice == "conv":
        names = {name for name, kind in layers if kind != "DepthwiseConv2D"}
        if not names:
            raise FiltagError(f"{where} has depthwise convolutions only: choose them with --layers all")
        return names
    chosen: set[str] = set()
    for pattern in filter(None, (part.strip() for part in choice.split(","))):
        matching = {name for name, _ in layers if fnmatchcase(name, pattern)}
        if not matching:
            raise FiltagError(
                f"no convolutional layer {pattern!r} in {where}: choose conv, all or from "
                + ", ".join(dict.fromkeys(name for name, _ in layers))
            )
        chosen |= matching
    if not chosen:
        raise FiltagError("--layers is empty: choose conv, all or names of layers, comma-separated")
    return chosen


def _layer(graph: Graph, step: Step, kind: str, where: str) -> Layer:
    if getattr(step.operation, "data_format", "channels_last") != "channels_last":
        raise FiltagError(
            f"layer {step.operation.name} of {where} has its channels first: save the network with channels last"
        )
    feature_map = _feature_map(graph, step)
    return Layer(step.operation.name, int(feature_map.shape[-1]), kind, feature_map)


def _feature_map(graph: Graph, step: Step) -> Tensor:
    keras = import_keras()
    activated = step.operation.activation is not keras.activations.linear
    normalised = False
    feature_map = step.outputs[0]
    while len(consumers := graph.consumers(feature_map)) == 1:
        follower = consumers[0]
        if not normalised and isinstance(follower.operation, keras.layers.BatchNormalization):
            normalised = True
        elif not activated and _is_activation(keras, follower.operation):
            activated = True
        else:
            break
        feature_map = follower.outputs[0]
    return feature_map


def _kind(step: Step) -> str | None:
    layers = import_keras().layers
    for kind in ("Conv2D", "SeparableConv2D", "DepthwiseConv2D"):
        if isinstance(step.operation, getattr(layers, kind)):
            return kind
    return None


def _is_activation(keras: ModuleType, operation: Operation) -> bool:
    if isinstance(operation, tuple(getattr(keras.layers, name) for name in _ACTIVATION_LAYERS)):
        return True
    return not isinstance(operation, keras.layers.Layer) and type(operation).__name__ in _ACTIVATION_OPERATIONS
