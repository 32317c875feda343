"""Published architectures: how many filters they have, and which tensor is whose feature map.

The names on the right are those of Keras' own code for each architecture, read there by hand.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from filtag_kg.network import load_network
from tests.keras_network import input_of, model_of, tensor_of


class Expected(NamedTuple):
    """What an architecture's layers are; `maps` has for some of them the layer that puts out the feature maps."""

    layers: int
    filters: int
    first: str
    last: str
    maps: dict[str, str]
    # Layers whose feature maps can be negative, and one whose cannot.
    linear: tuple[str, ...] = ()
    rectified: tuple[str, ...] = ()


EXPECTED = {
    "vgg16": Expected(
        13, 4224, "block1_conv1", "block5_conv3",
        {"block1_conv1": "block1_conv1", "block3_conv2": "block3_conv2", "block5_conv3": "block5_conv3"},
        rectified=("block1_conv1", "block5_conv3"),
    ),
    "vgg19": Expected(
        16, 5504, "block1_conv1", "block5_conv4",
        {"block3_conv4": "block3_conv4", "block5_conv4": "block5_conv4"},
        rectified=("block1_conv2",),
    ),
    "inceptionv3": Expected(
        94, 17216, "conv2d", "conv2d_93",
        {"conv2d": "activation", "conv2d_57": "activation_57", "conv2d_93": "activation_93"},
        rectified=("conv2d_4",),
    ),
    "resnet50": Expected(
        53, 26560, "conv1_conv", "conv5_block3_3_conv",
        {
            "conv1_conv": "conv1_relu",
            "conv2_block1_0_conv": "conv2_block1_0_bn",
            "conv2_block1_1_conv": "conv2_block1_1_relu",
            "conv2_block1_2_conv": "conv2_block1_2_relu",
            # Added to the shortcut before it is activated.
            "conv2_block1_3_conv": "conv2_block1_3_bn",
            "conv5_block3_3_conv": "conv5_block3_3_bn",
        },
        linear=("conv2_block1_3_conv",), rectified=("conv2_block1_1_conv",),
    ),
    "resnet50v2": Expected(
        53, 26560, "conv1_conv", "conv5_block3_3_conv",
        {
            # Pooled, and taken twice, before the first block's normalisation.
            "conv1_conv": "conv1_conv",
            "conv2_block1_0_conv": "conv2_block1_0_conv",
            "conv2_block1_1_conv": "conv2_block1_1_relu",
            "conv2_block1_2_conv": "conv2_block1_2_relu",
            "conv2_block1_3_conv": "conv2_block1_3_conv",
            # post_bn and post_relu come after the addition.
            "conv5_block3_3_conv": "conv5_block3_3_conv",
        },
        linear=("conv1_conv",), rectified=("conv2_block1_2_conv",),
    ),
    "mobilenetv2": Expected(
        35, 9920, "Conv1", "Conv_1",
        {
            "Conv1": "Conv1_relu",
            "expanded_conv_project": "expanded_conv_project_BN",
            "block_1_expand": "block_1_expand_relu",
            "block_1_project": "block_1_project_BN",
            "Conv_1": "out_relu",
        },
        linear=("block_1_project",), rectified=("block_1_expand",),
    ),
    "densenet121": Expected(
        120, 10240, "conv1_conv", "conv5_block16_2_conv",
        {
            "conv1_conv": "conv1_relu",
            # The normalisation between them is named after the block's second convolution.
            "conv2_block1_1_conv": "conv2_block1_1_relu",
            "conv2_block1_2_conv": "conv2_block1_2_conv",
            "pool2_conv": "pool2_conv",
            "conv5_block16_2_conv": "conv5_block16_2_conv",
        },
        linear=("conv2_block1_2_conv",), rectified=("conv2_block1_1_conv",),
    ),
    "efficientnetb0": Expected(
        65, 21388, "stem_conv", "top_conv",
        {
            "stem_conv": "stem_activation",
            "block1a_se_reduce": "block1a_se_reduce",
            "block1a_se_expand": "block1a_se_expand",
            "block1a_project_conv": "block1a_project_bn",
            "block2a_expand_conv": "block2a_expand_activation",
            "top_conv": "top_activation",
        },
        linear=("block1a_project_conv",), rectified=("block1a_se_expand",),
    ),
    "convnexttiny": Expected(
        22, 8064, "convnext_tiny_stem_conv", "convnext_tiny_stage_3_block_2_depthwise_conv",
        {
            # Layer normalisation is over all filters of a place together: it is not the filter's own.
            "convnext_tiny_stem_conv": "convnext_tiny_stem_conv",
            "convnext_tiny_stage_0_block_0_depthwise_conv": "convnext_tiny_stage_0_block_0_depthwise_conv",
            "convnext_tiny_downsampling_conv_0": "convnext_tiny_downsampling_conv_0",
        },
        linear=("convnext_tiny_stem_conv",),
    ),
}  # fmt: skip


# VGG19 is VGG16 with three layers more, and its random weights take as long.
SLOW = ("vgg19",)


# One at a time: a network with its weights takes up to 600 MB.
@pytest.fixture(
    scope="module", params=[pytest.param(x, marks=[pytest.mark.slow] if x in SLOW else []) for x in EXPECTED]
)
def named(keras, request):
    return request.param, load_network(request.param, weights=None)


def test_layers_and_filters(named):
    name, network = named
    expected = EXPECTED[name]
    layers = network.layers
    assert (len(layers), network.n_filters) == (expected.layers, expected.filters)
    assert (layers[0].name, layers[-1].name) == (expected.first, expected.last)
    assert all(layer.n_filters == model_of(network).get_layer(layer.name).filters for layer in layers)


def test_where_the_feature_maps_are(named):
    name, network = named
    expected = EXPECTED[name].maps
    layers = {layer.name: layer for layer in network.layers}
    assert {layer: layers[layer].feature_map_of for layer in expected} == expected
    for layer in layers.values():
        # ConvNeXt is laid out flat by calling its layers once more: each has made two tensors.
        calls = model_of(network).get_layer(layer.feature_map_of)._inbound_nodes
        assert any(tensor_of(network, layer.name) is made for call in calls for made in call.output_tensors)


def test_what_the_numbers_say(keras, named):
    name, network = named
    signs = dict.fromkeys(EXPECTED[name].linear, True) | dict.fromkeys(EXPECTED[name].rectified, False)
    maps = keras.Model(model_of(network).inputs[0], [tensor_of(network, layer) for layer in signs])
    pixels = np.random.default_rng(0).integers(0, 256, (1, *network.input_size, 3)).astype(np.float32)
    outputs = maps(input_of(network, pixels), training=False)
    for (layer, negative), output in zip(signs.items(), outputs, strict=True):
        values = np.asarray(keras.ops.convert_to_numpy(output))
        assert values.max() > 0, layer
        assert (values.min() < 0) == negative, layer
