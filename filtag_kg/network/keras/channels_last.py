"""A network whose channels come first, computed with the channels last: the same numbers.

Not every machine can compute channels-first convolutions (TensorFlow on a processor without oneDNN cannot), and what
comes after the network takes feature maps as (height, width, filters). So each call of such a network is made once
more, on tensors that are *turned* from (n_images, channels, height, width) to (n_images, height, width, channels):

- a layer that has a ``data_format``, or an ``axis`` that is the channels', is copied with the other one;
- what treats every number alike, such as an activation or a sum, is applied to the turned tensors;
- anything else gets its tensors turned back. So it computes what it always did, whatever that is.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TypeAlias

import numpy as np

from filtag_kg.errors import FiltagError
from filtag_kg.network.keras.activations import function_name, is_activation
from filtag_kg.network.keras.backend import Operation, Tensor, import_keras
from filtag_kg.network.keras.model_graph import Call, Graph, input_channel_axis

_Activation: TypeAlias = Callable[[Tensor], Tensor]
_TO_LAST = (0, 2, 3, 1)
_TO_FIRST = (0, 3, 1, 2)
# By the names of layers; operations such as x + y have the same.
_ALIKE = (
    "Add", "Subtract", "Multiply", "Divide", "Average", "Maximum", "Minimum", "Clip", "Cast", "Dropout", "Identity",
)  # fmt: skip
_WITH_AXIS = ("BatchNormalization", "Concatenate", "GroupNormalization", "Softmax")
_NOT_ALIKE = ("softmax", "log_softmax", "sparsemax", "glu")


def has_channels_first(graph: Graph) -> bool:
    """Return whether any layer of a network takes images with the channels first."""
    return any(_is_channels_first(call.operation) for call in graph.calls)


def channels_last(graph: Graph, where: str) -> Graph:
    """Return a network that takes images with the channels last, and computes the same numbers.

    Its layers have the same names; those that are copied have copies of the weights.

    Raises
    ------
    FiltagError
        If a convolution applies a function that does not treat every number alike.
    """
    turned = _Turning(graph).graph()
    layers = import_keras().layers
    for operation in (call.operation for call in turned.calls):
        is_convolution = isinstance(operation, layers.Conv2D | layers.DepthwiseConv2D | layers.SeparableConv2D)
        if is_convolution and _is_channels_first(operation):
            raise FiltagError(
                f"layer {operation.name} of {where} has its channels first and applies "
                f"{function_name(operation.activation)} itself: apply it in a layer of its own, or build the network "
                "with the channels last"
            )
    return turned


class _Turning:
    """The state of one walk through a graph."""

    def __init__(self, graph: Graph) -> None:
        self._keras = import_keras()
        self._graph = graph
        self._calls: list[Call] = []
        # The new tensor for each of the old, and whether it is turned.
        self._tensors: dict[int, tuple[Tensor, bool]] = {}
        self._copies: dict[int, Operation] = {}

    def graph(self) -> Graph:
        old = self._graph.model
        source = old.inputs[0]
        shape = tuple(source.shape)
        turned = len(shape) == 4 and input_channel_axis(self._graph) == 1
        start = self._keras.Input(
            batch_shape=tuple(shape[axis] for axis in _TO_LAST) if turned else shape,
            dtype=source.dtype,
            name=source.name,
        )
        self._tensors[id(source)] = start, turned
        for call in self._graph.calls:
            self._call(call)
        outputs = [self._tensors[id(tensor)][0] for tensor in old.outputs]
        return Graph(self._keras.Model(start, outputs, name=old.name), tuple(self._calls))

    def _call(self, call: Call) -> None:
        operation = call.operation
        keras = self._keras
        are_images = all(len(tensor.shape) == 4 for tensor in call.inputs)
        any_turned = any(self._tensors[id(tensor)][1] for tensor in call.inputs)
        if are_images and _has_channel_axis(keras, operation):
            outputs = self._apply(call, self._copy(call), turned=True)
            turned = True
        elif are_images and any_turned and _is_alike(keras, call):
            outputs = self._apply(call, operation, turned=True)
            turned = True
        else:
            outputs = self._apply(call, operation, turned=False)
            turned = False
        for old, new in zip(call.outputs, outputs, strict=True):
            is_turned = turned and len(new.shape) == 4
            if not turned and any_turned and are_images and old.shape == call.inputs[0].shape:
                # Its channels still come first, which its reader need not know.
                new, is_turned = self._transposed(new, _TO_LAST, operation.name), True
            self._tensors[id(old)] = new, is_turned

    def _apply(self, call: Call, operation: Operation, *, turned: bool) -> tuple[Tensor, ...]:
        """Make a call on the new tensors, and record it."""
        inputs = {id(tensor): self._in_layout(tensor, turned, call.operation.name) for tensor in call.inputs}
        history = call.outputs[0]._keras_history
        node = call.operation._inbound_nodes[history.node_index]
        args, kwargs = node.arguments.fill_in(inputs)
        kwargs.pop("training", None)
        flatten = self._keras.tree.flatten
        outputs = tuple(flatten(operation(*args, **kwargs)))
        self._calls.append(Call(operation, tuple(inputs.values()), outputs))
        return outputs

    def _in_layout(self, old: Tensor, turned: bool, name: str) -> Tensor:
        tensor, is_turned = self._tensors[id(old)]
        if is_turned == turned:
            return tensor
        return self._transposed(tensor, _TO_LAST if turned else _TO_FIRST, name)

    def _transposed(self, tensor: Tensor, axes: tuple[int, ...], name: str) -> Tensor:
        turned = self._keras.ops.transpose(tensor, axes)
        operation = turned._keras_history.operation
        # Keras' own name may be that of a layer.
        operation.name = f"{name}_turned_{len(self._calls)}"
        self._calls.append(Call(operation, (tensor,), (turned,)))
        return turned

    def _copy(self, call: Call) -> Operation:
        """Return a layer's copy for turned tensors; one that is called several times has one copy."""
        operation = call.operation
        if id(operation) not in self._copies:
            config = operation.get_config()
            weights = operation.get_weights()
            if "data_format" in config:
                config["data_format"] = "channels_last"
            if "axis" in config:
                config["axis"] = 3
            if isinstance(operation, self._keras.layers.PReLU):
                config["shared_axes"] = [_TO_FIRST[axis] for axis in config["shared_axes"] or ()]
                weights = [np.transpose(weights[0], (1, 2, 0))]
            copy = type(operation).from_config(config)
            if weights:
                copy.build(tuple(call.inputs[0].shape[axis] for axis in _TO_LAST))
                copy.set_weights(weights)
            self._copies[id(operation)] = copy
        return self._copies[id(operation)]


