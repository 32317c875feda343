"""Layers have the names that they had where the network was made."""

from __future__ import annotations

import onnx
import pytest

from filtag_kg.network.onnx.names import layer_names, scope_of


@pytest.mark.parametrize(
    ("initialiser", "node", "name"),
    [
        ("layer4.1.conv2.weight", "node_Conv_811", "layer4.1.conv2"),
        ("onnx::Conv_507", "/layer4/layer4.1/conv2/Conv", "layer4.1.conv2"),
        ("onnx::Conv_507", "/features/features.1/conv/conv.0/conv.0.0/Conv", "features.1.conv.0.0"),
        ("507", "Conv_12", "Conv_12"),
        (None, "/stem/conv1/Conv", "stem.conv1"),
        ("resnet/conv1_conv/Conv2D/ReadVariableOp:0", "resnet/conv1_conv/Conv2D", "resnet/conv1_conv"),
        ("conv_stage0_proj/BiasAdd_weights_fused_bn", "conv_stage0_proj/BiasAdd", "conv_stage0_proj"),
        ("Conv__440_weights_fused_bn", "Conv__440", "Conv__440"),
        ("conv2d_0.w_0_deepcopy_0", "Conv.0", "conv2d_0"),
        ("resnetv24_conv0_weight", "resnetv24_conv0_fwd", "resnetv24_conv0"),
        ("conv1.weight_quantized", "", "conv1"),
        ("W", "first", "first"),
        (None, "", "conv_0"),
    ],
)
def test_the_name_that_an_exporter_kept(initialiser, node, name):
    scope = scope_of(onnx.helper.make_node("Conv", ["x", "w"], ["y"], name=node))
    assert layer_names([("w", initialiser, node, scope)]) == [name]


def test_the_path_that_torch_writes_beside_a_node():
    node = onnx.helper.make_node("Conv", ["x", "w"], ["y"], name="node_Conv_7")
    entry = node.metadata_props.add()
    entry.key, entry.value = "pkg.torch.onnx.name_scopes", "['', 'stem', 'stem.conv1', 'conv2d']"
    assert layer_names([("w", None, node.name, scope_of(node))]) == ["stem.conv1"]


def test_names_are_unique():
    convolutions = [(str(i), f"conv_{ending}", "", "") for i, ending in enumerate(("weight", "kernel", "w"))]
    assert layer_names(convolutions) == ["conv", "conv_1", "conv_2"]


def test_layers_whose_equal_weights_are_kept_once():
    convolutions = [("w", "onnx::Conv_1", "/a/conv/Conv", "a.conv"), ("w", "onnx::Conv_1", "/b/conv/Conv", "b.conv")]
    assert layer_names(convolutions) == ["a.conv", "b.conv"]
    # A module that is called twice is one layer.
    nodes = [onnx.helper.make_node("Conv", ["x", "w"], ["y"], name=name) for name in ("/a/conv/Conv", "/a/conv_1/Conv")]
    assert layer_names([("w", "a.conv.weight", node.name, scope_of(node)) for node in nodes]) == ["a.conv", "a.conv"]
