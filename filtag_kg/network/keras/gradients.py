"""A layer of a Keras network with its gradient, on the backend that Keras runs on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from filtag_kg.network.feature_map import Layer
from filtag_kg.network.gradients import CompiledStep, Gradient, Ops, Step
from filtag_kg.network.keras.backend import KerasModel, Tensor, import_keras
from filtag_kg.network.keras.compiled_function import compiled_function
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
        return compiled_function(partial(step, _gradient()), self.model)

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


def _gradient() -> Gradient:
    """Return how the backend in use takes the gradient of a function."""
    backend = import_keras().backend.backend()
    return {"tensorflow": _tensorflow_gradient, "jax": _jax_gradient}.get(backend, _torch_gradient)


def _tensorflow_gradient(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(at)
        value = function(at)
    return tf.convert_to_tensor(tape.gradient(value, at))


def _jax_gradient(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    import jax

    return jax.grad(function)(at)


def _torch_gradient(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    import torch

    with torch.enable_grad():
        at = at.detach().requires_grad_(True)
        return torch.autograd.grad(function(at), at)[0]