def _is_channels_first(operation: Operation) -> bool:
    return getattr(operation, "data_format", None) == "channels_first"


def _has_channel_axis(keras: ModuleType, operation: Operation) -> bool:
    """Return whether a layer takes images with the channels first, and a copy of it may take them last."""
    if not isinstance(operation, keras.layers.Layer) or not type(operation).__module__.startswith("keras."):
        return False
    if isinstance(operation, keras.layers.PReLU):
        return True
    if type(operation).__name__ in _WITH_AXIS:
        return operation.axis in (1, [1], -3, [-3])
    # An activation over the last axis is over the width here, and would be over the channels.
    return _is_channels_first(operation) and _is_of_single_numbers(getattr(operation, "activation", None))


def _is_alike(keras: ModuleType, call: Call) -> bool:
    """Return whether an operation treats every number alike, wherever it stands."""
    operation = call.operation
    if isinstance(operation, keras.layers.PReLU):
        return False
    if not (is_activation(keras, operation) or type(operation).__name__ in (*_ALIKE, "Rescaling")):
        return False
    node = operation._inbound_nodes[call.outputs[0]._keras_history.node_index]
    constants = [
        x for x in keras.tree.flatten((node.arguments.args, node.arguments.kwargs)) if not _is_tensor(keras, x)
    ]
    constants += [getattr(operation, name, None) for name in ("scale", "offset")]
    return _is_of_single_numbers(getattr(operation, "activation", None)) and not any(map(np.ndim, constants))


def _is_tensor(keras: ModuleType, value: object) -> bool:
    return isinstance(value, keras.KerasTensor)


def _is_of_single_numbers(activation: _Activation | None) -> bool:
    if activation is None:
        return True
    own = str(getattr(activation, "__module__", "")).split(".")[0] in ("keras", "filtag_kg")
    return own and function_name(activation) not in _NOT_ALIKE
