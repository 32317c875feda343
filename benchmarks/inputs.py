"""What a benchmark runs on without a data set: the package's own class names and tags, and synthetic pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from filtag_kg import TagTable, tag_filters, wordnet
from filtag_kg.class_names import class_names
from filtag_kg.concepts import preferred_labels
from filtag_kg.demo import DEMO_RULES, demo_profile
from filtag_kg.network import imagenet_class_ids


def names_of(path: Path | None) -> dict[str, str]:
    """Return class id -> label from a file, or by default ImageNet's 1,000 classes with WordNet's names."""
    if path is not None:
        return class_names(path)
    class_ids = imagenet_class_ids()
    return dict(zip(class_ids, preferred_labels(class_ids, wordnet()), strict=True))


def labels_with_senses(names: dict[str, str]) -> list[tuple[str, str]]:
    """Return each class's label and the synset that its id names."""
    return [(label.replace("_", " "), wordnet().of_class(class_id) or "") for class_id, label in names.items()]


def demo_tags(*, all_layers: bool = False) -> TagTable:
    """Return the tags of the last layer of the demo's network, or of all, by the demo's first rule."""
    profile = demo_profile()
    if all_layers:
        return tag_filters(profile, DEMO_RULES[:1], network=profile.metadata["identifier"])
    mean = profile.mean[:, profile.layer_offsets[-2] :]
    last = replace(
        profile,
        mean=mean,
        layer_names=profile.layer_names[-1:],
        layer_offsets=np.array([0, mean.shape[1]]),
        metadata={**profile.metadata, "layer_kinds": profile.metadata["layer_kinds"][-1:]},
    )
    return tag_filters(last, DEMO_RULES[:1], network=profile.metadata["identifier"])


def made_picture(path: Path, seed: int) -> Path:
    """Write a JPEG of 500 × 375 pixels, of smooth noise, which takes as long to decode as a photograph."""
    from PIL import Image

    coarse = np.random.default_rng(seed).integers(0, 256, (75, 100, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(coarse).resize((500, 375), Image.Resampling.BICUBIC).save(path, quality=90)
    return path


def made_images(folder: Path, n_images: int) -> Path:
    """Write pictures of four classes in turn."""
    for index in range(n_images):
        made_picture(folder / "made-500x375" / f"class{index % 4}" / f"{index:05}.jpg", index)
    return folder / "made-500x375"
