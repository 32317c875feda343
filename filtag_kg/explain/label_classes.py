"""Which classes of test images a label stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import (
    CommonConcept,
    ConceptSource,
    CuratedLink,
    Links,
    build_hierarchy,
    families_of,
    label_matches,
    link_classes,
    preferred_labels,
    wordnet,
)
from filtag_kg.names import nfc
from filtag_kg.views import ConceptGraph


@dataclass(frozen=True, slots=True, eq=False)
class LabelClasses:
    """The classes of test images, linked to concepts, to tell which of them each label stands for.

    Parameters
    ----------
    class_ids : tuple of str, of length n_classes
        The classes of the test images.
    below : mapping of (relation, source, IRI) to bool array of shape (n_classes,)
        Which class is at or below a kind, or has a feature.
    kinds_of : str
        The source of the hierarchy.
    """

    class_ids: tuple[str, ...]
    below: Mapping[tuple[str, str, str], NDArray[np.bool_]]
    kinds_of: str
    graph: ConceptGraph

    def of_tag(self, class_index: int) -> NDArray[np.bool_]:
        """Return the classes that a tag stands for: itself if it is one of them, else those that its label matches.

        Parameters
        ----------
        class_index : int
            Among the classes of the KG.
        """
        class_id = self.graph.class_ids[class_index]
        if class_id in self.class_ids:
            return np.array([class_id == each for each in self.class_ids])
        links = self.graph.links
        return label_matches(links, class_id, self.at_or_below) if class_id in links else self._nothing()

    def of_common(self, row: CommonConcept) -> NDArray[np.bool_]:
        """Return the classes that are of a common kind, or have a common feature."""
        return self.below.get((row.relation, row.source, row.concept), self._nothing())

    def at_or_below(self, concept: str) -> NDArray[np.bool_]:
        """Return the classes at or below a concept of the hierarchy."""
        return self.below.get(("IsA", self.kinds_of, concept), self._nothing())

    def _nothing(self) -> NDArray[np.bool_]:
        return np.zeros(len(self.class_ids), dtype=np.bool_)


def link_test_classes(
    class_ids: Sequence[str], graph: ConceptGraph, source: ConceptSource, *, names: Mapping[str, str]
) -> LabelClasses:
    """Link the classes of test images: those of the KG as there, others by their id or label.

    Parameters
    ----------
    source : ConceptSource
        That of the KG.
    names : mapping of class id to label
        Of classes that the KG does not have; by default WordNet's.
    """
    ids = tuple(map(nfc, class_ids))
    known = dict(zip(graph.class_ids, graph.class_labels, strict=True))
    labels = dict(zip(ids, preferred_labels(ids, wordnet()), strict=True))
    labels |= {class_id: label for class_id, label in names.items() if class_id in labels}
    labels |= {class_id: known[class_id] for class_id in ids if class_id in known}
    curated = {class_id: _as_linked(graph.links, class_id) for class_id in ids if class_id in known}
    links = link_classes(ids, tuple(labels[class_id] for class_id in ids), source, curated=curated)
    below = {
        (family.relation, family.source, concept.id): family.below[:, column]
        for family in families_of(build_hierarchy(links, source))
        for column, concept in enumerate(family.concepts)
    }
    return LabelClasses(ids, below, source.members[0].name, graph)


def _as_linked(links: Links, class_id: str) -> list[CuratedLink]:
    of_class = [CuratedLink(link.concept, text=link.text, negated=link.negated) for link in links.of(class_id)]
    return of_class or [CuratedLink(None)]
