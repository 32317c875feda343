from __future__ import annotations

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.network.feature_map import select_layers
from filtag_kg.network.keras.model_graph import trace
from filtag_kg.network.keras.steps import steps_of


def layers_of(keras, build, choice="all"):
    """Build a network on an 8 × 8 image and return its layers and its graph."""
    image = keras.Input((8, 8, 3))
    graph = trace(keras.Model(image, build(keras.layers, image)), "toy")
    steps, _ = steps_of(graph)
    return select_layers(steps, choice, "toy"), steps


def producer(steps, tensor):
    return next(step.name for step in steps if tensor in step.outputs)


def feature_map_of(keras, build):
    (layer,), graph = layers_of(keras, build)
    assert layer.feature_map_of == producer(graph, layer.feature_map)
    return layer.feature_map_of


def taken_after(keras, build):
    (layer,), _ = layers_of(keras, build)
    return layer.taken_after


def test_normalisation_and_activation_belong_to_the_feature_map(keras):
    def build(layers, x):
        x = layers.Conv2D(4, 3, name="conv")(x)
        x = layers.BatchNormalization(name="bn")(x)
        x = layers.ReLU(name="relu")(x)
        return layers.MaxPooling2D(name="pool")(x)

    assert feature_map_of(keras, build) == "relu"


@pytest.mark.parametrize("activation", ["ReLU", "LeakyReLU", "PReLU", "ELU"])
def test_every_kind_of_activation_layer(keras, activation):
    def build(layers, x):
        return getattr(layers, activation)(name="act")(layers.Conv2D(4, 3, name="conv")(x))

    assert feature_map_of(keras, build) == "act"


def test_an_activation_called_as_a_function(keras):
    def build(layers, x):
        x = keras.ops.relu6(layers.Conv2D(4, 3, name="conv")(x))
        return layers.Flatten()(x)

    assert "relu6" in feature_map_of(keras, build).lower()


def test_a_built_in_activation_ends_the_chain_of_activations(keras):
    def build(layers, x):
        return layers.ReLU(name="second")(layers.Conv2D(4, 3, activation="tanh", name="conv")(x))

    assert feature_map_of(keras, build) == "conv"


def test_normalisation_after_a_built_in_activation(keras):
    def build(layers, x):
        x = layers.Conv2D(4, 3, activation="relu", name="conv")(x)
        return layers.BatchNormalization(name="second")(layers.BatchNormalization(name="bn")(x))

    assert feature_map_of(keras, build) == "bn"


def test_a_second_activation_is_not_the_filter_s(keras):
    def build(layers, x):
        return layers.ReLU(name="b")(layers.Activation("tanh", name="a")(layers.Conv2D(4, 3, name="conv")(x)))

    assert feature_map_of(keras, build) == "a"


@pytest.mark.parametrize(
    ("options", "followers", "expected"),
    [
        ({}, [], "Conv2D"),
        ({"activation": "relu"}, [], "Conv2D with relu"),
        ({"activation": "hard_swish"}, ["BatchNormalization"], "Conv2D with hard_silu → BatchNormalization"),
        ({}, ["BatchNormalization", "ReLU"], "Conv2D → BatchNormalization → relu"),
        ({}, ["ELU", "BatchNormalization"], "Conv2D → elu → BatchNormalization"),
    ],
)
def test_the_chain_reads_as_text(keras, options, followers, expected):
    def build(layers, x):
        x = layers.Conv2D(4, 3, **options)(x)
        for follower in followers:
            x = getattr(layers, follower)()(x)
        return layers.MaxPooling2D()(x)

    assert taken_after(keras, build) == expected


def test_an_activation_goes_by_its_function_however_it_is_given(keras):
    activations = [
        lambda layers: layers.ReLU(6.0),
        lambda layers: layers.Activation("relu6"),
        lambda layers: keras.ops.relu6,
        lambda layers: layers.Activation(keras.activations.relu6),
    ]
    for activation in activations:

        def build(layers, x, activation=activation):
            return layers.Flatten()(activation(layers)(layers.DepthwiseConv2D(3)(x)))

        assert taken_after(keras, build) == "DepthwiseConv2D → relu6"


