"""Compare what runs, methods and networks say of the filters of EfficientNet-Lite0.

The figures of docs/how-to/comparing.md.

FILTAG by activation and by contrast, INVERT's labels of one concept (Bykov et al. 2023: of all classes and the WordNet
concepts above them, the one whose images tell themselves from the others best by the filter's activation, by AUC), and
the same network with random weights:

    python benchmarks/comparing.py --images train.tar --room /tmp/comparing --labels labels/

What is in the room already is not made again. INVERT's labels come from the first --per-class images of each class.
With --labels it also compares what four methods say of ResNet-18's layer2: CLIP-Dissect, INVERT, MILAN and FALCON, as
CoSy (https://github.com/lkopf/cosy) publishes their labels, in files METHOD-resnet18-layer2.csv.
"""

from __future__ import annotations

import argparse
import csv
import logging
import platform
from contextlib import closing
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from filtag_kg.concepts import build_hierarchy, link_classes, wordnet
from filtag_kg.images import open_images
from filtag_kg.jobs import build_from_profile, import_labels, profile
from filtag_kg.kg import open_kg, runs_of
from filtag_kg.network import Network, load_network
from filtag_kg.profile import load_profile, observations
from filtag_kg.report import compare_runs
from filtag_kg.tags import Rule
from filtag_kg.views import LoadedKg, load_kg

RULES = (Rule("k", 1), Rule("k", 1, "contrast"))
# INVERT's own bound: a concept that holds of more says little.
MOST_IMAGES = 0.35
NETWORK = "efficientnet-lite0"
METHODS = ("clip-dissect", "invert", "milan", "falcon")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True, help="the training images, a folder or archive")
    parser.add_argument("--room", type=Path, required=True, help="a folder for profiles and KGs")
    parser.add_argument("--per-class", type=int, default=20, help="images of each class for INVERT's labels")
    parser.add_argument("--labels", type=Path, help="a folder with labels of ResNet-18's layer2")
    options = parser.parse_args()
    logging.getLogger("filtag_kg").setLevel(logging.ERROR)
    options.room.mkdir(parents=True, exist_ok=True)
    trained = built(options.room, options.images, "trained")
    random = built(options.room, options.images, "random")
    if "invert" not in {run.rule for run in runs_of(open_kg(trained))}:
        labels = options.room / "invert.csv"
        if not labels.exists():
            write_invert_labels(labels, options.images, options.per_class)
        import_labels([labels], into=trained, name="invert")
    print(f"{platform.machine()}, Python {platform.python_version()}")
    a, b = load_kg(open_kg(trained)), load_kg(open_kg(random))
    for one, other in (("k=1", "k=1:contrast"), ("k=1", "invert"), ("k=1:contrast", "invert")):
        print_agreement(f"{one} and {other}", a, a, one, other)
    print_agreement("trained and random weights, k=1:contrast", a, b, "k=1:contrast", "k=1:contrast")
    if options.labels is not None:
        published = load_kg(open_kg(of_resnet18(options.room, options.labels)))
        for one, other in combinations(METHODS, 2):
            print_agreement(f"ResNet-18, layer2: {one} and {other}", published, published, one, other)


def built(room: Path, images: Path, weights: str) -> Path:
    """Return the KG of the network with these weights, made if it is not there."""
    path, saved = room / f"{weights}-kg", room / f"{weights}.npz"
    if not path.exists():
        if not saved.exists():
            profile(NETWORK, images, output=saved, weights=weights)
        with open_images(images) as opened:
            build_from_profile(load_profile(saved), RULES, path, images=opened)
    return path


def of_resnet18(room: Path, labels: Path) -> Path:
    """Return the KG of four methods' labels of ResNet-18's layer2, made if it is not there."""
    path = room / "resnet18-kg"
    if not path.exists():
        for index, method in enumerate(METHODS):
            file = labels / f"{method}-resnet18-layer2.csv"
            layer = "layer2" if method in ("invert", "falcon") else ()
            import_labels(file, into=path if index else None, output=None if index else path, layer=layer)
    return path


def write_invert_labels(path: Path, images: Path, per_class: int) -> None:
    """Write INVERT's label of each filter as plain CSV: layer, filter, label, class id, AUC."""
    network = load_network(NETWORK)
    activations, classes, class_ids = observed(network, images, per_class)
    source = wordnet()
    links = link_classes(class_ids, [source.concept(source.of_class(c) or "").label for c in class_ids], source)
    isa = build_hierarchy(links, source)
    positives = isa.below[classes].T
    share = positives.mean(axis=1)
    kept = np.flatnonzero((share > 0) & (share <= MOST_IMAGES))
    auc = areas(activations, positives[kept])
    best = auc.argmax(axis=0)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["layer", "filter", "label", "class_id", "score"])
        column = 0
        for layer in network.layers:
            for filter_ in range(layer.n_filters):
                concept = isa.concepts[int(kept[best[column]])]
                identifier = concept.id.rpartition("/")[2].removesuffix("-n")
                score = f"{auc[best[column], column]:.4f}"
                if np.ptp(activations[:, column]) > 0:
                    writer.writerow([layer.name, filter_, concept.label, f"n{identifier}", score])
                column += 1


def observed(
    network: Network, images: Path, per_class: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], list[str]]:
    """Return the activations of the first images of each class, their classes, and the class ids."""
    with open_images(images) as opened:
        class_ids = sorted(opened.classes)
        chosen = [
            image
            for class_id in class_ids
            for image in [x for x in opened.images if x.class_id == class_id][:per_class]
        ]
        parts, classes = [], []
        with closing(observations(network, opened, only=chosen)) as stream:
            for batch in stream:
                parts.append(batch.activations.astype(np.float32))
                classes += [class_ids.index(image.class_id) for image in batch.images]
    return np.concatenate(parts), np.array(classes), class_ids


def areas(activations: NDArray[np.float32], positives: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the area under the ROC curve of each concept and filter, shape (n_concepts, n_filters)."""
    n_positive = positives.sum(axis=1, keepdims=True).astype(np.float64)
    n_negative = positives.shape[1] - n_positive
    area = np.empty((len(positives), activations.shape[1]))
    for start in range(0, activations.shape[1], 512):
        part = slice(start, start + 512)
        ranks = rankdata(activations[:, part], axis=0)
        area[:, part] = (positives @ ranks - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)
    return area


def print_agreement(title: str, a: LoadedKg, b: LoadedKg, rule_a: str, rule_b: str) -> None:
    """Print what two runs agree on."""
    agreed = compare_runs(a, b, rule_a=rule_a, rule_b=rule_b)
    print(f"\n{title}")
    for row in dict.fromkeys([*agreed.labels[:1], *agreed.labels[-3:]]):
        beyond = row.beyond
        tested = (
            "-"
            if beyond is None
            else (f"beyond chance {beyond.value:.2f} ({beyond.low:.2f} to {beyond.high:.2f}), p {beyond.p_value:.3g}")
        )
        levels = ", ".join(
            f"{name} {each.share.value:.0%} (chance {each.expected:.0%})"
            for name, each in (("equal", row.equal), ("same kind", row.same_kind), ("near", row.near))
        )
        print(f"  {row.layer or 'all layers'}: {row.filters} filters, {levels}, {tested}")
    for difference in agreed.coherent[:1]:
        counts = " and ".join(f"{share.count} of {share.total}" for share in (difference.a, difference.b))
        interval = f"{difference.low:+.3f} to {difference.high:+.3f}, p {difference.p_value:.2g}"
        print(f"  coherent: {counts}, difference {interval}")


if __name__ == "__main__":
    main()
