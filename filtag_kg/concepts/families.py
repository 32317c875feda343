"""Families of concepts that are tested together: kinds, and what classes have by each other relation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from filtag_kg.concepts.hierarchy import Hierarchy
    from filtag_kg.concepts.source import Concept

LEAST_SUPPORT = 2
"""A concept is common to tags if it is above at least so many."""


@dataclass(frozen=True, slots=True)
class Family:
    """Concepts that are tested together; `below`, of shape (n_classes, n_concepts), says which class has which."""

    relation: str
    concepts: tuple[Concept, ...]
    below: NDArray[np.bool_]


def _kinds(isa: Hierarchy) -> Family:
    """Return the kinds of classes, the more specific first, so that ties go to the first."""
    n_above = np.array([len(isa.ancestors(concept.id)) for concept in isa.concepts], dtype=np.int64)
    order = np.argsort(-n_above, kind="stable")
    return Family("IsA", tuple(isa.concepts[column] for column in order), isa.below[:, order])


def _inherited(isa: Hierarchy, relation: str) -> Family:
    """Return what classes have by a relation, themselves or through a kind, sorted by IRI."""
    column_of = {concept.id: column for column, concept in enumerate(isa.concepts)}
    features: dict[str, Concept] = {}
    bearers: dict[str, list[int]] = {}
    for concept_id, own_features in isa.features[relation].items():
        for feature in own_features:
            features[feature.id] = feature
            bearers.setdefault(feature.id, []).append(column_of[concept_id])
    feature_ids = sorted(features)
    below = np.zeros((len(isa.class_ids), len(features)), dtype=np.bool_)
    for column, feature_id in enumerate(feature_ids):
        below[:, column] = isa.below[:, bearers[feature_id]].any(axis=1)
    return Family(relation, tuple(features[feature_id] for feature_id in feature_ids), below)


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
    # The tolerance admits a concept above exactly a quarter of the classes, however its logarithm is rounded.
    specific = information_content(below) >= min_ic - 1e-12
    return np.flatnonzero((below.sum(axis=0) >= LEAST_SUPPORT) & specific)


def information_content(below: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return −ln(share of the classes at or below each concept), in nats, of shape (n_concepts,)."""
    return np.asarray(-np.log(np.maximum(below.sum(axis=0), 1) / max(len(below), 1)))
