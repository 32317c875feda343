"""Steps along a gradient, compiled by the backend that Keras runs on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.network import KerasModel, Tensor, import_keras

Gradient = Callable[[Callable[[Tensor], Tensor], Tensor], Tensor]
"""Takes a function with a number as its value, and a tensor; returns the function's gradient there."""

Step = Callable[..., tuple[Tensor, ...]]
"""A pure function of the backend's :data:`Gradient` and then tensors; it returns tensors."""

CompiledStep = Callable[..., tuple[Any, ...]]
"""A step without its first argument: it takes arrays or tensors, always of the same shapes and dtypes.

It returns tensors of the backend, which :func:`~keras.ops.convert_to_numpy` brings back.
"""


def compile_step(step: Step, model: KerasModel) -> CompiledStep:
    """Compile a step for the backend in use.

    Parameters
    ----------
    model : keras.Model
        Whose weights the step uses.

    Raises
    ------
    FiltagError
        If Keras runs on a backend that is not supported.
    """
    backend = import_keras().backend.backend()
    if backend == "tensorflow":
        return _tensorflow(step)
    if backend == "jax":
        return _jax(step, model)
    if backend == "torch":
        return _torch(step)
    raise FiltagError(f"Keras runs on {backend}, which is not supported: set KERAS_BACKEND to tensorflow, jax or torch")


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
