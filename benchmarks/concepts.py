"""Measure the links of labels alone: how many are right, how sure they are, how little the constants matter.

Three sets of labels, all without the ids that would tell:

- the 1,000 labels of ImageNet, of which the constants were chosen;
- random subsets of 50 of them, as a smaller network would have;
- names of random WordNet concepts that are physical things and that its corpus counts, none of them ImageNet's: nothing
  was chosen by these.

Right is the exact sense; near is that or one that shares a parent with it. The first sense is the one that WordNet
lists first, the most frequent one.
"""

from __future__ import annotations

import argparse
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from filtag_kg.concepts import Links, class_names, link_classes, sense_choice, wordnet

NAMES = Path(__file__).resolve().parents[2] / "shared" / "data" / "filtag-vgg16" / "wnid-names.txt"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=Path, default=NAMES, help="class ids (WordNet's) and labels")
    parser.add_argument("--subsets", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    names = class_names(options.names)
    meant = {label_id: wordnet().of_class(label_id) or "" for label_id in names}
    imagenet = [(label.replace("_", " "), meant[label_id]) for label_id, label in names.items()]
    fifties = [[imagenet[at] for at in random.choice(len(imagenet), 50, replace=False)] for _ in range(options.subsets)]
    others = other_labels(set(meant.values()), random)
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {version('numpy')}\n")

    print("| labels | classes | first sense | right | right or near |\n|---|--:|--:|--:|--:|")
    print(row("ImageNet", [imagenet]))
    print(row(f"ImageNet, {options.subsets} random fifties", fifties))
    print(row("other physical things", [others]))
    print(row(f"other physical things, {options.subsets} fifties", [pick(others, 50, random) for _ in fifties]))

    print("\n| confidence | ImageNet, links | mean confidence | right | fifties, links | mean confidence | right |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    whole, parts = judged([imagenet]), judged(fifties)
    for low, high in ((0, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1), (1, 1.1)):
        told = [reliability(of, low, high) for of in (whole, parts)]
        print(f"| {'1' if low == 1 else f'{low}–{high}'} | {' | '.join(told)} |")
    print(f"\nexpected calibration error: {calibration_error(whole):.3f} and {calibration_error(parts):.3f}")

    print("\n| constant | from | to | least right of ImageNet | most |\n|---|--:|--:|--:|--:|")
    for constant, values in (
        ("_PREVALENCE", (0.2, 0.25, 0.4, 0.5)),
        ("_PREFERRED", (1.0, 1.5, 3.0)),
        ("_SPELLED", (1.0, 3.0)),
        ("_MIN_IC", (np.log(2), np.log(8))),
        ("_LEAST_APART", (0.01, 0.2)),
    ):
        chosen = getattr(sense_choice, constant)
        found = []
        for value in values:
            setattr(sense_choice, constant, value)
            found.append(judged([imagenet])[1].mean())
        setattr(sense_choice, constant, chosen)
        print(f"| {constant} | {values[0]:.2g} | {values[-1]:.2g} | {min(found):.1%} | {max(found):.1%} |")

    start = time.perf_counter()
    link([label for label, _ in imagenet])
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    for label, _ in imagenet:
        wordnet().senses(label)
    print(
        f"\n1,000 labels are linked in {seconds:.2f} s, {seconds / (time.perf_counter() - start):.0f} × looking them up"
    )


def other_labels(known: set[str], random: np.random.Generator) -> list[tuple[str, str]]:
    """Return 1,000 names of physical things with what they mean, any of a concept's names that its corpus counts."""
    (physical,) = (sense.concept for sense in wordnet().senses("physical entity"))
    found: list[tuple[str, str]] = []
    waiting, seen = [physical], {physical}
    while waiting:
        concept = waiting.pop()
        for edge in wordnet().edges(concept, "IsA", incoming=True):
            if edge.start not in seen:
                seen.add(edge.start)
                waiting.append(edge.start)
        if concept in known:
            continue
        of = wordnet().concept(concept)
        found += [
            (name, concept)
            for name in (of.label, *of.alt_labels)
            if any(sense.concept == concept and sense.count for sense in wordnet().senses(name))
        ]
    return pick(sorted(found), 1000, random)


def pick(labels: list[tuple[str, str]], n: int, random: np.random.Generator) -> list[tuple[str, str]]:
    """Return n of the labels, drawn at random."""
    return [labels[at] for at in random.choice(len(labels), n, replace=False)]


def link(labels: list[str]) -> Links:
    """Return the links of labels alone."""
    return link_classes([f"class {at}" for at in range(len(labels))], labels, wordnet())


def judged(sets: list[list[tuple[str, str]]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return of all links of all sets the confidence, and whether they are right, and right or near."""
    rows = []
    for labels in sets:
        links = link([label for label, _ in labels])
        for at, (_, meant) in enumerate(labels):
            found = links.get(f"class {at}")
            right = found is not None and found.concept == meant
            near = right or (found is not None and bool(parents(found.concept) & parents(meant)))
            rows.append((found.confidence if found else 0.0, right, near))
    confidence, right, near = np.array(rows, dtype=float).T
    return confidence, right, near


def parents(concept: str) -> set[str]:
    """Return what lies directly above a concept."""
    return {edge.end for edge in wordnet().edges(concept, "IsA")}


def row(name: str, sets: list[list[tuple[str, str]]]) -> str:
    """Return a row of the table of labels."""
    _, right, near = judged(sets)
    first = [(wordnet().senses(label) or [None])[0] for labels in sets for label, _ in labels]
    meant = [concept for labels in sets for _, concept in labels]
    baseline = np.mean([s is not None and s.concept == concept for s, concept in zip(first, meant, strict=True)])
    return f"| {name} | {len(sets[0]):,} | {baseline:.1%} | {right.mean():.1%} | {near.mean():.1%} |"


def reliability(of: tuple[np.ndarray, np.ndarray, np.ndarray], low: float, high: float) -> str:
    """Return how many links have such a confidence, its mean, and how many of them are right."""
    confidence, right, _ = of
    within = (confidence >= low) & (confidence < high)
    if not within.any():
        return "0 | – | –"
    return f"{within.sum():,} | {confidence[within].mean():.2f} | {right[within].mean():.2f}"


def calibration_error(of: tuple[np.ndarray, np.ndarray, np.ndarray]) -> float:
    """Return the mean difference between confidence and share right over ten bins, by their numbers of links."""
    confidence, right, _ = of
    bins = np.minimum((confidence * 10).astype(int), 9)
    gaps = [abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)]
    return float(sum(gaps))


if __name__ == "__main__":
    main()
