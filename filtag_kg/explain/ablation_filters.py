"""Which filters to ablate: those of a concept, and as many random ones of the same layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.views import LoadedKg, RunResults, concepts_named

Choice = Literal["common", "tagged"]
"""``common``: filters that stand for the concept, as their first common concept is the concept or lies below it, beyond
chance. ``tagged``: filters with several tags, most of which are classes at or below it, whether by chance or not."""
CHOICES: tuple[Choice, ...] = get_args(Choice)

_LEAST_TAGS = 2


@dataclass(frozen=True, slots=True)
class ConceptFilters:
    """The filters of a concept.

    Parameters
    ----------
    concept, label : str
    classes : frozenset of str
        The ids of the classes at or below it.
    chosen_by : str
        A :data:`Choice`, or ``given``.
    filters : tuple of (layer, filter)
        By layer in forward order, and index.
    """

    concept: str
    label: str
    classes: frozenset[str]
    chosen_by: str
    filters: tuple[tuple[str, int], ...]


def concept_filters(
    loaded: LoadedKg,
    run: RunResults,
    name: str,
    *,
    choice: str = "common",
    layers: Collection[str] = (),
    given: Sequence[tuple[str, int]] = (),
) -> ConceptFilters:
    """Return the filters of a concept.

    Parameters
    ----------
    name : str
        A word, its IRI, or a ConceptNet term.
    choice : str
        One of `CHOICES`.
    layers : collection of str
        Choose among filters of these; of all by default.
    given : sequence of (layer, filter)
        Filters to take instead, whatever their tags are.

    Raises
    ------
    FiltagError
        If there is no such concept, layer or filter, or the concept has no filters.
    """
    if choice not in CHOICES:
        raise FiltagError(f"no choice of filters {choice!r}: choose {' or '.join(CHOICES)}", options=("choice",))
    graph, network = loaded.concepts, loaded.networks[run.run.network]
    concept = _concept(loaded, name)
    classes = frozenset(graph.class_ids[index] for index in graph.classes_below[concept])
    wanted = {network.layer_names[loaded.layer_index(network, layer)] for layer in layers} or {*network.layer_names}
    if given:
        columns = sorted({loaded.column(network, layer, filter_) for layer, filter_ in given})
        chosen_by = "given"
    else:
        columns, chosen_by = _columns(loaded, run, concept, choice), choice
    numbered = [network.layer_and_filter(column) for column in columns]
    filters = tuple((network.layer_names[layer], filter_) for layer, filter_ in numbered)
    filters = tuple((layer, filter_) for layer, filter_ in filters if layer in wanted)
    if not filters:
        raise _without_filters(loaded, run, concept, choice, wanted)
    return ConceptFilters(concept, graph.label(concept), classes, chosen_by, filters)


def random_sets(
    filters: Sequence[tuple[str, int]], others: dict[str, NDArray[np.int64]], n_sets: int, seed: int
) -> list[list[tuple[str, int]]]:
    """Return sets of as many other filters of each layer, drawn at random.

    Parameters
    ----------
    filters : sequence of (layer, filter)
        Those in question.
    others : dict of layer to int64 array
        The filters to draw from; where there are fewer, all are taken.
    """
    counts = Counter(layer for layer, _ in filters)
    sets = []
    for number in range(n_sets):
        random = np.random.default_rng([seed, number])
        drawn: list[tuple[str, int]] = []
        for layer, count in counts.items():
            among = others[layer]
            chosen = random.choice(among, size=min(count, len(among)), replace=False)
            drawn += [(layer, filter_) for filter_ in sorted(chosen.tolist())]
        sets.append(drawn)
    return sets


def _concept(loaded: LoadedKg, name: str) -> str:
    below = loaded.concepts.classes_below
    iris = [iri for iri in concepts_named(loaded, name) if iri in below]
    if not iris:
        raise FiltagError(f"no class of the KG is at or below {name!r}: name a kind of thing that some classes are")
    if len(iris) > 1:
        raise FiltagError(f"{name!r} has {len(iris)} senses here: name one by its IRI, {', '.join(iris)}")
    return iris[0]


def _columns(loaded: LoadedKg, run: RunResults, concept: str, choice: str) -> list[int]:
    graph = loaded.concepts
    n_filters = loaded.networks[run.run.network].n_filters
    if choice == "common":
        coherent = run.concepts_of_layer(range(n_filters))
        return [column for column, kind in coherent if concept in graph.above.get(kind.concept, ())]
    matching, tags = run.matching(graph.classes_below[concept]), np.diff(run.of_filter)
    return np.flatnonzero((2 * matching > tags) & (tags >= _LEAST_TAGS)).tolist()


def _without_filters(
    loaded: LoadedKg, run: RunResults, concept: str, choice: str, layers: Collection[str]
) -> FiltagError:
    label, rule = loaded.concepts.label(concept), run.run.rule
    network = loaded.networks[run.run.network]
    where = "" if len(layers) == len(network.layer_names) else f" of {', '.join(sorted(layers))}"
    if choice == "tagged":
        return FiltagError(
            f"no filter{where} has mostly tags at or below {label} by {rule}: name another rule, or the filters",
            options=("rule", "given"),
        )
    tagged = _columns(loaded, run, concept, "tagged")
    n_tagged = sum(network.layer_names[network.layer_and_filter(column)[0]] in layers for column in tagged)
    advice = "name another rule, or the filters"
    options: tuple[str, ...] = ("rule", "given")
    if n_tagged:
        advice = f"take the {n_tagged} whose tags are mostly of such classes (tagged), or name another rule"
        options = ("choice", "rule")
    return FiltagError(f"no filter{where} stands for {label} beyond chance by {rule}: {advice}", options=options)
