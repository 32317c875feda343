"""One trained CNN with fixed weights."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.network.backend import KerasModel
from filtag_kg.network.feature_map import Layer
from filtag_kg.network.preprocess import Preprocess


@dataclass(frozen=True, slots=True)
class Network:
    """A network whose layers and preprocessing are known.

    Parameters
    ----------
    name : str
        In lower case: ``vgg16``, or the file's name without its ending.
    input_size : tuple of int
        (height, width) of the images it takes.
    model : keras.Model
        Functional, without submodels: from preprocessed images to the scores of the classes.
    layers : tuple of Layer
        The chosen layers, in forward order.
    preprocess : callable
        From images as float32 RGB in [0, 255], shape (n_images, height, width, 3), to the input of `model`. Uses
        ``keras.ops`` alone, so it can be part of a compiled graph.
    class_ids : tuple of str, of length n_classes
        The classes of the outputs, in order; empty where they are unknown.
    layers_option : str
        How `layers` were chosen.
    precision : str
        What the layers compute in, ``float32``, ``float16`` or ``bfloat16``; the weights are the same.
    preprocess_name : str
        The name of `preprocess`, see :func:`~filtag_kg.network.preprocess.preprocessing`.
    file : Path, optional
        The file it was loaded from, as the user gave it; None for a named network.
    """

    name: str
    input_size: tuple[int, int]
    model: KerasModel = field(repr=False)
    layers: tuple[Layer, ...]
    preprocess: Preprocess = field(repr=False)
    class_ids: tuple[str, ...] = field(repr=False)
    weights_sha256: str
    layers_option: str = "conv"
    precision: str = "float32"
    preprocess_name: str = "none"
    file: Path | None = None

    @property
    def identifier(self) -> str:
        """Name and hash of the weights: networks that differ in either have different identifiers."""
        return f"{self.name}-{self.weights_sha256[:12]}"

    @property
    def n_filters(self) -> int:
        """The number of filters of all chosen layers."""
        return sum(layer.n_filters for layer in self.layers)


def weights_sha256(weights: Sequence[NDArray[Any]]) -> str:
    """Hash arrays in order: for each, its dtype and shape as text, then its little-endian bytes.

    >>> weights_sha256([np.zeros(2, np.float32)]) == weights_sha256([np.zeros((2, 1), np.float32)])
    False
    """
    digest = hashlib.sha256()
    for array in weights:
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{array.dtype.name}{array.shape}".encode())
        digest.update(little.tobytes())
    return digest.hexdigest()
