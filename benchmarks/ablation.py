"""Ablate the filters of concepts on test images, and print the tables of docs/how-to/ablation.md.

It needs a KG of a network, and images of the KG's classes that did not make its tags.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

from filtag_kg.explain import AblationOptions, ablate
from filtag_kg.images import open_images
from filtag_kg.kg import Ablation, Change, open_kg
from filtag_kg.profile import recorded_network
from filtag_kg.views import ablation_text, conclusion, load_kg

_MOST_CLASSES = 6


def main() -> None:
    """Ablate the filters of each concept, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kg", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--concept", action="append", required=True)
    parser.add_argument("--rule", action="append", help="by default the KG's first")
    parser.add_argument("--choice", action="append", help="common or tagged; by default common")
    parser.add_argument("--by", action="append", help="zero or mean; by default zero")
    parser.add_argument("--from-layer", help="choose among the filters of this layer and those after it")
    parser.add_argument("--random", type=int, default=19)
    parser.add_argument("--max-images", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    kg = open_kg(options.kg)
    loaded = load_kg(kg)
    network = recorded_network(kg.manifest["inputs"].get("profile", {}), str(kg.path))
    names = [layer.name for layer in network.layers]
    layers = names[names.index(options.from_layer) :] if options.from_layer else ()
    found: list[Ablation] = []
    with open_images(options.images) as images:
        for concept in options.concept:
            for rule in options.rule or [None]:
                for choice in options.choice or ["common"]:
                    for by in options.by or ["zero"]:
                        asked = AblationOptions(
                            rule=rule,
                            choice=choice,
                            layers=layers,
                            by=by,
                            random_sets=options.random,
                            max_images=options.max_images,
                            seed=options.seed,
                            kg_classes=True,
                        )
                        start = time.perf_counter()
                        ablation, notes = ablate(loaded, network, images, concept, asked)
                        seconds = time.perf_counter() - start
                        runs = ablation.images["read"] * (2 + ablation.random_sets)
                        found.append(ablation)
                        print(f"{concept}, {rule}, {choice}, {by}: {runs:,} runs in {seconds:.0f} s", *notes, sep="; ")
                        print(f"{ablation_text(ablation)}\n", flush=True)
    print(f"network  {network.identifier}; {'; '.join(found[0].software)}")
    print(f"images   {found[0].images}")
    print(f"machine  {platform.machine()}, {os.cpu_count()} processors\n")
    rules = {table.run.run_id: table.run.rule for table in loaded.runs.values()}
    print(*summary(found, rules), "", sep="\n")
    for ablation in found:
        print(*classes(ablation), "", sep="\n")


def summary(found: Sequence[Ablation], rules: dict[str, str]) -> list[str]:
    """Return a line for each ablation, in points of confidence."""
    names = ("concept", "rule", "filters", "set to", "its classes", "others", "difference", "random sets", "p", "")
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    for ablation in found:
        difference = ablation.change("difference")
        random = (
            f"{100 * min(difference.random):+.1f} to {100 * max(difference.random):+.1f}" if difference.random else ""
        )
        cells = (
            ablation.label,
            f"`{rules[ablation.run_id]}`",
            f"{len(ablation.filters)}",
            ablation.replacement,
            *(points(ablation.change(scope)) for scope in ("concept", "others", "difference")),
            random,
            f"{difference.p_value:.2g}",
            conclusion(ablation),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def classes(ablation: Ablation) -> list[str]:
    """Return the classes of the concept, and the others that lose most."""
    names = ("class", "images", "accuracy", "confidence", "random sets")
    lines = [
        f"{ablation.label}, set to {ablation.replacement}:",
        "",
        f"| {' | '.join(names)} |",
        f"|{'---|' * len(names)}",
    ]
    of_concept = [row for row in ablation.classes if row.scope == "concept"]
    others = [row for row in ablation.classes if row.scope == "others"][:_MOST_CLASSES]
    for row in (*of_concept, *others):
        cells = (
            row.label if row.scope == "concept" else f"*{row.label}*",
            str(row.images),
            f"{row.accuracy_before:.0%} → {row.accuracy_after:.0%}",
            f"{row.confidence_before:.1%} → {row.confidence_after:.1%}",
            f"{row.confidence_random:.1%}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def points(change: Change) -> str:
    """Return a change in points, with its interval."""
    return f"{100 * change.change:+.1f} ({100 * change.low:+.1f} to {100 * change.high:+.1f})"


if __name__ == "__main__":
    main()
