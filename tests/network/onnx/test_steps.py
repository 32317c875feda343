"""Which tensor is a filter's feature map, however an exporter spelled what follows the convolution."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.network import load_network
from tests.network.onnx.graphs import Graph, assert_equals_plain

N = 4


def swish(g, x):
    return g.op("Mul", x, g.op("Sigmoid", x))


def hard_swish_by_hard_sigmoid(g, x):
    return g.op("Mul", x, g.op("HardSigmoid", x, alpha=1 / 6, beta=0.5))


def hard_swish_by_clip(g, x):
    clipped = g.op("Clip", g.op("Add", x, 3.0), 0.0, 6.0)
    return g.op("Div", g.op("Mul", x, clipped), 6.0)


def hard_swish_by_divided_clip(g, x):
    return g.op("Mul", g.op("Div", g.op("Clip", g.op("Add", 3.0, x), 0.0, 6.0), 6.0), x)


def hard_sigmoid_by_clip(g, x):
    return g.op("Div", g.op("Clip", g.op("Add", x, 3.0), 0.0, 6.0), 6.0)


def gelu_by_erf(g, x):
    erf = g.op("Add", g.op("Erf", g.op("Div", x, np.sqrt(2))), 1.0)
    return g.op("Mul", g.op("Mul", x, erf), 0.5)


def gelu_by_erf_halved_first(g, x):
    half = g.op("Mul", x, 0.5)
    return g.op("Mul", half, g.op("Add", g.op("Erf", g.op("Mul", x, np.sqrt(0.5))), 1.0))


def gelu_by_tanh(g, x):
    inner = g.op("Add", x, g.op("Mul", g.op("Pow", x, 3.0), 0.044715))
    tanh = g.op("Tanh", g.op("Mul", inner, np.sqrt(2 / np.pi)))
    return g.op("Mul", g.op("Mul", x, 0.5), g.op("Add", tanh, 1.0))


def mish(g, x):
    return g.op("Mul", x, g.op("Tanh", g.op("Softplus", x)))


def mish_by_exp(g, x):
    softplus = g.op("Log", g.op("Add", g.op("Exp", x), 1.0))
    return g.op("Mul", x, g.op("Tanh", softplus))


def prelu_by_two_relus(g, x):
    negative = g.op("Relu", g.op("Neg", x))
    return g.op("Sub", g.op("Relu", x), g.op("Mul", negative, g.random.uniform(0.1, 0.5, (N, 1, 1))))


def leaky_relu_by_max(g, x):
    return g.op("Max", x, g.op("Mul", x, 0.2))


def leaky_relu_by_where(g, x):
    return g.op("Where", g.op("Greater", x, 0.0), x, g.op("Mul", x, 0.2))


def swish_by_exp(g, x):
    return g.op("Div", x, g.op("Add", g.op("Exp", g.op("Neg", x)), 1.0))


def relu6_by_min(g, x):
    return g.op("Min", g.op("Relu", x), 6.0)


def relu6_by_max_and_min(g, x):
    return g.op("Min", g.op("Max", x, 0.0), 6.0)


def no_activation_with_a_name(g, x):
    return g.op("Mul", x, g.op("Tanh", g.op("Abs", x)))


SPELLINGS = [
    (lambda g, x: g.op("Relu", x), "relu"),
    (lambda g, x: g.op("Clip", x, 0.0, 6.0), "relu6"),
    (lambda g, x: g.op("Clip", x, 0.0), "relu"),
    (lambda g, x: g.op("Clip", x, -1.0, 1.0), "clip"),
    (relu6_by_min, "relu6"),
    (relu6_by_max_and_min, "relu6"),
    (lambda g, x: g.op("LeakyRelu", x, alpha=0.2), "leakyrelu"),
    (leaky_relu_by_max, "leakyrelu"),
    (leaky_relu_by_where, "leakyrelu"),
    (lambda g, x: g.op("PRelu", x, g.random.uniform(0.1, 0.5, (N, 1, 1))), "prelu"),
    (prelu_by_two_relus, "prelu"),
    (lambda g, x: g.op("Elu", x), "elu"),
    (lambda g, x: g.op("Selu", x), "selu"),
    (lambda g, x: g.op("Sigmoid", x), "sigmoid"),
    (lambda g, x: g.op("Tanh", x), "tanh"),
    (lambda g, x: g.op("Softplus", x), "softplus"),
    (lambda g, x: g.op("HardSigmoid", x), "hard_sigmoid"),
    (hard_sigmoid_by_clip, "hard_sigmoid"),
    (swish, "silu"),
    (swish_by_exp, "silu"),
    (lambda g, x: g.op("HardSwish", x), "hard_silu"),
    (hard_swish_by_hard_sigmoid, "hard_silu"),
    (hard_swish_by_clip, "hard_silu"),
    (hard_swish_by_divided_clip, "hard_silu"),
    (gelu_by_erf, "gelu"),
    (gelu_by_erf_halved_first, "gelu"),
    (gelu_by_tanh, "gelu"),
    (mish, "mish"),
    (mish_by_exp, "mish"),
    (no_activation_with_a_name, "abs·tanh·mul"),
]


def only_layer(path: str):
    (layer,) = load_network(path, quiet=True).layers
    return layer


def toy(tmp_path, build, **options):
    """Save a network of one convolution and what `build` puts behind it; return its path and build's tensor."""
    g = Graph(**options)
    after = build(g, g.conv("image", 3, N, name="conv"))
    return g.save(tmp_path / "toy.onnx", g.head(g.op("MaxPool", after, kernel_shape=[2, 2]), N)), after


