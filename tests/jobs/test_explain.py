"""One image explained from Python, however the image, the network and the KG are given."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

import filtag_kg as flt
from filtag_kg.kg import open_kg

keras = pytest.importorskip("keras", reason="the cpu extra is not installed")
Image = pytest.importorskip("PIL.Image", reason="the cpu extra is not installed")

CLASSES = ("n02087394", "n02123045", "n03770679")
OPTIONS = {"preprocess": "0..1", "class_ids": CLASSES}


@pytest.fixture(scope="module")
def model() -> object:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((10, 10, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ],
        name="toy",
    )
    random = np.random.default_rng(1)
    model.set_weights([random.normal(0, 1, weight.shape) for weight in model.weights])
    return model


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 10, 10, 3), np.uint8)


@pytest.fixture(scope="module")
def kg(model: object, images: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> flt.KnowledgeGraph:
    return flt.run(model, (images, [0, 0, 1, 1, 2, 2]), tmp_path_factory.mktemp("kg") / "kg", **OPTIONS)


def test_every_kind_of_image_and_kg(model: object, images: np.ndarray, kg: flt.KnowledgeGraph, tmp_path: Path) -> None:
    network = flt.from_keras(model, **OPTIONS)
    pixels = images[0]
    picture = Image.fromarray(pixels)
    picture.save(tmp_path / "image.png")
    file = io.BytesIO()
    picture.save(file, "png")
    ready_made = (pixels / 255).astype(np.float32)
    scores = np.asarray(model(ready_made[None]))[0]
    for image in (pixels, picture, file.getvalue(), ready_made, tmp_path / "image.png", str(tmp_path / "image.png")):
        explanation = flt.explain_image(kg, image, network)
        assert [CLASSES.index(answer.class_id) for answer in explanation.predictions] == np.argsort(-scores).tolist()
        assert explanation.predictions[0].confidence == pytest.approx(scores.max(), abs=1e-5)
        assert explanation.n_active == 1
    for opened in (kg.location, str(kg.location), open_kg(Path(kg.location))):
        assert flt.explain_image(opened, pixels, model, **OPTIONS) == flt.explain_image(kg, pixels, network)


def test_the_network_is_found_where_it_was(model: object, images: np.ndarray, tmp_path: Path) -> None:
    file = tmp_path / "toy.keras"
    model.save(file)
    kg = flt.run(file, (images, [0, 0, 1, 1, 2, 2]), tmp_path / "kg", **OPTIONS)
    assert kg.class_("n02087394")
    expected = flt.explain_image(kg, images[3], model, name="toy", **OPTIONS)
    assert flt.explain_image(kg, images[3]) == expected
    moved = file.rename(tmp_path / "moved.keras")
    assert flt.explain_image(kg, images[3], moved, why="n03770679").why_not is not None
    with pytest.raises(flt.FiltagError, match="any more: name it"):
        flt.explain_image(kg, images[3])


def test_what_cannot_be_explained_is_one_line(kg: flt.KnowledgeGraph, model: object, images: np.ndarray) -> None:
    network = flt.from_keras(model, **OPTIONS)
    given_again = (
        "toy, given in Python: give it to filtag_kg.explain_image and the like again, with the same preprocess and "
        "class_ids, or name a file of it"
    )
    otherwise = flt.from_keras(model, **{**OPTIONS, "preprocess": "-1..1"})
    for image, given, message in (
        (images[0], None, f"{kg.location} was made with the network {given_again}"),
        (
            images[0],
            otherwise,
            f"{kg.location} was made of {network.identifier}, not of {otherwise.identifier}: its weights are others, "
            "or images are prepared in another way; load it as it was loaded then",
        ),
        (b"nothing", network, "the image cannot be used (not in a known image format): give another"),
        (
            np.zeros((4, 10, 3), np.float32),
            network,
            "the image cannot be used (its shape is 4 × 10 × 3, and the network takes 10 × 10 × 3): give another",
        ),
    ):
        with pytest.raises(flt.FiltagError) as error:
            flt.explain_image(kg, image, given)
        assert str(error.value) == message
