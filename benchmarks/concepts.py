"""Measure links and common concepts.

Common concepts of tags (with --tags FILTAG's own of the last convolution of VGG16, otherwise the demo's): how many
filters have one that covers at least half of their tags and at most a quarter of the classes, and how many are
coherent, by kinds (IsA), parts (HasA) and materials (MadeOf). These are compared with the same tags shuffled over the
filters, which keeps the number of tags per filter. Also the time and memory for a network of VGG16's size at q = 25 %.

The test of common concepts, simulated on the 200 classes of the demo (Tiny ImageNet): one filter with six dogs of
six among 12,000 filters of six random classes each; and a million filters of six random classes, of which a share of at
most t may have an adjusted p below t, even where t is below what 10,000 draws can resolve. (Above that, the share of
draws has an error of its own, ± 32 % at t = 0.001.)

The test on activations, simulated: ten classes of 50 images, 200 filters with skewed activations, some of which
prefer classes, and the labels of the images shuffled.

What ConceptNet's excerpt adds, by `features.py`: which statements are believed, what filters share by each relation,
for real and for shuffled tags, and how that was judged.

For links see `linking.py`, for doubtful ones `doubt.py`, for ConceptNet's dump `conceptnet.py`. At the end, every
target with its figure.
"""

from __future__ import annotations

import argparse
import platform
import resource
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from conceptnet import LINES, measure_dump
from doubt import measure_doubt
from features import DOCS, measure_features
from inputs import demo_tags, labels_with_senses, names_of
from linking import LINKING_LONG, LINKING_TARGETS, measure_links

from filtag_kg.concepts import (
    MIN_IC,
    Hierarchy,
    activation_test,
    adjusted_p_values,
    build_hierarchy,
    common_concepts,
    link_classes,
    p_values,
    q_values,
    wordnet,
)
from filtag_kg.concepts.families import tested_concepts
from filtag_kg.concepts.random_tags import smallest_p_values
from filtag_kg.demo import demo_profile
from filtag_kg.tags import TagTable, read_filtag_labels

