"""Ten families of torchvision and timm: how many layers they have, and which tensor is whose feature map.

The modules on the right, whose outputs are the feature maps, are read by hand in each library's code.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from filtag_kg.network import from_torch
from tests.torch_network import activations_of, outputs_of, pixels_of, randomised


class Expected(NamedTuple):
    """What some of a family's layers are.

    `maps` has for a layer the module that puts out the feature maps, and a function that the code calls after it.
    """

    size: int
    maps: dict[str, tuple[str, str | None]]
    chains: dict[str, str]


CBR, CB = "Conv2D → BatchNormalization → relu", "Conv2D → BatchNormalization"
EXPECTED = {
    "torchvision:resnet18": Expected(
        64,
        {
            "conv1": ("bn1", "relu"),
            "layer1.0.conv1": ("layer1.0.bn1", "relu"),
            # Added to the shortcut before the activation, which is one module for all three.
            "layer1.0.conv2": ("layer1.0.bn2", None),
            "layer2.0.downsample.0": ("layer2.0.downsample.1", None),
            "layer4.1.conv1": ("layer4.1.bn1", "relu"),
        },
        {"conv1": CBR, "layer1.0.conv2": CB},
    ),
    "torchvision:vgg11": Expected(
        32,
        {"features.0": ("features.0", "relu"), "features.18": ("features.18", "relu")},
        {"features.0": "Conv2D → relu"},
    ),
    "torchvision:densenet121": Expected(
        64,
        {
            "features.conv0": ("features.norm0", "relu"),
            "features.denseblock1.denselayer1.conv1": ("features.denseblock1.denselayer1.norm2", "relu"),
            # Concatenated.
            "features.denseblock1.denselayer1.conv2": ("features.denseblock1.denselayer1.conv2", None),
            "features.transition1.conv": ("features.transition1.conv", None),
        },
        {"features.denseblock1.denselayer1.conv1": CBR, "features.denseblock1.denselayer1.conv2": "Conv2D"},
    ),
    "torchvision:mobilenet_v2": Expected(
        64,
        {
            "features.0.0": ("features.0.1", "relu6"),
            "features.1.conv.0.0": ("features.1.conv.0.1", "relu6"),
            "features.2.conv.2": ("features.2.conv.3", None),
        },
        {
            "features.0.0": "Conv2D → BatchNormalization → relu6",
            "features.1.conv.0.0": "DepthwiseConv2D → BatchNormalization → relu6",
        },
    ),
    "torchvision:mobilenet_v3_small": Expected(
        64,
        {
            "features.0.0": ("features.0.1", "hardswish"),
            "features.1.block.0.0": ("features.1.block.0.1", "relu"),
            "features.1.block.1.fc1": ("features.1.block.1.fc1", "relu"),
            "features.1.block.1.fc2": ("features.1.block.1.fc2", "hardsigmoid"),
            # Scaled by the squeeze-and-excitation after its activation, which is not swallowed.
            "features.4.block.1.0": ("features.4.block.1.1", "hardswish"),
        },
        {"features.0.0": "Conv2D → BatchNormalization → hard_silu", "features.1.block.1.fc2": "Conv2D → hard_sigmoid"},
    ),
    "timm:efficientnet_b0": Expected(
        64,
        {
            "conv_stem": ("bn1", None),
            "blocks.0.0.conv_dw": ("blocks.0.0.bn1", None),
            "blocks.0.0.se.conv_reduce": ("blocks.0.0.se.conv_reduce", "silu"),
            "blocks.0.0.conv_pw": ("blocks.0.0.bn2", None),
        },
        {"conv_stem": "Conv2D → BatchNormalization → silu", "blocks.0.0.se.conv_expand": "Conv2D → sigmoid"},
    ),
    "torchvision:regnet_x_400mf": Expected(
        64,
        {
            "stem.0": ("stem.1", "relu"),
            "trunk_output.block1.block1-0.proj.0": ("trunk_output.block1.block1-0.proj.1", None),
            "trunk_output.block1.block1-0.f.b.0": ("trunk_output.block1.block1-0.f.b.1", "relu"),
        },
        {"stem.0": CBR, "trunk_output.block1.block1-0.f.b.0": CBR},
    ),
    "timm:convnext_atto": Expected(
        64,
        {
            # Layer normalisation is over all filters of a place together: it is not the filter's own.
            "stem.0": ("stem.0", None),
            "stages.0.blocks.0.conv_dw": ("stages.0.blocks.0.conv_dw", None),
            "stages.0.blocks.0.mlp.fc1": ("stages.0.blocks.0.mlp.act", None),
            "stages.1.downsample.1": ("stages.1.downsample.1", None),
        },
        {"stem.0": "Conv2D", "stages.0.blocks.0.conv_dw": "DepthwiseConv2D"},
    ),
    "torchvision:inception_v3": Expected(
        96,
        {
            "Conv2d_1a_3x3.conv": ("Conv2d_1a_3x3.bn", "relu"),
            "Mixed_7c.branch_pool.conv": ("Mixed_7c.branch_pool.bn", "relu"),
        },
        {"Mixed_7c.branch_pool.conv": CBR},
    ),
    "timm:nf_resnet26": Expected(
        64,
        {
            # The activation after it is scaled by a constant.
            "stem.conv": ("stem.conv", None),
            "stages.0.0.conv1": ("stages.0.0.conv1", "relu"),
            "stages.0.0.conv3": ("stages.0.0.conv3", None),
        },
        {"stages.0.0.conv1": "Conv2D → relu", "stages.0.0.conv3": "Conv2D"},
    ),
    "torchvision:shufflenet_v2_x0_5": Expected(
        64,
        {
            "conv1.0": ("conv1.1", "relu"),
            "stage2.0.branch1.0": ("stage2.0.branch1.1", None),
            # Their outputs go through the channel shuffle, half of them each way.
            "stage2.1.branch2.5": ("stage2.1.branch2.6", "relu"),
        },
        {"stage2.0.branch1.0": "DepthwiseConv2D → BatchNormalization", "stage2.1.branch2.5": CBR},
    ),
}  # fmt: skip


def built(spec):
    import timm
    import torchvision

    library, _, name = spec.partition(":")
    if library == "timm":
        return randomised(timm.create_model(name))
    options = {"init_weights": False} if name == "inception_v3" else {}
    return randomised(torchvision.models.get_model(name, weights=None, **options))


SLOW = ("torchvision:vgg11", "torchvision:densenet121", "torchvision:inception_v3", "timm:efficientnet_b0")


@pytest.mark.parametrize("spec", [pytest.param(x, marks=[pytest.mark.slow] if x in SLOW else []) for x in EXPECTED])
def test_layers_and_feature_maps(torch, spec):
    expected = EXPECTED[spec]
    module = built(spec)
    network = from_torch(module, expected.size, preprocess="0..1", layers="all")
    layers = {layer.name: layer for layer in network.layers}
    assert {name: layers[name].taken_after for name in expected.chains} == expected.chains

    pixels = pixels_of(3, expected.size)
    convolutions = [name for name, each in module.named_modules() if isinstance(each, torch.nn.Conv2d)]
    found, scores = outputs_of(module, pixels, [*convolutions, *(path for path, _ in expected.maps.values())])
    # Auxiliary classifiers are there for training alone.
    assert {name: layer.n_filters for name, layer in layers.items()} == {
        name: found[name].shape[1] for name in convolutions if name in found
    }
    computed = network.compute(pixels)
    starts = np.cumsum([0, *(layer.n_filters for layer in network.layers)])
    for name, (path, function) in expected.maps.items():
        maps = found[path] if function is None else getattr(torch.nn.functional, function)(found[path])
        index = list(layers).index(name)
        ours = computed.activations[:, starts[index] : starts[index + 1]]
        np.testing.assert_allclose(ours, activations_of(maps), atol=1e-5, err_msg=name)
    scale = float(scores.abs().max())
    np.testing.assert_allclose(computed.scores, scores.numpy(), atol=2e-5 * scale)
