"""Networks with the channels first: the same numbers as by the textbook, and as the network itself computes."""

from __future__ import annotations

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.network.feature_map import select_layers
from filtag_kg.network.keras.channels_last import channels_last
from filtag_kg.network.keras.model_graph import trace
from filtag_kg.network.keras.source import keras_source
from filtag_kg.network.keras.steps import steps_of
from filtag_kg.network.network import weights_sha256

FIRST = {"data_format": "channels_first"}


def randomised(model):
    random = np.random.default_rng(0)
    for weight in model.weights:
        values = 0.5 * random.standard_normal(weight.shape)
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.path else values)
    return model


def build(keras, layers_of, shape=(3, 10, 8)):
    image = keras.Input(shape)
    return randomised(keras.Model(image, layers_of(keras.layers, image)))


def images(n=2, shape=(3, 10, 8)):
    return np.random.default_rng(1).random((n, *shape)).astype(np.float32)


def assert_same(keras, model, pictures=None):
    """The turned network gives what the network gives, an image's channels first and then last."""
    pictures = images() if pictures is None else pictures
    turned = channels_last(trace(model, "toy"), "toy").model
    expected = np.asarray(model(pictures, training=False))
    actual = np.asarray(turned(pictures.transpose(0, 2, 3, 1), training=False))
    if expected.ndim == 4 and actual.shape != expected.shape:
        actual = actual.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


def convolved(x, kernel, bias):
    """A valid convolution, the channels first, written out."""
    height, width, _, n_filters = kernel.shape
    out = np.empty((x.shape[0], n_filters, x.shape[2] - height + 1, x.shape[3] - width + 1))
    for row in range(out.shape[2]):
        for column in range(out.shape[3]):
            patch = x[:, :, row : row + height, column : column + width]
            out[:, :, row, column] = np.einsum("nchw,hwcf->nf", patch, kernel) + bias
    return out


def test_convolution_flatten_and_dense_by_the_textbook(keras):
    """`Flatten` reads the numbers in the order of the channels-first image: a filter after the other."""

    def layers_of(layers, x):
        x = layers.Conv2D(4, 3, activation="relu", name="conv", **FIRST)(x)
        return layers.Dense(5, name="dense")(layers.Flatten()(x))

    model = build(keras, layers_of)
    pictures = images()
    kernel, bias = (np.asarray(weight) for weight in model.get_layer("conv").weights)
    maps = np.maximum(convolved(pictures, kernel, bias), 0)
    weights, dense_bias = (np.asarray(weight) for weight in model.get_layer("dense").weights)
    expected = maps.reshape(2, -1) @ weights + dense_bias
    turned = channels_last(trace(model, "toy"), "toy").model
    np.testing.assert_allclose(turned(pictures.transpose(0, 2, 3, 1)), expected, rtol=1e-4, atol=1e-5)


def every_layer(layers, x):
    x = layers.Rescaling(2.0, offset=-1)(x)
    x = layers.ZeroPadding2D(((1, 0), (0, 1)), **FIRST)(x)
    x = layers.Conv2D(6, 3, strides=2, padding="same", **FIRST)(x)
    x = layers.BatchNormalization(axis=1)(x)
    x = layers.PReLU(shared_axes=[2, 3])(x)
    y = layers.DepthwiseConv2D(3, padding="same", activation="hard_sigmoid", **FIRST)(x)
    x = layers.Concatenate(axis=1)([x, y])
    x = layers.Softmax(axis=1)(layers.SeparableConv2D(4, 3, padding="same", **FIRST)(x))
    x = layers.UpSampling2D(**FIRST)(layers.MaxPooling2D(**FIRST)(x))
    x = layers.PReLU()(layers.Conv2DTranspose(4, 2, **FIRST)(x))
    x = layers.Cropping2D(((0, 1), (1, 0)), **FIRST)(x)
    gate = layers.GlobalAveragePooling2D(keepdims=True, **FIRST)(x)
    return layers.Multiply()([x, layers.Conv2D(4, 1, activation="sigmoid", **FIRST)(gate)])


def squeezed(layers, x):
    x = layers.Conv2D(4, 3, **FIRST)(x)
    gate = layers.Reshape((4, 1, 1))(layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling2D(**FIRST)(x)))
    return layers.Multiply()([x, gate])


def reshaped(layers, x):
    x = layers.Reshape((2, 48))(layers.Conv2D(2, 3, **FIRST)(x))
    return layers.Dense(3)(layers.Permute((2, 1))(x))