# What is to be reached: at least (≥) or below (<).
TARGETS = {
    **LINKING_TARGETS,
    "half": ("≥", 150, ""),
    "coherent": ("≥", 125, ""),
    "nominal": ("<", 7, " %"),
    "chance": ("<", 1, " %"),
    "planted": ("≥", 100, " %"),
    "random": ("<", 1, " %"),
    "with conceptnet": ("≥", 129, ""),
    "same fish": ("≥", 100, " %"),
    "kinds": ("<", 20, ""),
    "shuffled features": ("<", 1, " %"),
    "filters": ("≥", 65, ""),
    "good": ("≥", 80, " %"),
    "wrong": ("<", 6.1, " %"),
    "good by the second": ("≥", 80, " %"),
    "wrong by the second": ("<", 6.1, " %"),
    "statements": ("<", 1.5, " ×"),
    "build": ("<", 2, " ×"),
    "level": ("<", 5.1, " %"),
    "tail": ("<", 1, " × t"),
    "images": ("<", 5.1, " %"),
    "images q": ("<", 5, " %"),
    "seconds": ("<", 120, " s"),
    "GiB": ("<", 2, " GiB"),
    "lines/s": ("≥", 250_000, ""),
    "MiB": ("<", 400, " MiB"),
    "ms": ("<", 1, " ms"),
}
LONG = {
    **LINKING_LONG,
    "half": "of FILTAG's 219 filters, those with a concept above half of the tags and a quarter of the classes at most",
    "coherent": "those coherent at q < 0.05",
    "nominal": "of shuffled filters, those with nominal p < 0.05 (3 to 7 %)",
    "chance": "those with q < 0.05",
    "planted": "networks of 12,000 filters in which the one planted filter is found, q < 0.05",
    "random": "of the other filters in them, those with q < 0.05",
    "with conceptnet": "the same with ConceptNet beside WordNet",
    "same fish": "filters-by-concept concept=fish answers the same with ConceptNet",
    "kinds": "kinds above a class on average, in both sources together",
    "shuffled features": "of shuffled filters, those that share anything by a relation at q < 0.05, the worst relation",
    "filters": "of FILTAG's 219 filters, those that share a feature that ConceptNet states, q < 0.05",
    "good": "of 100 of these features, judged good",
    "wrong": "judged wrong",
    "good by the second": "judged good by a second reader, who knew neither the first one's judgements nor the rules",
    "wrong by the second": "judged wrong by the second reader",
    "statements": "statements of the KG, as against WordNet alone",
    "build": "time to build it, as against WordNet alone",
    "level": "of filters of six random classes, those with adjusted p < 0.05",
    "tail": "with adjusted p < t, for t of 5e-5, 1e-5 and 5e-6, below what draws can say",
    "images": "of filters and concepts under shuffled images, those with p < 0.05 by the test on activations",
    "images q": "of layers of them, those with any q < 0.05",
    "seconds": "common concepts of a network of VGG16's size",
    "GiB": "memory for it",
    "lines/s": "lines of ConceptNet's dump indexed in a second",
    "MiB": "memory for it",
    "ms": "99 of 100 lookups take at most",
}
CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
VGG16 = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=Path, help="class ids and labels; default: ImageNet's classes, by WordNet")
    parser.add_argument("--gold", type=Path, help="labels with known senses, as doubt.py beside this file reads them")
    parser.add_argument("--tags", type=Path, help="tags as FILTAG's authors write them; default: the demo's")
    parser.add_argument("--shuffles", type=int, default=20)
    parser.add_argument("--networks", type=int, default=10, help="of 12,000 filters")
    parser.add_argument("--subsets", type=int, default=100)
    parser.add_argument("--lines", type=int, default=LINES, help="of the dump that is made")
    parser.add_argument("--folder", type=Path, help="where there is room for 1.5 GB; default: the temporary folder")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    names = names_of(options.names)
    imagenet = labels_with_senses(names)
    fifties = [[imagenet[at] for at in random.choice(len(imagenet), 50, replace=False)] for _ in range(options.subsets)]
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {version('numpy')}\n")
    measure_doubt(imagenet, fifties, options.gold)
    figures = {
        **measure_links(imagenet, options.gold, options.subsets, np.random.default_rng(options.seed)),
        **measure_common_concepts(options.tags, names, options.shuffles, random),
        **measure_features_of(options.tags, names, options.shuffles, random),
        **measure_adjusted_p(options.networks),
        **measure_activation_test(random),
        **measure_vgg16(names, random),
        **measure_dump(options.lines, options.folder, options.seed),
    }
    print("\n| what | target | figure | |\n|---|--:|--:|---|")
    for what, (sign, target, unit) in TARGETS.items():
        if what not in figures:
            continue
        met = figures[what] >= target if sign == "≥" else figures[what] < target
        shown = f"{figures[what]:,.3g}" if figures[what] < 1000 else f"{figures[what]:,.0f}"
        print(f"| {LONG[what]} | {sign} {target:,g}{unit} | {shown}{unit} | {'met' if met else 'missed'} |")


def measure_common_concepts(
    path: Path | None, names: dict[str, str], shuffles: int, random: np.random.Generator
) -> dict[str, float]:
    """Print how many filters have tags with something in common, for real and for shuffled tags."""
    tags = demo_tags() if path is None else read_filtag_labels(path, class_names=names)
    counted = [coherence(tags), *(coherence(shuffled(tags, random)) for _ in range(shuffles))]
    print(
        "\n| tags | in common | filters with several | covers half | p < 0.05 | q < 0.05 |\n|---|---|--:|--:|--:|--:|"
    )
    whose = "the demo's" if path is None else "FILTAG's"
    for relation in counted[0]:
        for name, rows in ((whose, counted[:1]), (f"shuffled, mean of {shuffles}", counted[1:])):
            several, half, nominal, coherent = np.mean([row[relation] for row in rows], axis=0)
            print(
                f"| {name} | {relation} | {several:.0f} | {half:.1f} | {nominal:.1f} ({nominal / several:.1%}) | ",
                end="",
            )
            print(f"{coherent:.2f} ({coherent / several:.2%}) |")
    several, half, _, coherent = counted[0]["IsA"]
    _, _, nominal, by_chance = np.mean([row["IsA"] for row in counted[1:]], axis=0) / several * 100
    figures = {"nominal": nominal, "chance": by_chance}
    # The other targets are those of FILTAG's tags.
    return figures if path is None else {**figures, "half": half, "coherent": coherent}


