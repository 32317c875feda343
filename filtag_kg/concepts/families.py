"""Families of concepts that are tested together: kinds, and what classes have by each other relation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts.familiarity import is_familiar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from filtag_kg.concepts.features import Features
    from filtag_kg.concepts.hierarchy import Hierarchy
    from filtag_kg.concepts.source import Concept

LEAST_SUPPORT = 2
"""A concept is common to tags if it is above at least so many."""


@dataclass(frozen=True, slots=True)
class Family:
    """Concepts that are tested together.

    Parameters
    ----------
    below : bool array of shape (n_classes, n_concepts)
        Which class has which.
    familiar : bool array of shape (n_concepts,)
        Whether people know the concept by its label.
    """

    relation: str
    source: str
    concepts: tuple[Concept, ...]
    below: NDArray[np.bool_]
    familiar: NDArray[np.bool_]


def family_name(relation: str, source: str, first: str) -> str:
    """Return a name for a family: the relation, followed by the source where that is not the first of a run.

    Examples
    --------
    >>> family_name("IsA", "wordnet", "wordnet"), family_name("IsA", "conceptnet", "wordnet")
    ('IsA', 'IsA conceptnet')
    """
    return relation if source == first else f"{relation} {source}"


def families_of(isa: Hierarchy) -> list[Family]:
    """Return the families of a hierarchy: its kinds, then its features by relation and source.

    Of concepts that are equally good, the first is taken.
    """
    return [_kinds(isa), *(_features(isa, features) for features in isa.features)]


def _kinds(isa: Hierarchy) -> Family:
    """Return the kinds of classes, the more specific first."""
    n_above = np.array([len(isa.ancestors(concept.id)) for concept in isa.concepts], dtype=np.int64)
    order = np.argsort(-n_above, kind="stable")
    concepts = tuple(isa.concepts[column] for column in order)
    return Family(
        "IsA", isa.source, concepts, isa.below[:, order], np.array([*map(is_familiar, concepts)], dtype=np.bool_)
    )


def _features(isa: Hierarchy, features: Features) -> Family:
    """Return what classes have, themselves or through a kind; what is stated most often first, equals by IRI."""
    column_of = {concept.id: column for column, concept in enumerate(isa.concepts)}
    bearers: dict[str, list[int]] = {}
    evidence: dict[str, float] = defaultdict(float)
    for edge in features.edges:
        bearers.setdefault(edge.end, []).append(column_of[edge.start])
        evidence[edge.end] += edge.weight
    described = {concept.id: concept for concepts in features.of.values() for concept in concepts}
    order = sorted(described, key=lambda feature: (-evidence[feature], feature))
    has = isa.below if features.inherited else isa.linked
    below = np.zeros((len(isa.class_ids), len(order)), dtype=np.bool_)
    for column, feature in enumerate(order):
        below[:, column] = has[:, bearers[feature]].any(axis=1)
    concepts = tuple(described[feature] for feature in order)
    return Family(features.relation, features.source, concepts, below, np.ones(len(concepts), dtype=np.bool_))


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
