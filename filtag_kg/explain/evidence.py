"""What several of the active filters have in common: their tags, and the common concepts of those."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import CommonConcept
from filtag_kg.explain.active_filters import TaggedFilters

__all__ = ["Evidence", "concept_evidence", "tag_evidence"]

_MOST_LAYERS = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """A class or concept that several of the active filters stand for.

    Parameters
    ----------
    id : str
        The class id, or the concept's IRI: labels need not be unique.
    label : str
    filters : int
        Active filters that have it.
    layers : tuple of str
        The layers of those filters, the one with most of them first, at most three.
    """

    id: str
    label: str
    filters: int
    layers: tuple[str, ...]


def tag_evidence(filters: TaggedFilters, active: NDArray[np.bool_], most: int) -> tuple[Evidence, ...]:
    """Return the classes that tag most of the active filters, equals by label and id.

    Parameters
    ----------
    filters : TaggedFilters
    active : bool array of shape (n_filters,)
    most : int
        Classes to return.
    """
    by_layer = filters.by_layer(filters.tagged & active[:, None])
    counts = by_layer.sum(axis=0)
    found = [
        (-int(counts[index]), filters.class_labels[index], filters.class_ids[index], index)
        for index in np.flatnonzero(counts).tolist()
    ]
    return tuple(
        Evidence(
            class_id,
            label,
            -negative,
            _first_layers(dict(zip(filters.layer_names, by_layer[:, index].tolist(), strict=True))),
        )
        for negative, label, class_id, index in sorted(found)[:most]
    )


def concept_evidence(common: Iterable[CommonConcept], most: int) -> tuple[Evidence, ...]:
    """Return the concepts that are common to the tags of most filters, equals by label and IRI.

    Parameters
    ----------
    common : iterable of CommonConcept
        Those of the active filters, by one rule.
    most : int
        Concepts to return.
    """
    layers: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for concept, label, layer, _ in {(row.concept, row.label, row.layer, row.filter) for row in common}:
        layers[label, concept][layer] += 1
    ranked = sorted(layers.items(), key=lambda item: (-item[1].total(), item[0]))[:most]
    return tuple(Evidence(concept, label, found.total(), _first_layers(found)) for (label, concept), found in ranked)


def _first_layers(counts: Mapping[str, int]) -> tuple[str, ...]:
    ranked = sorted((-count, layer) for layer, count in counts.items() if count)
    return tuple(layer for _, layer in ranked[:_MOST_LAYERS])