def over_the_width(layers, x):
    """A softmax over the last axis, whatever that is."""
    return layers.LayerNormalization(axis=1)(layers.Activation("softmax")(layers.Conv2D(2, 3, **FIRST)(x)))


def flattened_otherwise(layers, x):
    x = layers.BatchNormalization(axis=-1)(layers.Conv2D(2, 3, **FIRST)(x))
    return layers.Dense(3)(layers.Flatten(**FIRST)(x))


def with_arithmetic(layers, x):
    x = (x - np.array([0.1, 0.2, 0.3], np.float32).reshape(3, 1, 1)) / 0.5
    y = layers.Conv2D(3, 1, **FIRST)(x[:, ::-1])
    return layers.GlobalMaxPooling2D(**FIRST)(2.0 * x + y)


def applied_twice(layers, x):
    conv = layers.Conv2D(3, 3, padding="same", **FIRST)
    return conv(layers.BatchNormalization(axis=1)(conv(x)))


@pytest.mark.parametrize(
    "layers_of",
    [every_layer, squeezed, reshaped, over_the_width, flattened_otherwise, with_arithmetic, applied_twice],
)
def test_the_numbers_stay(keras, layers_of):
    assert_same(keras, build(keras, layers_of))


def test_followers_stay_with_their_convolution(keras):
    graph = channels_last(trace(build(keras, every_layer), "toy"), "toy")
    layers = select_layers(steps_of(graph)[0], "all", "toy")
    assert [(layer.taken_after, layer.n_filters) for layer in layers] == [
        ("Conv2D → BatchNormalization → prelu", 6),
        ("DepthwiseConv2D with hard_sigmoid", 6),
        ("SeparableConv2D", 4),
        ("Conv2D with sigmoid", 4),
    ]
    # Nothing is turned where nothing needs to be.
    assert not any("turned" in call.operation.name for call in graph.calls)


def test_a_network_that_turns_its_images_itself(keras):
    def layers_of(layers, x):
        x = layers.Permute((3, 1, 2))(x)
        return layers.GlobalAveragePooling2D(**FIRST)(layers.Conv2D(2, 3, name="conv", **FIRST)(x))

    model = build(keras, layers_of, (10, 8, 3))
    source = keras_source(model, "toy", "toy")
    assert (source.preparation.size, source.preparation.channels) == ((10, 8), 3)
    pictures = images(shape=(10, 8, 3))
    np.testing.assert_allclose(source.graph.model(pictures), model(pictures), rtol=1e-5, atol=1e-6)


def test_a_network_within_another(keras):
    inner = build(keras, squeezed)

    def layers_of(layers, x):
        return layers.GlobalAveragePooling2D(**FIRST)(inner(layers.Conv2D(3, 1, **FIRST)(x)))

    assert_same(keras, build(keras, layers_of))


@pytest.mark.parametrize("shape", [(3, None, None), (1, 10, 8)])
def test_size_and_channels(keras, shape):
    def layers_of(layers, x):
        return layers.GlobalAveragePooling2D(**FIRST)(layers.Conv2D(2, 3, **FIRST)(x))

    source = keras_source(build(keras, layers_of, shape), "toy", "toy", input_size=(10, 8))
    assert (source.preparation.size, source.preparation.channels) == ((10, 8), shape[0])


def test_a_map_of_classes_is_read_by_its_channels(keras):
    for softmax in (True, False):

        def layers_of(layers, x, softmax=softmax):
            x = layers.Conv2D(5, 3, padding="same", **FIRST)(x)
            return layers.Softmax(axis=1)(x) if softmax else layers.LayerNormalization(axis=1)(x)

        model = build(keras, layers_of)
        source = keras_source(model, "toy", "toy")
        assert (source.output_size, source.output_is_map) == (5, True)
        expected = np.asarray(model(images())).mean(axis=(2, 3))
        actual = np.asarray(source.graph.model(images().transpose(0, 2, 3, 1))).mean(axis=(1, 2))
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


def test_an_activation_over_an_axis_within_a_convolution_is_refused(keras):
    model = build(keras, lambda layers, x: layers.Conv2D(2, 3, activation="softmax", name="conv", **FIRST)(x))
    with pytest.raises(
        FiltagError, match=r"^layer conv of toy has its channels first and applies softmax itself: apply"
    ):
        keras_source(model, "toy", "toy")


def test_the_hash_is_that_of_the_weights(keras):
    model = build(keras, every_layer)
    before = model.get_weights()
    source = keras_source(model, "toy", "toy")
    assert source.weights_sha256 == weights_sha256(before)
