"""What the outputs of Keras networks are, by how they are written, and the confidences that follow."""

from __future__ import annotations

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.network import network_from
from filtag_kg.network.keras.source import keras_source
from filtag_kg.profile import observe

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)


def softmax(x):
    exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def as_two(p):
    return np.hstack([1 - p, p])


def pooled(keras, x, n):
    """Logits of n classes."""
    x = keras.layers.Conv2D(4, 3, activation="relu")(x)
    return keras.layers.Dense(n, name="logits", kernel_initializer="random_normal")(
        keras.layers.GlobalAveragePooling2D()(x)
    )


def network_of(keras, build, n, **options):
    """Return a network and, for the pixels, the logits within it."""
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 3))
    logits = pooled(keras, image, n)
    model = keras.Model(image, build(keras.layers, keras.ops, logits))
    expected = np.asarray(keras.Model(image, logits)(PIXELS.astype(np.float32))).astype(np.float64)
    return network_from(keras_source(model, "toy", "toy"), "toy", **options), expected


@pytest.mark.parametrize(
    "build",
    [
        lambda layers, ops, x: layers.Activation("softmax")(x),
        lambda layers, ops, x: layers.Softmax()(x),
        lambda layers, ops, x: ops.softmax(x),
        lambda layers, ops, x: layers.Reshape((3,))(layers.Reshape((1, 1, 3))(ops.softmax(x))),
        lambda layers, ops, x: layers.Flatten()(layers.Dropout(0.5)(layers.Softmax()(x))),
        lambda layers, ops, x: layers.Activation("linear", dtype="float32")(layers.Softmax()(x)),
        lambda layers, ops, x: ops.squeeze(ops.expand_dims(ops.softmax(x), 1), 1),
    ],
)
def test_a_softmax_however_it_is_written(keras, build):
    network, logits = network_of(keras, build, 3)
    assert (network.output.outputs, network.output.n_classes, network.output.is_map) == ("softmax", 3, False)
    np.testing.assert_allclose(observe(network, PIXELS)[1], softmax(logits), rtol=1e-5)


def test_a_softmax_in_the_dense_layer(keras):
    image = keras.Input((8, 8, 3))
    x = keras.layers.Flatten()(keras.layers.Conv2D(2, 3)(image))
    model = keras.Model(image, keras.layers.Dense(3, activation="softmax")(x))
    network = network_from(keras_source(model, "toy", "toy"), "toy")
    assert network.output.outputs == "softmax"
    np.testing.assert_allclose(observe(network, PIXELS)[1], np.asarray(model(PIXELS.astype(np.float32))), rtol=1e-5)


@pytest.mark.parametrize(
    "build",
    [
        lambda layers, ops, x: x,
        lambda layers, ops, x: layers.Activation("linear", dtype="float32")(x),
        lambda layers, ops, x: layers.Activation("log_softmax")(x),
        lambda layers, ops, x: ops.log_softmax(x),
        lambda layers, ops, x: ops.add(ops.matmul(x, np.eye(3, dtype=np.float32)), 1.0),
    ],
)
def test_logits(keras, build):
    network, logits = network_of(keras, build, 3)
    assert network.output.outputs == "logits"
    np.testing.assert_allclose(observe(network, PIXELS)[1], softmax(logits), rtol=1e-5)


@pytest.mark.parametrize(
    "build",
    [
        lambda layers, ops, x: layers.Activation("sigmoid")(x),
        lambda layers, ops, x: ops.sigmoid(x),
        lambda layers, ops, x: layers.Reshape((1,))(layers.Reshape((1, 1))(ops.sigmoid(x))),
    ],
)
def test_one_sigmoid_is_two_classes(keras, build):
    network, logits = network_of(keras, build, 1)
    assert (network.output.outputs, network.output.n_classes) == ("sigmoid", 2)
    np.testing.assert_allclose(observe(network, PIXELS)[1], as_two(sigmoid(logits)), rtol=1e-5)


def test_one_logit_is_two_classes(keras):
    network, logits = network_of(keras, lambda layers, ops, x: x, 1)
    assert network.output.outputs == "logit"
    np.testing.assert_allclose(observe(network, PIXELS)[1], as_two(sigmoid(logits)), rtol=1e-5)


@pytest.mark.parametrize(
    "build",
    [
        lambda layers, ops, x: layers.Activation("sigmoid")(x),
        lambda layers, ops, x: layers.Concatenate()([ops.sigmoid(x[:, :1]), ops.sigmoid(x[:, 1:])]),
    ],
)
def test_several_sigmoids_stay_as_they_are(keras, build):
    network, logits = network_of(keras, build, 3)
    assert (network.output.outputs, network.output.n_classes) == ("sigmoids", 3)
    np.testing.assert_allclose(observe(network, PIXELS)[1], sigmoid(logits), rtol=1e-5)


@pytest.mark.parametrize(("n", "last"), [(1, "sigmoid"), (1, None), (3, "sigmoid"), (3, "softmax"), (3, None)])
def test_an_image_has_the_same_confidence_in_any_batch(keras, n, last):
    """Before, one sigmoid gave 1.0 for everything, and an image 0.58 or 0.9996, depending on the others."""
    network, _ = network_of(keras, lambda layers, ops, x: layers.Activation(last or "linear")(x), n)
    together = observe(network, PIXELS)[1]
    for index in range(3):
        np.testing.assert_allclose(observe(network, PIXELS[[index]])[1], together[[index]], rtol=1e-5)
    compiled = network.output.confidences(network.compile(8, scores=True)(PIXELS).scores)
    np.testing.assert_allclose(compiled, together, rtol=1e-5)
    assert (together < 1).all()


