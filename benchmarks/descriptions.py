"""Measure how descriptions of filters link: which of the concepts that they mention are found, and how many are wrong.

``docs/judged/descriptions.csv`` has every distinct description of two files of MILAN's and the names of textures,
colours and materials, each judged by hand: what it mentions, with the synsets that mean it, and what is right though
nothing needs it (of *the bottom of objects*, *bottom*). Sources: ``milan-imagenet``, MILAN's descriptions of the layer2
of ResNet-18 as lkopf/cosy publishes them; ``milan-places``, of a ResNet-18 trained on Places365, as
Trustworthy-ML-Lab/CLIP-dissect does; ``textures``, the classes of the Describable Textures Dataset; ``colors``, Berlin
and Kay's basic colours.

Without the package's knowledge of descriptions, a label links as a class's does: to one concept::

    python benchmarks/descriptions.py [--wrong]
"""

from __future__ import annotations

import argparse
import csv
import platform
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filtag_kg.concepts import Link, Links, link_classes, linking, wordnet
from filtag_kg.concepts.doubt import concept_text

JUDGED = Path(__file__).resolve().parent.parent / "docs" / "judged" / "descriptions.csv"


@dataclass(frozen=True, slots=True)
class Judged:
    """A description, the units that it was given to, and what it mentions: the right synsets of each, by a name."""

    text: str
    units: int
    mentions: dict[str, set[str]]
    also_right: set[str]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", action="store_true", help="list wrong links and what is missing")
    options = parser.parse_args()
    judged = read_judged(JUDGED)
    print(f"{platform.machine()}, Python {platform.python_version()}\n")
    print("| labels | linked | links | right | mentioned | found | all right | by units |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    known = linking.mentions
    for way in ("as classes", "as descriptions"):
        linking.mentions = known if way == "as descriptions" else lambda _: ()
        for source, rows in judged.items():
            print(figures(f"{source}, {way}", rows, links_of(rows)))
    confidence: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for rows in judged.values():
        links = links_of(rows)
        for row in rows:
            roles = {mention.text: mention.role for mention in linking.mentions(row.text)}
            for link in links.of(row.text):
                confidence[roles.get(link.text, "whole label")].append((link.confidence, is_right(link, row)))
    print("\n| role | links | mean confidence | right |\n|---|--:|--:|--:|")
    for role, pairs in sorted(confidence.items()):
        sure, right = zip(*pairs, strict=True)
        print(f"| {role} | {len(pairs)} | {sum(sure) / len(pairs):.2f} | {sum(right) / len(pairs):.2f} |")
    if options.wrong:
        for source, rows in judged.items():
            for line in mistakes(rows, links_of(rows)):
                print(f"{source}: {line}")


def read_judged(path: Path) -> dict[str, list[Judged]]:
    """Return the judged descriptions by source."""
    judged: dict[str, list[Judged]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            pairs = (mention.split(": ") for mention in row["mentions"].split("; ") if mention)
            mentions = {name: set(offsets.split()) for name, offsets in pairs}
            judged[row["source"]].append(
                Judged(row["description"], int(row["units"]), mentions, set(row["also_right"].split()))
            )
    return judged


def links_of(rows: list[Judged]) -> Links:
    """Return the links of descriptions, by nothing but their texts."""
    texts = [row.text for row in rows]
    return link_classes(texts, texts, wordnet())


def offset(link: Link) -> str:
    """Return the offset of a link's synset."""
    return link.concept.rpartition("/")[2].removesuffix("-n")


def is_right(link: Link, row: Judged) -> bool:
    """Return whether a link leads to what the description mentions."""
    return any(offset(link) in right for right in (row.also_right, *row.mentions.values()))


def missing(row: Judged, links: Links) -> list[str]:
    """Return the names of what a description mentions and no link leads to."""
    found = {offset(link) for link in links.of(row.text)}
    return [name for name, right in row.mentions.items() if found.isdisjoint(right)]


def figures(name: str, rows: list[Judged], links: Links) -> str:
    """Return the row of a table."""
    of_rows = [(row, links.of(row.text), missing(row, links)) for row in rows]
    n_links = sum(len(of_row) for _, of_row, _ in of_rows)
    n_right = sum(is_right(link, row) for row, of_row, _ in of_rows for link in of_row)
    n_mentioned = sum(len(row.mentions) for row in rows)
    n_found = n_mentioned - sum(len(lacking) for *_, lacking in of_rows)
    whole = [row for row, of_row, lacking in of_rows if not lacking and all(is_right(link, row) for link in of_row)]
    of_units = sum(row.units for row in whole) / sum(row.units for row in rows)
    return (
        f"| {name} | {len(links)} of {len(rows)} | {n_links} | {n_right} ({n_right / n_links:.0%}) | {n_mentioned} | "
        f"{n_found} ({n_found / n_mentioned:.0%}) | {len(whole)} ({len(whole) / len(rows):.0%}) | {of_units:.0%} |"
    )


def mistakes(rows: list[Judged], links: Links) -> Iterator[str]:
    """Yield what is wrong with each description that is not all right."""
    for row in rows:
        wrong = [concept_text(link.concept, wordnet()) for link in links.of(row.text) if not is_right(link, row)]
        lacking = missing(row, links)
        if wrong or lacking:
            yield f"{row.text}: wrong {', '.join(wrong) or '–'}; missing {', '.join(lacking) or '–'}"


if __name__ == "__main__":
    main()
