"""Random weights for a Keras model: what it is before it has learnt anything."""

from __future__ import annotations

import numpy as np

from filtag_kg.network.keras.backend import KerasModel, import_keras

_FRESH = {"gamma": 1.0, "beta": 0.0, "bias": 0.0, "moving_mean": 0.0, "moving_variance": 1.0}


def randomise_keras(model: KerasModel, seed: int) -> None:
    """Fill kernels with N(0, 2 / fan-in) (He et al., 2015, equation 10), the same in every process.

    Biases and normalisations become what they are in a fresh network.
    """
    layers = import_keras().layers
    # A depthwise kernel is (height, width, channels, multiplier), and sees one channel at a time.
    variances: dict[int, float] = {}
    for layer in model._flatten_layers():
        if isinstance(layer, layers.DepthwiseConv2D):
            variances[id(layer.kernel)] = 2 / np.prod(layer.kernel_size)
        elif isinstance(layer, layers.SeparableConv2D):
            # The 2 in 2 / fan-in compensates for a rectifier; there is none between the two kernels.
            variances[id(layer.depthwise_kernel)] = 1 / np.prod(layer.kernel_size)
    random = np.random.default_rng(seed)
    for weight in model.weights:
        if len(weight.shape) >= 2:
            variance = variances.get(id(weight), 2 / max(1, int(np.prod(weight.shape[:-1]))))
            weight.assign(random.standard_normal(weight.shape, np.float32) * np.float32(np.sqrt(variance)))
        elif weight.name in _FRESH:
            weight.assign(np.full(weight.shape, _FRESH[weight.name], np.float32))