@pytest.mark.parametrize(("build", "name"), SPELLINGS)
def test_an_activation_goes_by_its_function_however_it_is_spelled(tmp_path, build, name):
    path, after = toy(tmp_path, build)
    layer = only_layer(path)
    assert (layer.taken_after, layer.feature_map) == (f"Conv2D → {name}", after)


@pytest.mark.parametrize(("build", "name"), SPELLINGS)
def test_batch_norm_first(tmp_path, build, name):
    path, after = toy(tmp_path, lambda g, x: build(g, g.batch_norm(x, N)))
    layer = only_layer(path)
    assert (layer.taken_after, layer.feature_map) == (f"Conv2D → BatchNormalization → {name}", after)


@pytest.mark.parametrize(("low", "high"), [(0.0, 6.0), (0.0, None)])
def test_limits_of_a_clip_as_attributes(tmp_path, low, high):
    limits = {"min": low} | ({} if high is None else {"max": high})
    path, _ = toy(tmp_path, lambda g, x: g.op("Clip", x, **limits), opset=9)
    assert only_layer(path).taken_after == ("Conv2D → relu6" if high else "Conv2D → relu")


def test_constants_as_nodes(tmp_path):
    def build(g, x):
        from onnx import numpy_helper

        limits = [g.op("Constant", value=numpy_helper.from_array(np.float32(value))) for value in (0, 6)]
        copy = g.op("Identity", x)
        return g.op("Clip", copy, *limits)

    assert only_layer(toy(tmp_path, build)[0]).taken_after == "Conv2D → relu6"


def affine(g, x, *operators, shape=(N, 1, 1)):
    for operator in operators:
        x = g.op(operator, x, g.random.uniform(0.5, 2, shape))
    return x


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        (("Mul", "Add"), "Conv2D → BatchNormalization → relu"),
        (("Sub", "Div", "Mul", "Add"), "Conv2D → BatchNormalization → relu"),
        (("Add", "Mul", "Add"), "Conv2D → BatchNormalization → relu"),
        (("Add",), "Conv2D → relu"),
        (("Mul",), "Conv2D"),
    ],
)
@pytest.mark.parametrize("shape", [(N, 1, 1), (1, N, 1, 1)])
def test_batch_norm_as_sums_and_products(tmp_path, operators, expected, shape):
    path, _ = toy(tmp_path, lambda g, x: g.op("Relu", affine(g, x, *operators, shape=shape)))
    assert only_layer(path).taken_after == expected


def test_a_scale_that_is_the_same_for_all_filters_is_no_normalisation(tmp_path):
    path, _ = toy(tmp_path, lambda g, x: g.op("Relu", g.op("Add", g.op("Mul", x, 0.17), 1.0)))
    assert only_layer(path).taken_after == "Conv2D"


def test_a_scale_behind_a_batch_norm_is_part_of_it(tmp_path):
    path, _ = toy(tmp_path, lambda g, x: g.op("Relu", affine(g, g.batch_norm(x, N), "Mul", "Add")))
    assert only_layer(path).taken_after == "Conv2D → BatchNormalization → relu"
    assert_equals_plain(path)


def test_a_bias_that_is_added_apart_belongs_to_the_convolution(tmp_path):
    path, after = toy(tmp_path, lambda g, x: affine(g, x, "Add"))
    assert (only_layer(path).taken_after, only_layer(path).feature_map) == ("Conv2D", after)
    path, _ = toy(tmp_path, lambda g, x: g.op("Relu", g.batch_norm(affine(g, x, "Add"), N)))
    assert only_layer(path).taken_after == "Conv2D → BatchNormalization → relu"


def test_normalisation_after_the_activation(tmp_path):
    path, after = toy(tmp_path, lambda g, x: g.batch_norm(g.op("Relu", x), N))
    assert (only_layer(path).taken_after, only_layer(path).feature_map) == ("Conv2D → relu → BatchNormalization", after)


def test_a_batch_norm_with_the_batch_s_own_statistics_is_no_follower(tmp_path):
    def build(g, x):
        output = g.batch_norm(x, N, training_mode=1)
        g.nodes[-1].output.extend(["running mean", "running variance"])
        return output

    assert only_layer(toy(tmp_path, build)[0]).taken_after == "Conv2D"