def map_of(keras, build, n):
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(n, 3, name="head", kernel_initializer="random_normal")(image)
    model = keras.Model(image, build(keras.layers, maps))
    places = np.asarray(keras.Model(image, maps)(PIXELS.astype(np.float32))).astype(np.float64).reshape(3, -1, n)
    return model, places


@pytest.mark.parametrize(
    "build",
    [
        lambda layers, x: layers.Softmax()(x),
        lambda layers, x: layers.Reshape((36, 3))(layers.Softmax()(x)),
        lambda layers, x: layers.GlobalAveragePooling2D()(layers.Softmax()(x)),
    ],
)
def test_a_map_of_probabilities_counts_by_its_mean(keras, build):
    model, places = map_of(keras, build, 3)
    network = network_from(keras_source(model, "toy", "toy"), "toy")
    assert network.output.outputs == "softmax"
    np.testing.assert_allclose(observe(network, PIXELS)[1], softmax(places).mean(axis=1), rtol=1e-4)


def test_a_map_of_logits_needs_classes(keras):
    model, places = map_of(keras, lambda layers, x: x, 3)
    source = keras_source(model, "toy", "toy")
    assert network_from(source, "toy").output.outputs == "none"
    network = network_from(source, "toy", class_ids=("a", "b", "c"))
    assert (network.output.outputs, network.output.is_map) == ("logits", True)
    np.testing.assert_allclose(observe(network, PIXELS)[1], softmax(places.mean(axis=1)), rtol=1e-4)


def test_a_map_of_one_place_is_none(keras):
    """A classifier that is a convolution, as in MobileNet."""
    image = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D(keepdims=True)(keras.layers.Conv2D(4, 3)(image))
    source = keras_source(keras.Model(image, keras.layers.Conv2D(5, 1)(x)), "toy", "toy")
    assert (source.output_size, source.output_is_map) == (5, False)
    assert network_from(source, "toy").output.outputs == "logits"


@pytest.mark.parametrize(
    "build",
    [
        lambda layers, x: x,
        lambda layers, x: layers.GlobalAveragePooling2D()(x),
        lambda layers, x: layers.GlobalMaxPooling2D()(x),
        lambda layers, x: layers.LayerNormalization()(layers.GlobalAveragePooling2D()(x)),
        lambda layers, x: layers.Concatenate()([layers.GlobalMaxPooling2D()(x), layers.GlobalAveragePooling2D()(x)]),
        lambda layers, x: layers.Conv2DTranspose(3, 3, activation="tanh")(x),
    ],
)
def test_features_and_images_are_no_classes(keras, build):
    image = keras.Input((8, 8, 3))
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3)(image)))
    network = network_from(keras_source(keras.Model(image, build(keras.layers, x)), "toy", "toy"), "toy")
    assert (network.output.outputs, network.output.n_classes) == ("none", 0)
    activations, confidences = observe(network, PIXELS)
    assert activations.shape[0] == 3
    assert confidences.shape == (3, 0)


def test_two_softmaxes_beside_each_other_are_not_one(keras):
    def build(layers, ops, x):
        return layers.Concatenate()([ops.softmax(x[:, :2]), ops.softmax(x[:, 2:])])

    assert network_of(keras, build, 5)[0].output.outputs == "none"


def two_outputs(keras):
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="conv")(image)
    pooled_x = keras.layers.GlobalAveragePooling2D()(x)
    label = keras.layers.Dense(3, activation="softmax", name="label")(pooled_x)
    return image, label, keras.layers.Dense(1, activation="sigmoid", name="is_day")(pooled_x)


@pytest.mark.parametrize(
    ("names", "expected"),
    [((None, "label", "0"), ("softmax", 3)), (("is_day", "1"), ("sigmoid", 1))],
)
def test_one_of_several_outputs_is_chosen_by_the_name_of_its_layer(keras, names, expected):
    image, label, day = two_outputs(keras)
    inner = keras.Model(image, [label, day], name="inner")
    outer_image = keras.Input((8, 8, 3))
    for model in (inner, keras.Model(outer_image, inner(outer_image))):
        for name in names:
            source = keras_source(model, "toy", "toy", output_name=name)
            assert (source.last, source.output_size) == expected


def test_one_of_several_outputs_is_chosen_by_its_key(keras):
    image, label, day = two_outputs(keras)
    model = keras.Model(image, {"time": day, "class": label})
    assert keras_source(model, "toy", "toy", output_name="time").last == "sigmoid"
    assert keras_source(model, "toy", "toy", output_name="class").last == "softmax"
    assert keras_source(model, "toy", "toy", output_name="is_day").last == "sigmoid"
    with pytest.raises(FiltagError) as error:
        keras_source(model, "toy", "toy", output_name="day")
    assert str(error.value) == "toy has no output 'day': choose from class, time"


def test_an_unknown_output_names_the_choices(keras):
    image, label, day = two_outputs(keras)
    inner = keras.Model(image, [label, day], name="inner")
    outer_image = keras.Input((8, 8, 3))
    for model in (inner, keras.Model(outer_image, inner(outer_image))):
        with pytest.raises(FiltagError) as error:
            keras_source(model, "toy", "toy", output_name="inner")
        assert str(error.value) == "toy has no output 'inner': choose from label, is_day"


def test_several_inputs_are_refused(keras):
    images = [keras.Input((8, 8, 3)) for _ in range(2)]
    model = keras.Model(images, keras.layers.Conv2D(2, 3)(keras.layers.Add()(images)))
    with pytest.raises(FiltagError, match=r"^toy takes 2 inputs: give a network that takes one image$"):
        keras_source(model, "toy", "toy")
