"""A Keras graph as the steps that the rule of feature maps walks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType

from filtag_kg.network.feature_map import Role, Step
from filtag_kg.network.keras.activations import function_name, is_activation
from filtag_kg.network.keras.backend import Operation, Tensor, import_keras
from filtag_kg.network.keras.model_graph import Call, Graph

_CONVOLUTIONS = ("Conv2D", "SeparableConv2D", "DepthwiseConv2D")
# What changes no number of an output, or takes means of it.
_SHAPING = (
    "Dropout", "Flatten", "Reshape", "Permute", "Transpose", "Squeeze", "GlobalAveragePooling2D", "AveragePooling2D",
    "Cast", "Identity",
)  # fmt: skip


def steps_of(graph: Graph) -> tuple[tuple[Step, ...], Mapping[str, Tensor]]:
    """Return the steps of a graph in forward order, and its tensors by the names that the steps give them."""
    keras = import_keras()
    names: dict[int, str] = {}
    tensors: dict[str, Tensor] = {}

    def named(some: Sequence[Tensor]) -> tuple[str, ...]:
        for tensor in some:
            name = names.setdefault(id(tensor), f"{len(names)} {tensor.name}")
            tensors[name] = tensor
        return tuple(names[id(tensor)] for tensor in some)

    return tuple(_step(keras, call, named) for call in graph.calls), tensors


def _step(keras: ModuleType, call: Call, named: Callable[[Sequence[Tensor]], tuple[str, ...]]) -> Step:
    operation = call.operation
    inputs, outputs = named(call.inputs), named(call.outputs)
    kind = _kind(keras, operation)
    if kind is not None:
        return Step(
            operation.name,
            kind if _is_linear(keras, operation) else f"{kind} with {function_name(operation.activation)}",
            "convolution",
            inputs,
            outputs,
            kind,
            int(call.outputs[0].shape[-1]),
            activated=not _is_linear(keras, operation),
        )
    return Step(operation.name, _spelling(keras, operation), _role(keras, operation), inputs, outputs)


def last_function(graph: Graph, output: Tensor) -> str:
    """Return what the operation that makes an output applies: ``softmax``, ``sigmoid``, or another function's name."""
    keras = import_keras()
    maker = {id(tensor): call for call in graph.calls for tensor in call.outputs}
    while (call := maker.get(id(output))) is not None:
        operation = call.operation
        if type(operation).__name__ in _SHAPING and call.inputs:
            output = call.inputs[0]
        elif hasattr(operation, "activation"):
            return function_name(operation.activation)
        elif _kind(keras, operation) is not None or type(operation).__name__ in ("Matmul", "Einsum", "Add"):
            return "linear"
        else:
            return type(operation).__name__.lower()
    return "none"


def _is_linear(keras: ModuleType, convolution: Operation) -> bool:
    linear: bool = convolution.activation is keras.activations.linear
    return linear


def _spelling(keras: ModuleType, operation: Operation) -> str:
    layers = keras.layers
    if isinstance(operation, layers.BatchNormalization):
        return "BatchNormalization"
    if isinstance(operation, layers.Activation):
        return function_name(operation.activation)
    if isinstance(operation, layers.ReLU) and operation.max_value == 6:
        return "relu6"
    return type(operation).__name__.lower()


def _kind(keras: ModuleType, operation: Operation) -> str | None:
    return next((kind for kind in _CONVOLUTIONS if isinstance(operation, getattr(keras.layers, kind))), None)


def _role(keras: ModuleType, operation: Operation) -> Role:
    if isinstance(operation, keras.layers.BatchNormalization):
        return "normalisation"
    return "activation" if is_activation(keras, operation) else "other"