def measure_features_of(
    path: Path | None, names: dict[str, str], shuffles: int, random: np.random.Generator
) -> dict[str, float]:
    """Print what ConceptNet adds to the tags of the last layer."""
    tags = demo_tags() if path is None else read_filtag_labels(path, class_names=names)
    judged = DOCS / "judged" / f"features-{'demo' if path is None else 'vgg16'}.csv"
    figures = measure_features(tags, shuffles, random, judged=judged)
    # The other targets are those of FILTAG's tags.
    common = ("same fish", "kinds", "shuffled features", "statements", "build")
    return {name: figures[name] for name in common} if path is None else figures


def coherence(tags: TagTable) -> dict[str, tuple[int, int, int, int]]:
    """Return for each relation how many filters have several tags, half of them covered, p < 0.05, and q < 0.05."""
    links = link_classes(tags.class_ids, tags.class_labels, wordnet())
    isa = build_hierarchy(links, wordnet())
    found = common_concepts(tags, links, isa)
    n_tags = np.unique(np.stack([tags.layer, tags.filter, tags.class_])[:2], axis=1, return_counts=True)[1]
    counts = {}
    for relation in ("IsA", *(features.relation for features in isa.features)):
        rows = [row for row in found if row.relation == relation]
        half = {(row.layer, row.filter) for row in rows if row.coverage >= 0.5}
        first = [row for row in rows if row.rank == 1]
        nominal = sum(row.p_adjusted < 0.05 for row in first)
        coherent = sum(row.coherent() for row in first)
        counts[relation] = (int((n_tags >= 2).sum()), len(half), nominal, coherent)
    return counts


def shuffled(tags: TagTable, random: np.random.Generator) -> TagTable:
    """Return the tags with permuted classes; a filter that gets a class twice has one tag fewer."""
    return replace(tags, class_=random.permutation(tags.class_))


