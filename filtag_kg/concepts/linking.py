"""Link the classes of a run to concepts.

A class whose id is a WordNet id, or begins with one (``n02085620-Chihuahua``), links to that synset, exactly. Any other
class links by its label: to a sense of the first of its `readings` that the source knows, chosen by how well it fits
the other classes (`sense_probabilities`). A label that is known by its last words alone links to what those mean as to
something broader: *golden retriever puppy* to *puppy*.

The confidence of a link by label is the sense's probability times the certainty of the reading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts.curated_links import BY_HAND, CuratedLink
from filtag_kg.concepts.doubt import LEAST_TRUST, signs_of_doubt, with_lone_ones
from filtag_kg.concepts.sense_choice import sense_probabilities
from filtag_kg.concepts.source import Sense
from filtag_kg.concepts.spelling import Reading, readings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from filtag_kg.concepts.source import ConceptSource

__all__ = ["Link", "Links", "link_classes", "preferred_labels"]

_BY_ID = "semapv:BackgroundKnowledgeBasedMatching"
_BY_LABEL = "semapv:LexicalMatching"


@dataclass(frozen=True, slots=True)
class Link:
    """A class and the concept that it means, in the slots of SSSOM.

    Parameters
    ----------
    class_id, class_label : str
        The class.
    concept : str
        IRI of the concept.
    label : str
        The concept's preferred label.
    confidence : float, in (0, 1]
        How probable it is that the class means this concept.
    justification : str
        How the link was found, a term of the Semantic Mapping Vocabulary: the class id is WordNet's own
        (``semapv:BackgroundKnowledgeBasedMatching``) or the label was looked up (``semapv:LexicalMatching``).
    predicate : str
        How the two relate, a CURIE: ``skos:exactMatch``, or ``skos:broadMatch`` where the concept is more general.
    others : tuple of (str, float)
        What else the label may mean, with the confidence: IRIs of concepts, the most probable first.
    signs : tuple of str
        What speaks against the link besides a low confidence, in the words of `filtag_kg.concepts.doubt`.
    decided : bool
        Whether it stood in a file of links that a person has looked at.
    """

    class_id: str
    class_label: str
    concept: str
    label: str
    confidence: float
    justification: str
    predicate: str = "skos:exactMatch"
    others: tuple[tuple[str, float], ...] = ()
    signs: tuple[str, ...] = ()
    decided: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.confidence <= 1:
            raise ValueError(f"the confidence of a link must be in (0, 1], not {self.confidence}")

    @property
    def by_hand(self) -> bool:
        """Whether a person has decided on it, and no tool."""
        return self.justification == BY_HAND

    @property
    def trust(self) -> float:
        """How far it can be trusted, in (0, 1]: 1 unless the label alone led to it."""
        if self.justification != _BY_LABEL or self.decided:
            return 1.0
        return self.confidence * 0.5 ** len(self.signs)

    @property
    def doubtful(self) -> bool:
        """Whether a person should look at it."""
        return self.trust < LEAST_TRUST


@dataclass(frozen=True, slots=True)
class Links(Mapping[str, Link]):
    """The links of a run's classes: a mapping from class id to link, for the classes that have one.

    Parameters
    ----------
    class_ids, class_labels : tuple of str, of length n_classes
        Every class of the run, linked or not.
    links : tuple of Link
        One at most for each class.
    """

    class_ids: tuple[str, ...]
    class_labels: tuple[str, ...]
    links: tuple[Link, ...]
    _of: Mapping[str, Link] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.class_ids) != len(self.class_labels):
            raise ValueError("each class needs a label")
        of = {link.class_id: link for link in self.links}
        if len(of) != len(self.links) or not of.keys() <= set(self.class_ids):
            raise ValueError("each link must belong to one class of the run, and each class has one link at most")
        in_order = {class_id: of[class_id] for class_id in self.class_ids if class_id in of}
        object.__setattr__(self, "links", tuple(in_order.values()))
        object.__setattr__(self, "_of", MappingProxyType(in_order))

    def __getitem__(self, class_id: str) -> Link:
        return self._of[class_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def __len__(self) -> int:
        return len(self._of)

    @property
    def unlinked(self) -> tuple[str, ...]:
        """Ids of the classes without a link, in the order of the run."""
        return tuple(class_id for class_id in self.class_ids if class_id not in self._of)

    @property
    def doubtful(self) -> tuple[Link, ...]:
        """The links that are probably wrong, the least trusted first, equals by class id."""
        return tuple(
            sorted((link for link in self.links if link.doubtful), key=lambda link: (link.trust, link.class_id))
        )

    @property
    def same_label(self) -> Mapping[str, tuple[str, ...]]:
        """Labels that several classes have, which nothing but the label links: their ids, by label."""
        ids: dict[str, list[str]] = {}
        for class_id, label in zip(self.class_ids, self.class_labels, strict=True):
            if class_id in self._of and self._of[class_id].justification == _BY_LABEL:
                ids.setdefault(label, []).append(class_id)
        return {label: tuple(of) for label, of in sorted(ids.items()) if len(of) > 1}


def link_classes(
    class_ids: Sequence[str],
    class_labels: Sequence[str],
    source: ConceptSource,
    *,
    curated: Mapping[str, CuratedLink] = MappingProxyType({}),
) -> Links:
    """Link classes to the concepts of a source, by their ids where those name concepts, else by their labels.

    Parameters
    ----------
    class_ids, class_labels : sequence of str, of length n_classes
        The classes; ids must be unique, labels need not be.
    source : ConceptSource
        Where the concepts come from.
    curated : mapping of class id to CuratedLink
        What a person has decided on, instead.

    Raises
    ------
    ValueError
        If a class id occurs twice.
    """
    twice = [class_id for class_id, count in Counter(class_ids).items() if count > 1]
    if twice:
        raise ValueError(f"class ids must be unique; {twice[0]!r} occurs twice")
    by_id = [source.of_class(class_id) for class_id in class_ids]
    known = [_look_up(label, source) for label in class_labels]
    decided = [
        curated[class_id].concept if class_id in curated else concept
        for class_id, concept in zip(class_ids, by_id, strict=True)
    ]
    senses = [
        (Sense(concept, label, 0),) if concept is not None else () if class_id in curated else found
        for class_id, concept, label, (_, found) in zip(class_ids, decided, class_labels, known, strict=True)
    ]
    probable = sense_probabilities([reading.text for reading, _ in known], senses, source)
    links: list[Link] = []
    by_label = []
    for class_id, label, concept, (reading, found), chances in zip(
        class_ids, class_labels, by_id, known, probable, strict=True
    ):
        if class_id in curated:
            links += _as_decided(class_id, label, curated[class_id], source)
        elif concept is not None:
            links.append(Link(class_id, label, concept, source.concept(concept).label, 1.0, _BY_ID))
        elif found:
            links.append(_by_label(class_id, label, reading, found, chances, source))
            by_label.append(class_id)
    return Links(tuple(class_ids), tuple(class_labels), tuple(with_lone_ones(links, by_label, source)))


def preferred_labels(class_ids: Sequence[str], source: ConceptSource) -> tuple[str, ...]:
    """Return a readable label for each class id: that of the concept it names, else the id itself."""
    concepts = map(source.of_class, class_ids)
    return tuple(
        class_id if concept is None else source.concept(concept).label
        for class_id, concept in zip(class_ids, concepts, strict=True)
    )


def _look_up(label: str, source: ConceptSource) -> tuple[Reading, tuple[Sense, ...]]:
    """Return the first reading of a label that the source knows, with its senses; none if it knows none."""
    reading = Reading(label)
    for reading in readings(label):
        senses = source.senses(reading.text)
        if senses:
            return reading, senses
    return reading, ()


def _as_decided(class_id: str, label: str, decided: CuratedLink, source: ConceptSource) -> list[Link]:
    if decided.concept is None:
        return []
    name = source.concept(decided.concept).label
    slots = (decided.confidence, decided.justification, decided.predicate)
    return [Link(class_id, label, decided.concept, name, *slots, decided=True)]


def _by_label(
    class_id: str,
    label: str,
    reading: Reading,
    senses: Sequence[Sense],
    chances: NDArray[np.float64],
    source: ConceptSource,
) -> Link:
    # Stable: of equally probable senses the one that the source lists first.
    order = np.argsort(-chances, kind="stable").tolist()
    ranked = [(senses[place].concept, float(chances[place] * reading.certainty)) for place in order]
    concept, confidence = ranked[0]
    name = source.concept(concept).label
    signs = signs_of_doubt(reading.text, order[0], senses, name)
    predicate = "skos:exactMatch" if reading.exact else "skos:broadMatch"
    others = tuple((other, chance) for other, chance in ranked[1:] if chance > 0)
    return Link(class_id, label, concept, name, confidence, _BY_LABEL, predicate, others, signs)
