"""Steps that follow a gradient, compiled by the backend that Keras runs on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.network import KerasModel, Tensor, import_keras

__all__ = ["Gradient", "compile_step"]

Gradient = Callable[[Callable[[Tensor], Tensor], Tensor], Tensor]
"""From a function to a number, and a tensor, to the gradient of the function there."""

_Step = Callable[..., tuple[Tensor, ...]]


def compile_step(step: Callable[[Gradient], _Step], model: KerasModel) -> Callable[..., tuple[Any, ...]]:
    """Compile a step for the backend in use.

    Parameters
    ----------
    step : callable
        From the backend's gradient to the step, a pure function from tensors to tensors.
    model : keras.Model
        Whose weights the step uses.

    Returns
    -------
    callable
        The step. It takes NumPy arrays and tensors, always of the same shapes and dtypes, and returns tensors of the
        backend, which :func:`~keras.ops.convert_to_numpy` brings back.

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


def _tensorflow(step: Callable[[Gradient], _Step]) -> Callable[..., tuple[Any, ...]]:
    import tensorflow as tf

    def gradient(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(at)
            value = function(at)
        return tf.convert_to_tensor(tape.gradient(value, at))

    # XLA is slower than TensorFlow's own kernels on a processor.
    graph = tf.function(step(gradient), jit_compile=False, autograph=False)

    def call(*arguments: NDArray[Any] | Tensor) -> tuple[Any, ...]:
        # An array would be taken for a constant, and compiled in.
        tensors = [tf.convert_to_tensor(argument) for argument in arguments]
        # A graph for each layer and method is what we want; called without a name TensorFlow warns of so many.
        return tuple(graph.get_concrete_function(*tensors)(*tensors))

    return call


def _jax(step: Callable[[Gradient], _Step], model: KerasModel) -> Callable[..., tuple[Any, ...]]:
    import jax

    keras = import_keras()
    run = step(lambda function, at: jax.grad(function)(at))
    variables = model.variables
    weights = [variable.value for variable in variables]

    def with_weights(weights: list[Tensor], *arguments: Tensor) -> tuple[Tensor, ...]:
        # Weights that the graph closed over would be compiled into it as constants.
        with keras.StatelessScope(state_mapping=list(zip(variables, weights, strict=True))):
            return run(*arguments)

    graph = jax.jit(with_weights)
    return lambda *arguments: tuple(graph(weights, *map(jax.numpy.asarray, arguments)))


def _torch(step: Callable[[Gradient], _Step]) -> Callable[..., tuple[Any, ...]]:
    import torch

    keras = import_keras()

    def gradient(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
        with torch.enable_grad():
            at = at.detach().requires_grad_(True)
            return torch.autograd.grad(function(at), at)[0]

    run = step(gradient)

    def call(*arguments: NDArray[Any] | Tensor) -> tuple[Any, ...]:
        with torch.no_grad():
            return tuple(run(*map(keras.ops.convert_to_tensor, arguments)))

    return call