def test_squeeze_and_excitation_is_not_swallowed(tmp_path):
    def build(g, x):
        gate = g.conv(g.op("GlobalAveragePool", x), N, 2, 1, name="reduce")
        gate = g.conv(swish(g, gate), 2, N, 1, name="expand")
        return g.op("Mul", x, g.op("Sigmoid", gate))

    network = load_network(toy(tmp_path, build)[0], quiet=True)
    assert {layer.name: layer.taken_after for layer in network.layers} == {
        "conv": "Conv2D",
        "reduce": "Conv2D → silu",
        "expand": "Conv2D → sigmoid",
    }


def test_a_fork_and_a_joint_end_the_feature_map(tmp_path):
    path, _ = toy(tmp_path, lambda g, x: g.op("Add", g.op("Relu", x), x))
    # All of it is a function of single numbers.
    assert only_layer(path).taken_after == "Conv2D → relu·add"

    def shortcut(g, x):
        y = g.op("MaxPool", x, kernel_shape=[1, 1])
        return g.op("Relu", g.op("Add", x, y))

    assert only_layer(toy(tmp_path, shortcut)[0]).taken_after == "Conv2D"


def test_standardised_weights_have_a_batch_norm_that_is_no_follower(tmp_path):
    g = Graph()
    weight = g.constant(g.random.normal(size=(N, 3, 3, 3)), "stem.weight")
    flat = g.op("Reshape", weight, np.array([1, N, 27]))
    ones = np.ones(N)
    standard = g.op("BatchNormalization", flat, ones, ones * 0, ones * 0, ones)
    shaped = g.op("Reshape", standard, np.array([N, 3, 3, 3]))
    x = g.op("Relu", g.op("Conv", "image", shaped, ones))
    layer = only_layer(g.save(tmp_path / "nf.onnx", g.head(x, N)))
    assert (layer.name, layer.n_filters, layer.taken_after) == ("stem", N, "Conv2D → relu")


def test_kinds_of_convolutions(tmp_path):
    g = Graph()
    x = g.conv("image", 3, 4, name="plain")
    x = g.conv(x, 4, 4, group=4, name="depthwise")
    x = g.conv(x, 4, 4, group=2, name="grouped", pads=[1, 1, 1, 1])
    x = g.op("ConvTranspose", x, g.random.normal(size=(4, 4, 2, 2)))
    network = load_network(g.save(tmp_path / "kinds.onnx", g.head(x, 4)), layers="all", quiet=True)
    assert [(layer.name, layer.kind) for layer in network.layers] == [
        ("plain", "Conv2D"),
        ("depthwise", "DepthwiseConv2D"),
        ("grouped", "Conv2D"),
    ]


def test_grey_images_have_no_depthwise_convolution(tmp_path):
    g = Graph(shape=(1, 1, 8, 8))
    path = g.save(tmp_path / "grey.onnx", g.head(g.conv("image", 1, 4), 4))
    network = load_network(path, quiet=True)
    assert (network.layers[0].kind, network.preparation.channels) == ("Conv2D", 1)


def test_a_convolution_in_one_dimension_is_no_layer(tmp_path):
    g = Graph()
    flat = g.op("Reshape", "image", np.array([0, 3, 64]))
    x = g.op("Conv", flat, g.random.normal(size=(4, 3, 3)))
    path = g.save(tmp_path / "line.onnx", g.op("ReduceMean", x, axes=[2], keepdims=0))
    with pytest.raises(FiltagError, match="has no convolutional layer: give a CNN"):
        load_network(path, quiet=True)


def test_weights_that_are_used_twice_are_one_layer_that_is_applied_twice(tmp_path):
    g = Graph()
    x = g.conv("image", 3, 3, name="shared", pads=[1, 1, 1, 1])
    x = g.op("Conv", x, "shared.weight", "shared.bias")
    path = g.save(tmp_path / "shared.onnx", g.head(x, 3))
    with pytest.raises(FiltagError, match=r"layer shared of .* is applied 2 times"):
        load_network(path, quiet=True)


@pytest.mark.parametrize(("build", "_name"), SPELLINGS)
def test_activations_equal_those_of_the_unmodified_session(tmp_path, build, _name):
    path, _ = toy(tmp_path, lambda g, x: build(g, g.batch_norm(x, N)))
    assert_equals_plain(path)


def test_operators_of_onnxruntime_s_own(tmp_path):
    """They are not ONNX's, and onnx does not know their shapes."""
    g = Graph()
    x = g.conv("image", 3, N, name="first")
    g.nodes[-1].op_type, g.nodes[-1].domain = "FusedConv", "com.microsoft"
    g.nodes[-1].attribute.append(onnx.helper.make_attribute("activation", "Relu"))
    x = g.op("QuickGelu", g.batch_norm(g.conv(x, N, N, name="second"), N), domain="com.microsoft")
    path = g.save(tmp_path / "own.onnx", g.head(g.op("Relu", g.conv(x, N, N, name="third")), N))
    network = load_network(path, quiet=True)
    assert [layer.taken_after for layer in network.layers] == [
        "Conv2D with relu",
        "Conv2D → BatchNormalization → quick_gelu",
        "Conv2D → relu",
    ]
    assert_equals_plain(path)
