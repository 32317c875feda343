"""Measure links by label alone: how many are right, and how well calibrated their confidence is.

Labels whose meaning is known, without the ids that would tell: ImageNet's 1,000, and with --gold those of other data
sets, one CSV file each with the columns label and synset (*orange.n.01*: the first sense of *orange*). The labels of a
file are linked together, as the classes of one network, and as random fifties of them, as a smaller network would have.
The weights and certainties were set on one half of each file (labels whose SHA-256 is even); the other half tells how
good they are. Also measured: names of random WordNet concepts that are physical things and occur in its corpus, none of
them ImageNet's, on which nothing was set.

*Right* is the exact sense, *near* that or a sense that shares a parent with it, *possible* the labels whose sense is
among those that are considered at all. The first sense is the one that WordNet lists first, the most frequent one. The
calibration error is the expected one over ten bins of confidence.

With --fit the weights are fitted and printed; with --wrong every wrong link is.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from doubt import Labels, gold_senses
from inputs import labels_with_senses, names_of
from scipy.optimize import minimize

from filtag_kg.concepts import Link, link_classes, linking, sense_choice, wordnet
from filtag_kg.concepts.doubt import concept_text

LINKING_TARGETS = {
    "ImageNet": ("≥", 96, " %"),
    "ImageNet, fifties": ("≥", 93, " %"),
    "coco": ("≥", 93, " %"),
    "igibson": ("≥", 92, " %"),
    "lvis-half": ("≥", 91, " %"),
    "calibration": ("<", 0.05, ""),
}
"""What is to be reached: at least (≥) or below (<)."""
LINKING_LONG = {
    "ImageNet": "ImageNet's labels alone linked to the exact sense",
    "ImageNet, fifties": "random fifties of them",
    "coco": "COCO's labels",
    "igibson": "iGibson's labels",
    "lvis-half": "half of LVIS's labels",
    "calibration": "the largest calibration error of these files",
}
BINS = ((0, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 0.975), (0.975, 1))
_SMALL = 50
_RIDGE = 0.03
_ROUNDS = 8


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=Path, help="class ids and labels; default: ImageNet's classes, by WordNet")
    parser.add_argument("--gold", type=Path, help="folder of CSV files with the columns label and synset")
    parser.add_argument("--subsets", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fit", action="store_true", help="fit the weights")
    parser.add_argument("--wrong", action="store_true", help="list the wrong links")
    options = parser.parse_args()
    imagenet = labels_with_senses(names_of(options.names))
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {version('numpy')}\n")
    if options.fit:
        fit(all_labels(imagenet, options.gold), np.random.default_rng(options.seed))
        return
    figures = measure_links(imagenet, options.gold, options.subsets, np.random.default_rng(options.seed))
    print("\n| what | target | figure | |\n|---|--:|--:|---|")
    for what, (sign, target, unit) in LINKING_TARGETS.items():
        if what in figures:
            met = figures[what] >= target if sign == "≥" else figures[what] < target
            shown = f"{figures[what]:.3g}{unit} | {'met' if met else 'missed'}"
            print(f"| {LINKING_LONG[what]} | {sign} {target:g}{unit} | {shown} |")
    if options.wrong:
        list_wrong(all_labels(imagenet, options.gold))


def measure_links(imagenet: Labels, gold: Path | None, n_subsets: int, random: np.random.Generator) -> dict[str, float]:
    """Print how many links are right, how good their confidence is, and how much the weights matter."""
    sets = all_labels(imagenet, gold)
    others = other_labels({concept for _, concept in imagenet}, random)
    print("| labels | classes | first sense | possible | tuned half | other half | all | near | calibration error |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    figures, errors = {}, []
    judged_sets = {}
    for name, labels in (sets | {"other physical things": others}).items():
        small = [pick(labels, _SMALL, random) for _ in range(n_subsets)]
        for title, networks in ((name, [labels]), (f"{name}, {n_subsets} random fifties", small)):
            found = judged_sets[title] = Judged(networks)
            print(found.row(title, halves=name in sets))
            if name in sets:
                figures[title.replace(f", {n_subsets} random", ",")] = 100 * found.right.mean()
        if name in sets:
            errors.append(judged_sets[name].calibration_error())
    figures["calibration"] = max(errors)

    shown = [judged_sets[name] for name in sets]
    print(f"\n| confidence |{'|'.join(f' {name}, links | mean | right ' for name in sets)}|")
    print(f"|---|{'--:|' * 3 * len(sets)}")
    for low, high in BINS:
        print(f"| {low}–{high} | {' | '.join(found.reliability(low, high) for found in shown)} |")

    print("\n| weight | value | right of all labels, halved | doubled |\n|---|--:|--:|--:|")
    everything = list(sets.values())
    for term, value in list(sense_choice.WEIGHTS.items()):
        right = []
        for factor in (0.5, 2):
            sense_choice.WEIGHTS[term] = value * factor
            right.append(Judged(everything).right.mean())
        sense_choice.WEIGHTS[term] = value
        print(f"| {term} | {value:g} | {right[0]:.1%} | {right[1]:.1%} |")
    print(f"| as they are | | {Judged(everything).right.mean():.1%} | |")

    start = time.perf_counter()
    link([label for label, _ in imagenet])
    print(f"\nImageNet's labels are linked in {time.perf_counter() - start:.2f} s")
    return figures


def all_labels(imagenet: Labels, gold: Path | None) -> dict[str, Labels]:
    """Return the labels of every file and of ImageNet with their concepts."""
    paths = sorted(gold.glob("*.csv")) if gold is not None else []
    return {"ImageNet": imagenet} | {path.stem: gold_senses(path) for path in paths}


def is_tuned(label: str) -> bool:
    """Return whether a label belongs to the half on which weights and certainties were set."""
    return hashlib.sha256(label.encode()).digest()[0] % 2 == 0


class Judged:
    """Links of the labels of several networks, and whether they are right."""

    def __init__(self, networks: list[Labels]) -> None:
        self.n_classes = len(networks[0])
        rows = []
        for labels in networks:
            links = link([label for label, _ in labels])
            for (label, meant), each in zip(labels, links, strict=True):
                right = each is not None and each.concept == meant
                near = right or (each is not None and bool(parents(each.concept) & parents(meant)))
                considered = () if each is None else (each.concept, *(other for other, _ in each.others))
                first = (wordnet().senses(label) or [None])[0]
                is_first = first is not None and first.concept == meant
                confidence = each.confidence if each is not None else 0
                rows.append((confidence, right, near, meant in considered, is_first, is_tuned(label)))
        self.confidence, right, near, possible, first, tuned = np.array(rows, dtype=np.float64).T
        self.right, self.tuned = right.astype(bool), tuned.astype(bool)
        self.near, self.possible, self.first = near.mean(), possible.mean(), first.mean()

    def row(self, name: str, *, halves: bool) -> str:
        """Return the row of a table."""
        tuned, other = (f"{self.right[half].mean():.1%}" if halves else "–" for half in (self.tuned, ~self.tuned))
        return (
            f"| {name} | {self.n_classes:,} | {self.first:.1%} | {self.possible:.1%} | {tuned} | {other} | "
            f"{self.right.mean():.1%} | {self.near:.1%} | {self.calibration_error():.3f} |"
        )

    def calibration_error(self) -> float:
        """Return the mean difference of confidence and share right over ten bins, by their numbers of links."""
        bins = np.minimum((self.confidence * 10).astype(int), 9)
        gaps = [
            abs(self.confidence[bins == each].mean() - self.right[bins == each].mean()) * (bins == each).mean()
            for each in np.unique(bins)
        ]
        return float(sum(gaps))

    def reliability(self, low: float, high: float) -> str:
        """Return how many links have a confidence in an interval, its mean, and the share that is right."""
        within = (self.confidence >= low) & (self.confidence < high)
        if not within.any():
            return "0 | – | –"
        return f"{within.sum():,} | {self.confidence[within].mean():.2f} | {self.right[within].mean():.2f}"


def link(labels: list[str]) -> list[Link | None]:
    """Return the link of each label, by nothing but the labels."""
    ids = [f"class {index}" for index in range(len(labels))]
    links = link_classes(ids, labels, wordnet())
    return [links.get(class_id) for class_id in ids]


def parents(concept: str) -> set[str]:
    """Return the concepts directly above a concept."""
    return {edge.end for edge in wordnet().edges(concept, "IsA")}


def pick(labels: Labels, n: int, random: np.random.Generator) -> Labels:
    """Return n random labels."""
    return [labels[index] for index in random.choice(len(labels), n, replace=False)]


def other_labels(known: set[str], random: np.random.Generator) -> Labels:
    """Return 1,000 names of physical things with their meaning; any name that WordNet's corpus counts."""
    (physical,) = (sense.concept for sense in wordnet().senses("physical entity"))
    found: Labels = []
    waiting, seen = [physical], {physical}
    while waiting:
        concept = waiting.pop()
        for edge in wordnet().edges(concept, "IsA", incoming=True):
            if edge.start not in seen:
                seen.add(edge.start)
                waiting.append(edge.start)
        if concept in known:
            continue
        thing = wordnet().concept(concept)
        found += [
            (name, concept)
            for name in (thing.label, *thing.alt_labels)
            if any(sense.concept == concept and sense.count for sense in wordnet().senses(name))
        ]
    return pick(sorted(found), 1000, random)


