"""Compute a network in less precision than its weights have, as GPUs do several times faster."""

from __future__ import annotations

from collections.abc import Iterator

from filtag_kg.errors import FiltagError
from filtag_kg.network.backend import Operation, import_keras
from filtag_kg.network.model_graph import Graph

__all__ = ["check_precision", "compute_in"]

_PRECISIONS = ("float32", "float16", "bfloat16")


def check_precision(precision: str) -> None:
    """Refuse what is no precision.

    Raises
    ------
    FiltagError
        If it is none of ``float32``, ``float16`` and ``bfloat16``.
    """
    if precision not in _PRECISIONS:
        raise FiltagError(f"no precision {precision!r}: choose {', '.join(_PRECISIONS[:-1])} or {_PRECISIONS[-1]}")


def compute_in(graph: Graph, precision: str) -> None:
    """Let the layers of a network compute in `precision`; their weights stay in float32.

    What makes the network's answer computes in float32 all the same: a softmax over many classes has small
    numbers.

    Parameters
    ----------
    graph : Graph
        Its layers are changed.
    precision : str
        ``float32``, ``float16`` or ``bfloat16``. A file may bring layers that compute in another.
    """
    keras = import_keras()
    whole = keras.DTypePolicy("float32")
    chosen = whole if precision == "float32" else keras.DTypePolicy(f"mixed_{precision}")
    answers = {id(tensor) for tensor in graph.model.outputs}
    for step in graph.steps:
        policy = whole if answers & {id(tensor) for tensor in step.outputs} else chosen
        for layer in _layers(step.operation):
            # Integers and float64 are a choice of the network's maker, not a precision to compute faster in.
            if layer.dtype_policy.quantization_mode is None and layer.variable_dtype == "float32":
                layer.dtype_policy = policy


def _layers(operation: Operation) -> Iterator[Operation]:
    """Yield a layer and those within it, such as an activation that is a layer; nothing for a bare operation."""
    if isinstance(operation, import_keras().layers.Layer):
        yield from operation._flatten_layers()
