"""What an ONNX network takes, outputs and is identified by."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.network import load_network
from tests.network.onnx.graphs import Graph, random_pixels


def refusal(path: str, **options) -> FiltagError:
    with pytest.raises(FiltagError) as error:
        load_network(path, quiet=True, **options)
    assert "\n" not in str(error.value)
    return error.value


@pytest.mark.parametrize(
    ("last", "classes", "outputs"),
    [
        ("Softmax", 3, "softmax"),
        (None, 3, "logits"),
        ("Sigmoid", 3, "sigmoids"),
        ("Sigmoid", 1, "sigmoid"),
        (None, 1, "logit"),
        ("Relu", 3, "none"),
        ("LogSoftmax", 3, "logits"),
    ],
)
def test_what_the_outputs_are(tmp_path, last, classes, outputs):
    g = Graph()
    path = g.save(tmp_path / "toy.onnx", g.head(g.conv("image", 3, 4), 4, classes, last))
    network = load_network(path, quiet=True)
    assert (network.output.outputs, network.output.size, network.output.is_map) == (outputs, classes, False)
    assert network.compute(random_pixels(2)).scores.shape == (2, classes)


def test_a_classifier_that_ends_in_a_convolution(tmp_path):
    g = Graph()
    x = g.op("GlobalAveragePool", g.conv("image", 3, 4, name="classes"))
    network = load_network(g.save(tmp_path / "toy.onnx", g.op("Softmax", x, axis=1)), quiet=True)
    assert (network.output.outputs, network.output.size, network.output.is_map) == ("softmax", 4, False)


@pytest.mark.parametrize("classes", [1, 3])
def test_an_output_whose_axes_of_length_1_are_all_taken_away(tmp_path, classes):
    g = Graph()
    x = g.op("GlobalAveragePool", g.conv("image", 3, classes))
    network = load_network(g.save(tmp_path / "toy.onnx", g.op("Squeeze", g.op("Sigmoid", x))), quiet=True)
    assert (network.output.outputs, network.output.size) == ("sigmoid" if classes == 1 else "sigmoids", classes)
    pixels = random_pixels(3)
    scores = network.compute(pixels).scores
    assert scores.shape == (3, classes)
    np.testing.assert_allclose(network.compute(pixels[1:2]).scores, scores[1:2], rtol=1e-5)


@pytest.mark.parametrize("channels_first", [True, False])
def test_a_map(tmp_path, channels_first):
    g = Graph()
    x = g.conv("image", 3, 4, name="classes")
    if not channels_first:
        x = g.op("Transpose", x, perm=[0, 2, 3, 1])
    path = g.save(tmp_path / "toy.onnx", g.op("Softmax", x, axis=1 if channels_first else 3))
    network = load_network(path, quiet=True)
    assert (network.output.size, network.output.is_map, network.output.outputs) == (4, True, "softmax")
    scores = network.compute(random_pixels(3)).scores
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


def test_one_of_several_outputs(tmp_path):
    g = Graph()
    x = g.op("Relu", g.conv("image", 3, 4))
    path = g.save(tmp_path / "toy.onnx", g.head(x, 4, 2), g.head(x, 4, 5, None))
    first, second = (output.name for output in onnx.load(path).graph.output)
    network = load_network(path, quiet=True)
    assert (network.output.size, network.output.outputs) == (2, "softmax")
    other = load_network(path, quiet=True, output_name=second)
    assert (other.output.size, other.output.outputs, other.output_name) == (5, "logits", second)
    error = refusal(path, output_name="x")
    assert str(error) == f"{path} has no output 'x': choose from {first}, {second}"
    assert error.options == ("output_name",)


def test_an_output_whose_shape_only_running_tells(tmp_path):
    g = Graph()
    x = g.op("GlobalAveragePool", g.op("Relu", g.conv("image", 3, 4)))
    shape = g.op("Cast", g.op("Mul", g.op("ReduceMax", x, keepdims=0), 0.0), to=onnx.TensorProto.INT64)
    shape = g.op("Concat", g.op("Unsqueeze", shape, np.array([0])), np.array([-1]), axis=0)
    network = load_network(g.save(tmp_path / "toy.onnx", g.op("Reshape", x, shape)), quiet=True)
    assert network.output.size == 4
    assert network.compute(random_pixels(3)).scores.shape == (3, 4)


def test_an_output_that_is_no_tensor(tmp_path):
    g = Graph()
    x = g.op("Relu", g.conv("image", 3, 4))
    path = g.save(tmp_path / "toy.onnx", g.op("SequenceConstruct", x))
    model = onnx.load(path)
    (name,) = (output.name for output in model.graph.output)
    kind = onnx.helper.make_tensor_type_proto(1, None)
    model.graph.output[0].type.CopyFrom(onnx.helper.make_sequence_type_proto(kind))
    onnx.save(model, path)
    assert str(refusal(path)) == f"output {name} of {path} holds no numbers: choose another"


def test_several_inputs(tmp_path):
    g = Graph()
    path = g.save(tmp_path / "toy.onnx", g.head(g.conv("image", 3, 4), 4))
    model = onnx.load(path)
    model.graph.input.append(onnx.helper.make_tensor_value_info("size", 1, [2]))
    onnx.save(model, path)
    assert str(refusal(path)) == f"{path} takes 2 inputs (image, size): give a network that takes one image"


def test_initialisers_that_are_listed_as_inputs(tmp_path):
    g = Graph()
    path = g.save(tmp_path / "toy.onnx", g.head(g.conv("image", 3, 4), 4))
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        model.graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    model.ir_version = 3
    onnx.save(model, path)
    assert load_network(path, quiet=True).compute(random_pixels(2)).scores.shape == (2, 3)


def test_input_that_is_no_image(tmp_path):
    g = Graph(shape=(None, 12))
    path = g.save(tmp_path / "toy.onnx", g.op("Relu", "image"))
    assert f"{path} takes input of 2 dimensions: give a network for images" in str(refusal(path))


def test_a_network_without_convolutions(tmp_path):
    g = Graph()
    path = g.save(tmp_path / "toy.onnx", g.op("Gemm", g.op("Flatten", "image"), g.random.normal(size=(192, 2))))
    assert str(refusal(path)) == f"{path} has no convolutional layer: give a CNN"


def test_a_quantised_network(tmp_path):
    g = Graph()
    scale, zero = np.float32(0.1), np.uint8(0)
    x = g.op("QuantizeLinear", "image", scale, zero)
    weight = g.constant(np.ones((4, 3, 3, 3), np.uint8))
    x = g.op("QLinearConv", x, scale, zero, weight, scale, zero, scale, zero)
    path = g.save(tmp_path / "toy.onnx", g.op("DequantizeLinear", x, scale, zero))
    assert str(refusal(path)) == f"{path} is quantised to whole numbers: give the network that it was made from"


def test_weights_that_are_quantised_alone(tmp_path):
    g = Graph()
    weight = g.constant(g.random.integers(-9, 9, (4, 3, 3, 3)).astype(np.int8), "stem.weight_quantized")
    x = g.op("Relu", g.op("Conv", "image", g.op("DequantizeLinear", weight, np.float32(0.1), np.int8(0))))
    network = load_network(g.save(tmp_path / "toy.onnx", g.head(x, 4)), quiet=True)
    assert [(layer.name, layer.taken_after) for layer in network.layers] == [("stem", "Conv2D → relu")]
    assert network.compute(random_pixels(1)).activations.shape == (1, 4)


def test_classes_from_a_file(tmp_path):
    g = Graph()
    path = g.save(tmp_path / "toy.onnx", g.head(g.conv("image", 3, 4), 4))
    classes = tmp_path / "classes.txt"
    classes.write_text("cat\ndog\ncow\n", "utf-8")
    assert load_network(path, quiet=True, classes=classes).class_ids == ("cat", "dog", "cow")


def test_the_hash_is_that_of_the_weights(tmp_path):
    def saved(name: str, seed: int = 0, rename: str = "") -> str:
        g = Graph(random=np.random.default_rng(seed))
        return g.save(tmp_path / name, g.head(g.conv("image", 3, 40, name=f"{rename}conv"), 40))

    first = load_network(saved("a.onnx"), quiet=True)
    renamed = load_network(saved("b.onnx", rename="my_"), quiet=True)
    other = load_network(saved("c.onnx", seed=1), quiet=True)
    outside = tmp_path / "d.onnx"
    onnx.save(onnx.load(tmp_path / "a.onnx"), outside, save_as_external_data=True, location="d.bin", size_threshold=0)
    apart = load_network(str(outside), quiet=True)
    assert first.weights_sha256 == renamed.weights_sha256 == apart.weights_sha256 != other.weights_sha256
    pixels = random_pixels(2)
    np.testing.assert_array_equal(first.compute(pixels).activations, apart.compute(pixels).activations)
