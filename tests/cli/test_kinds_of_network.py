"""Keras networks of every kind of input and output go through the whole job."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from filtag_kg.kg import open_kg
from tests.cli.terminal import answer, filtag, refusal
from tests.server.servers import serving

keras = pytest.importorskip("keras", reason="the cpu extra is not installed")
Image = pytest.importorskip("PIL.Image", reason="the cpu extra is not installed")

SIDE = 8
COLOURS = {"green": (20, 230, 20), "red": (230, 20, 20)}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images of each colour, a little different from each other."""
    folder = tmp_path_factory.mktemp("room")
    for name, colour in COLOURS.items():
        (folder / "images" / name).mkdir(parents=True)
        for index in range(4):
            pixels = np.full((SIDE, SIDE, 3), colour, np.uint8)
            pixels[: index + 1] //= 2
            Image.fromarray(pixels).save(folder / "images" / name / f"{index}.png")
    (folder / "classes.txt").write_text("green\nred\n")
    return folder


def colour_maps():
    """An image, and feature maps that are its red minus its green, and the reverse."""
    image = keras.Input((SIDE, SIDE, 3))
    conv = keras.layers.Conv2D(2, 1, name="conv", activation="relu")
    maps = conv(image)
    conv.set_weights([np.array([[1, -1], [-1, 1], [0, 0]], np.float32)[None, None] / 255, np.zeros(2)])
    return image, maps


def save(path: Path, kind: str) -> Path:
    image, maps = colour_maps()
    layers = keras.layers
    pooled = layers.GlobalAveragePooling2D()(maps)
    one = layers.Dense(1, use_bias=False, name="one")
    several = layers.Dense(2, use_bias=False, name="several")
    output = {
        "softmax": lambda: layers.Softmax()(several(pooled)),
        "logits": lambda: several(pooled),
        "sigmoid": lambda: layers.Activation("sigmoid")(one(pooled)),
        "logit": lambda: one(pooled),
        "sigmoids": lambda: layers.Activation("sigmoid")(several(pooled)),
        "map": lambda: layers.Softmax()(layers.Conv2D(2, 1, use_bias=False, name="several")(maps)),
        "none": lambda: pooled,
    }[kind]()
    model = keras.Model(image, output)
    for layer in model.layers:
        if layer.name == "one":
            layer.set_weights([np.array([[4], [-4]], np.float32)])
        if layer.name == "several":
            layer.set_weights([np.array([[0, 4], [4, 0]], np.float32).reshape(layer.get_weights()[0].shape)])
    model.save(path)
    return path


def run(room: Path, network: Path, *options: object) -> Path:
    kg = network.with_suffix("")
    done = filtag("run", "--network", network, "--images", room / "images", "-o", kg, "--no-report", *options)
    assert done.returncode == 0, done.stderr
    return kg


@pytest.mark.parametrize("kind", ["softmax", "logits", "sigmoid", "logit", "sigmoids", "map"])
def test_every_kind_of_classifier_is_explained_and_evaluated(room: Path, tmp_path: Path, kind: str) -> None:
    kg = run(room, save(tmp_path / "net.keras", kind), "--preprocess", "none", "--classes", room / "classes.txt")
    recorded = open_kg(kg).manifest["inputs"]["profile"]
    assert recorded["output_is"] == ("softmax" if kind == "map" else kind)
    for colour, other in (("red", "green"), ("green", "red")):
        explained = json.loads(answer("explain", kg, room / "images" / colour / "0.png", "--format", "json"))
        confidences = {best["class_id"]: best["confidence"] for best in explained["predictions"]}
        assert confidences[colour] > 0.6
        assert confidences[other] <= 0.5
        if kind != "sigmoids":
            assert sum(confidences.values()) == pytest.approx(1)
    assert "accuracy 100.0%: 0 of 8 images are misclassified" in answer("errors", kg, "--images", room / "images")
    hits = answer("evaluate", kg, "--images", room / "images", "--k", 1, "--n", 1, "--permutations", 0)
    assert "the network's top-1 accuracy is 100.0%" in hits


