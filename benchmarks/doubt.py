"""Measure which links are called doubtful: how many of the wrong ones, and how few of the right ones.

Links are made by label only: for ImageNet's labels, for random fifties of them, and with --gold for other data sets
with known senses, one CSV file each with the columns label and synset (*orange.n.01*: the first sense of *orange*).
Each warning sign is also counted on its own; a link may have several.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from inputs import labels_with_senses, names_of

from filtag_kg.concepts import Link, link_classes, wordnet
from filtag_kg.concepts.links import LEAST_TRUST

SIGNS = ("capitals", "other name", "rare", "alone")
Labels = list[tuple[str, str]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=Path, help="class ids and labels; default: ImageNet's classes, by WordNet")
    parser.add_argument("--gold", type=Path, help="folder of CSV files with the columns label and synset")
    parser.add_argument("--subsets", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    imagenet = labels_with_senses(names_of(options.names))
    fifties = [[imagenet[at] for at in random.choice(len(imagenet), 50, replace=False)] for _ in range(options.subsets)]
    measure_doubt(imagenet, fifties, options.gold)


def measure_doubt(imagenet: Labels, fifties: list[Labels], gold: Path | None) -> None:
    """Print how many wrong and right links of each set of labels are doubtful."""
    print("\n| labels | wrong | doubtful of these | right | doubtful of these | of the doubtful, wrong |")
    print("|---|--:|--:|--:|--:|--:|")
    signs: list[tuple[str, bool]] = []
    sets = {"ImageNet": [imagenet], f"ImageNet, {len(fifties)} random fifties": fifties}
    sets |= {path.stem: [gold_senses(path)] for path in (sorted(gold.glob("*.csv")) if gold is not None else ())}
    for name, labels in sets.items():
        found = [judged for each in labels for judged in judged_links(each)]
        wrong, right = ([link for link, is_right in found if is_right is kind] for kind in (False, True))
        bad, good = (sum(link.doubtful for link in links) for links in (wrong, right))
        print(f"| {name} | {len(wrong)} | {bad} ({bad / len(wrong):.0%}) | {len(right):,} | ", end="")
        print(f"{good} ({good / len(right):.1%}) | {bad / max(bad + good, 1):.0%} |")
        for link, is_right in found:
            unsure = ("unsure",) if link.confidence < LEAST_TRUST else ()
            signs += [(sign, is_right) for sign in (*unsure, *link.signs)]
    print("\n| sign | links that have it | wrong |\n|---|--:|--:|")
    for sign in ("unsure", *SIGNS):
        of = [is_right for each, is_right in signs if each == sign]
        print(f"| {sign} | {len(of)} | {(1 - np.mean(of)) if of else 0:.0%} |")


def gold_senses(path: Path) -> Labels:
    """Return the labels of a file and their concepts, except those that WordNet 3.0 lacks."""
    labels = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            lemma, _, number = row["synset"].rsplit(".", 2)
            senses = wordnet().senses(lemma.replace("_", " "))
            if int(number) <= len(senses):
                labels.append((row["label"], senses[int(number) - 1].concept))
    return labels


def judged_links(labels: Labels) -> list[tuple[Link, bool]]:
    """Return links by label only, each with whether it is right."""
    ids = [f"class {at}" for at in range(len(labels))]
    links = link_classes(ids, [label for label, _ in labels], wordnet())
    meant = dict(zip(ids, (concept for _, concept in labels), strict=True))
    return [(link, link.concept == meant[class_id]) for class_id, link in links.items()]


if __name__ == "__main__":
    main()