def test_a_layer_as_activation(keras):
    def build(layers, x):
        return layers.Flatten()(layers.Conv2D(4, 3, activation=layers.LeakyReLU())(x))

    assert taken_after(keras, build) == "Conv2D with leakyrelu"


def test_a_fork_ends_the_feature_map(keras):
    def build(layers, x):
        x = layers.Conv2D(3, 3, name="conv")(x)
        return layers.Add()([layers.ReLU(name="relu")(x), x])

    assert feature_map_of(keras, build) == "conv"


@pytest.mark.parametrize("joint", ["Add", "Concatenate"])
def test_a_joint_ends_the_feature_map(keras, joint):
    def build(layers, x):
        y = layers.BatchNormalization(name="bn")(layers.Conv2D(3, 3, padding="same", name="conv")(x))
        return layers.ReLU(name="relu")(getattr(layers, joint)(name="joint")([x, y]))

    assert feature_map_of(keras, build) == "bn"


def test_dropout_is_not_passed_over(keras):
    def build(layers, x):
        return layers.ReLU(name="relu")(layers.Dropout(0.5, name="drop")(layers.Conv2D(3, 3, name="conv")(x)))

    assert feature_map_of(keras, build) == "conv"


def test_nested_models_are_opened_up(keras):
    inner = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(5, 3, name="inner_conv")], name="inner")
    block_in = keras.Input((6, 6, 5))
    block = keras.Model(block_in, keras.layers.Conv2D(6, 3, name="block_conv")(block_in), name="block")

    def build(layers, x):
        x = layers.ReLU(name="outer_relu")(inner(x))
        return layers.GlobalAveragePooling2D()(layers.ReLU(name="last_relu")(block(x)))

    layers, graph = layers_of(keras, build)
    assert [(layer.name, layer.n_filters) for layer in layers] == [("inner_conv", 5), ("block_conv", 6)]
    assert [producer(graph, layer.feature_map) for layer in layers] == ["outer_relu", "last_relu"]


def test_the_flat_network_computes_the_same(keras):
    inner = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(5, 3, activation="relu")])
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(inner(image))))
    pictures = np.random.default_rng(0).random((4, 8, 8, 3), np.float32)
    np.testing.assert_array_equal(trace(model, "toy").model(pictures), model(pictures))


def three(layers, x):
    x = layers.Conv2D(2, 3, name="block1_conv")(x)
    x = layers.DepthwiseConv2D(3, name="block1_depthwise")(x)
    x = layers.SeparableConv2D(4, 3, name="block2_separable")(x)
    return layers.GlobalAveragePooling2D()(x)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("conv", ["block1_conv", "block2_separable"]),
        ("all", ["block1_conv", "block1_depthwise", "block2_separable"]),
        ("block1_*", ["block1_conv", "block1_depthwise"]),
        ("block2_separable, block1_conv", ["block1_conv", "block2_separable"]),
    ],
)
def test_layers_are_chosen_in_forward_order(keras, choice, expected):
    assert [layer.name for layer in layers_of(keras, three, choice)[0]] == expected


def test_kinds(keras):
    assert [layer.kind for layer in layers_of(keras, three)[0]] == ["Conv2D", "DepthwiseConv2D", "SeparableConv2D"]


def test_an_unknown_layer_names_the_choices(keras):
    with pytest.raises(FiltagError) as error:
        layers_of(keras, three, "block9_*")
    assert str(error.value) == (
        "no convolutional layer 'block9_*' in toy: choose conv, all or from "
        "block1_conv, block1_depthwise, block2_separable"
    )


def test_a_network_without_convolutions(keras):
    with pytest.raises(FiltagError, match=r"^toy has no convolutional layer: give a CNN$"):
        layers_of(keras, lambda layers, x: layers.Dense(2)(layers.Flatten()(x)))


def test_a_layer_applied_twice_has_no_one_feature_map(keras):
    def build(layers, x):
        conv = layers.Conv2D(3, 3, padding="same", name="conv")
        return conv(conv(x))

    with pytest.raises(FiltagError, match="layer conv of toy is applied 2 times"):
        layers_of(keras, build)


def test_a_subclassed_network_is_refused(keras):
    class Subclassed(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(FiltagError, match=r"^toy is a subclassed Keras model, whose layers cannot be followed: "):
        trace(Subclassed(), "toy")
