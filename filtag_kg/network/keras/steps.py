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
    "Dropout", "Flatten", "Reshape", "Permute", "Transpose", "Squeeze", "ExpandDims", "GlobalAveragePooling2D",
    "AveragePooling2D", "Mean", "Cast", "Identity", "Copy",
)  # fmt: skip
_LINEAR = ("Matmul", "Einsum", "EinsumDense", "Add")
# The softmax of a logarithm of a softmax is that softmax, so these are logits.
_SAME_AS = {
    "hard_sigmoid": "sigmoid",
    "hard_sigmoid_of_keras2": "sigmoid",
    "hardsigmoid": "sigmoid",
    "log_softmax": "linear",
    "logsoftmax": "linear",
}


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
    """Return what is applied last to an output's numbers: ``softmax``, ``sigmoid``, ``linear`` or another function.

    What only shapes an output, or averages it, is passed over. An output that joins several has their function if it is
    the same; several softmaxes are not one, though.
    """
    keras = import_keras()
    makers = {id(tensor): call for call in graph.calls for tensor in call.outputs}
    while (call := makers.get(id(output))) is not None:
        name = _function_of(keras, call.operation)
        if type(call.operation).__name__ == "Concatenate":
            (joined, *others) = sorted({last_function(graph, tensor) for tensor in call.inputs})
            return name if others or joined == "softmax" else joined
        if type(call.operation).__name__ not in _SHAPING and not _does_nothing(keras, call.operation):
            return _SAME_AS.get(name, name)
        output = call.inputs[0]
    return "none"


def _function_of(keras: ModuleType, operation: Operation) -> str:
    if hasattr(operation, "activation"):
        return function_name(operation.activation)
    name = type(operation).__name__
    return "linear" if _kind(keras, operation) is not None or name in _LINEAR else name.lower()


def _does_nothing(keras: ModuleType, operation: Operation) -> bool:
    return isinstance(operation, keras.layers.Activation) and _is_linear(keras, operation)


def _is_linear(keras: ModuleType, operation: Operation) -> bool:
    linear: bool = operation.activation is keras.activations.linear
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
