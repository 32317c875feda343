"""Which tensor is a filter's feature map, and which layers have filters.

A filter's feature map is what it contributes to the rest of the network: its layer's output *after* the batch
normalisation and the activation that directly follow. "Directly" means that nothing else uses the tensor in between:
where the path forks, or joins another (Add, Concatenate), the feature map ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import ModuleType

from filtag_kg.errors import FiltagError
from filtag_kg.names import nfc
from filtag_kg.network.backend import Operation, Tensor, import_keras
from filtag_kg.network.model_graph import Graph, Step

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
        Symbolic: the tensor in the network's graph that holds the feature maps of all its filters.
    feature_map_of : str
        The name of the operation that outputs it: the layer, or the last normalisation or activation that belongs
        to it.
    chain : tuple of str
        The operations from the layer's input to its feature maps, in order. An activation is named by its function;
        one that the layer applies itself is named with the layer: ``("Conv2D with relu", "BatchNormalization")``.
    """

    name: str
    n_filters: int
    kind: str
    feature_map: Tensor = field(repr=False, compare=False)
    feature_map_of: str
    chain: tuple[str, ...]

    @property
    def taken_after(self) -> str:
        """The chain in one line: ``Conv2D → BatchNormalization → relu``."""
        return " → ".join(self.chain)


def select_layers(graph: Graph, choice: str, where: str) -> tuple[Layer, ...]:
    """Return the layers that `choice` names, in forward order.

    Parameters
    ----------
    choice : str
        ``conv``: all convolutions except depthwise ones, whose filters see one channel each. ``all``: those
        too. Else names or patterns of layers (``block5_conv3``, ``block5_*``), comma-separated.
    where : str
        The network as the user named it, for messages.

    Raises
    ------
    FiltagError
        If there is no such layer, or a layer is applied more than once, so it has several feature maps.
    """
    convolutions = [(step, kind) for step in graph.steps if (kind := _kind(step)) is not None]
    if not convolutions:
        raise FiltagError(f"{where} has no convolutional layer: give a CNN")
    chosen = _chosen([(step.operation.name, kind) for step, kind in convolutions], choice, where)
    layers = [(step, kind) for step, kind in convolutions if step.operation.name in chosen]
    names = [step.operation.name for step, _ in layers]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise FiltagError(
            f"layer {repeated} of {where} is applied {names.count(repeated)} times, so its filters have several "
            "feature maps: choose other layers",
            options=("layers",),
        )
    return tuple(_layer(graph, step, kind, where) for step, kind in layers)


def _chosen(layers: list[tuple[str, str]], choice: str, where: str) -> set[str]:
    if choice == "all":
        return {name for name, _ in layers}
    if choice == "conv":
        names = {name for name, kind in layers if kind != "DepthwiseConv2D"}
        if not names:
            raise FiltagError(f"{where} has depthwise convolutions only: choose all layers", options=("layers",))
        return names
    chosen: set[str] = set()
    for pattern in filter(None, (part.strip() for part in choice.split(","))):
        matching = {name for name, _ in layers if fnmatchcase(nfc(name), nfc(pattern))}
        if not matching:
            raise FiltagError(
                f"no convolutional layer {pattern!r} in {where}: choose conv, all or from "
                + ", ".join(dict.fromkeys(name for name, _ in layers))
            )
        chosen |= matching
    if not chosen:
        raise FiltagError("no layers: choose conv, all or names of layers, comma-separated", options=("layers",))
    return chosen


def _layer(graph: Graph, step: Step, kind: str, where: str) -> Layer:
    if getattr(step.operation, "data_format", "channels_last") != "channels_last":
        raise FiltagError(
            f"layer {step.operation.name} of {where} has its channels first: save the network with channels last"
        )
    chain = [step, *_followers(graph, step)]
    feature_map = chain[-1].outputs[0]
    return Layer(
        step.operation.name,
        int(feature_map.shape[-1]),
        kind,
        feature_map,
        chain[-1].operation.name,
        (_with_activation(kind, step.operation), *(_spelling(x.operation) for x in chain[1:])),
    )


def _followers(graph: Graph, step: Step) -> list[Step]:
    """Return the normalisation and the activation that directly follow a convolution, in order."""
    keras = import_keras()
    activated = not _is_linear(step.operation)
    normalised = False
    followers: list[Step] = []
    while len(consumers := graph.consumers((followers or [step])[-1].outputs[0])) == 1:
        operation = consumers[0].operation
        if not normalised and isinstance(operation, keras.layers.BatchNormalization):
            normalised = True
        elif not activated and _is_activation(keras, operation):
            activated = True
        else:
            break
        followers.append(consumers[0])
    return followers


def _is_linear(convolution: Operation) -> bool:
    linear: bool = convolution.activation is import_keras().activations.linear
    return linear


def _with_activation(kind: str, convolution: Operation) -> str:
    return kind if _is_linear(convolution) else f"{kind} with {_function_name(convolution.activation)}"


def _spelling(follower: Operation) -> str:
    layers = import_keras().layers
    if isinstance(follower, layers.BatchNormalization):
        return "BatchNormalization"
    if isinstance(follower, layers.Activation):
        return _function_name(follower.activation)
    if isinstance(follower, layers.ReLU) and follower.max_value == 6:
        return "relu6"
    return type(follower).__name__.lower()


def _function_name(activation: Callable[[Tensor], Tensor]) -> str:
    # Keras accepts any callable as an activation, even a layer.
    name: str = getattr(activation, "__name__", type(activation).__name__.lower())
    return name


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