def measure_adjusted_p(n_networks: int) -> dict[str, float]:
    """Print how often a planted filter is found among 12,000, and how small the adjusted p of random filters gets."""
    n_filters, n_tags, n_random = 12_000, 6, 1_000_000
    profile = demo_profile()
    links = link_classes(profile.class_ids, profile.class_labels, wordnet())
    isa = build_hierarchy(links, wordnet())
    tested = isa.below[:, tested_concepts(isa.below, MIN_IC)]
    dogs = isa.below[:, [concept.label for concept in isa.concepts].index("dog")].sum()
    planted = np.array([p_values(int(dogs), n_tags, len(tested))[n_tags]])
    found, by_chance = 0, []
    for network in range(n_networks):
        # Not the seeds of the draws that adjusted p-values compare with.
        (p,) = smallest_p_values(tested, [n_tags], p_values, draws=n_filters - 1, seed=1000 + network)
        q = q_values(adjusted_p_values(np.append(planted, p), n_tags, tested, seed=network))
        found += bool(q[0] < 0.05)
        by_chance.append((q[1:] < 0.05).mean())
    print(f"\nsix dogs of six (p = {planted[0]:.1e}) among {n_filters:,} filters: found {found} of {n_networks} times")
    chunks = [
        smallest_p_values(tested, [n_tags], p_values, draws=n_random // 10, seed=2000 + chunk)[0] for chunk in range(10)
    ]
    adjusted = adjusted_p_values(np.concatenate(chunks), n_tags, tested)
    print(f"\n| t | of {n_random:,} random filters, adjusted p < t | share / t |\n|--:|--:|--:|")
    of_level = {}
    for level in (0.05, 0.01, 1e-3, 1e-4, 5e-5, 1e-5, 5e-6):
        below = int((adjusted < level).sum())
        of_level[level] = below / n_random / level
        print(f"| {level:g} | {below:,} | {of_level[level]:.2f} |")
    return {
        "planted": 100 * found / n_networks,
        "random": 100 * float(np.mean(by_chance)),
        "level": 5 * of_level[0.05],
        "tail": max(share for level, share in of_level.items() if level < 1 / 10_001),
    }


def measure_activation_test(random: np.random.Generator) -> dict[str, float]:
    """Print how often the test on activations finds something in images with shuffled labels."""
    links = link_classes(CIFAR, CIFAR, wordnet())
    below = np.unique(build_hierarchy(links, wordnet()).below, axis=1)
    below = below[:, (below.sum(axis=0) >= 2) & (below.sum(axis=0) < len(CIFAR))]
    classes, levels = np.repeat(np.arange(len(CIFAR)), 50), (0.05, 0.01, 0.001)
    shares, found = [], []
    for _ in range(100):
        prefers = random.normal(size=(len(CIFAR), 200))
        images = np.maximum(random.normal(-0.5, 1, size=(len(classes), 200)) + prefers[classes], 0)
        shuffled_classes = random.permutation(classes)
        of = [images[shuffled_classes == class_] for class_ in range(len(CIFAR))]
        mean, variance = np.array([group.mean(axis=0) for group in of]), np.array([group.var(axis=0) for group in of])
        result = activation_test(mean, variance, np.full(len(CIFAR), 50), below)
        shares.append([(result.p < level).mean() for level in levels])
        found.append((result.q < 0.05).any())
    said = ", ".join(
        f"{share:.2%} with p < {level}" for share, level in zip(np.mean(shares, axis=0), levels, strict=True)
    )
    print(
        f"\nactivations of shuffled images, {below.shape[1]} concepts: {said}; q < 0.05 in {sum(found)} of 100 layers"
    )
    return {"images": 100 * float(np.mean(shares, axis=0)[0]), "images q": 100 * float(np.mean(found))}


def measure_vgg16(names: dict[str, str], random: np.random.Generator) -> dict[str, float]:
    """Print the cost of common concepts where filters react to kinds of classes, and to many others."""
    links = link_classes(list(names), list(names.values()), wordnet())
    isa = build_hierarchy(links, wordnet())
    tags = vgg16_tags(names, isa, random)
    n_tags = len(tags)
    start = time.perf_counter()
    found = common_concepts(tags, links, isa)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"\n{sum(VGG16):,} filters, {n_tags:,} tags: {len(found):,} common concepts in {seconds:.0f} s, "
        f"{peak:.1f} GiB\n"
    )
    return {"seconds": seconds, "GiB": peak}


def vgg16_tags(names: dict[str, str], isa: Hierarchy, random: np.random.Generator) -> TagTable:
    """Return the tags of a network of VGG16's size at q = 25 %, from synthetic activations."""
    share = 4
    layers, filters, classes, values = [], [], [], []
    for layer, n_filters in enumerate(VGG16):
        kinds = isa.below @ random.normal(size=(len(isa.concepts), n_filters)) * 0.3
        activation = 1 / (1 + np.exp(-kinds - random.normal(size=kinds.shape) - random.normal(size=n_filters)))
        best = np.argsort(-activation, axis=1)[:, : n_filters // share]
        layers.append(np.full(best.size, layer))
        filters.append(best.ravel())
        values.append(np.take_along_axis(activation, best, axis=1).ravel())
        classes.append(np.repeat(np.arange(len(names)), best.shape[1]))
    n_tags = sum(map(len, layers))
    return TagTable(
        network="vgg16",
        layer_names=tuple(f"conv{layer}" for layer in range(len(VGG16))),
        n_filters=VGG16,
        class_ids=tuple(names),
        class_labels=tuple(names.values()),
        rules=("q=0.25",),
        rule=np.zeros(n_tags, dtype=np.int64),
        layer=np.concatenate(layers),
        filter=np.concatenate(filters),
        class_=np.concatenate(classes),
        rank=np.concatenate([np.tile(np.arange(1, n // share + 1), len(names)) for n in VGG16]),
        activation=np.concatenate(values),
        contrast=random.normal(size=n_tags),
    )


if __name__ == "__main__":
    main()