def list_wrong(sets: dict[str, Labels]) -> None:
    """Print every wrong link."""
    print("\n| labels | half | label | linked to | confidence | meant |\n|---|---|---|---|--:|---|")
    for name, labels in sets.items():
        for (label, meant), each in zip(labels, link([label for label, _ in labels]), strict=True):
            if each is not None and each.concept == meant:
                continue
            linked, confidence = ("–", 0) if each is None else (concept_text(each.concept, wordnet()), each.confidence)
            half = "tuned" if is_tuned(label) else "other"
            print(f"| {name} | {half} | {label} | {linked} | {confidence:.2f} | {concept_text(meant, wordnet())} |")


def fit(sets: dict[str, Labels], random: np.random.Generator) -> None:
    """Print the weights that make the known senses of the tuned halves most probable.

    Thirty random fifties of each file together count as much as the whole file. As the terms depend on how probable
    the senses of other labels are, they are computed anew with each estimate.
    """
    networks = [(labels, 1.0) for labels in sets.values()]
    networks += [(pick(labels, _SMALL, random), 1 / 30) for labels in sets.values() for _ in range(30)]
    prepared = []
    for labels, weight in networks:
        words = [linking.word_of(label, wordnet()) for label, _ in labels]
        network = sense_choice.SenseTerms(words, wordnet())
        is_meant = np.array(
            [sense.concept == meant for word, (_, meant) in zip(words, labels, strict=True) for sense in word.senses]
        )
        known = np.bincount(network.word, is_meant, len(words)) > 0
        tuned = known & [is_tuned(label) for label, _ in labels]
        prepared.append((network, is_meant, tuned[network.word], weight))
    weights = np.array(list(sense_choice.WEIGHTS.values()))
    for _ in range(_ROUNDS):
        sense_choice.WEIGHTS.update(zip(sense_choice.WEIGHTS, weights.tolist(), strict=True))
        data = []
        for network, is_meant, tuned, weight in prepared:
            probable = network.probabilities()
            terms = np.concatenate([network.of_the_word, network.of_the_network(probable)], axis=1)
            data.append((terms[tuned], network.word[tuned], is_meant[tuned], weight))
        weights = (weights + most_probable(data, weights)) / 2
    print("| term | weight |\n|---|--:|")
    for term, value in zip(sense_choice.WEIGHTS, weights, strict=True):
        print(f"| {term} | {value:.2f} |")


def most_probable(data: list[tuple[np.ndarray, np.ndarray, np.ndarray, float]], weights: np.ndarray) -> np.ndarray:
    """Return the weights of a multinomial logistic regression with a ridge."""

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = _RIDGE * float(weights @ weights), 2 * _RIDGE * weights
        for terms, word, is_meant, weight in data:
            probable = sense_choice.normalised(terms @ weights, word)
            value -= weight * float(np.log(probable[is_meant]).sum())
            gradient = gradient - weight * (terms[is_meant].sum(axis=0) - probable @ terms)
        return value, gradient

    return np.asarray(minimize(loss, weights, jac=True).x)


if __name__ == "__main__":
    main()
