"""The nearest concept above two classes, and the everyday kind of thing that a class is.

::

    N classes of the KG, K of them at or below concept c
    ic        -ln(K / N), in nats; a concept above no class of the KG counts as above one              [1]_
    nearest   of the concepts above both classes, the one with the largest ic; ties go to the more specific
              (more concepts above it), then to the lower IRI
    agree     ic(nearest) >= ln 4: at most a quarter of the classes share as much. Common concepts of tags
              have to pass the same bound
    group     of the concepts at or above a class with ic >= ln 4 that cover two or more classes (of the KG
              or the network), the one whose name occurs most often in the source's corpus; ties go to the
              more specific, then to the lower IRI. A class without such a concept is a group of its own

The group stands for the basic level of Rosch et al. [2]_, the level of the words that people use most: *dog* rather
than *hunting dog* or *carnivore*. Counted over WordNet's semantic concordances, it puts the 118 dogs of ImageNet into
*dog*, its birds into *bird* and its limousines into *car*. No cut of the hierarchy by size alone does so: WordNet is
deep in biology and flat among tools.

References
----------
.. [1] Resnik 1995, Using Information Content to Evaluate Semantic Similarity in a Taxonomy
.. [2] Rosch, Mervis, Gray, Johnson & Boyes-Braem 1976, Basic Objects in Natural Categories
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from filtag_kg.concepts import MIN_IC, Concept, ConceptSource, Hierarchy, Links, build_hierarchy, link_classes


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest concept above two classes, with its information content in nats."""

    concept: Concept
    ic: float

    @property
    def agree(self) -> bool:
        """Whether at most a quarter of the classes share as much."""
        return self.ic >= MIN_IC - 1e-12


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """The everyday kind of thing that a class is: a concept's IRI and label, or those of the class alone."""

    id: str
    label: str


class ClassConcepts:
    """The concepts of the classes of a KG, and of others that a network knows.

    Parameters
    ----------
    class_ids, class_labels : sequence of str
        The classes of the KG, over which information content is counted.
    others : dict of str to str
        Label of each further class, by id.
    """

    def __init__(
        self, class_ids: Sequence[str], class_labels: Sequence[str], others: dict[str, str], source: ConceptSource
    ) -> None:
        further = {class_id: label for class_id, label in others.items() if class_id not in set(class_ids)}
        self._n_classes = len(class_ids)
        self._source = source
        self._label = {**dict(zip(class_ids, class_labels, strict=True)), **further}
        self._links: Links = link_classes(tuple(self._label), tuple(self._label.values()), source)
        self._isa: Hierarchy = build_hierarchy(self._links, source)
        self._row = {class_id: row for row, class_id in enumerate(self._isa.class_ids)}

    @cached_property
    def _counts(self) -> NDArray[np.int64]:
        """How many classes of the KG each concept covers."""
        return np.asarray(self._isa.below[: self._n_classes].sum(axis=0), dtype=np.int64)

    @cached_property
    def _kinds(self) -> NDArray[np.bool_]:
        """Which concepts may be a group: they cover two classes or more, and at most a quarter of the KG's."""
        return np.asarray((self._isa.below.sum(axis=0) >= 2) & (self._ic >= MIN_IC - 1e-12))

    @cached_property
    def _ic(self) -> NDArray[np.float64]:
        return np.log(self._n_classes / np.maximum(self._counts, 1))

    @cached_property
    def _specific_first(self) -> NDArray[np.int64]:
        """Indices of the concepts, the largest information content first."""
        depth = [len(self._isa.ancestors(concept.id)) for concept in self._isa.concepts]
        # The last key of lexsort counts first; ties stay in the order of concepts, which is by IRI.
        return np.lexsort((-np.array(depth, dtype=np.int64), -self._ic))

    @cached_property
    def _frequency(self) -> NDArray[np.int64]:
        """How often the source's corpus names each concept, by its most frequent label."""
        return np.array([_frequency(concept, self._source) for concept in self._isa.concepts], dtype=np.int64)

    def nearest(self, first: str, second: str) -> Nearest | None:
        """Return the nearest concept above two classes; None if one is linked to no concept or they share none."""
        above = self._isa.below[self._row[first]] & self._isa.below[self._row[second]]
        shared = self._specific_first[above[self._specific_first]]
        if not shared.size:
            return None
        return Nearest(self._isa.concepts[shared[0]], float(self._ic[shared[0]]))

    def group(self, class_id: str) -> Group:
        """Return the group of a class."""
        may_be_group = self._isa.below[self._row[class_id]] & self._kinds
        candidates = self._specific_first[may_be_group[self._specific_first]]
        if not candidates.size:
            return Group(class_id, self._label[class_id])
        # argmax takes the first of ties, which is the most specific.
        chosen = self._isa.concepts[candidates[np.argmax(self._frequency[candidates])]]
        return Group(chosen.id, chosen.label)


def _frequency(concept: Concept, source: ConceptSource) -> int:
    counts = [
        sense.count
        for label in (concept.label, *concept.alt_labels)
        for sense in source.senses(label)
        if sense.concept == concept.id
    ]
    return max(counts, default=0)
