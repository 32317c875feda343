"""Measure where concepts appear: separation by layer, in a trained network and in the same one with random weights.

Without options: on the demo's profile, EfficientNet-Lite0 on 200 classes of Tiny ImageNet. With ``--images``, a
folder or archive of labelled images, the trained network and one with random weights pass over the same images.
``--coverage`` simulates how often the interval covers the true value; ``--cost`` times 1,000 classes on VGG16's layers.
"""

from __future__ import annotations

import argparse
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from inputs import names_of
from numpy.typing import NDArray
from scipy.stats import spearmanr

from filtag_kg import Profile, wordnet
from filtag_kg.concepts import Hierarchy, build_hierarchy, link_classes, separation
from filtag_kg.demo import demo_profile
from filtag_kg.images import open_images
from filtag_kg.network import imagenet_class_ids, load_network
from filtag_kg.profile import PassOptions, collect
from filtag_kg.tags import contrast_over_classes

CONCEPTS = {"dog": "02084071", "bird": "01503061", "vehicle": "04524313", "clothing": "03051540"}
VGG16 = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)


def main() -> None:
    """Print the figures asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--per-class", type=int, default=10, help="images of each class, the first")
    parser.add_argument("--coverage", action="store_true")
    parser.add_argument("--cost", action="store_true")
    options = parser.parse_args()
    print(f"machine  {platform.machine()}; python {platform.python_version()}, numpy {version('numpy')}")
    demo = demo_profile()
    tell("trained, the demo's profile", demo, demo.class_labels)
    if options.images:
        for name, weights in (("trained", "imagenet"), ("random weights", None)):
            profile = passed(options.images, options.per_class, weights)
            tell(f"{name}, {profile.count.sum()} images", profile, demo.class_labels)
    if options.coverage:
        tell_coverage()
    if options.cost:
        tell_cost()


def tell(title: str, profile: Profile, labels: tuple[str, ...]) -> None:
    """Print the separation of each concept in some layers, and its rank correlation with depth over all layers."""
    isa = hierarchy(profile.class_ids, labels if len(labels) == len(profile.class_ids) else profile.class_labels)
    below = ordered(isa, profile.class_ids)
    column = {name: next(i for i, c in enumerate(isa.concepts) if id_ in c.id) for name, id_ in CONCEPTS.items()}
    contrast = np.split(contrast_over_classes(profile.mean), profile.layer_offsets[1:-1], axis=1)
    found = np.stack([separation(layer, below[:, list(column.values())]) for layer in contrast])
    last = len(contrast) - 1
    shown = [round(last * share) for share in (0, 0.25, 0.5, 0.75, 1)]
    print(f"\n{title}\n{'':<16}" + "".join(f"{profile.layer_names[m]:>22}" for m in shown) + "   with depth")
    for place, (name, at) in enumerate(column.items()):
        cells = (f"{value:.2f} ({low:.2f} to {high:.2f})" for value, low, high in found[shown, place])
        depth = spearmanr(range(last + 1), found[:, place, 0]).statistic
        print(f"{f'{name} ({below[:, at].sum()})':<16}" + "".join(f"{cell:>22}" for cell in cells) + f"{depth:13.2f}")


def hierarchy(class_ids: tuple[str, ...], labels: tuple[str, ...]) -> Hierarchy:
    """Return the hierarchy above classes."""
    return build_hierarchy(link_classes(class_ids, labels, wordnet()), wordnet())


def ordered(isa: Hierarchy, class_ids: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return which class lies below which concept, in the order of the profile's classes."""
    place = {class_id: row for row, class_id in enumerate(isa.class_ids)}
    return isa.below[[place[class_id] for class_id in class_ids]]


def passed(path: Path, per_class: int, weights: str | None) -> Profile:
    """Return the profile of the demo's network over some images of each class."""
    network = load_network("efficientnet-lite0", weights=weights)
    with open_images(path) as images:
        by_class = {class_id: [x for x in images.images if x.class_id == class_id] for class_id in images.classes}
        some = images.only([image for of_class in by_class.values() for image in of_class[:per_class]])
        return collect(network, some, PassOptions(keep_going=True))


def tell_coverage(repetitions: int = 300) -> None:
    """Print how often the interval covers the mean over repetitions, for classes made of a kind and noise."""
    directions = np.random.default_rng(7).normal(size=(21, 60))
    rng = np.random.default_rng(0)
    print(f"\nclasses, of the concept: the interval holds the mean of {repetitions} repetitions in")
    for n_classes in (12, 30, 200):
        for members in (4, 5, 6, 8, 12):
            if members > n_classes - 3:
                continue
            found = []
            for seed in range(repetitions):
                kind = np.where(np.arange(n_classes) < members, 0, rng.integers(1, 21, n_classes))
                means = rng.uniform(0, 0.8, (n_classes, 1)) * directions[kind] + rng.normal(size=(n_classes, 60))
                member = (np.arange(n_classes) < members)[:, None]
                found.append(separation(contrast_over_classes(means), member, seed=seed)[0])
            value, low, high = np.array(found).T
            held = ((low <= value.mean()) & (value.mean() <= high)).mean()
            print(f"{n_classes:5} {members:5}   {held:.2f} (mean {value.mean():.2f})")


def tell_cost() -> None:
    """Print the cost of ImageNet's classes on layers of VGG16's size: processor seconds and statements."""
    class_ids = imagenet_class_ids()
    below = ordered(hierarchy(class_ids, tuple(names_of(None).values())), class_ids)
    below = below[:, below.sum(axis=0) >= 2]
    rng = np.random.default_rng(0)
    start, n_measured = time.process_time(), 0
    for n_filters in VGG16:
        found = separation(contrast_over_classes(rng.random((len(class_ids), n_filters))), below)
        n_measured += int((~np.isnan(found)).sum())
    seconds = time.process_time() - start
    rows = below.shape[1] * len(VGG16)
    print(
        f"\n{len(class_ids)} classes, {sum(VGG16)} filters, {below.shape[1]} concepts: {seconds:.0f} s of a processor;"
    )
    print(f"{rows:,} rows, {5 * rows + n_measured:,} statements a rule")


if __name__ == "__main__":
    main()
