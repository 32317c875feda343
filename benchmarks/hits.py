"""Compute Hits@n of a network on test images by both scores, and print the tables of docs/explanation/evaluation.md.

It needs a profile that filtag profile made from training images, and test images of the same classes.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from filtag_kg.explain import Evaluation, HitsRow, evaluate, hits_rows
from filtag_kg.images import open_images
from filtag_kg.network import load_network
from filtag_kg.profile import load_profile
from filtag_kg.report.plots import hits_plot
from filtag_kg.tags import LayerDistribution, Rule, tag_distribution, tag_filters

SHOWN = (1, 5, 10, 20, 50, 100)
MORE = (30, 40, 60, 70, 80, 90)
RULES = [
    *(Rule("k", k, score) for score in ("activation", "contrast") for k in (1, 2, 5, 10, 25)),
    *(Rule("q", q, score) for score in ("activation", "contrast") for q in (0.05, 0.1, 0.25)),
]


def main() -> None:
    """Pass the images through the network once, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", type=Path, required=True, help="of filtag profile, over the training images")
    parser.add_argument("--images", type=Path, required=True, help="test images")
    parser.add_argument("--network", default="efficientnet-lite0")
    parser.add_argument("--permutations", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", type=Path, help="where to put the plot, as SVG")
    options = parser.parse_args()
    profile = load_profile(options.profile)
    # Those of one score stand together, k before q.
    rules = sorted(RULES, key=lambda rule: (rule.score, rule.kind, rule.amount))
    start = time.perf_counter()
    with open_images(options.images) as images:
        network = load_network(options.network, layers=profile.metadata["layers_option"])
        found = evaluate(
            profile,
            network,
            images,
            rules,
            (*SHOWN, *MORE),
            permutations=options.permutations,
            seed=options.seed,
        )
        input_ = f"{images.path.name}, {found.hits.images.sum():,} images of {len(images.classes)} classes"
    seconds = time.perf_counter() - start
    distribution = tag_distribution(tag_filters(profile, rules, network=network.identifier))
    made_of = profile.metadata["images"]
    print(f"network  {network.identifier}, {len(network.layers)} layers, {network.n_filters:,} filters")
    print(f"profile  {made_of['source']}, {made_of['read']:,} images of {len(profile.class_ids)} classes")
    print(f"images   {input_}; {'; '.join(found.notes) or 'no notes'}")
    print(f"machine  {platform.machine()}, {os.cpu_count()} processors; {versions()}")
    print(f"interval {widest(found)}")
    print(f"time     {seconds:.0f} s, {options.permutations} permutations, seed {options.seed}\n")
    for lines in (hits_table(found), correlation_table(found), last_layer(distribution), every_layer(distribution)):
        print(*lines, "", sep="\n")
    plot = hits_plot(list(hits_rows(found)))
    if options.plot and plot is not None:
        options.plot.write_text(plot.page_svg(), encoding="utf-8")


def widest(found: Evaluation) -> str:
    """Return how far an interval of Hits@n reaches from its figure at most."""
    reach = max(
        max(row.hits - row.hits_low, row.hits_high - row.hits)
        for row in hits_rows(found)
        if row.hits_low is not None and row.hits_high is not None
    )
    return f"95 %, at most {100 * reach:.2f} points from a figure"


def hits_table(found: Evaluation) -> Iterator[str]:
    """Yield Hits@n in per cent, with the null in parentheses."""
    yield f"Top-1 accuracy of the network: {found.top1:.1%}.\n"
    yield from header("rule", "layers", *(f"n={n}" for n in SHOWN))
    for rule, layers, line in by_line(found):
        cells = (f"{100 * row.hits:.1f} ({100 * (row.null or 0):.1f})" for row in line)
        yield f"| `{rule}` | {layers} | {' | '.join(cells)} |"


def correlation_table(found: Evaluation) -> Iterator[str]:
    """Yield Spearman's ρ with its interval, for the first three n."""
    yield from header("rule", "layers", *(f"n={n}" for n in SHOWN[:3]))
    for rule, layers, line in by_line(found):
        cells = (f"{row.rho:.2f} ({row.rho_low:.2f} to {row.rho_high:.2f})" for row in line[:3])
        yield f"| `{rule}` | {layers} | {' | '.join(cells)} |"


def last_layer(distribution: Sequence[LayerDistribution]) -> Iterator[str]:
    """Yield how tags are distributed over the last layer, for every rule."""
    yield from header("rule", "tagged", "median", "most", "hubs", "their tags", "Gini", "at least")
    last = distribution[-1].layer_index
    yield from (f"| `{row.rule}` | {cells(row)} |" for row in distribution if row.layer_index == last)


def every_layer(distribution: Sequence[LayerDistribution]) -> Iterator[str]:
    """Yield how the tags of k = 1 are distributed over each layer, by both scores."""
    names = ("tagged", "most", "hubs", "Gini")
    yield from header(
        "layer", "filters", *(f"{name}, {score}" for score in ("activation", "contrast") for name in names)
    )
    by_rule = {rule: [row for row in distribution if row.rule == rule] for rule in ("k=1", "k=1:contrast")}
    for pair in zip(*by_rule.values(), strict=True):
        found = (f"{row.tagged} | {row.max} | {row.hubs} | {row.gini:.2f}" for row in pair)
        yield f"| {pair[0].layer} | {pair[0].filters} | {' | '.join(found)} |"


def cells(row: LayerDistribution) -> str:
    """Return a layer's figures."""
    shares = f"{row.hub_share:.0%} | {row.gini:.2f} | {row.least_gini:.2f}"
    return f"{row.tagged:,} | {row.median:g} | {row.max} | {row.hubs} | {shares}"


def by_line(found: Evaluation) -> Iterator[tuple[str, str, list[HitsRow]]]:
    """Yield rule, layers and the rows of each n in the table."""
    lines: dict[tuple[str, str], list[HitsRow]] = {}
    for row in hits_rows(found):
        if row.n in SHOWN:
            lines.setdefault((row.rule, row.layers), []).append(row)
    for (rule, layers), line in lines.items():
        yield rule, layers, line


def header(*names: str) -> Iterator[str]:
    """Yield the first two lines of a Markdown table."""
    yield f"| {' | '.join(names)} |"
    yield "|" + "---|" * len(names)


def versions() -> dict[str, str]:
    """Return the versions that a figure depends on."""
    import keras
    import tensorflow as tf

    return {"python": platform.python_version(), "keras": keras.__version__, "tensorflow": tf.__version__} | {
        name: version(name) for name in ("numpy", "scipy", "pillow")
    }


if __name__ == "__main__":
    main()
