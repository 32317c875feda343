"""A few images through the network: their activations, and what the network says they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.network import Network, import_keras
from filtag_kg.profile.compiled import compile_pass

__all__ = ["observe"]


def observe(network: Network, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what the filters and the outputs of a network make of images.

    Parameters
    ----------
    network : Network
    pixels : uint8 array of shape (n_images, height, width, 3), RGB
        Of the network's input size.

    Returns
    -------
    activations : float64 array of shape (n_images, n_filters), in [0, 1]
        ā(m,i,d) of each image d, layers side by side.
    confidences : float64 array of shape (n_images, n_classes), in [0, 1]
        Of outputs that are no probabilities yet, the softmax.

    Raises
    ------
    FiltagError
        If the network puts out what is not a finite number.
    """
    keras = import_keras()
    activations, _ = compile_pass(network, len(pixels))(pixels)
    images = network.preprocess(keras.ops.cast(pixels, "float32"))
    scores = keras.ops.convert_to_numpy(network.model(images, training=False)).astype(np.float64)
    scores = scores.reshape(len(pixels), -1)
    if not (np.isfinite(activations).all() and np.isfinite(scores).all()):
        raise FiltagError(
            f"{network.name} puts out what is not a finite number: check its weights and its preprocessing"
        )
    if scores.min() < 0 or not np.allclose(scores.sum(axis=1), 1, atol=1e-3):
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores = raised / raised.sum(axis=1, keepdims=True)
    # Rounding may take a mean a hair beyond the range that it lies in.
    return np.clip(activations.astype(np.float64), 0, 1), scores
