"""TensorFlow's functions as Keras 2 kept them in a network (``TFOpLambda``): from their names to operations of Keras 3.

Keras 2 recorded whatever function was called on a symbolic tensor: ``preprocess_input`` and ``x / 255`` became a few
such operations. Only functions that are listed here are known; nothing in a file names code that is run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

from filtag_kg.errors import FiltagError
from filtag_kg.network.keras.backend import Tensor, import_keras
from filtag_kg.network.keras.keras2.layers import REBUILD

Function = Callable[..., Tensor]
Argument: TypeAlias = Any
"""A tensor, or a JSON value."""


def apply_function(function: str, layer: str, first: Argument, arguments: Mapping[str, Argument]) -> Tensor:
    """Apply one of TensorFlow's functions.

    Parameters
    ----------
    function : str
        As the file spells it: ``math.truediv``, ``__operators__.getitem``, ``nn.relu6``.
    layer : str
        The operation's name in the file, for messages.
    first : tensor, or JSON value
        Its first argument; of some functions a list.
    arguments : mapping of str to tensor or JSON value
        The others, by TensorFlow's names.

    Returns
    -------
    keras.KerasTensor, or a list of them

    Raises
    ------
    FiltagError
        If it is not known, or not with these arguments.
    """
    # TensorFlow 1 put pixels elsewhere when it resized images.
    other = function.startswith("compat.v1.image")
    known = None if other else _functions(import_keras().ops).get(function.rpartition(".")[2])
    if known is None:
        raise FiltagError(f"its operation {layer} (tf.{function}) is not known here: {REBUILD}")
    # A keyword that is off need not be known.
    given = {key: value for key, value in arguments.items() if key != "name" and not (value is None or value is False)}
    try:
        return known(first, **given)
    except TypeError:
        shown = ", ".join(given)
        raise FiltagError(f"its operation {layer} (tf.{function}) is not known here with {shown}: {REBUILD}") from None


def _functions(ops: ModuleType) -> dict[str, Function]:
    """Return what is known, by the last part of its name in TensorFlow; arguments have TensorFlow's names."""
    two: dict[str, Function] = {
        "add": ops.add,
        "subtract": ops.subtract,
        "multiply": ops.multiply,
        "truediv": ops.divide,
        "pow": ops.power,
        "maximum": ops.maximum,
        "minimum": ops.minimum,
    }
    two |= {"sub": two["subtract"], "mul": two["multiply"]}
    two |= {"divide": two["truediv"], "realdiv": two["truediv"]}
    one: dict[str, Function] = {
        "abs": ops.abs,
        "exp": ops.exp,
        "log": ops.log,
        "negative": ops.negative,
        "relu6": ops.relu6,
        "relu": ops.relu,
        "rsqrt": ops.rsqrt,
        "selu": ops.selu,
        "elu": ops.elu,
        "sigmoid": ops.sigmoid,
        "softplus": ops.softplus,
        "softsign": ops.softsign,
        "sqrt": ops.sqrt,
        "square": ops.square,
        "tanh": ops.tanh,
        "identity": ops.copy,
        "stop_gradient": ops.copy,
        "convert_to_tensor": ops.copy,
    }
    one |= {"neg": one["negative"]}
    reductions: dict[str, Function] = {
        "reduce_mean": ops.mean,
        "reduce_sum": ops.sum,
        "reduce_max": ops.max,
        "reduce_min": ops.min,
        "reduce_prod": ops.prod,
    }
    return (
        {name: _of_two(function) for name, function in two.items()}
        | {name: _of_one(function) for name, function in one.items()}
        | {name: _reduction(function) for name, function in reductions.items()}
        | {
            "bias_add": lambda value, bias, data_format="NHWC": _bias_add(ops, value, bias, data_format),
            "cast": lambda x, dtype: ops.cast(x, dtype),
            "clip_by_value": lambda t, clip_value_min, clip_value_max: ops.clip(t, clip_value_min, clip_value_max),
            "concat": lambda values, axis: ops.concatenate(values, axis=axis),
            "expand_dims": lambda x, axis: ops.expand_dims(x, axis),
            "gelu": lambda features, approximate=False: ops.gelu(features, approximate=approximate),
            "getitem": lambda x, slice_spec: x[_slices(slice_spec)],
            "leaky_relu": lambda features, alpha=0.2: ops.leaky_relu(features, negative_slope=alpha),
            "log_softmax": lambda logits, axis=-1: ops.log_softmax(logits, axis=axis),
            "matmul": lambda a, b: ops.matmul(a, _constant(b)),
            "pad": lambda x, paddings, mode="CONSTANT", constant_values=0: _pad(
                ops, x, paddings, mode, constant_values
            ),
            "reshape": lambda x, shape: ops.reshape(x, tuple(shape)),
            "resize": lambda images, size, method="bilinear", antialias=False: ops.image.resize(
                images, tuple(size), interpolation=method, antialias=antialias, data_format="channels_last"
            ),
            "reverse": lambda x, axis: ops.flip(x, axis=tuple(axis)),
            "silu": lambda features, beta=1.0: _silu(ops, features, beta),
            "softmax": lambda logits, axis=-1: ops.softmax(logits, axis=axis),
            "split": lambda value, num_or_size_splits, axis=0: _split(ops, value, num_or_size_splits, axis),
            "swish": lambda features, beta=1.0: _silu(ops, features, beta),
            "squeeze": lambda x, axis=None: ops.squeeze(x, axis=None if axis is None else tuple(np.atleast_1d(axis))),
            "stack": lambda values, axis=0: ops.stack(values, axis=axis),
            "transpose": lambda x, perm: ops.transpose(x, tuple(perm)),
            "unstack": lambda value, axis=0: ops.unstack(value, axis=axis),
        }
    )


