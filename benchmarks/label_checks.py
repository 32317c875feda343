"""Measure what ``filtag check`` says of a real network, of shuffled labels, and of a network with random weights.

    python benchmarks/label_checks.py --kg lite0-kg --images test.tar --random-kg random-kg --cache folder

Both KGs are of EfficientNet-Lite0 with the rules k=1 and k=1:contrast, made from the same images; the second is of the
network with random weights. The activations of the test images are kept in the folder.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from filtag_kg.concepts import concept_source
from filtag_kg.explain import SCORES
from filtag_kg.explain.checked_labels import checked_labels
from filtag_kg.explain.label_classes import LabelClasses, link_test_classes
from filtag_kg.explain.observed_images import ObservedImages
from filtag_kg.images import open_images
from filtag_kg.kg import KG, CheckedLabel, open_kg
from filtag_kg.profile import observations, recorded_network
from filtag_kg.report import Proportion
from filtag_kg.views import LoadedKg, load_kg

_LEVELS = (0.05, 0.01, 0.001)


def main() -> None:
    """Print the tables of docs/explanation/label-checks.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kg", type=Path, required=True)
    parser.add_argument("--random-kg", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--shuffles", type=int, default=1)
    given = parser.parse_args()
    trained, random = (_Checked(open_kg(path), given.images, given.cache) for path in (given.kg, given.random_kg))
    packages = ", ".join(f"{name} {version(name)}" for name in ("filtag-kg", "numpy", "scipy", "keras"))
    print(f"Python {platform.python_version()}, {packages}, {platform.machine()}, {_processor()}\n")
    print(f"{trained.observed.membership.shape[1]:,} images of {len(trained.observed.class_ids)} classes\n")
    print(
        "| labels | of the filters of | labels | p < 0.05 | p < 0.01 | p < 0.001 | confirmed | 95 % interval | U test |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    own = trained.check()
    _lines("the trained network's", "the trained network", own)
    shuffled = [trained.check(shuffle=seed) for seed in range(1, given.shuffles + 1)]
    _lines(f"the same, shuffled ({len(shuffled)} ×)", "the trained network", [run for each in shuffled for run in each])
    untrained = trained.check(random.observed)
    _lines("the trained network's", "the random network", untrained)
    of_random = random.check()
    _lines("the random network's own", "the random network", of_random)
    print("\n| score | rule | own | other filters | random labels | shuffled | own, of the random network |")
    print("|---|---|---|---|---|---|---|")
    for score in SCORES:
        for rule in _rules(own):
            of_rule = _of_rule(own, rule)
            means = [_mean(of_rule, f"{score}{ending}") for ending in ("", "_filters", "_labels")]
            means += [_mean(_of_rule([run for each in shuffled for run in each], rule), score)]
            means += [_mean(_of_rule(of_random, rule), score)]
            print(f"| {score} | {rule} | {' | '.join(f'{round(mean, 3) + 0.0:.3f}' for mean in means)} |")
    _by_layer(own)


class _Checked:
    """A KG, and the activations of its network for test images."""

    def __init__(self, kg: KG, images: Path, cache: Path) -> None:
        self.loaded: LoadedKg = load_kg(kg)
        self.layers = self.loaded.network_named()
        self.observed = _observed(kg, images, cache / f"{kg.manifest['network']}.npz")
        source = concept_source(kg.manifest["parameters"]["concepts"])
        self.classes: LabelClasses = link_test_classes(self.observed.class_ids, self.loaded.concepts, source, names={})

    def check(self, observed: ObservedImages | None = None, *, shuffle: int | None = None) -> list[list[CheckedLabel]]:
        """Check the labels, on the activations of another network of the same layers if some are given."""
        started = time.perf_counter()
        runs = self.loaded.runs_of(self.layers.network)
        checked = checked_labels(
            self.loaded, self.layers, runs, self.classes, observed or self.observed, shuffle=shuffle
        )
        print(f"checked in {time.perf_counter() - started:.0f} s", file=sys.stderr)
        return [list(rows) for rows in checked.values()]


def _observed(kg: KG, path: Path, cache: Path) -> ObservedImages:
    if not cache.exists():
        network = recorded_network(kg.manifest["inputs"]["profile"], str(kg.path))
        started = time.perf_counter()
        with open_images(path) as images:
            batches = list(observations(network, images))
        print(f"passed in {time.perf_counter() - started:.0f} s", file=sys.stderr)
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            cache,
            activations=np.concatenate([batch.activations.astype(np.float32) for batch in batches]),
            classes=np.array([image.class_id for batch in batches for image in batch.images]),
            layers=np.array([layer.name for layer in network.layers]),
            sizes=np.array([layer.n_filters for layer in network.layers]),
        )
    kept = np.load(cache)
    class_ids, index = np.unique(kept["classes"], return_inverse=True)
    offsets = np.cumsum([0, *kept["sizes"]]).tolist()
    slices = {str(layer): slice(offsets[m], offsets[m + 1]) for m, layer in enumerate(kept["layers"])}
    membership = np.arange(len(class_ids))[:, np.newaxis] == index
    return ObservedImages(kept["activations"], slices, tuple(map(str, class_ids)), membership)


def _rules(runs: Sequence[Sequence[CheckedLabel]]) -> list[str]:
    return list(dict.fromkeys(rows[0].rule for rows in runs))


def _of_rule(runs: Sequence[Sequence[CheckedLabel]], rule: str) -> list[CheckedLabel]:
    return [row for rows in runs for row in rows if row.rule == rule and row.p_value is not None]


def _mean(rows: Sequence[CheckedLabel], name: str) -> float:
    return float(np.mean([getattr(row, name) for row in rows]))


def _lines(labels: str, filters: str, runs: Sequence[Sequence[CheckedLabel]]) -> None:
    for rule in _rules(runs):
        for kind, what in (("tag", "tags"), ("concept", "common concepts")):
            rows = [row for row in _of_rule(runs, rule) if row.kind == kind]
            p = np.array([row.p_value for row in rows], dtype=np.float64)
            shares = [f"{(p < level).mean():.2%}" for level in _LEVELS]
            confirmed = Proportion(sum(row.status == "confirmed" for row in rows), len(rows))
            u_test = np.mean([row.u_test_p < 0.05 for row in rows if row.u_test_p is not None])
            cells = [f"{labels}, {rule}, {what}", filters, f"{len(rows):,}", *shares]
            cells += [f"{confirmed.count:,} ({confirmed.value:.1%})", f"{confirmed.low:.1%} to {confirmed.high:.1%}"]
            print(f"| {' | '.join(cells)} | {u_test:.1%} |")


def _by_layer(runs: Sequence[Sequence[CheckedLabel]]) -> None:
    rules = _rules(runs)
    print("\n| layer | " + " | ".join(f"confirmed, {rule} | AUC, {rule}" for rule in rules) + " |")
    print("|---" * (1 + 2 * len(rules)) + "|")
    for layer in dict.fromkeys(row.layer for rows in runs for row in rows):
        cells = [layer]
        for rule in rules:
            rows = [row for row in _of_rule(runs, rule) if row.layer == layer]
            confirmed = sum(row.status == "confirmed" for row in rows)
            cells += [f"{confirmed} of {len(rows)} ({confirmed / len(rows):.0%})", f"{_mean(rows, 'auc'):.2f}"]
        print(f"| {' | '.join(cells)} |")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else "unknown processor"


if __name__ == "__main__":
    main()
