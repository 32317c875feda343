"""A layer of a Keras network with its gradient, on the backend that Keras runs on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.network.feature_map import Layer
from filtag_kg.network.gradients import CompiledStep, Ops, Step
from filtag_kg.network.keras.backend import KerasModel, Tensor, import_keras
from filtag_kg.network.keras.compiled_pass import scaled
from filtag_kg.network.scaling import Scaling


@dataclass(frozen=True, slots=True)
class KerasDifferentiable:
    """A layer of a Keras network: see :class:`~filtag_kg.network.gradients.Differentiable`.

    Parameters
    ----------
    model : keras.Model
        From what the network takes to the feature maps, and to their values before the final activation if there is
        one.
    """

    model: KerasModel
    scaling: Scaling

    @property
    def ops(self) -> Ops:
        """Keras' operations."""
        return import_keras().ops

    def maps(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the feature maps, and their values before the final activation."""
        ops = self.ops
        images = scaled(self.scaling, pixels)
        outputs = self.model(images, training=False)
        outputs = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
        maps = [ops.cast(output, "float32") for output in outputs]
        return maps[0], maps[-1]

    def compile(self, step: Step) -> CompiledStep:
        """Compile a step for the backend in use.

        Raises
        ------
        FiltagError
            If Keras runs on a backend that is not supported.
        """
        backend = import_keras().backend.backend()
        if backend == "tensorflow":
            return _tensorflow(step)
        if backend == "jax":
            return _jax(step, self.model)
        if backend == "torch":
            return _torch(step)
        raise FiltagError(
            f"Keras runs on {backend}, which is not supported: set KERAS_BACKEND to tensorflow, jax or torch"
        )

    def to_numpy(self, tensor: Tensor) -> NDArray[np.float32]:
        """Return a tensor as an array."""
        array: NDArray[np.float32] = self.ops.convert_to_numpy(tensor)
        return array


def differentiable(model: KerasModel, feature_map: Tensor, layer: Layer, scaling: Scaling) -> KerasDifferentiable:
    """Return the part of a model that computes a layer's feature maps."""
    before = _before_activation(layer, feature_map)
    outputs = [feature_map] if before is None else [feature_map, before]
    return KerasDifferentiable(import_keras().Model(model.inputs[0], outputs), scaling)


def _before_activation(layer: Layer, feature_map: Tensor) -> Tensor | None:
    """Return the feature maps before their final activation; None if there is no activation."""
    keras = import_keras()
    history = feature_map._keras_history
    operation = history.operation
    operation_input = operation._inbound_nodes[history.node_index].input_tensors[0]
    if operation.name != layer.name:
        return None if isinstance(operation, keras.layers.BatchNormalization) else operation_input
    if operation.activation is keras.activations.linear:
        return None
    # The layer applies its activation itself: copy it without the activation.
    config = operation.get_config() | {"activation": "linear", "name": f"{operation.name}_before_activation"}
    linear = type(operation).from_config(config)
    before = linear(operation_input)
    linear.set_weights(operation.get_weights())
    return before


def _tensorflow(step: Step) -> CompiledStep:
    import tensorflow as tf

    def gradient(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(at)
            value = function(at)
        return tf.convert_to_tensor(tape.gradient(value, at))

    # XLA is slower than TensorFlow's own kernels on a processor.
    graph = tf.function(lambda *tensors: step(gradient, *tensors), jit_compile=False, autograph=False)

    def run(*arguments: NDArray[Any] | Tensor) -> tuple[Any, ...]:
        # An array would be taken for a constant, and compiled in.
        tensors = [tf.convert_to_tensor(argument) for argument in arguments]
        # Each layer and method needs a graph; TensorFlow warns of so many unless they are called by signature.
        return tuple(graph.get_concrete_function(*tensors)(*tensors))

    return run


def _jax(step: Step, model: KerasModel) -> CompiledStep:
    import jax

    keras = import_keras()
    variables = model.variables
    weights = [variable.value for variable in variables]

    def gradient(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
        return jax.grad(function)(at)

    def with_weights(weights: list[Tensor], *tensors: Tensor) -> tuple[Tensor, ...]:
        # Weights that the graph closed over would be compiled into it as constants.
        with keras.StatelessScope(state_mapping=list(zip(variables, weights, strict=True))):
            return step(gradient, *tensors)

    graph = jax.jit(with_weights)
    return lambda *arguments: tuple(graph(weights, *map(jax.numpy.asarray, arguments)))


def _torch(step: Step) -> CompiledStep:
    import torch

    keras = import_keras()

    def gradient(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
        with torch.enable_grad():
            at = at.detach().requires_grad_(True)
            return torch.autograd.grad(function(at), at)[0]

    def run(*arguments: NDArray[Any] | Tensor) -> tuple[Any, ...]:
        with torch.no_grad():
            return tuple(step(gradient, *map(keras.ops.convert_to_tensor, arguments)))

    return run
