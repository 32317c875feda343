"""Pictures of filters whose answer is known: a colour, stripes, nothing."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from filtag_kg import FiltagError
from filtag_kg.explain import FilterPicture, add_visualizations, visualize
from filtag_kg.explain.filter_objective import filter_objective
from filtag_kg.kg import KG, VISUALIZATION_METHODS, read_visualizations
from filtag_kg.network import Network, load_network
from tests.keras_network import input_of, model_of, tensor_of

keras = pytest.importorskip("keras", reason="the cpu extra is not installed")

MAXIMISED, VISUALISED = VISUALIZATION_METHODS
SIDE = 24


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network whose layers are filters for red, for two orientations of stripes, and for nothing."""
    image = keras.Input((SIDE, SIDE, 3))
    colour = keras.layers.Conv2D(3, 1, name="colour", activation="relu")(image)
    stripes = keras.layers.Conv2D(2, 7, name="stripes", padding="same", use_bias=False)(image)
    stripes = keras.layers.ReLU(max_value=6.0, name="clipped")(stripes)
    dead = keras.layers.Conv2D(2, 1, name="dead")(image)
    dead = keras.layers.BatchNormalization(name="normal")(dead)
    dead = keras.layers.Activation("relu", name="rectified")(dead)
    linear = keras.layers.Conv2D(1, 1, name="linear")(image)
    maps = [keras.layers.GlobalAveragePooling2D()(x) for x in (colour, stripes, dead, linear)]
    model = keras.Model(image, keras.layers.Dense(2, name="scores")(keras.layers.Concatenate()(maps)))
    # A row for each of R, G and B, a column for each filter: each colour against the other two.
    model.get_layer("colour").set_weights([(1.5 * np.eye(3) - 0.5)[None, None], np.zeros(3)])
    wave = np.cos(2 * np.pi * np.arange(-3, 4) / 4)
    wave -= wave.mean()
    across = np.repeat(np.tile(wave, (7, 1))[:, :, None], 3, axis=2)
    model.get_layer("stripes").set_weights([np.stack([across, across.transpose(1, 0, 2)], axis=-1)])
    # Filter 0 answers to what is brighter than light grey, 1 to nothing at all.
    model.get_layer("dead").set_weights([np.array([[1, 0], [1, 0], [1, 0]])[None, None], np.array([-1.8, -1.0])])
    path = tmp_path_factory.mktemp("saved") / "known.keras"
    model.save(path)
    return path


@pytest.fixture(scope="module")
def known(saved: Path) -> Network:
    return load_network(str(saved), preprocess="0..1")


def made(network: Network, layer: str, *filters: int, **options: object) -> list[FilterPicture]:
    return list(visualize(network, layer, filters, **{"steps": 256, **options}))


def mean_map(network: Network, layer: str, filter_: int, pixels: np.ndarray) -> float:
    """The mean of a feature map, by a model of its own."""
    maps = keras.Model(model_of(network).inputs[0], tensor_of(network, layer))(input_of(network, pixels[None]))
    return float(np.mean(np.asarray(maps)[0, :, :, filter_]))


@pytest.mark.parametrize("method", VISUALIZATION_METHODS)
def test_a_filter_for_red_sees_red(known: Network, method: str) -> None:
    red, blue = made(known, "colour", 0, 2, methods=[method])
    for picture, channel in ((red, 0), (blue, 2)):
        means = picture.pixels.mean(axis=(0, 1))
        assert means[channel] > 150
        assert all(means[channel] - means[other] > 100 for other in {0, 1, 2} - {channel})


@pytest.mark.parametrize("method", VISUALIZATION_METHODS)
def test_a_filter_for_stripes_sees_stripes_of_its_orientation(known: Network, method: str) -> None:
    for filter_, picture in enumerate(made(known, "stripes", 0, 1, methods=[method])):
        grey = picture.pixels.mean(axis=2)
        power = np.abs(np.fft.fft2(grey)) ** 2
        # What is broader than a stripe, the filter does not see.
        cycles = np.abs(np.fft.fftfreq(SIDE))
        power[np.hypot(cycles[:, None], cycles[None, :]) < 1 / 8] = 0
        rows, columns = np.unravel_index(np.argmax(power), power.shape)
        across, along = (columns, rows) if filter_ == 0 else (rows, columns)
        # A wave of four pixels, across the stripes.
        assert cycles[across] == pytest.approx(1 / 4, abs=0.07)
        assert cycles[along] < 0.1


def test_a_picture_excites_its_filter_far_more_than_noise_does(known: Network) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    for picture in made(known, "stripes", 0):
        assert picture.activation > 2 * mean_map(known, "stripes", 0, noise)
        assert picture.activation == pytest.approx(mean_map(known, "stripes", 0, picture.pixels), rel=1e-4)
        assert picture.grey < picture.activation
        assert (picture.steps, picture.seed, picture.pixels.dtype) == (256, 0, np.uint8)


def test_the_same_seed_gives_the_same_picture_whatever_else_is_asked_for(known: Network) -> None:
    alone = made(known, "stripes", 1, steps=12)
    among = [one for one in made(known, "stripes", 0, 1, steps=12) if one.filter == 1]
    single = made(known, "stripes", 1, steps=12, methods=[VISUALISED])
    for one, other in [*zip(alone, among, strict=True), (alone[1], single[0])]:
        np.testing.assert_array_equal(one.pixels, other.pixels)
    seeded = made(known, "stripes", 1, steps=12, seed=1)
    assert all(np.any(one.pixels != other.pixels) for one, other in zip(alone, seeded, strict=True))


