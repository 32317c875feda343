"""The IsA hierarchy above the linked classes of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from filtag_kg.concepts.linking import Links
    from filtag_kg.concepts.source import Concept, ConceptSource

__all__ = ["FEATURES", "Hierarchy", "build_hierarchy"]

FEATURES = ("HasA", "MadeOf", "UsedFor", "HasProperty", "AtLocation")
"""Relations from things of a kind to what they have beyond it; *HasA* is *PartOf* the other way round, too."""


@dataclass(frozen=True, slots=True, eq=False)
class Hierarchy:
    """The concepts that classes link to and all concepts above those.

    Parameters
    ----------
    class_ids : tuple of str, of length n_classes
        Every class of the run, linked or not.
    concepts : tuple of Concept, of length n_concepts
        Sorted by IRI.
    parents : mapping of str to tuple of str
        The concepts directly above each concept, by IRI, sorted.
    below : bool array of shape (n_classes, n_concepts)
        Whether the class's concept is the concept or lies below it; all false for a class without a link.
    features : mapping of str to mapping of str to tuple of Concept
        By relation, of `FEATURES`, and concept of the hierarchy: what its things have, are made of and so on; its
        own, not its ancestors', sorted by IRI. They need not be in the hierarchy themselves.
    """

    class_ids: tuple[str, ...]
    concepts: tuple[Concept, ...]
    parents: Mapping[str, tuple[str, ...]]
    below: NDArray[np.bool_]
    features: Mapping[str, Mapping[str, tuple[Concept, ...]]]

    @property
    def parts(self) -> Mapping[str, tuple[Concept, ...]]:
        """The parts of each concept that has parts of its own."""
        return self.features.get("HasA", {})

    def ancestors(self, concept_id: str) -> tuple[str, ...]:
        """Return the concepts strictly above one of the hierarchy, sorted by IRI."""
        return tuple(sorted(_reached(concept_id, self.parents) - {concept_id}))

    def parts_of(self, concept_id: str) -> tuple[Concept, ...]:
        """Return the parts of a concept and of its ancestors, sorted by IRI: a spaniel has a dog's flag."""
        found = {part.id: part for above in _reached(concept_id, self.parents) for part in self.parts.get(above, ())}
        return tuple(found[iri] for iri in sorted(found))


def build_hierarchy(links: Links, source: ConceptSource) -> Hierarchy:
    """Gather the concepts at or above the linked classes of a run.

    A cycle in the source does not matter: its concepts all lie below one another.
    """
    parents: dict[str, tuple[str, ...]] = {}
    waiting = sorted({link.concept for link in links.values()})
    while waiting:
        concept_id = waiting.pop()
        if concept_id not in parents:
            parents[concept_id] = tuple(sorted({edge.end for edge in source.edges(concept_id, "IsA")} - {concept_id}))
            waiting.extend(parents[concept_id])
    parents = dict(sorted(parents.items()))
    column = {concept_id: place for place, concept_id in enumerate(parents)}
    above = {
        concept_id: [column[reached] for reached in _reached(concept_id, parents)]
        for concept_id in sorted({link.concept for link in links.values()})
    }
    below = np.zeros((len(links.class_ids), len(column)), dtype=np.bool_)
    for row, class_id in enumerate(links.class_ids):
        if class_id in links:
            below[row, above[links[class_id].concept]] = True
    return Hierarchy(
        class_ids=links.class_ids,
        concepts=tuple(map(source.concept, parents)),
        parents=parents,
        below=below,
        features={relation: of for relation in FEATURES if (of := _features(parents, relation, source))},
    )


def _features(concepts: Iterable[str], relation: str, source: ConceptSource) -> dict[str, tuple[Concept, ...]]:
    """Return what is said of concepts by a relation, for those of which anything is."""
    said = {}
    for concept_id in concepts:
        others = {edge.end for edge in source.edges(concept_id, relation)}
        if relation == "HasA":
            others |= {edge.start for edge in source.edges(concept_id, "PartOf", incoming=True)}
        if others:
            said[concept_id] = tuple(map(source.concept, sorted(others)))
    return said


def _reached(start: str, parents: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Return `start` and all above it."""
    reached = {start}
    waiting = [start]
    while waiting:
        for parent in parents[waiting.pop()]:
            if parent not in reached:
                reached.add(parent)
                waiting.append(parent)
    return reached
