"""Families of concepts that are tested against each other: kinds, and what classes have by each other relation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from filtag_kg.concepts.hierarchy import Hierarchy
    from filtag_kg.concepts.source import Concept

__all__ = ["LEAST_SUPPORT", "Family", "families_of", "tested_concepts"]

LEAST_SUPPORT = 2
"""A concept is common to tags if it is above so many of them."""


@dataclass(frozen=True, slots=True)
class Family:
    """Concepts that are tested against each other, and which class has which: shape (n_classes, n_concepts)."""

    relation: str
    concepts: tuple[Concept, ...]
    below: NDArray[np.bool_]


def _kinds(isa: Hierarchy) -> Family:
    """Return the kinds that classes are of, the more specific first, so that the first of tied ones is to be taken."""
    n_above = np.array([len(isa.ancestors(concept.id)) for concept in isa.concepts], dtype=np.int64)
    order = np.argsort(-n_above, kind="stable")
    return Family("IsA", tuple(isa.concepts[place] for place in order), isa.below[:, order])


def _inherited(isa: Hierarchy, relation: str) -> Family:
    """Return what classes have by a relation, of their own or of what they are kinds of, sorted by IRI."""
    place_of = {concept.id: place for place, concept in enumerate(isa.concepts)}
    features: dict[str, Concept] = {}
    said_of: dict[str, list[int]] = {}
    for concept_id, others in isa.features[relation].items():
        for other in others:
            features[other.id] = other
            said_of.setdefault(other.id, []).append(place_of[concept_id])
    below = np.zeros((len(isa.class_ids), len(features)), dtype=np.bool_)
    for column, feature in enumerate(sorted(features)):
        below[:, column] = isa.below[:, said_of[feature]].any(axis=1)
    return Family(relation, tuple(features[feature] for feature in sorted(features)), below)


def families_of(isa: Hierarchy, relations: Collection[str]) -> list[Family]:
    """Return the families of some relations: kinds (*IsA*) first, then the others as the hierarchy has them."""
    kinds = [_kinds(isa)] if "IsA" in relations else []
    return kinds + [_inherited(isa, relation) for relation in isa.features if relation in relations]


def tested_concepts(below: NDArray[np.bool_], min_ic: float) -> NDArray[np.int64]:
    """Return the columns of the concepts that are tested: above two classes, and with enough information content.

    Parameters
    ----------
    below : bool array of shape (n_classes, n_concepts)
    min_ic : float, in nats
    """
    sizes = below.sum(axis=0)
    ic = -np.log(np.maximum(sizes, 1) / max(len(below), 1))
    # The hair admits a concept above exactly a quarter of the classes, however its logarithm is rounded.
    return np.flatnonzero((sizes >= LEAST_SUPPORT) & (ic >= min_ic - 1e-12))