def test_a_filter_in_a_batch_does_not_depend_on_the_others(known: Network) -> None:
    options = {"steps": 12, "batch_size": 2}
    pairs = {one.method: one for one in made(known, "colour", 0, 1, **options) if one.filter == 1}
    others = {one.method: one for one in made(known, "colour", 2, 1, **options) if one.filter == 1}
    filled_up = {one.method: one for one in made(known, "colour", 1, **options)}
    for method in VISUALIZATION_METHODS:
        np.testing.assert_array_equal(pairs[method].pixels, others[method].pixels)
        np.testing.assert_array_equal(pairs[method].pixels, filled_up[method].pixels)
    by_three = made(known, "colour", 0, 1, 2, **options)
    assert [(one.filter, one.method) for one in by_three] == [
        (0, MAXIMISED), (1, MAXIMISED), (0, VISUALISED), (1, VISUALISED), (2, MAXIMISED), (2, VISUALISED)
    ]  # fmt: skip


@pytest.mark.parametrize("method", VISUALIZATION_METHODS)
def test_a_filter_that_is_silent_at_first_is_led_to_where_it_answers(known: Network, method: str) -> None:
    answering, silent = made(known, "dead", 0, 1, methods=[method])
    assert answering.grey == 0
    assert answering.activation > 0.2
    assert silent.activation == 0


def test_the_activation_that_a_layer_applies_itself_is_looked_behind(known: Network) -> None:
    """Green's filter is silent at red; before its ReLU it says how far it is from answering."""
    colour = next(one for one in known.layers if one.name == "colour")
    objective = filter_objective(known.differentiable(colour))
    red = np.zeros((2, SIDE, SIDE, 3), np.float32) + np.float32([1, 0, 0])
    values, activations = objective(keras.ops.convert_to_tensor(red), np.eye(3, dtype=np.float32)[:2])
    np.testing.assert_allclose(np.asarray(values), [1, 0.1 * -0.5], atol=1e-5)
    np.testing.assert_allclose(np.asarray(activations), [1, 0], atol=1e-5)


def test_a_ceiling_does_not_end_the_way_up(known: Network) -> None:
    stripes = next(one for one in known.layers if one.name == "stripes")
    objective = filter_objective(known.differentiable(stripes))
    best = np.zeros((1, SIDE, SIDE, 3), np.float32)
    best[:, :, ::4] = 1
    values, activations = objective(keras.ops.convert_to_tensor(best), np.float32([[1, 0]]))
    assert float(activations[0]) < 6 < 7 < float(values[0])


def test_a_layer_without_activation_is_taken_as_it_is(known: Network) -> None:
    linear = next(one for one in known.layers if one.name == "linear")
    maps, before = known.differentiable(linear).maps(keras.ops.zeros((1, SIDE, SIDE, 3)))
    assert maps is before


def test_what_cannot_be_made_is_refused(known: Network) -> None:
    with pytest.raises(FiltagError) as error:
        made(known, "colours", 0)
    names = ", ".join(layer.name for layer in known.layers)
    assert str(error.value) == f"known has no layer 'colours': choose from {names}"
    with pytest.raises(FiltagError) as error:
        made(known, "colour", 0, 3)
    assert str(error.value) == "layer colour has no filter 3: choose from 0 to 2"
    with pytest.raises(ValueError, match="dreaming"):
        made(known, "colour", 0, methods=["dreaming"])
    with pytest.raises(ValueError, match="steps"):
        made(known, "colour", 0, steps=0)


def test_pictures_are_put_into_the_kg_one_by_one(colours: KG, network: Network) -> None:
    from PIL import Image

    pictures = visualize(network, "last", [1, 2], steps=8, seed=5)
    stored = add_visualizations(colours, network, pictures)
    first = next(stored)
    assert read_visualizations(colours) == (first,)
    second, *_ = stored
    found = read_visualizations(colours)
    assert [(one.filter, one.method) for one in found] == [(i, m) for i in (1, 2) for m in VISUALIZATION_METHODS]
    assert {first, second} < set(found)
    for one in found:
        pixels = np.asarray(Image.open(colours.path / one.file))
        assert pixels.shape == (8, 8, 3)
        assert one.activation == pytest.approx(mean_map(network, "last", one.filter, pixels), rel=1e-4)
        assert (one.network, one.layer, one.seed, one.steps) == (network.identifier, "last", 5, 8)


def test_the_kg_of_another_network_is_refused_before_anything_is_made(colours: KG, known: Network) -> None:
    with pytest.raises(FiltagError) as error:
        next(add_visualizations(colours, known, visualize(known, "colour", [0], steps=10**6)))
    made_of = colours.manifest["network"]
    assert str(error.value) == (
        f"{colours.path} was made of {made_of}, not of {known.identifier}: name the right network"
    )


BACKENDS = """
import sys
import numpy as np
from filtag_kg.explain import visualize
from filtag_kg.network import load_network
from tests.keras_network import input_of, model_of, tensor_of

network = load_network(sys.argv[1], preprocess="0..1")
found = [*visualize(network, "colour", [0, 1], steps=256, batch_size=2), *visualize(network, "dead", [0], steps=256)]
np.savez(sys.argv[2], pixels=[one.pixels for one in found], activations=[one.activation for one in found])
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_backends_agree(backend: str, saved: Path, known: Network, tmp_path: Path) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", BACKENDS, saved, tmp_path / "found.npz"],
        env={**os.environ, "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = [*made(known, "colour", 0, 1, batch_size=2), *made(known, "dead", 0)]
    with np.load(tmp_path / "found.npz") as found:
        np.testing.assert_allclose(found["activations"], [one.activation for one in expected], rtol=0.02)
        # Rounding grows over the steps; the pictures are the same to look at.
        difference = np.abs(found["pixels"].astype(float) - np.stack([one.pixels for one in expected]))
        assert difference.mean() < 3
