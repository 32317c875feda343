"""Any function of tensors, compiled for the backend that Keras runs on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.network.keras.backend import KerasModel, Tensor, import_keras

Function = Callable[..., tuple[Tensor, ...]]
"""From tensors to tensors; where it is compiled, it takes arrays, too, always of the same shapes and dtypes."""


def compiled_function(function: Function, model: KerasModel) -> Function:
    """Compile a function for the backend in use.

    Parameters
    ----------
    model : keras.Model
        Whose weights the function uses.

    Raises
    ------
    FiltagError
        If Keras runs on a backend that is not supported.
    """
    backend = import_keras().backend.backend()
    if backend == "tensorflow":
        return _tensorflow(function)
    if backend == "jax":
        return _jax(function, model)
    if backend == "torch":
        return _torch(function)
    raise FiltagError(f"Keras runs on {backend}, which is not supported: set KERAS_BACKEND to tensorflow, jax or torch")


def _tensorflow(function: Function) -> Function:
    import tensorflow as tf

    # XLA is slower than TensorFlow's own kernels on a processor.
    graph = tf.function(function, jit_compile=False, autograph=False)

    def run(*arguments: NDArray[Any] | Tensor) -> tuple[Tensor, ...]:
        # An array would be taken for a constant, and compiled in.
        tensors = [tf.convert_to_tensor(argument) for argument in arguments]
        # Each layer and method needs a graph; TensorFlow warns of so many unless they are called by signature.
        return tuple(graph.get_concrete_function(*tensors)(*tensors))

    return run


def _jax(function: Function, model: KerasModel) -> Function:
    import jax

    keras = import_keras()
    variables = model.variables
    weights = [variable.value for variable in variables]

    def with_weights(weights: list[Tensor], *tensors: Tensor) -> tuple[Tensor, ...]:
        # Weights that the graph closed over would be compiled into it as constants.
        with keras.StatelessScope(state_mapping=list(zip(variables, weights, strict=True))):
            return function(*tensors)

    graph = jax.jit(with_weights)
    return lambda *arguments: tuple(graph(weights, *map(jax.numpy.asarray, arguments)))


def _torch(function: Function) -> Function:
    import torch

    keras = import_keras()

    def run(*arguments: NDArray[Any] | Tensor) -> tuple[Tensor, ...]:
        with torch.no_grad():
            return tuple(function(*map(keras.ops.convert_to_tensor, arguments)))

    return run
