"""Keras networks, on TensorFlow, JAX or PyTorch."""

from filtag_kg.network.keras.backend import KerasModel, Tensor, import_keras
from filtag_kg.network.keras.compiled_pass import scaled
from filtag_kg.network.keras.keras_file import read_keras_file
from filtag_kg.network.keras.named import keras_names, named_keras_source
from filtag_kg.network.keras.random_weights import randomise_keras
from filtag_kg.network.keras.source import KerasEngine, KerasSource, keras_source

__all__ = [
    "KerasEngine",
    "KerasModel",
    "KerasSource",
    "Tensor",
    "import_keras",
    "keras_names",
    "keras_source",
    "named_keras_source",
    "randomise_keras",
    "read_keras_file",
    "scaled",
]
