"""Measure how much each layer has to do with a concept.

::

    filters        filters of the layer that stand for the concept beyond chance: they are coherent, and their first
                   common concept is the concept or lies below it
    separation     how well the layer's filters tell the classes of the concept from the others (`separation`); the same
                   for every rule, as it depends on the profile and not on the tags
    concentration  how much more often two tags share a filter if their classes are two of the concept's than if they
                   are any two:

                       pairs of such tags on one filter / pairs of such tags
                       -----------------------------------------------------
                           the same of all classes of the layer

                   1 if tags are spread as if shuffled over the classes. It needs no profile, but tells less than
                   separation: few tags make few pairs

The number of tags of the concept in the layer tells nothing: each rule gives a class equally many in every layer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts.separation import separation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from filtag_kg.concepts.common import CommonConcept
    from filtag_kg.concepts.hierarchy import Hierarchy
    from filtag_kg.tags import TagTable

_LEAST_CLASSES = 2
# Digits that every machine agrees on, however its sums are rounded.
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class ConceptInLayer:
    """How much a layer has to do with a concept, by one rule: a row of ``concepts.csv``, its fields in order.

    `concentration`, `separation` and the bounds of its 95 % interval are None where they are not defined.
    """

    rule: str
    layer: str
    concept: str
    label: str
    classes: int
    filters: int
    concentration: float | None
    separation: float | None
    low: float | None
    high: float | None


def concepts_in_layers(
    tags: TagTable,
    isa: Hierarchy,
    common: Iterable[CommonConcept],
    *,
    contrast: NDArray[np.float64] | None = None,
    draws: int = 500,
    seed: int = 0,
) -> list[ConceptInLayer]:
    """Return the rows of each rule, concept with two or more classes, and layer, in this order.

    Parameters
    ----------
    isa : Hierarchy
        The concepts above the classes of the tags.
    common : iterable of CommonConcept
        Of all rules.
    contrast : float64 array of shape (n_classes, n_filters), optional
        From the profile, its rows in the order of the classes of `tags`, the filters of all layers side by side.
        Without it no separation is known.
    draws, seed : int
        For the bootstrap of the separation's interval.
    """
    row_of = {class_id: row for row, class_id in enumerate(isa.class_ids)}
    below = isa.below[[row_of[class_id] for class_id in tags.class_ids]]
    columns = np.flatnonzero(below.sum(axis=0) >= _LEAST_CLASSES)
    below = below[:, columns]
    n_classes = below.sum(axis=0).tolist()
    separations = _separations(tags, below, contrast, draws, seed)
    n_standing = _count_standing(common, isa)
    concentrations = {
        (rule, layer): _concentrations(tags, rule, layer, below)
        for rule in range(len(tags.rules))
        for layer in range(len(tags.layer_names))
    }
    return [
        ConceptInLayer(
            rule=rule,
            layer=layer,
            concept=concept.id,
            label=concept.label,
            classes=n_classes[column],
            filters=n_standing[rule, layer, concept.id],
            concentration=_known(concentrations[r, m][column]),
            separation=_known(separations[m, column, 0]),
            low=_known(separations[m, column, 1]),
            high=_known(separations[m, column, 2]),
        )
        for r, rule in enumerate(tags.rules)
        for column, concept in enumerate(isa.concepts[index] for index in columns)
        for m, layer in enumerate(tags.layer_names)
    ]


def _separations(
    tags: TagTable, below: NDArray[np.bool_], contrast: NDArray[np.float64] | None, draws: int, seed: int
) -> NDArray[np.float64]:
    """Return separation and bounds: float64 array of shape (n_layers, n_concepts, 3), NaN where not defined."""
    if contrast is None:
        return np.full((len(tags.n_filters), below.shape[1], 3), np.nan)
    if contrast.shape != (len(tags.class_ids), sum(tags.n_filters)):
        raise ValueError(f"contrast must have the classes and filters of the tags, got shape {contrast.shape}")
    layers = np.split(contrast, np.cumsum(tags.n_filters)[:-1], axis=1)
    return np.stack([separation(layer, below, draws=draws, seed=seed) for layer in layers])


def _count_standing(common: Iterable[CommonConcept], isa: Hierarchy) -> Counter[tuple[str, str, str]]:
    """Count the filters that stand for each concept, by rule, layer and concept."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in common:
        if row.is_kind(isa.source) and row.coherent():
            counts.update((row.rule, row.layer, concept) for concept in (row.concept, *isa.ancestors(row.concept)))
    return counts


def _concentrations(tags: TagTable, rule: int, layer: int, below: NDArray[np.bool_]) -> Sequence[float]:
    """Return the concentration of each concept's tags in a layer; NaN where there are no two tags to compare."""
    of_layer = (tags.rule == rule) & (tags.layer == layer)
    tagged = np.zeros((tags.n_filters[layer], len(tags.class_ids)))
    # A class that tags a filter twice is one tag.
    tagged[tags.filter[of_layer], tags.class_[of_layer]] = 1
    of_concepts = _shared(tagged, below.astype(np.float64))
    of_all = _shared(tagged, np.ones((len(below), 1)))
    concentration: list[float] = np.divide(
        of_concepts, of_all, out=np.full(len(of_concepts), np.nan), where=of_all > 0
    ).tolist()
    return concentration


def _shared(tagged: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of pairs of tags by two classes of each concept that lie on one filter; NaN without pairs."""
    # A filter with one tag has no pair.
    per_filter = tagged[tagged.sum(axis=1) > 1] @ below
    per_class = tagged.sum(axis=0)
    pairs = (per_class @ below) ** 2 - per_class**2 @ below
    together = (per_filter * (per_filter - 1)).sum(axis=0)
    share: NDArray[np.float64] = np.divide(together, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
    return share


def _known(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), _DIGITS)
