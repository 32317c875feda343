"""The pass as one compiled graph: pixels in, one number per filter out.

Feature maps never leave the graph: EfficientNet-Lite0's have 4.4 million numbers per image, for 12 thousand filters.
Nothing after the last chosen feature map is computed unless the network's own outputs are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.network import Network, Tensor, import_keras


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a network computes for a batch of images.

    Parameters
    ----------
    activations : float32 array of shape (n_images, n_filters)
        ā(m,i,d), layers side by side: of each feature map the mean, after scaling its layer to [0, 1] for that
        image; not finite where the network's output is not.
    constant : bool array of shape (n_images, n_layers)
        Whether all of the layer's outputs are equal; then there is nothing to scale, and its activations are 0.
    scores : float32 array of shape (n_images, n_classes)
        The network's own outputs; n_classes is 0 where they were not asked for.
    """

    activations: NDArray[np.float32]
    constant: NDArray[np.bool_]
    scores: NDArray[np.float32]


CompiledPass = Callable[[NDArray[np.uint8]], Outputs]
Forward = Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]


def forward(network: Network, *, scores: bool = False, copied: bool = False) -> Forward:
    """Return the computation of the activation ā(m,i,d) (paper, section 2.1) in Keras operations.

    Parameters
    ----------
    scores : bool
        Whether the network's own outputs are wanted too.
    copied : bool
        Whether to compute with a copy of the weights, on the device that is current in this call.

    Returns
    -------
    callable
        From pixels, uint8 of shape (n_images, height, width, 3) in RGB, to the tensors of :class:`Outputs`.
    """
    keras = import_keras()
    wanted = [*(layer.feature_map for layer in network.layers), *(network.model.outputs[:1] if scores else [])]
    model = keras.Model(network.model.inputs[0], wanted)
    if copied:
        weights = model.get_weights()
        model = keras.models.clone_model(model)
        model.set_weights(weights)

    def run(pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        images = network.preprocess(keras.ops.cast(pixels, "float32"))
        outputs = model(images, training=False)
        # Keras returns the only output of a model without a list.
        outputs = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
        n_images = outputs[0].shape[0]
        own = outputs.pop() if scores else keras.ops.zeros((n_images, 0))
        own = keras.ops.cast(keras.ops.reshape(own, (n_images, int(np.prod(own.shape[1:])))), "float32")
        means, constant = zip(*(_scaled_means(keras.ops, output) for output in outputs), strict=True)
        return keras.ops.concatenate(means, axis=1), keras.ops.stack(constant, axis=1), own

    return run


def compile_pass(
    network: Network, batch_size: int, *, scores: bool = False, devices: Sequence[str] | None = None
) -> CompiledPass:
    """Compile :func:`forward` for the backend in use and all its devices.

    On TensorFlow and JAX each device takes an equal part of every batch; the number of devices used is the largest
    that divides the batch size. PyTorch works on one device.

    Parameters
    ----------
    batch_size : int
        The one batch size that the graph is compiled for; smaller batches are padded.
    scores : bool
        Whether the network's own outputs are wanted too.
    devices : sequence of str, optional
        TensorFlow's names of devices; by default all GPUs, or the processor if there is none.

    Raises
    ------
    FiltagError
        If Keras runs on a backend that is not supported.
    """
    backend = import_keras().backend.backend()
    if backend == "tensorflow":
        graph = _compile_tensorflow(network, batch_size, scores, devices)
    elif backend == "jax":
        graph = _compile_jax(network, batch_size, scores)
    elif backend == "torch":
        graph = _compile_torch(forward(network, scores=scores))
    else:
        raise FiltagError(
            f"Keras runs on {backend}, which is not supported: set KERAS_BACKEND to tensorflow, jax or torch"
        )

    def padded(pixels: NDArray[np.uint8]) -> Outputs:
        n_images = len(pixels)
        if n_images < batch_size:
            # One shape only, so the graph is compiled once.
            pixels = np.concatenate([pixels, np.zeros((batch_size - n_images, *pixels.shape[1:]), np.uint8)])
        activations, constant, own = graph(pixels)
        return Outputs(activations[:n_images], constant[:n_images], own[:n_images])

    return padded


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
    # Multiplied, not selected: NaN stays NaN, and is noticed.
    factor = ops.where(constant, 0.0, 1.0 / ops.where(constant, 1.0, high - low))
    return (ops.mean(per_filter, axis=1) - low[:, None]) * factor[:, None], constant


_Arrays = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]
_Graph = Callable[[NDArray[np.uint8]], _Arrays]


def _compile_tensorflow(network: Network, batch_size: int, scores: bool, devices: Sequence[str] | None) -> _Graph:
    import tensorflow as tf

    keras = import_keras()
    if devices is None:
        devices = [device.name for device in tf.config.list_logical_devices("GPU")]
    parts = _parts(len(devices), batch_size)
    if parts == 1:
        run = forward(network, scores=scores)
    else:
        towers = []
        for device in devices[:parts]:
            with tf.device(device):
                towers.append(forward(network, scores=scores, copied=True))

        def run(pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            outputs = []
            for device, tower, part in zip(devices, towers, tf.split(pixels, parts), strict=False):
                with tf.device(device):
                    outputs.append(tower(part))
            first, second, third = (keras.ops.concatenate(x) for x in zip(*outputs, strict=True))
            return first, second, third

    shape = (batch_size, *network.input_size, 3)
    # XLA is slower than TensorFlow's own kernels on a processor: measured once, by a factor of fifteen.
    graph = tf.function(run, input_signature=[tf.TensorSpec(shape, tf.uint8)], jit_compile=False, autograph=False)

    def call(pixels: NDArray[np.uint8]) -> _Arrays:
        activations, constant, scores = graph(tf.convert_to_tensor(pixels))
        return activations.numpy(), constant.numpy(), scores.numpy()

    return call


def _compile_jax(network: Network, batch_size: int, scores: bool) -> _Graph:
    import jax

    keras = import_keras()
    run = forward(network, scores=scores)
    devices = jax.devices()
    mesh = jax.sharding.Mesh(np.array(devices[: _parts(len(devices), batch_size)]), ("images",))
    over_images = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("images"))
    everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    variables = network.model.variables
    weights = [jax.device_put(variable.value, everywhere) for variable in variables]

    def with_weights(weights: list[Tensor], pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # As an argument: weights in a closure would be compiled in as constants.
        with keras.StatelessScope(state_mapping=list(zip(variables, weights, strict=True))):
            return run(pixels)

    graph = jax.jit(with_weights, in_shardings=(everywhere, over_images))

    def call(pixels: NDArray[np.uint8]) -> _Arrays:
        activations, constant, scores = graph(weights, jax.device_put(pixels, over_images))
        return np.asarray(activations), np.asarray(constant), np.asarray(scores)

    return call


def _parts(n_devices: int, batch_size: int) -> int:
    return max((n for n in range(1, n_devices + 1) if batch_size % n == 0), default=1)


def _compile_torch(run: Forward) -> _Graph:
    import torch

    keras = import_keras()

    def call(pixels: NDArray[np.uint8]) -> _Arrays:
        with torch.inference_mode():
            activations, constant, scores = run(keras.ops.convert_to_tensor(pixels))
            return activations.cpu().numpy(), constant.cpu().numpy(), scores.cpu().numpy()

    return call
