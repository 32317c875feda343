"""Link the classes of a run to concepts.

A class whose id is a WordNet id, or begins with one (``n02085620-Chihuahua``), links to that synset, exactly. Any other
class links by its label: to a sense of the first of its `readings` that the source knows, chosen by how well it fits
the other classes (`sense_probabilities`). If the source knows only the last words of a label, the class links to what
those mean, which is broader: *golden retriever puppy* to *puppy*.

The confidence of a link by label is the sense's probability times the certainty of the reading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts.curated_links import BY_HAND, CuratedLink
from filtag_kg.concepts.doubt import LEAST_TRUST, mark_lone_links, signs_of_doubt
from filtag_kg.concepts.sense_choice import sense_probabilities
from filtag_kg.concepts.source import Sense
from filtag_kg.concepts.spelling import Reading, readings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from filtag_kg.concepts.source import ConceptSource

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
        Whether it comes from a file of links that a person has reviewed.
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
        """Whether a person made it, not a tool."""
        return self.justification == BY_HAND

    @property
    def by_label_alone(self) -> bool:
        """Whether nothing but the label led to it."""
        return self.justification == _BY_LABEL and not self.decided

    @property
    def trust(self) -> float:
        """How far it can be trusted, in (0, 1]: 1 unless the label alone led to it."""
        return self.confidence * 0.5 ** len(self.signs) if self.by_label_alone else 1.0

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
    _by_class: Mapping[str, Link] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.class_ids) != len(self.class_labels):
            raise ValueError("each class needs a label")
        by_class = {link.class_id: link for link in self.links}
        if len(by_class) != len(self.links) or not by_class.keys() <= set(self.class_ids):
            raise ValueError("each link must belong to one class of the run, and each class has one link at most")
        in_order = {class_id: by_class[class_id] for class_id in self.class_ids if class_id in by_class}
        object.__setattr__(self, "links", tuple(in_order.values()))
        object.__setattr__(self, "_by_class", MappingProxyType(in_order))

    def __getitem__(self, class_id: str) -> Link:
        return self._by_class[class_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_class)

    def __len__(self) -> int:
        return len(self._by_class)

    @property
    def unlinked(self) -> tuple[str, ...]:
        """Ids of the classes without a link, in the order of the run."""
        return tuple(class_id for class_id in self.class_ids if class_id not in self._by_class)

    @property
    def doubtful(self) -> tuple[Link, ...]:
        """The links that are probably wrong, the least trusted first, equals by class id."""
        return tuple(
            sorted((link for link in self.links if link.doubtful), key=lambda link: (link.trust, link.class_id))
        )

    @property
    def same_label(self) -> Mapping[str, tuple[str, ...]]:
        """Labels that several classes have and that alone link them: the ids of these classes, by label."""
        ids: dict[str, list[str]] = {}
        for class_id, label in zip(self.class_ids, self.class_labels, strict=True):
            if class_id in self._by_class and self._by_class[class_id].justification == _BY_LABEL:
                ids.setdefault(label, []).append(class_id)
        return {label: tuple(class_ids) for label, class_ids in sorted(ids.items()) if len(class_ids) > 1}


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
        Links that a person has decided on: they take precedence.

    Raises
    ------
    ValueError
        If a class id occurs twice.
    """
    twice = [class_id for class_id, count in Counter(class_ids).items() if count > 1]
    if twice:
        raise ValueError(f"class ids must be unique; {twice[0]!r} occurs twice")
    candidates = [
        _candidate(class_id, label, curated.get(class_id), source)
        for class_id, label in zip(class_ids, class_labels, strict=True)
    ]
    probabilities = sense_probabilities(
        [candidate.word for candidate in candidates], [candidate.senses for candidate in candidates], source
    )
    links = [
        _link(candidate, probable, source)
        for candidate, probable in zip(candidates, probabilities, strict=True)
        if candidate.senses
    ]
    return Links(tuple(class_ids), tuple(class_labels), tuple(mark_lone_links(links, source)))


def preferred_labels(class_ids: Sequence[str], source: ConceptSource) -> tuple[str, ...]:
    """Return a readable label for each class id: that of the concept it names, else the id itself."""
    concepts = map(source.of_class, class_ids)
    return tuple(
        class_id if concept is None else source.concept(concept).label
        for class_id, concept in zip(class_ids, concepts, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A class and what it may mean.

    `senses` is a single one where a person or the class's id names the concept, else those of the `reading` of the
    label; nothing for a class that stays without a link.
    """

    class_id: str
    label: str
    senses: tuple[Sense, ...] = ()
    curated: CuratedLink | None = None
    reading: Reading | None = None

    @property
    def word(self) -> str:
        return self.label if self.reading is None else self.reading.text


def _candidate(class_id: str, label: str, curated: CuratedLink | None, source: ConceptSource) -> _Candidate:
    concept = source.of_class(class_id) if curated is None else curated.concept
    if concept is not None:
        return _Candidate(class_id, label, (Sense(concept, label, 0),), curated)
    if curated is None:
        for reading in readings(label):
            if senses := source.senses(reading.text):
                return _Candidate(class_id, label, senses, reading=reading)
    return _Candidate(class_id, label)


def _link(candidate: _Candidate, probable: NDArray[np.float64], source: ConceptSource) -> Link:
    # Stable: of equally probable senses the one that the source lists first.
    order = np.argsort(-probable, kind="stable").tolist()
    concept = candidate.senses[order[0]].concept
    label = source.concept(concept).label
    link = partial(Link, candidate.class_id, candidate.label, concept, label)
    if (curated := candidate.curated) is not None:
        return link(curated.confidence, curated.justification, curated.predicate, decided=True)
    if (reading := candidate.reading) is None:
        return link(1.0, _BY_ID)
    confidences = [(candidate.senses[index].concept, float(probable[index] * reading.certainty)) for index in order]
    return link(
        confidence=confidences[0][1],
        justification=_BY_LABEL,
        predicate="skos:exactMatch" if reading.exact else "skos:broadMatch",
        others=tuple((other, confidence) for other, confidence in confidences[1:] if confidence > 0),
        signs=signs_of_doubt(reading.text, order[0], candidate.senses, label),
    )
