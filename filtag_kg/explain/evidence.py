"""What the active filters of an image stand for: their most frequent tags and common concepts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import CommonConcept
from filtag_kg.explain.active_filters import TaggedFilters

_MOST_LAYERS = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """A class or concept that active filters stand for.

    Parameters
    ----------
    id : str
        The class id, or the concept's IRI: labels need not be unique.
    filters : int
        How many active filters have it.
    layers : tuple of str
        The three layers with most of those filters, the most first.
    basis : {"tags", "filters"}
        Where it comes from. ``tags``: it is a tag of active filters, or common to the tags of each. ``filters``: the
        filters that the image activates most in the last layers are distinctive of its classes more often than those
        of other images are; then the other numbers are known.
    observed, expected : float or None
        How many such filters the image has, and the mean class; see `concept_counts`.
    score : float or None
        By which concepts are ranked: the signed root of the likelihood ratio.
    """

    id: str
    label: str
    filters: int
    layers: tuple[str, ...]
    basis: Literal["tags", "filters"] = "tags"
    observed: float | None = None
    expected: float | None = None
    score: float | None = None


def tag_evidence(filters: TaggedFilters, active: NDArray[np.bool_], most: int) -> tuple[Evidence, ...]:
    """Return the classes that tag most of the active filters; ties go by label and id.

    Parameters
    ----------
    active : bool array of shape (n_filters,)
    most : int
        Classes to return.
    """
    by_layer = filters.by_layer(filters.tagged & active[:, None])
    counts = by_layer.sum(axis=0)
    ranked = sorted(
        np.flatnonzero(counts).tolist(),
        key=lambda index: (-counts[index], filters.class_labels[index], filters.class_ids[index]),
    )
    return tuple(
        Evidence(
            id=filters.class_ids[index],
            label=filters.class_labels[index],
            filters=int(counts[index]),
            layers=_first_layers(dict(zip(filters.layer_names, by_layer[:, index].tolist(), strict=True))),
        )
        for index in ranked[:most]
    )


def concept_evidence(common: Iterable[CommonConcept], most: int) -> tuple[Evidence, ...]:
    """Return the concepts that are common to the tags of most filters; ties go by label and IRI.

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
    return tuple(Evidence(concept, label, counts.total(), _first_layers(counts)) for (label, concept), counts in ranked)


def most_layers(layers: Iterable[str]) -> tuple[str, ...]:
    """Return the three layers with most filters, given that of each filter; ties go by name."""
    return _first_layers(Counter(layers))


def _first_layers(counts: Mapping[str, int]) -> tuple[str, ...]:
    ranked = sorted((-count, layer) for layer, count in counts.items() if count)
    return tuple(layer for _, layer in ranked[:_MOST_LAYERS])
