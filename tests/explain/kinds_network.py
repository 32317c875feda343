"""A network whose filters are causal for one kind of thing each, in Keras and in PyTorch, and a KG of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import filtag_kg as flt
from filtag_kg import Provenance, Rule, tag_filters, wordnet
from filtag_kg.kg import KG, build_kg
from filtag_kg.network import Network, import_keras
from tests.network.keras_to_torch import to_torch

CLASSES = (
    *("n02814533", "n02930766", "n03100240", "n03770679", "n04285008"),  # cars
    *("n02085620", "n02094433", "n02099601", "n02099712", "n02106662"),  # dogs
    *("n01514668", "n01518878", "n01530575", "n01531178", "n01532829"),  # birds
    *("n07745940", "n07747607", "n07749582", "n07753275", "n07753592"),  # fruit
)
CARS, DOGS, BIRDS, FRUIT = range(4)
POSITIONS = range(4, 9)
UNUSED, DEAD = (9, 10, 11), 12
"""Filters of the layer "filters": one for each kind, one for each place of a class in its kind, three that react to
everything and that nothing uses, and one that never reacts."""

_GAIN = 8.0


def weights() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The weights of the layer "filters", (20, 13), and of the classifier, (13, 20)."""
    kind, place = np.divmod(np.arange(20), 5)
    filters = np.zeros((20, 13), np.float32)
    filters[np.arange(20), kind] = 1
    filters[np.arange(20), 4 + place] = 0.5
    filters[:, list(UNUSED)] = 0.3
    classifier = np.zeros((13, 20), np.float32)
    classifier[kind, np.arange(20)] = _GAIN
    classifier[4 + place, np.arange(20)] = 2 * _GAIN
    return filters, classifier


def kinds_network(framework: str, **options: Any) -> Network:
    """Load it for arrays of 20 channels, each the colour of a class."""
    keras = import_keras()
    layers = keras.layers
    image = keras.Input((6, 6, 20))
    stem = layers.Conv2D(20, 1, activation="relu", name="stem")(image)
    maps = layers.Conv2D(13, 1, activation="relu", name="filters")(stem)
    scores = layers.Dense(20, activation="softmax", name="scores")(layers.GlobalAveragePooling2D(name="pool")(maps))
    model = keras.Model(image, scores, name="kinds")
    filters, classifier = weights()
    model.get_layer("stem").set_weights([np.eye(20, dtype=np.float32)[None, None], np.zeros(20)])
    model.get_layer("filters").set_weights([filters[None, None], np.zeros(13)])
    model.get_layer("scores").set_weights([classifier, np.zeros(20)])
    options = {"class_ids": CLASSES, "preprocess": "0..1"} | options
    if framework == "keras":
        return flt.from_keras(model, **options)
    return flt.from_torch(to_torch(model), 6, channels=20, name="kinds", **options)


def pixels(n_images: int = 6, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images of each class, its own channel mostly brighter than the others, and the number of each image's class."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(20), n_images)
    images = random.integers(0, 40, (len(labels), 6, 6, 20))
    images[np.arange(len(labels)), :, :, labels] += random.integers(60, 200, (len(labels), 1, 1))
    return images.astype(np.uint8), labels


def by_hand(images: NDArray[np.uint8], replaced: dict[int, float] | None = None) -> NDArray[np.float64]:
    """Confidences in the classes where some filters of the layer "filters" are replaced by a number: in NumPy."""
    filters, classifier = weights()
    maps = images / 255 @ filters.astype(np.float64)
    for filter_, value in (replaced or {}).items():
        maps[..., filter_] = value
    logits = maps.mean(axis=(1, 2)) @ classifier
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def kinds_kg(network: Network, path: Path) -> KG:
    """Build a KG of it, of other images than those of the tests."""
    images, labels = pixels(seed=1)
    profile = flt.profile(network, (images, [CLASSES[label] for label in labels]))
    tags = tag_filters(profile, [Rule("k", 1), Rule("k", 2)], network=network.identifier)
    return build_kg(path, tags, wordnet(), Provenance.of_profile(profile), profile=profile)
