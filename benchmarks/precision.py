"""Compare a network's tags in float16 and bfloat16 with those in float32, on the same images.

By layer: the Jaccard index of the two sets of (filter, class), which is 1 where all tags are the same. Two images per
class are few: means over more images differ less, and so do the tags.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from inputs import made_images

from filtag_kg import Profile, Rule, tag_filters
from filtag_kg.images import open_images
from filtag_kg.network import import_keras, load_network
from filtag_kg.profile import PassOptions, collect

RULES = tuple(
    Rule(kind, value, score) for kind, value in (("k", 1), ("q", 0.05)) for score in ("activation", "contrast")
)


def main() -> None:
    """Run the pass once for each precision, and print the differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="efficientnet-lite0")
    parser.add_argument("--weights", default="imagenet", choices=("imagenet", "none"))
    parser.add_argument("--images", type=Path, help="default: made pictures, which say little of real ones")
    parser.add_argument("--limit", type=int, default=400, help="images, the first of each class; 0: all")
    parser.add_argument("--batch-size", type=int, default=32)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        options.images = options.images or made_images(Path(room), options.limit or 400)
        measure(options)


def measure(options: argparse.Namespace) -> None:
    """Print the differences."""
    profiles, rates = {}, {}
    for precision in ("float32", "float16", "bfloat16"):
        profiles[precision], rates[precision] = measured(options, precision)
    whole = profiles["float32"]
    keras = import_keras()
    print(f"network  {whole.metadata['identifier']}, {len(whole.layer_names)} layers, {whole.mean.shape[1]} filters")
    print(f"input    {options.images.name}, {whole.count.sum()} images of {len(whole.class_ids)} classes")
    print(f"machine  {platform.machine()}, {device()}; python {platform.python_version()}, keras {keras.__version__}")
    backend = whole.metadata["versions"].get("backend_version")
    print(f"backend  {keras.backend.backend()} {backend}, numpy {version('numpy')}")
    for precision in ("float16", "bfloat16"):
        less = profiles[precision]
        print(f"\n{precision}: {rates[precision] / rates['float32']:.2f} of the speed of float32")
        difference = np.abs(less.mean - whole.mean)
        layer = np.searchsorted(whole.layer_offsets, difference.max(axis=0).argmax(), side="right") - 1
        print(f"  means differ by at most {difference.max():.1e} ({whole.layer_names[layer]}), ", end="")
        print(f"by {np.quantile(difference, 0.99):.1e} for 99 %, in the middle by {np.median(difference):.1e}")
        print("  tags that stay (Jaccard)      mean   worst layer")
        for rule in RULES:
            shares = agreement(whole, less, rule)
            worst = min(shares, key=lambda layer: shares[layer])
            mean = sum(shares.values()) / len(shares)
            print(f"  {rule!s:<28} {mean:6.3f}  {shares[worst]:6.3f} ({worst})")


def measured(options: argparse.Namespace, precision: str) -> tuple[Profile, float]:
    """Return the profile, and the images per second after the first batch."""
    weights = None if options.weights == "none" else options.weights
    network = load_network(options.network, weights=weights, precision=precision)
    ticks: list[tuple[float, int]] = []
    with open_images(options.images) as images:
        if options.limit:
            per_class = -(-options.limit // len(images.classes))
            by_class = {class_id: [x for x in images.images if x.class_id == class_id] for class_id in images.classes}
            images = images.only([image for of_class in by_class.values() for image in of_class[:per_class]])
        profile = collect(
            network,
            images,
            PassOptions(batch_size=options.batch_size, keep_going=True),
            progress=lambda done, _: ticks.append((time.perf_counter(), done)),
        )
    (first, n_first), (last, n_last) = ticks[0], ticks[-1]
    return profile, (n_last - n_first) / (last - first)


def agreement(one: Profile, other: Profile, rule: Rule) -> dict[str, float]:
    """Return for each layer the Jaccard index of the tags of two profiles."""
    sets = []
    for profile in (one, other):
        tags = tag_filters(profile, [rule], network="network")
        by_layer: list[set[tuple[int, int]]] = [set() for _ in profile.layer_names]
        for layer, filter_, class_ in zip(tags.layer, tags.filter, tags.class_, strict=True):
            by_layer[layer].add((int(filter_), int(class_)))
        sets.append(by_layer)
    return {
        name: len(before & after) / len(before | after)
        for name, before, after in zip(one.layer_names, *sets, strict=True)
    }


def device() -> str:
    """Return what the network runs on."""
    keras = import_keras()
    return ", ".join(keras.distribution.list_devices()) or "cpu"


if __name__ == "__main__":
    main()