def test_a_network_that_tells_no_classes_apart(room: Path, tmp_path: Path) -> None:
    kg = run(room, save(tmp_path / "features.keras", "none"), "--preprocess", "none", "--outputs", "none")
    image = room / "images" / "red" / "0.png"
    text = answer("explain", kg, image)
    assert text.startswith("predicted: nothing: the network tells no classes apart\n")
    assert "red" in text
    explained = json.loads(answer("explain", kg, image, "--format", "json"))
    assert (explained["predictions"], explained["support"]) == ([], None)
    assert [tag["class_id"] for tag in explained["tags"]] == ["red"]
    assert "flt:predictedClass" not in answer("explain", kg, image, "--format", "turtle")
    assert "why red and not green?" in answer("explain", kg, image, "--why", "red", "--not", "green")
    assert refusal("explain", kg, image, "--why", "red") == (
        "the network tells no classes apart, so it predicts none: name a class of the KG to contrast with (--not)"
    )
    assert refusal("errors", kg, "--images", room / "images") == (
        "features tells no classes apart, so no image can be misclassified: give a classifier"
    )
    done = filtag("evaluate", kg, "--images", room / "images", "--k", 1, "--n", 1, "--permutations", 0)
    assert done.returncode == 0
    assert "features tells no classes apart: no accuracy" in done.stderr + done.stdout


def grey_network(folder: Path) -> Path:
    """One channel in; a filter for what is light, and one that says 0.42 of everything: between red and green."""
    image = keras.Input((SIDE, SIDE, 1))
    conv = keras.layers.Conv2D(2, 1, name="conv", activation="relu")
    pooled = keras.layers.GlobalAveragePooling2D()(conv(image))
    conv.set_weights([np.array([[1, 0]], np.float32)[None, None] / 255, np.array([0, 0.42], np.float32)])
    keras.Model(image, pooled).save(folder / "grey.keras")
    return folder / "grey.keras"


def test_a_grey_network(room: Path, tmp_path: Path) -> None:
    kg = run(room, grey_network(tmp_path), "--preprocess", "none")
    image = room / "images" / "green" / "0.png"
    # Green gives 0.56 of grey, red 0.33.
    explained = json.loads(answer("explain", kg, image, "--format", "json"))
    filters = {filter_["filter"]: filter_["tags"] for layer in explained["layers"] for filter_ in layer["filters"]}
    assert [tag["class_id"] for tag in filters[0]] == ["green"]
    done = filtag("visualize", kg, "--layer", "conv", "--filter", "all", "--steps", 64)
    assert done.returncode == 0, done.stderr
    pictures = [Image.open(path) for path in sorted((kg / "visualizations").rglob("*.png"))]
    assert [(picture.mode, picture.size) for picture in pictures] == [("L", (SIDE, SIDE))] * 4
    # What excites the first filter is light.
    assert sorted(np.asarray(picture).mean() > 150 for picture in pictures) == [False, False, True, True]
    assert filtag("validate", kg).returncode == 0


@pytest.mark.slow
def test_the_explorer_takes_images_for_networks_without_classes_and_without_colours(room: Path, tmp_path: Path) -> None:
    features = run(room, save(tmp_path / "features.keras", "none"), "--preprocess", "none", "--outputs", "none")
    grey = run(room, grey_network(tmp_path), "--preprocess", "none")
    content = (room / "images" / "green" / "0.png").read_bytes()
    for kg in (features, grey):
        with serving(kg) as server:
            page = server.client.post("/explain", content=content, headers={"Content-Type": "image/png"}, timeout=60)
        assert page.status_code == 200, page.text
        assert "No answer: the network tells no classes apart" in page.text
        assert "green" in page.text


def test_a_network_with_two_channels_takes_arrays(room: Path, tmp_path: Path) -> None:
    image = keras.Input((SIDE, SIDE, 2))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 1, name="conv")(image))
    keras.Model(image, pooled).save(tmp_path / "two.keras")
    random = np.random.default_rng(0)
    np.savez(tmp_path / "images.npz", images=random.random((8, SIDE, SIDE, 2)), labels=np.arange(8) % 2)
    done = filtag(
        "run", "--network", tmp_path / "two.keras", "--images", tmp_path / "images.npz", "-o", tmp_path / "kg"
    )
    assert done.returncode == 0, done.stderr
    assert refusal("explain", tmp_path / "kg", room / "images" / "red" / "0.png") == (
        "the network takes 2 channels, which image files do not have: give arrays"
    )
    assert refusal("visualize", tmp_path / "kg", "--layer", "conv", "--filter", 0) == (
        "two takes 2 channels, which no picture shows: visualize needs 1 or 3"
    )
    assert refusal(
        "run", "--network", tmp_path / "two.keras", "--images", room / "images", "-o", tmp_path / "none"
    ).startswith("the network takes 2 channels, which image files do not have: give arrays")
