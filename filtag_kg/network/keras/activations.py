"""Which of Keras' layers and operations are activations: functions of single numbers."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from filtag_kg.network.keras.backend import Operation, Tensor

_LAYERS = ("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU")
# Called as functions in a functional model, such as keras.ops.relu6(x).
_OPERATIONS = (
    "Celu", "Elu", "Gelu", "HardShrink", "HardSigmoid", "HardSilu", "HardSwish", "HardTanh",
    "LeakyRelu", "LogSigmoid", "Mish", "Relu", "Relu6", "Selu", "Sigmoid", "Silu", "SoftShrink",
    "Softplus", "Softsign", "SparsePlus", "Squareplus", "Swish", "Tanh", "TanhShrink", "Threshold",
)  # fmt: skip


def is_activation(keras: ModuleType, operation: Operation) -> bool:
    """Return whether an operation is a layer or a function that activates."""
    if isinstance(operation, keras.layers.Layer):
        return isinstance(operation, tuple(getattr(keras.layers, name) for name in _LAYERS))
    return type(operation).__name__ in _OPERATIONS


def function_name(activation: Callable[[Tensor], Tensor]) -> str:
    """Return an activation's name; Keras accepts any callable as one, even a layer."""
    name: str = getattr(activation, "__name__", type(activation).__name__.lower())
    return name