def _of_one(function: Function) -> Function:
    # TensorFlow calls the argument x, features, input or value; it always comes first.
    return lambda x: function(x)


def _of_two(function: Function) -> Function:
    def apply(x: Argument, y: Argument) -> Tensor:
        x, y = _constant(x), _constant(y)
        return function(x, y)

    return apply


def _reduction(function: Function) -> Function:
    def apply(x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return function(x, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims)

    return apply


def _constant(value: Argument) -> Argument:
    """Return a list of numbers as an array; a number or a tensor as it is."""
    if not isinstance(value, list):
        return value
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _bias_add(ops: ModuleType, value: Tensor, bias: Argument, data_format: str) -> Tensor:
    array = np.asarray(bias, np.float32)
    return ops.add(value, array.reshape(-1, 1, 1) if data_format == "NCHW" else array)


def _silu(ops: ModuleType, features: Tensor, beta: float) -> Tensor:
    return ops.silu(features) if beta == 1 else features * ops.sigmoid(beta * features)


def _pad(ops: ModuleType, x: Tensor, paddings: Argument, mode: str, value: float) -> Tensor:
    mode = mode.lower()
    return ops.pad(x, tuple(map(tuple, paddings)), mode, **({"constant_values": value} if mode == "constant" else {}))


def _split(ops: ModuleType, value: Tensor, sizes: int | Sequence[int], axis: int) -> Sequence[Tensor]:
    parts: Sequence[Tensor] = ops.split(
        value, sizes if isinstance(sizes, int) else np.cumsum(sizes)[:-1].tolist(), axis=axis
    )
    return parts


def _slices(spec: Argument) -> tuple[Any, ...]:
    """Return an index as Keras 2 writes it: ``[{"class_name": "__ellipsis__"}, {"start": null, …, "step": -1}]``."""
    return tuple(_slice(part) for part in (spec if isinstance(spec, list) else [spec]))


def _slice(part: Argument) -> Argument:
    if not isinstance(part, dict):
        return part
    if part.get("class_name") == "__ellipsis__":
        return Ellipsis
    if {"start", "stop", "step"} <= set(part):
        return slice(part["start"], part["stop"], part["step"])
    raise TypeError(f"no part of an index: {part}")
