"""The pass through onnxruntime, against the unmodified network."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.network import load_network
from filtag_kg.network.onnx import session
from tests.network.onnx.graphs import Graph, assert_equals_plain, random_pixels


def small(g: Graph, x: str = "image", last: str | None = "Softmax") -> str:
    """Three convolutions with a shortcut."""
    x = g.op("Clip", g.batch_norm(g.conv(x, 3, 6, name="stem", bias=False), 6), 0.0, 6.0)
    y = g.op("Relu", g.conv(x, 6, 6, name="a", pads=[1, 1, 1, 1]))
    y = g.conv(y, 6, 6, name="b", pads=[1, 1, 1, 1])
    return g.head(g.op("Relu", g.op("Add", x, y)), 6, last=last)


@pytest.mark.parametrize("opset", [11, 13, 17, 18, 22])
def test_every_opset(tmp_path, opset):
    g = Graph(opset=opset)
    assert_equals_plain(g.save(tmp_path / "toy.onnx", small(g)))


@pytest.mark.parametrize("batch", [None, 1, 4])
def test_any_number_of_images_one_or_four_at_a_time(tmp_path, batch):
    g = Graph(shape=(batch, 3, 8, 8))
    path = g.save(tmp_path / "toy.onnx", small(g))
    network = load_network(path, quiet=True)
    pixels = random_pixels(7)
    together = network.compile(7, scores=True)(pixels)
    assert together.activations.shape == (7, 18)
    assert together.scores.shape == (7, 3)
    for at_a_time in (1, 3):
        run = network.compile(at_a_time, scores=True)
        parts = [run(pixels[i : i + at_a_time]) for i in range(0, 7, at_a_time)]
        np.testing.assert_array_equal(np.concatenate([part.activations for part in parts]), together.activations)
    if batch != 4:
        assert_equals_plain(path)


@pytest.mark.parametrize("head", ["Reshape", "Gemm"])
def test_a_network_that_says_any_number_of_images_and_means_one(tmp_path, head):
    g = Graph()
    x = g.op("Relu", g.conv("image", 3, 4))
    x = g.op("Reshape", g.op("GlobalAveragePool", x), np.array([1, -1]))
    if head == "Gemm":
        x = g.op("Gemm", x, g.random.normal(size=(4, 4)))
    path = g.save(tmp_path / "toy.onnx", g.op("Softmax", x))
    assert load_network(path, quiet=True).compile(8, scores=True)(random_pixels(5)).scores.shape == (5, 4)
    assert_equals_plain(path)


def test_channels_last(tmp_path):
    g = Graph(shape=(None, 8, 8, 3))
    path = g.save(tmp_path / "toy.onnx", small(g, g.op("Transpose", "image", perm=[0, 3, 1, 2])))
    assert not load_network(path, quiet=True).engine.input.channels_first
    assert_equals_plain(path)


def test_channels_last_that_are_scaled_first(tmp_path):
    g = Graph(shape=(None, None, None, None))
    scaled = g.op("Div", g.op("Sub", "image", [0.1, 0.2, 0.3]), 0.5)
    path = g.save(tmp_path / "toy.onnx", small(g, g.op("Transpose", scaled, perm=[0, 3, 1, 2])))
    assert load_network(path, quiet=True, input_size=(9, 8)).preparation.channels == 3
    assert_equals_plain(path, input_size=(9, 8))


def test_pixels_that_the_network_takes_as_whole_numbers(tmp_path):
    g = Graph(dtype=np.float32)
    path = g.save(tmp_path / "toy.onnx", small(g, g.op("Div", g.op("Cast", "image", to=1), 255.0)))
    floats = load_network(path, quiet=True).compute(random_pixels(2))
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    onnx.save(model, path)
    network = load_network(path, quiet=True)
    assert network.precision == "float32"
    np.testing.assert_array_equal(network.compute(random_pixels(2)).activations, floats.activations)
    with pytest.raises(FiltagError, match="takes pixels as whole numbers and scales them itself") as error:
        load_network(path, preprocess="0..1").compile(2)
    assert error.value.options == ("preprocess", "mean", "std")


def test_channels_last_of_a_grey_image_that_is_reshaped(tmp_path):
    g = Graph(shape=(1, 8, 6, 1))
    x = g.conv(g.op("Reshape", "image", np.array([1, 1, 8, 6])), 1, 3)
    path = g.save(tmp_path / "toy.onnx", g.head(x, 3))
    network = load_network(path, quiet=True)
    # Both places of the only channel are 1, and what is declared decides.
    assert (network.input_size, network.preparation.channels) == ((8, 6), 1)
    assert_equals_plain(path)


def test_images_of_any_size(tmp_path):
    g = Graph(shape=(None, 3, None, None))
    path = g.save(tmp_path / "toy.onnx", small(g))
    with pytest.raises(FiltagError, match="takes images of any size") as error:
        load_network(path, quiet=True)
    assert error.value.options == ("input_size",)
    assert load_network(path, quiet=True, input_size=(12, 10)).input_size == (12, 10)
    assert_equals_plain(path, input_size=(12, 10))


def test_another_size_than_the_network_s(tmp_path):
    g = Graph()
    path = g.save(tmp_path / "toy.onnx", small(g))
    with pytest.raises(FiltagError, match="takes images of 8 × 8 pixels"):
        load_network(path, quiet=True, input_size=(9, 9))


def test_float_pixels_and_every_scaling(tmp_path):
    g = Graph()
    path = g.save(tmp_path / "toy.onnx", small(g))
    pixels = random_pixels(3)
    for preprocess in ("none", "vgg16", "imagenet", "-1..1"):
        run = load_network(path, preprocess=preprocess).compile(3, scores=True)
        of_bytes, of_floats = run(pixels), run(pixels.astype(np.float32))
        np.testing.assert_allclose(of_bytes.activations, of_floats.activations, atol=1e-6)
    # Colours in another order, by hand.
    own = load_network(path, preprocess="none", colours="bgr").compute(pixels)
    reversed_ = load_network(path, preprocess="none").compute(pixels[..., ::-1])
    np.testing.assert_allclose(own.activations, reversed_.activations, atol=1e-6)


def test_half_precision_is_the_file_s(tmp_path):
    g = Graph(dtype=np.float16)
    path = g.save(tmp_path / "half.onnx", small(g))
    assert load_network(path, quiet=True).precision == "float16"
    assert load_network(path, quiet=True, precision="float16").precision == "float16"
    assert_equals_plain(path, atol=5e-3)
    with pytest.raises(FiltagError, match="computes in float16: leave the precision out, or convert the file to bf"):
        load_network(path, quiet=True, precision="bfloat16")
    g = Graph()
    with pytest.raises(FiltagError, match="computes in float32: leave the precision out"):
        load_network(g.save(tmp_path / "toy.onnx", small(g)), quiet=True, precision="float16")


def test_only_what_is_wanted_is_computed(tmp_path):
    g = Graph()
    network = load_network(g.save(tmp_path / "toy.onnx", small(g)), layers="stem", quiet=True)
    computed = network.compile(2)(random_pixels(2))
    assert computed.activations.shape == (2, 6)
    assert computed.scores.shape == (2, 0)


def test_a_layer_whose_outputs_are_all_equal(tmp_path):
    g = Graph()
    x = g.op("Relu", g.conv("image", 3, 4, name="dead"))
    g.initialisers["dead.weight"] *= 0
    g.initialisers["dead.bias"][:] = -1
    computed = load_network(g.save(tmp_path / "toy.onnx", g.head(x, 4)), quiet=True).compute(random_pixels(2))
    assert computed.constant.all()
    assert not computed.activations.any()


def test_what_is_not_finite_is_not_hidden(tmp_path):
    g = Graph()
    x = g.op("Log", g.conv("image", 3, 4, name="conv"))
    y = g.conv(x, 4, 2, name="after")
    network = load_network(g.save(tmp_path / "toy.onnx", g.head(y, 2)), quiet=True)
    assert not np.isfinite(network.compute(random_pixels(2)).activations[:, 4:]).any()


def test_versions(tmp_path):
    g = Graph()
    network = load_network(g.save(tmp_path / "toy.onnx", small(g)), quiet=True)
    assert network.engine.versions().keys() == {"backend", "onnxruntime", "provider"}
    assert network.engine.versions()["backend"] == "onnxruntime"


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_gpu_that_cannot_be_used_is_not_recorded(tmp_path, monkeypatch):
    g = Graph()
    network = load_network(g.save(tmp_path / "toy.onnx", small(g)), quiet=True)
    available = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: available)
    session.providers.cache_clear()
    assert network.engine.versions()["provider"] == "CPUExecutionProvider"
    assert network.compile(2)(random_pixels(2)).activations.shape == (2, 18)
    session.providers.cache_clear()
