"""Measure the test for mixed filters: what it finds in trained and random weights, its level, and its power.

Without options: on the demo's profile. With profiles, on these: give one of a trained network and one of the same
network with random weights. Planted filters replace a tenth of those of each layer, so their layers stay as they are.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filtag_kg import Profile, load_profile, wordnet
from filtag_kg.concepts import (
    CommonConcept,
    Hierarchy,
    MixedFilters,
    MixedPart,
    build_hierarchy,
    common_concepts,
    link_classes,
    mixed_filters,
    q_values,
)
from filtag_kg.demo import demo_profile
from filtag_kg.tags import contrast_over_classes, parse_rule, tag_filters

Plant = Callable[[np.random.Generator, int], NDArray[np.float64] | None]
"""From a random generator and a layer to the contrast of a filter to put there, if one can be made."""
_PLANTED = 0.1


def main() -> None:
    """Print the figures asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profiles", type=Path, nargs="*")
    parser.add_argument("--repetitions", type=int, default=5, help="of each simulation; 0 leaves them out")
    options = parser.parse_args()
    print(f"machine  {platform.machine()}; python {platform.python_version()}, numpy {version('numpy')}")
    for profile in [load_profile(path) for path in options.profiles] or [demo_profile()]:
        Measured(profile).tell(options.repetitions)


