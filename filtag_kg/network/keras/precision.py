"""Compute a network in lower precision than its weights, which GPUs do several times faster."""

from __future__ import annotations

from collections.abc import Iterator

from filtag_kg.network.keras.backend import Operation, import_keras
from filtag_kg.network.keras.model_graph import Graph


def compute_in(graph: Graph, precision: str) -> None:
    """Let the layers of a network compute in `precision`; their weights stay in float32.

    The network's output layer always computes in float32: a softmax over many classes has small numbers.

    Parameters
    ----------
    graph : Graph
        Its layers are changed.
    precision : str
        ``float32``, ``float16`` or ``bfloat16``, whatever the layers of a file computed in.
    """
    keras = import_keras()
    float32 = keras.DTypePolicy("float32")
    chosen = float32 if precision == "float32" else keras.DTypePolicy(f"mixed_{precision}")
    outputs = {id(tensor) for tensor in graph.model.outputs}
    for call in graph.calls:
        policy = float32 if outputs & {id(tensor) for tensor in call.outputs} else chosen
        for layer in _layers(call.operation):
            # Integers and float64 were the choice of the network's maker and stay.
            if layer.dtype_policy.quantization_mode is None and layer.variable_dtype == "float32":
                layer.dtype_policy = policy


def _layers(operation: Operation) -> Iterator[Operation]:
    """Yield a layer and those within it, such as an activation that is a layer; nothing for a bare operation."""
    if isinstance(operation, import_keras().layers.Layer):
        yield from operation._flatten_layers()
