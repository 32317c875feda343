"""The pass as one compiled graph of Keras: pixels in, one number per filter out.

Feature maps never leave the graph: EfficientNet-Lite0's have 4.4 million numbers per image, for 12 thousand filters.
Nothing after the last chosen feature map is computed unless the network's own outputs are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.network.keras.backend import KerasModel, Tensor, import_keras
from filtag_kg.network.network import CompiledPass, Computed
from filtag_kg.network.scaling import Scaling

Forward = Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]


@dataclass(frozen=True, slots=True)
class Computation:
    """What is computed for a batch.

    Parameters
    ----------
    model : keras.Model
        Functional and flat.
    maps : tuple of keras.KerasTensor
        The feature maps of each layer, shape (n_images, height, width, n_filters).
    output : keras.KerasTensor or None
        The network's own output, where it is wanted.
    scaling : Scaling
    """

    model: KerasModel
    maps: tuple[Tensor, ...]
    output: Tensor | None
    scaling: Scaling


def forward(computation: Computation, *, copied: bool = False) -> Forward:
    """Return the computation of the activation ā(m,i,d) (paper, section 2.1) in Keras operations.

    Parameters
    ----------
    copied : bool
        Whether to compute with a copy of the weights, on the device that is current in this call.

    Returns
    -------
    callable
        From pixels of shape (n_images, height, width, channels) to the tensors of
        :class:`~filtag_kg.network.network.Computed`.
    """
    keras = import_keras()
    wanted = [*computation.maps, *([] if computation.output is None else [computation.output])]
    model = keras.Model(computation.model.inputs[0], wanted)
    if copied:
        weights = model.get_weights()
        model = keras.models.clone_model(model)
        model.set_weights(weights)

    def run(pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        images = scaled(computation.scaling, keras.ops.cast(pixels, "float32"))
        outputs = model(images, training=False)
        # Keras returns the only output of a model without a list.
        outputs = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
        if computation.output is None:
            scores = keras.ops.zeros((outputs[0].shape[0], 0))
        else:
            scores = output_means(keras.ops, outputs.pop())
        means, constant = zip(*(_scaled_means(keras.ops, output) for output in outputs), strict=True)
        return keras.ops.concatenate(means, axis=1), keras.ops.stack(constant, axis=1), scores

    return run


def scaled(scaling: Scaling, pixels: Tensor) -> Tensor:
    """Return what the network takes, with channels last, for pixels as floating point numbers in [0, 255]."""
    ops = import_keras().ops
    if scaling.order != tuple(range(len(scaling.order))):
        pixels = ops.take(pixels, np.array(scaling.order), axis=-1)
    if any(scaling.mean):
        pixels = ops.subtract(pixels, np.array(scaling.mean, np.float32))
    if any(std != 1 for std in scaling.std):
        pixels = ops.divide(pixels, np.array(scaling.std, np.float32))
    return pixels


def compile_pass(computation: Computation, batch_size: int, *, devices: Sequence[str] | None = None) -> CompiledPass:
    """Compile :func:`forward` for the backend in use and all its devices.

    On TensorFlow and JAX each device takes an equal part of every batch; the number of devices used is the largest
    that divides the batch size. PyTorch works on one device.

    Parameters
    ----------
    batch_size : int
        The one batch size that the graph is compiled for; smaller batches are padded.
    devices : sequence of str, optional
        TensorFlow's names of devices; by default all GPUs, or the processor if there is none.

    Raises
    ------
    FiltagError
        If Keras runs on a backend that is not supported.
    """
    backend = import_keras().backend.backend()
    if backend == "tensorflow":
        graph = _compile_tensorflow(computation, batch_size, devices)
    elif backend == "jax":
        graph = _compile_jax(computation, batch_size)
    elif backend == "torch":
        graph = _compile_torch(forward(computation))
    else:
        raise FiltagError(
            f"Keras runs on {backend}, which is not supported: set KERAS_BACKEND to tensorflow, jax or torch"
        )

    def padded(pixels: NDArray[Any]) -> Computed:
        n_images = len(pixels)
        if n_images < batch_size:
            # One shape only, so the graph is compiled once.
            pixels = np.concatenate([pixels, np.zeros((batch_size - n_images, *pixels.shape[1:]), pixels.dtype)])
        activations, constant, own = graph(pixels)
        return Computed(activations[:n_images], constant[:n_images], own[:n_images])

    return padded


def run_once(computation: Computation, pixels: NDArray[Any]) -> Computed:
    """Compute without compiling: for one batch, that would take longer than the network itself."""
    to_numpy = import_keras().ops.convert_to_numpy
    activations, constant, scores = (to_numpy(tensor) for tensor in forward(computation)(pixels))
    return Computed(activations, constant, scores)


def output_means(ops: ModuleType, output: Tensor) -> Tensor:
    """Return an output as one number for each image and channel: of a map, the mean over its places."""
    output = ops.cast(output, "float32")
    if len(output.shape) < 3:
        return ops.reshape(output, (output.shape[0], int(np.prod(output.shape[1:]))))
    return ops.mean(output, axis=tuple(range(1, len(output.shape) - 1)))


def _scaled_means(ops: ModuleType, feature_maps: Tensor) -> tuple[Tensor, Tensor]:
    """Reduce one layer: (n_images, height, width, n_filters) to (n_images, n_filters) and (n_images,).

    Scaling is linear, so the mean of the scaled map is the scaled mean, and the scaled maps are never made:
    mean((x − min) / (max − min)) = (mean(x) − min) / (max − min).
    """
    n_images = feature_maps.shape[0]
    feature_maps = ops.cast(feature_maps, "float32")
    flat = ops.reshape(feature_maps, (n_images, int(np.prod(feature_maps.shape[1:]))))
    low = ops.min(flat, axis=1)
    high = ops.max(flat, axis=1)
    constant = ops.equal(high, low)
    # Multiplied, not selected: NaN stays NaN, and is noticed.
    factor = ops.where(constant, 0.0, 1.0 / ops.where(constant, 1.0, high - low))
    return (map_means(ops, feature_maps) - low[:, None]) * factor[:, None], constant


def map_means(ops: ModuleType, feature_maps: Tensor) -> Tensor:
    """Return the mean of each feature map, shape (n_images, n_filters)."""
    if import_keras().backend.backend() != "tensorflow":
        return ops.mean(feature_maps, axis=(1, 2))
    # On processors, TensorFlow pools faster than it takes means: the pass over MobileNetV2 gains a seventh.
    # Columns first, since it adds numbers one after the other, in float32.
    return ops.mean(ops.average_pool(feature_maps, (feature_maps.shape[1], 1), strides=1), axis=(1, 2))


_Arrays = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]
_Graph = Callable[[NDArray[Any]], _Arrays]


def _compile_tensorflow(computation: Computation, batch_size: int, devices: Sequence[str] | None) -> _Graph:
    import tensorflow as tf

    keras = import_keras()
    if devices is None:
        devices = [device.name for device in tf.config.list_logical_devices("GPU")]
    parts = _parts(len(devices), batch_size)
    if parts == 1:
        run = forward(computation)
    else:
        towers = []
        for device in devices[:parts]:
            with tf.device(device):
                towers.append(forward(computation, copied=True))

        def run(pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            outputs = []
            for device, tower, part in zip(devices, towers, tf.split(pixels, parts), strict=False):
                with tf.device(device):
                    outputs.append(tower(part))
            first, second, third = (keras.ops.concatenate(x) for x in zip(*outputs, strict=True))
            return first, second, third

    # XLA is slower than TensorFlow's own kernels on a processor: measured once, by a factor of fifteen.
    graph = tf.function(run, jit_compile=False, autograph=False)

    def call(pixels: NDArray[Any]) -> _Arrays:
        tensor = tf.convert_to_tensor(pixels)
        # Called by signature: of several passes in one process, TensorFlow would warn as of one that it traces anew.
        activations, constant, scores = graph.get_concrete_function(tensor)(tensor)
        return activations.numpy(), constant.numpy(), scores.numpy()

    return call


def _compile_jax(computation: Computation, batch_size: int) -> _Graph:
    import jax

    keras = import_keras()
    run = forward(computation)
    devices = jax.devices()
    mesh = jax.sharding.Mesh(np.array(devices[: _parts(len(devices), batch_size)]), ("images",))
    over_images = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("images"))
    everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    variables = computation.model.variables
    weights = [jax.device_put(variable.value, everywhere) for variable in variables]

    def with_weights(weights: list[Tensor], pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # As an argument: weights in a closure would be compiled in as constants.
        with keras.StatelessScope(state_mapping=list(zip(variables, weights, strict=True))):
            return run(pixels)

    graph = jax.jit(with_weights, in_shardings=(everywhere, over_images))

    def call(pixels: NDArray[Any]) -> _Arrays:
        activations, constant, scores = graph(weights, jax.device_put(pixels, over_images))
        return np.asarray(activations), np.asarray(constant), np.asarray(scores)

    return call


def _parts(n_devices: int, batch_size: int) -> int:
    return max((n for n in range(1, n_devices + 1) if batch_size % n == 0), default=1)


def _compile_torch(run: Forward) -> _Graph:
    import torch

    keras = import_keras()

    def call(pixels: NDArray[Any]) -> _Arrays:
        with torch.inference_mode():
            activations, constant, scores = run(keras.ops.convert_to_tensor(pixels))
            return activations.cpu().numpy(), constant.cpu().numpy(), scores.cpu().numpy()

    return call