class Measured:
    """A profile, what is mixed in it, and the simulations on it."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        links = link_classes(profile.class_ids, profile.class_labels, wordnet())
        self.isa: Hierarchy = build_hierarchy(links, wordnet())
        self.links = links
        self.contrast = contrast_over_classes(profile.mean)
        rows = [self.isa.class_ids.index(class_id) for class_id in profile.class_ids]
        self.below = self.isa.below[rows]
        by_layer = np.split(self.contrast, profile.layer_offsets[1:-1], axis=1)
        self.alike = [cosines(layer) for layer in by_layer]

    def mixed(self, contrast: NDArray[np.float64]) -> MixedFilters:
        """Run the test."""
        profile = self.profile
        return mixed_filters(contrast, profile.layer_names, profile.layer_offsets, profile.class_ids, self.isa)

    def tell(self, repetitions: int) -> None:
        """Print all figures."""
        profile = self.profile
        n_classes, n_filters = self.contrast.shape
        print(f"\n{profile.metadata.get('network', 'network')}: {n_classes} classes, {n_filters:,} filters")
        start = time.process_time()
        found = self.mixed(self.contrast)
        seconds = time.process_time() - start
        if found.classes_needed is not None:
            print(f"too few classes: at least {found.classes_needed} are needed")
            return
        tags = tag_filters(profile, [parse_rule("q=0.05")], network="network")
        start = time.process_time()
        common = common_concepts(tags, self.links, self.isa)
        ratio = seconds / (time.process_time() - start)
        mixed = [pair for pair in pairs_of(found) if pair[1].q_value < 0.05]
        print(f"found    {len(mixed)} mixed of {len(found.p):,} filters with a theme; {rates(found.p)}")
        print(f"time     {ratio:.1f} times that of the common concepts of q=0.05 ({seconds:.1f} s)")
        names = Counter(f"{first.label} / {second.label}" for first, second in mixed)
        most = sorted(names.items(), key=lambda item: (-item[1], item[0]))[:8]
        print("parts    " + "; ".join(f"{name} {n}" for name, n in most))
        for first, second in sorted(mixed, key=lambda pair: (pair[1].p_adjusted, pair[0].layer, pair[0].filter))[:5]:
            print(f"         {first.layer} {first.filter}: {self.named(first)} / {self.named(second)}")
        single = self.single_theme_columns(common, {(first.layer, first.filter) for first, _ in pairs_of(found)})
        self.simulate("no theme: its contrasts shuffled", self.shuffled, repetitions)
        self.simulate("one theme: the others' contrasts shuffled", self.one_theme(single), repetitions)
        self.simulate("two filters with a theme as one", self.united(single), repetitions)
        for members in (3, 4, 5, 6):
            self.simulate(f"{members} + {members} classes of two concepts", self.made(members), repetitions)

    def named(self, part: MixedPart) -> str:
        """Return the classes of a part by name."""
        labels = dict(zip(self.profile.class_ids, self.profile.class_labels, strict=True))
        return f"{part.label} ({', '.join(labels[class_id].partition(',')[0] for class_id in part.classes)})"

    def simulate(self, title: str, plant: Plant, repetitions: int) -> None:
        """Print how many of the filters that are planted have a theme, and a second one."""
        offsets = self.profile.layer_offsets
        n_planted, p_values, n_mixed = 0, [], 0
        for seed in range(repetitions):
            rng = np.random.default_rng(seed)
            contrast = self.contrast.copy()
            planted = []
            for layer, (start, stop) in enumerate(pairwise(offsets.tolist())):
                n = max(1, round((stop - start) * _PLANTED))
                for column in rng.permutation(np.arange(start, stop))[:n].tolist():
                    if (made := plant(rng, layer)) is not None:
                        contrast[:, column] = contrast_over_classes(made[:, None])[:, 0]
                        planted.append(column)
            found = self.mixed(contrast)
            of_planted = np.isin(found.columns, planted)
            n_planted += len(planted)
            p_values.append(found.p[of_planted])
            n_mixed += int((q_values(found.p)[of_planted] < 0.05).sum())
        if not n_planted:
            return
        p = np.concatenate(p_values)
        print(
            f"planted  {title}: {n_planted}, {len(p) / n_planted:.2f} with a theme; {rates(p)}; "
            f"{n_mixed / n_planted:.4f} mixed"
        )

    def single_theme_columns(
        self, common: list[CommonConcept], mixed: set[tuple[str, int]]
    ) -> dict[int, dict[int, NDArray[np.bool_]]]:
        """Return, by layer and column, filters that seem to have one theme, with the classes below that."""
        by_layer: dict[int, dict[int, NDArray[np.bool_]]] = {}
        column_of = {concept.id: column for column, concept in enumerate(self.isa.concepts)}
        layers = {name: index for index, name in enumerate(self.profile.layer_names)}
        for row in common:
            if row.coherent() and row.is_kind(self.isa.source) and (row.layer, row.filter) not in mixed:
                layer = layers[row.layer]
                column = int(self.profile.layer_offsets[layer]) + row.filter
                by_layer.setdefault(layer, {})[column] = self.below[:, column_of[row.concept]]
        return by_layer

    def unrelated(self, layer: int, one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
        """Return whether two themes share no concept that is tested, and are not alike to the layer."""
        sizes = self.below.sum(axis=0)
        concepts = self.below[:, self.below[one].any(axis=0) & (sizes <= len(self.below) / 4)]
        return not concepts[other].any() and self.alike[layer][np.ix_(one, other)].mean() <= 0

    def shuffled(self, rng: np.random.Generator, layer: int) -> NDArray[np.float64]:
        """Plant a filter without a theme."""
        column = rng.integers(*self.profile.layer_offsets[layer : layer + 2])
        return rng.permutation(self.contrast[:, column])

    def one_theme(self, single: dict[int, dict[int, NDArray[np.bool_]]]) -> Plant:
        """Plant filters with one theme, where whatever else activates them is chosen at random."""

        def plant(rng: np.random.Generator, layer: int) -> NDArray[np.float64] | None:
            columns = single.get(layer)
            if not columns:
                return None
            column = int(rng.choice(sorted(columns)))
            made, theme = self.contrast[:, column].copy(), columns[column]
            made[~theme] = rng.permutation(made[~theme])
            return made

        return plant

    def united(self, single: dict[int, dict[int, NDArray[np.bool_]]]) -> Plant:
        """Plant the higher contrast of two filters of the layer, whose themes share no class."""

        def plant(rng: np.random.Generator, layer: int) -> NDArray[np.float64] | None:
            columns = single.get(layer, {})
            for _ in range(20 if len(columns) > 1 else 0):
                one, other = rng.choice(sorted(columns), size=2, replace=False).tolist()
                if self.unrelated(layer, columns[one], columns[other]):
                    return np.maximum(self.contrast[:, one], self.contrast[:, other])
            return None

        return plant

    def made(self, members: int) -> Plant:
        """Plant a filter that a few classes of two concepts activate most, with as many random ones behind them."""
        sizes = self.below.sum(axis=0)
        concepts = np.flatnonzero((sizes >= members) & (sizes <= len(self.below) / 10))

        def plant(rng: np.random.Generator, layer: int) -> NDArray[np.float64] | None:
            for _ in range(20):
                one, other = (self.below[:, concept] for concept in rng.choice(concepts, size=2, replace=False))
                if self.unrelated(layer, one, other):
                    break
            else:
                return None
            made = rng.normal(size=len(self.below)).clip(-1, 1)
            for theme in (one, other):
                made[rng.choice(np.flatnonzero(theme), size=members, replace=False)] = rng.uniform(3, 5, members)
            made[rng.choice(np.flatnonzero(~one & ~other), size=members, replace=False)] = rng.uniform(2.5, 3, members)
            return made

        return plant


def rates(p: NDArray[np.float64]) -> str:
    """Return how often a p-value of a second part is small."""
    if not p.size:
        return "no second p"
    return f"second p < 0.05 for {(p < 0.05).mean():.3f}, < 0.01 for {(p < 0.01).mean():.3f}"


def cosines(contrast: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cosine of the contrasts of each two classes."""
    norm = np.linalg.norm(contrast, axis=1, keepdims=True)
    unit = np.divide(contrast, norm, out=np.zeros_like(contrast), where=norm > 0)
    similarity: NDArray[np.float64] = unit @ unit.T
    return similarity


def pairs_of(found: MixedFilters) -> list[tuple[MixedPart, MixedPart]]:
    """Return the two parts of each filter."""
    return list(zip(found.parts[::2], found.parts[1::2], strict=True))


if __name__ == "__main__":
    main()
