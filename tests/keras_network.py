"""The Keras model inside a network, for tests that compute with it themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filtag_kg.network import KerasEngine, KerasModel, Network, Tensor, import_keras, scaled
from filtag_kg.network.keras.compiled_pass import Computation

QUICK_XLA = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
"""For XLA_FLAGS where JAX runs: of a small network, compiling takes nearly all the time."""


def engine_of(network: Network) -> KerasEngine:
    assert isinstance(network.engine, KerasEngine)
    return network.engine


def model_of(network: Network) -> KerasModel:
    return engine_of(network).model


def tensor_of(network: Network, layer: str) -> Tensor:
    (chosen,) = (each for each in network.layers if each.name == layer)
    return engine_of(network).tensors[chosen.feature_map]


def maps_model(network: Network) -> KerasModel:
    """From what the network takes to the feature maps of all its layers, a list."""
    maps = [tensor_of(network, layer.name) for layer in network.layers]
    return import_keras().Model(model_of(network).inputs[0], maps)


def input_of(network: Network, pixels: NDArray[np.generic]) -> Tensor:
    """What the network takes, for pixels."""
    return scaled(network.preparation.scaling, import_keras().ops.cast(pixels, "float32"))


def computation_of(network: Network, *, scores: bool = False) -> Computation:
    return engine_of(network).computation(network.layers, network.preparation.scaling, scores=scores)
