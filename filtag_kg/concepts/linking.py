"""Link the classes of a run to concepts.

A class whose id is a WordNet id, or begins with one (``n02085620-Chihuahua``), links to that synset, exactly. Any other
class links by its label: to a sense of the first of its `readings` that the source knows, chosen by how well it fits
the other classes (`sense_probabilities`). If the source knows only the noun that a label is about, the class links to
what that means, which is broader: *golden retriever puppy* to *puppy*. NLTK's names of synsets are understood too.

The confidence of a link by label is the sense's probability times the certainty of the reading.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, product, takewhile
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts.curated_links import CuratedLink
from filtag_kg.concepts.doubt import mark_lone_links, signs_of_doubt
from filtag_kg.concepts.links import BY_LABEL, Link, Links
from filtag_kg.concepts.readings import Reading, readings
from filtag_kg.concepts.sense_choice import Word, sense_probabilities
from filtag_kg.concepts.source import Sense
from filtag_kg.concepts.wordnet import wordnet
from filtag_kg.concepts.words import singulars

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from filtag_kg.concepts.source import ConceptSource

_BY_ID = "semapv:BackgroundKnowledgeBasedMatching"
# *GAs* or *BUs* is hardly what *gas* and *bus* mean.
_LONGEST_ABBREVIATION = 3
_SYNSET_NAME = re.compile(r"(.+)\.n\.(\d\d)")


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
    probabilities = sense_probabilities([candidate.word for candidate in candidates], source)
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
    def word(self) -> Word:
        if (reading := self.reading) is None:
            return Word(self.label, self.senses)
        return Word(reading.text, self.senses, reading.exact, reading.hints, reading.modifiers)


def _candidate(class_id: str, label: str, curated: CuratedLink | None, source: ConceptSource) -> _Candidate:
    concept = source.of_class(class_id) if curated is None else curated.concept
    if concept is not None:
        return _Candidate(class_id, label, (Sense(concept, label, 0),), curated)
    if curated is None:
        if (named := _named_synset(label, source)) is not None:
            return _Candidate(class_id, label, (named,), reading=Reading(named.lemma))
        for reading, member in chain(_sure_readings(label, source), product(readings(label), source.members)):
            if senses := _senses(reading.text, member):
                return _Candidate(class_id, label, senses, reading=reading)
    return _Candidate(class_id, label)


def _sure_readings(label: str, source: ConceptSource) -> Iterator[tuple[Reading, ConceptSource]]:
    """Yield the readings that surely mean the label, all for the first source before any for the next.

    ConceptNet has a band called *pillows*, and does not know that a class of that name has pillows.
    """
    for member in source.members:
        for reading in takewhile(lambda reading: reading.is_sure, readings(label)):
            yield reading, member


def _named_synset(label: str, source: ConceptSource) -> Sense | None:
    """Return the sense that a label names in NLTK's way: *bow.n.04*, the fourth of the noun's."""
    match = _SYNSET_NAME.fullmatch(label)
    if match is None:
        return None
    number = int(match[2])
    named = wordnet().senses(match[1])[number - 1 : number]
    return named[0] if named and named[0] in source.senses(match[1]) else None


def word_of(label: str, source: ConceptSource) -> Word:
    """Return what a label alone says: the best of its readings that the source knows, and the senses of that."""
    return _candidate("", label, None, source).word


def _senses(text: str, source: ConceptSource) -> tuple[Sense, ...]:
    """Return what a text may mean: *arms* are weapons, or several of the body's."""
    senses = {sense.concept: sense for sense in source.senses(text)}
    *before, last = text.split(" ")
    for singular in singulars(last.lower()) if senses and len(last) > _LONGEST_ABBREVIATION else ():
        for sense in source.senses(" ".join([*before, singular])):
            senses.setdefault(sense.concept, sense)
    return tuple(senses.values())


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
        justification=BY_LABEL,
        predicate="skos:exactMatch" if reading.exact else "skos:broadMatch",
        others=tuple((other, confidence) for other, confidence in confidences[1:] if confidence > 0),
        signs=signs_of_doubt(reading.text, order[0], candidate.senses, label),
    )
