"""Profiles of made-up activations, whose statistics are known."""

from __future__ import annotations

import numpy as np

from filtag_kg import Profile
from filtag_kg.images import ImageRef
from filtag_kg.profile import References
from filtag_kg.profile.references import ReferenceSample

LAYERS = (12, 20, 30)


def class_means(n_classes, rng, *, layers=LAYERS, informative=(2,)):
    """Return means that tell classes apart in some layers alone."""
    parts = [
        0.5 + (rng.uniform(-0.2, 0.2, (n_classes, size)) if index in informative else np.zeros((n_classes, size)))
        for index, size in enumerate(layers)
    ]
    return np.hstack(parts)


def draw(means, per_class, rng, spread=0.1):
    """Return images of each class: activations and the index of the class."""
    classes = np.repeat(np.arange(len(means)), per_class)
    return np.clip(means[classes] + rng.normal(0, spread, (len(classes), means.shape[1])), 0, 1), classes


def profile_of(activations, classes, *, layers=LAYERS, most=2_000, labels=None):
    """Return the profile of images: by NumPy's mean and variance, with references."""
    ids = tuple(f"c{index:03}" for index in range(classes.max() + 1))
    rows = [activations[classes == index] for index in range(len(ids))]
    images = [ImageRef(ids[index], f"{ids[index]}/{number}.png") for number, index in enumerate(classes)]
    sample = ReferenceSample(sum(layers), most)
    sample.add(np.arange(len(images)), [image.name for image in images], activations)
    return Profile(
        mean=np.array([row.mean(axis=0) for row in rows]),
        variance=np.array([row.var(axis=0) for row in rows]),
        count=np.array([len(row) for row in rows]),
        class_ids=ids,
        class_labels=labels or ids,
        layer_names=tuple(f"layer{index}" for index in range(len(layers))),
        layer_offsets=np.cumsum([0, *layers]),
        references=sample.named(images, ids) if most else None,
    )


def several_labels(references, n_classes, rng):
    """Return references of which some have a second class."""
    more = references.classes | (rng.random(references.classes.shape) < 1 / n_classes)
    return References(references.names, more, references.activations)
