"""A network with a filter for each of red, green and blue, and a KG of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from filtag_kg import Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.concepts import preferred_labels
from filtag_kg.kg import KG, build_kg
from filtag_kg.network import Network, load_network


def save_colours(folder: Path) -> tuple[Path, Path]:
    """Save a network of two layers, of which the last has a filter for red, one for green and one for blue.

    Returns its file and that of its classes.
    """
    keras = pytest.importorskip("keras", reason="the cpu extra is not installed")
    image = keras.Input((8, 8, 3))
    first = keras.layers.Conv2D(2, 1, name="first", activation="relu")(image)
    last = keras.layers.Conv2D(3, 1, name="last", use_bias=False)(image)
    scores = keras.layers.GlobalAveragePooling2D()(keras.layers.Concatenate()([first, last]))
    model = keras.Model(image, keras.layers.Dense(2, name="scores")(scores))
    model.get_layer("first").set_weights([np.array([[1, 0], [1, 0], [0, 1]], np.float32)[None, None], np.zeros(2)])
    model.get_layer("last").set_weights([np.eye(3, dtype=np.float32)[None, None]])
    # The first class is what is red, the second what is green or blue.
    model.get_layer("scores").set_weights([np.array([[0, 0], [0, 0], [4, 0], [0, 4], [0, 4]], np.float32), np.zeros(2)])
    model.save(folder / "colours.keras")
    (folder / "classes.txt").write_text("n02087394\nn02123045\n")
    return folder / "colours.keras", folder / "classes.txt"


def load_colours(network: Path, classes: Path) -> Network:
    return load_network(str(network), preprocess="0..1", classes=classes)


def colours_kg(network: Network, output: Path) -> KG:
    """Build a KG: the red filter is tagged with two dogs, the green one with a cat, the blue one with cars."""
    classes = {"n02087394": 2, "n02088466": 2, "n02123045": 3, "n03770679": 4}
    # Of eight classes, two dogs are as few as a common concept must be to say something.
    classes |= {"n02814533": 4, "n02930766": 4, "n03100240": 4, "n04285008": 4}
    mean = np.full((8, 5), 0.1)
    for row, column in enumerate(classes.values()):
        mean[row, column] = 0.9
    profile = Profile(
        mean=mean,
        variance=None,
        count=np.ones(8, dtype=np.int64),
        class_ids=tuple(classes),
        class_labels=preferred_labels(list(classes), wordnet()),
        layer_names=tuple(layer.name for layer in network.layers),
        layer_offsets=np.array([0, 2, 5]),
        metadata={"network": network.name, "identifier": network.identifier},
    )
    tags = tag_filters(profile, [Rule("k", 1), Rule("k", 1, "contrast")], network=network.identifier)
    return build_kg(output, tags, wordnet(), Provenance.of_profile(profile), profile=profile)
