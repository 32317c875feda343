"""Write networks with Keras 2, with random weights, and what they output: ``files.zip``, which the tests read.

It is run by hand in an environment with the packages tensorflow and tf-keras, which is Keras 2::

    python tests/network/keras2/make_files.py
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

L = keras.layers
Model = Any


def image(side: int = 12, **options: Any) -> Any:
    return keras.Input((side, side, 3), **options)


def classified(x: Any, activation: str | None = "softmax") -> Any:
    return L.Dense(3, activation=activation)(L.GlobalAveragePooling2D()(x))


def convolutions() -> Model:
    """Every kind of convolution, with names that have slashes."""
    x = inputs = image()
    x = L.Conv2D(4, 3, name="block1/conv", activation=tf.nn.relu6)(x)
    y = L.DepthwiseConv2D(3, name="block1/depthwise", padding="same")(x)
    x = L.Add(name="block1/add")([x, L.BatchNormalization(axis=[-1])(y)])
    x = L.SeparableConv2D(4, 3, name="block1_conv")(x)
    x = L.Conv2DTranspose(5, 2, groups=1)(L.UpSampling2D(interpolation="bilinear")(x))
    return keras.Model(inputs, classified(x))


def activations() -> Model:
    """Activations that have another name, another argument or another formula in Keras 3, or are code."""

    @keras.saving.register_keras_serializable()
    class FixedDropout(L.Dropout):
        """Of the package efficientnet."""

    def hard_swish(x: Any) -> Any:
        return x * tf.nn.relu6(x + 3) / 6

    x = inputs = image()
    x = L.Conv2D(4, 3, activation="swish")(x)
    gate = L.Conv2D(4, 1, activation="hard_sigmoid")(L.GlobalAveragePooling2D(keepdims=True)(x))
    x = L.multiply([x, gate])
    x = L.LeakyReLU(alpha=0.1)(L.experimental.SyncBatchNormalization()(x))
    x = L.Conv2D(4, 3, activation=L.ReLU(max_value=6.0))(x)
    x = L.PReLU(shared_axes=[1, 2])(L.ELU()(L.ReLU(max_value=3.0, negative_slope=0.1, threshold=0.2)(x)))
    x = L.ThresholdedReLU(0.1)(L.Activation(hard_swish)(x))
    x = L.GaussianNoise(0.1)(FixedDropout(0.2, noise_shape=(None, 1, 1, 1))(x))
    return keras.Model(inputs, classified(x, "sigmoid"))


def mixed() -> Model:
    """Mixed precision: weights in float32, computed in float16."""
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        x = inputs = image()
        x = L.Activation("relu")(L.BatchNormalization()(L.Conv2D(4, 3)(x)))
        return keras.Model(inputs, L.Activation("softmax", dtype="float32")(classified(x, None)))
    finally:
        keras.mixed_precision.set_global_policy("float32")


def sequential() -> Model:
    """With augmentation, and no InputLayer of its own."""
    shape = (12, 12, 3)
    layers = [L.Rescaling(1 / 255, input_shape=shape), L.RandomFlip("horizontal"), L.RandomRotation(0.1)]
    return keras.Sequential([*layers, L.Conv2D(4, 3), L.MaxPooling2D(), L.Flatten(), L.Dropout(0.5), L.Dense(3)])


def normalised() -> Model:
    """What layers of preprocessing remember."""
    adapted = L.Normalization()
    adapted.adapt(np.random.default_rng(1).random((4, 12, 12, 3)).astype(np.float32))
    x = inputs = image()
    x = adapted(L.Rescaling(1 / 127.5, offset=-1)(x))
    x = L.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0])(x)
    return keras.Model(inputs, classified(L.Conv2D(4, 3)(x)))


def symmetric() -> Model:
    inputs = image()
    x = keras.applications.mobilenet_v2.preprocess_input(inputs)
    return keras.Model(inputs, classified(L.Conv2D(4, 3)(x)))


def caffe() -> Model:
    inputs = image()
    x = keras.applications.vgg16.preprocess_input(inputs)
    return keras.Model(inputs, classified(L.Conv2D(4, 3)(x)))


def standardised() -> Model:
    inputs = image()
    x = keras.applications.imagenet_utils.preprocess_input(inputs, mode="torch")
    return keras.Model(inputs, classified(L.Conv2D(4, 3)(x)))


def functions() -> Model:
    """Functions of TensorFlow in the graph, with tensors and numbers on either side."""
    inputs = image(dtype="uint8")
    x = tf.cast(inputs, tf.float32) / 255.0
    x = (x - tf.constant([0.4, 0.5, 0.6])) / tf.constant([0.2, 0.3, 0.4])
    x = tf.image.resize(x, (10, 10))[..., ::-1][:, 1:, :-1]
    x = L.Conv2D(4, 3)(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]))
    y = tf.nn.relu6(x)
    x = tf.concat([x, y], -1)
    x = tf.nn.silu(x) * tf.math.sigmoid(y[..., :1])
    x = tf.nn.relu6(x + 3) * (1.0 / 6)
    first, second = tf.split(tf.transpose(x, [0, 2, 1, 3]), 2, axis=-1)
    x = L.Conv2D(4, 3, name="add")(tf.maximum(first, 0.5 - second))
    x = tf.clip_by_value(2.0 * tf.reduce_mean(x, axis=[1, 2], keepdims=True), -5, 5)
    x = 1 - tf.squeeze(-x, [1, 2]) ** 2
    return keras.Model(inputs, tf.nn.softmax(L.Dense(3)(tf.reshape(x, (-1, 4)))))


def transferred() -> Model:
    """A frozen network within another, and a layer that is applied twice."""
    x = base_inputs = image()
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(4, 3)(x)))
    twice = L.BatchNormalization(name="twice")
    base = keras.Model(base_inputs, twice(L.Conv2D(4, 3)(twice(x))), name="base")
    base.trainable = False
    inputs = image()
    head = keras.Sequential([L.Conv2D(4, 1, activation="relu"), L.GlobalAveragePooling2D()], name="head")
    x = base(keras.applications.mobilenet_v2.preprocess_input(inputs), training=False)
    return keras.Model(inputs, L.Dense(2, activation="softmax")(head(x)))


def channels_first() -> Model:
    first = {"data_format": "channels_first"}
    x = inputs = keras.Input((3, 12, 12))
    x = L.Activation("relu")(L.BatchNormalization(axis=1)(L.Conv2D(4, 3, **first)(x)))
    x = L.Flatten()(L.MaxPooling2D(**first)(x))
    return keras.Model(inputs, L.Dense(3)(x))


def code() -> Model:
    inputs = image()
    return keras.Model(inputs, classified(L.Conv2D(4, 3)(L.Lambda(lambda x: x / 255.0, name="scale")(inputs))))


def custom() -> Model:
    class SqueezeExcite(L.Layer):
        def call(self, x: Any) -> Any:
            return x

    inputs = image()
    return keras.Model(inputs, classified(SqueezeExcite()(L.Conv2D(4, 3)(inputs))))


def unknown() -> Model:
    inputs = image()
    return keras.Model(inputs, classified(L.Conv2D(4, 3)(tf.image.rgb_to_hsv(inputs / 255.0))))


BUILDERS: tuple[Callable[[], Model], ...] = (
    convolutions, activations, mixed, sequential, normalised, symmetric, caffe, standardised, functions, transferred,
    channels_first, code, custom, unknown,
)  # fmt: skip


def with_random_weights(model: Model, random: np.random.Generator) -> None:
    for weight in model.weights:
        if weight.dtype.is_floating and "normalization/mean" not in weight.name:
            values = 0.3 * random.standard_normal(weight.shape)
            positive = "variance" in weight.name or "gamma" in weight.name
            weight.assign(np.abs(values) + 0.5 if positive else values)
    for layer in model.layers:
        if isinstance(layer, L.Normalization):
            layer.finalize_state()


def main() -> None:
    """Write ``files.zip`` beside this script."""
    target = Path(__file__).parent / "files.zip"
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for build in BUILDERS:
            keras.backend.clear_session()
            random = np.random.default_rng(0)
            model = build()
            with_random_weights(model, random)
            pixels = random.integers(0, 256, (2, *model.input_shape[1:])).astype(np.uint8)
            outputs = model(pixels.astype(model.input.dtype.as_numpy_dtype), training=False)
            arrays = io.BytesIO()
            np.savez_compressed(arrays, pixels=pixels, outputs=outputs)
            archive.writestr(f"{build.__name__}.npz", arrays.getvalue())
            for ending in (".h5", ".keras"):
                path = Path(folder) / f"{build.__name__}{ending}"
                try:
                    model.save(path)
                except TypeError:
                    # Keras 2 cannot write the index of an image's channels into its newer format.
                    continue
                archive.writestr(path.name, path.read_bytes())


if __name__ == "__main__":
    main()
