"""The pass in half precision: what is computed in it, and what is not."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.images import open_images
from filtag_kg.network import load_network
from filtag_kg.network.keras.compiled_pass import forward
from filtag_kg.profile import collect
from tests.keras_network import computation_of, input_of, maps_model, model_of
from tests.profile.test_backends import run
from tests.profile.test_collect import archive, files  # noqa: F401

SIZE = (40, 40)
LOWER = ("float16", "bfloat16")
SCRIPT = """
import sys
import keras
import numpy as np
from filtag_kg.network import load_network
from tests.keras_network import input_of, maps_model

pixels = np.random.default_rng(3).integers(0, 256, (4, 40, 40, 3), np.uint8)
whole = load_network(sys.argv[1], preprocess="-1..1").compile(4, scores=True)(pixels)
for precision in ("float16", "bfloat16"):
    network = load_network(sys.argv[1], preprocess="-1..1", precision=precision)
    outputs = maps_model(network)(input_of(network, pixels), training=False)
    assert {keras.backend.standardize_dtype(output.dtype) for output in outputs} == {precision}
    less = network.compile(4, scores=True)(pixels)
    assert less.activations.dtype == less.scores.dtype == np.float32
    assert 0 < np.abs(less.activations - whole.activations).max() < (0.005 if precision == "float16" else 0.04)
    assert not less.constant.any()
print(keras.backend.backend())
"""


@pytest.fixture(scope="module")
def path(keras, tmp_path_factory):
    layers = keras.layers
    image = keras.Input((*SIZE, 3))
    x = layers.Conv2D(4, 3, activation=layers.LeakyReLU(), name="first")(image)
    x = layers.SeparableConv2D(4, 3, name="second")(x)
    x = layers.BatchNormalization()(x)
    x = keras.ops.relu6(x * 1.5)
    x = layers.Conv2D(5, 1, name="third")(x)
    x = layers.PReLU()(layers.BatchNormalization()(x))
    model = keras.Model(image, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x)))
    random = np.random.default_rng(1)
    model.set_weights(
        [random.normal(0, 0.3, weight.shape) ** (2 if "var" in weight.path else 1) for weight in model.weights]
    )
    path = tmp_path_factory.mktemp("network") / "toy.keras"
    model.save(path)
    return path


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(3).integers(0, 256, (4, *SIZE, 3), np.uint8)


def load(path, precision="float32", **options):
    return load_network(str(path), preprocess="-1..1", precision=precision, **options)


def maps_of(network, pixels):
    return maps_model(network)(input_of(network, pixels), training=False)


@pytest.mark.parametrize("precision", LOWER)
def test_weights_and_answers_stay_as_they_are(keras, path, pixels, precision):
    network, whole = load(path, precision), load(path)
    assert (network.precision, network.identifier) == (precision, whole.identifier)
    assert {weight.dtype for weight in model_of(network).weights} == {"float32"}
    answer = model_of(network)(input_of(network, pixels), training=False)
    assert keras.backend.standardize_dtype(answer.dtype) == "float32"
    np.testing.assert_allclose(np.asarray(answer).sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("precision", LOWER)
def test_maps_are_reduced_in_float32(keras, path, pixels, precision):
    network = load(path, precision)
    expected = []
    for maps in maps_of(network, pixels):
        assert keras.backend.standardize_dtype(maps.dtype) == precision
        layer = np.asarray(keras.ops.cast(maps, "float32")).astype(np.float64)
        low, high = layer.min(axis=(1, 2, 3), keepdims=True), layer.max(axis=(1, 2, 3), keepdims=True)
        expected.append(((layer - low) / (high - low)).mean(axis=(1, 2)))
    # 1,296 numbers and more are summed for a mean; bfloat16 counts to 256.
    expected = np.concatenate(expected, axis=1)
    graph = forward(computation_of(network))
    np.testing.assert_allclose(np.asarray(graph(pixels)[0]), expected, atol=2e-6)


def test_a_copy_for_another_device_computes_in_the_same_precision(path, pixels):
    network = load(path, "bfloat16")
    one, other = (np.asarray(forward(computation_of(network), copied=copied)(pixels)[0]) for copied in (False, True))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "backend", ["tensorflow", *(pytest.param(name, marks=pytest.mark.slow) for name in ("jax", "torch"))]
)
def test_every_backend_computes_in_it(backend, path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    assert run(SCRIPT, path, backend=backend).split() == [backend]


def test_a_file_that_asks_for_less_is_computed_in_what_is_asked_here(keras, pixels, tmp_path):
    image = keras.Input((*SIZE, 3), dtype="float32")
    x = keras.layers.Conv2D(2, 3, name="conv", dtype="mixed_float16")(image)
    keras.Model(image, keras.layers.GlobalAveragePooling2D(dtype="float32")(x)).save(tmp_path / "half.keras")
    for precision in ("float32", "bfloat16"):
        maps = maps_of(load(tmp_path / "half.keras", precision), pixels)
        assert keras.backend.standardize_dtype(maps[0].dtype) == precision


def test_numbers_beyond_float16_are_reported(keras, archive, tmp_path):  # noqa: F811
    image = keras.Input((24, 24, 3))
    loud = keras.layers.Conv2D(2, 1, name="loud", use_bias=False)
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(loud(image)))
    loud.set_weights([np.full((1, 1, 3, 2), 1000, np.float32)])
    model.save(tmp_path / "loud.keras")
    with open_images(archive) as images:
        for precision in ("float32", "bfloat16"):
            network = load_network(str(tmp_path / "loud.keras"), preprocess="none", precision=precision)
            assert collect(network, images).metadata["precision"] == precision
        network = load_network(str(tmp_path / "loud.keras"), preprocess="none", precision="float16")
        with pytest.raises(FiltagError) as error:
            collect(network, images)
    assert str(error.value) == (
        "layer loud of loud has outputs that are not finite for n00/00.png: check the network's weights and its "
        "preprocessing, or compute in float32 instead of float16"
    )


def test_an_unknown_precision(path):
    with pytest.raises(FiltagError) as error:
        load(path, "half")
    assert str(error.value) == "no precision 'half': choose float32, float16 or bfloat16"
