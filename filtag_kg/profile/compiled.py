"""The pass as one compiled graph: pixels in, one number per filter out.

Feature maps never leave the graph: EfficientNet-Lite0 has 4.4 million numbers in them per image, and 12
thousand filters. Nothing behind the last chosen feature map is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.network import Network, Tensor, import_keras

__all__ = ["CompiledPass", "compile_pass"]

CompiledPass = Callable[[NDArray[np.uint8]], tuple[NDArray[np.float32], NDArray[np.bool_]]]


def compile_pass(network: Network, batch_size: int) -> CompiledPass:
    """Compile the computation of the activation ā(m,i,d) (paper, section 2.1) for the backend in use.

    Parameters
    ----------
    network : Network
    batch_size : int
        The one batch size that the graph is compiled for.

    Returns
    -------
    callable
        From pixels, uint8 of shape (batch_size, height, width, 3) in RGB, to

        - activations, float32 of shape (batch_size, n_filters), layers side by side: of each feature map the
          mean, after scaling its layer to [0, 1] for that image; not finite where the network's output is
          not;
        - constant, bool of shape (batch_size, n_layers): whether all of the layer's outputs are equal, so
          that there is nothing to scale and its activations are 0.
    """
    keras = import_keras()
    maps = keras.Model(network.model.inputs[0], [layer.feature_map for layer in network.layers])

    def activations(pixels: Tensor) -> tuple[Tensor, Tensor]:
        images = network.preprocess(keras.ops.cast(pixels, "float32"))
        outputs = maps(images, training=False)
        # Keras gives a model with one output back without its list.
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        scaled, constant = zip(*(_scaled_means(keras.ops, output) for output in outputs), strict=True)
        return keras.ops.concatenate(scaled, axis=1), keras.ops.stack(constant, axis=1)

    backend = keras.backend.backend()
    shape = (batch_size, *network.input_size, 3)
    if backend == "tensorflow":
        return _compile_tensorflow(activations, shape)
    if backend == "jax":
        return _compile_jax(activations)
    if backend == "torch":
        return _compile_torch(activations)
    raise FiltagError(f"Keras runs on {backend}, which is not supported: set KERAS_BACKEND to tensorflow, jax or torch")


def _scaled_means(ops: ModuleType, feature_maps: Tensor) -> tuple[Tensor, Tensor]:
    """Reduce one layer: (n_images, height, width, n_filters) to (n_images, n_filters) and (n_images,).

    Scaling is linear, so the mean of the scaled map is the scaled mean, and the scaled maps are never made:
    mean((x − min) / (max − min)) = (mean(x) − min) / (max − min).
    """
    shape = feature_maps.shape
    feature_maps = ops.cast(feature_maps, "float32")
    flat = ops.reshape(feature_maps, (shape[0], shape[1] * shape[2] * shape[3]))
    per_filter = ops.reshape(feature_maps, (shape[0], shape[1] * shape[2], shape[3]))
    low = ops.min(flat, axis=1)
    high = ops.max(flat, axis=1)
    constant = ops.equal(high, low)
    # Multiplied, not chosen: what is not a number stays so, and is found.
    factor = ops.where(constant, 0.0, 1.0 / ops.where(constant, 1.0, high - low))
    return (ops.mean(per_filter, axis=1) - low[:, None]) * factor[:, None], constant


def _compile_tensorflow(activations: Callable[[Tensor], tuple[Tensor, Tensor]], shape: tuple[int, ...]) -> CompiledPass:
    import tensorflow as tf

    # XLA is slower than TensorFlow's own kernels on a processor, by a factor of fifteen where it was
    # measured.
    graph = tf.function(
        activations,
        input_signature=[tf.TensorSpec(shape, tf.uint8)],
        jit_compile=False,
        autograph=False,
    )

    def run(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        scaled, constant = graph(tf.convert_to_tensor(pixels))
        return scaled.numpy(), constant.numpy()

    return run


def _compile_jax(activations: Callable[[Tensor], tuple[Tensor, Tensor]]) -> CompiledPass:
    import jax

    graph = jax.jit(activations)

    def run(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        scaled, constant = graph(pixels)
        return np.asarray(scaled), np.asarray(constant)

    return run


def _compile_torch(activations: Callable[[Tensor], tuple[Tensor, Tensor]]) -> CompiledPass:
    import torch

    keras = import_keras()

    def run(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        with torch.inference_mode():
            scaled, constant = activations(keras.ops.convert_to_tensor(pixels))
            return scaled.cpu().numpy(), constant.cpu().numpy()

    return run
