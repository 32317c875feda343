"""Link the classes of a run to concepts.

A class whose id is a WordNet id, or begins with one (``n02085620-Chihuahua``), links to that synset, exactly. Any other
class links by its label: to a sense of the first of its `readings` that the source knows, chosen by how well it fits
the other classes (`sense_probabilities`). If the source knows only the noun that a label is about, the class links to
what that means, which is broader: *golden retriever puppy* to *puppy*. NLTK's names of synsets are understood too.

A label that is a formula (*dog AND NOT poodle*, `parse_compound`) has links for each of its atoms, and a description
(*red and blue dots*, `mentions`) for each concept that it mentions. Those do not count as company for ordinary labels.

The confidence of a link by label is the sense's probability times the certainty of the reading, or of the mention.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, product, takewhile
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts.adjectives import is_adjective_alone, is_color
from filtag_kg.concepts.compound import And, Atom, Formula, Not, atoms, parse_compound
from filtag_kg.concepts.curated_links import CuratedLink
from filtag_kg.concepts.descriptions import Mention, Role, has_article, look_hints, mentions, usual_form
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
CERTAINTY: Mapping[Role, float] = MappingProxyType({"head": 0.9, "modifier": 0.8, "setting": 0.7})
"""How surely a filter shows what its description mentions in each role. The concept is right more often than that: see
benchmarks/descriptions.py."""
_SYNSET_NAME = re.compile(r"(.+)\.n\.(\d\d)")


def link_classes(
    class_ids: Sequence[str],
    class_labels: Sequence[str],
    source: ConceptSource,
    *,
    curated: Mapping[str, Sequence[CuratedLink]] = MappingProxyType({}),
) -> Links:
    """Link classes to the concepts of a source, by their ids where those name concepts, else by their labels.

    Parameters
    ----------
    class_ids, class_labels : sequence of str, of length n_classes
        The classes; ids must be unique, labels need not be.
    source : ConceptSource
        Where the concepts come from.
    curated : mapping of class id to sequence of CuratedLink
        Links that a person has decided on: they replace all others of the class.

    Raises
    ------
    ValueError
        If a class id occurs twice.
    """
    twice = [class_id for class_id, count in Counter(class_ids).items() if count > 1]
    if twice:
        raise ValueError(f"class ids must be unique; {twice[0]!r} occurs twice")
    candidates = [
        candidate
        for class_id, label in zip(class_ids, class_labels, strict=True)
        for candidate in _candidates(class_id, label, curated.get(class_id), source)
    ]
    described = {each.class_id for each in candidates if each.text and parse_compound(each.label) is None}
    if 2 * len(described) > len(class_ids):
        candidates = list(map(_as_described, candidates))
    links = _distinct(
        _link(candidate, probable, source)
        for candidate, probable in zip(candidates, _probabilities(candidates, source), strict=True)
        if candidate.senses
    )
    return Links(tuple(class_ids), tuple(class_labels), tuple(mark_lone_links(links, source)))


def _probabilities(candidates: Sequence[_Candidate], source: ConceptSource) -> list[NDArray[np.float64]]:
    """Return how probable each sense of each candidate is; what is part of a label is no company for whole labels."""
    whole = [candidate.word for candidate in candidates if candidate.is_whole]
    of_whole = iter(sense_probabilities(whole, source))
    if len(whole) == len(candidates):
        return list(of_whole)
    of_all = sense_probabilities([candidate.word for candidate in candidates], source)
    return [
        next(of_whole) if candidate.is_whole else probable
        for candidate, probable in zip(candidates, of_all, strict=True)
    ]


def _as_described(candidate: _Candidate) -> _Candidate:
    """Return a candidate as one of descriptions: among these, *lines* are what a picture looks like, too."""
    reading = candidate.reading
    if candidate.text or reading is None:
        return candidate
    text = usual_form(reading.text)
    hints = (*reading.hints, *look_hints(text))
    return replace(candidate, reading=replace(reading, text=text, hints=hints), among_descriptions=True)


def _distinct(links: Iterable[Link]) -> list[Link]:
    """Return links, each class's best first; of several of one class to one concept, by the same words, the best."""
    best: dict[tuple[str, str, str, bool], Link] = {}
    for link in links:
        # Of a description, what several words mean is one thing; an atom of a formula is looked up by its text.
        key = link.class_id, link.concept, link.text if parse_compound(link.class_label) else "", link.negated
        if key not in best or link.confidence > best[key].confidence:
            best[key] = link
    order = {class_id: index for index, class_id in enumerate(dict.fromkeys(key[0] for key in best))}
    return sorted(best.values(), key=lambda link: (order[link.class_id], link.negated))


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
    label; nothing for a class that stays without a link. `text` is what of the label it is about, if not the whole.
    """

    class_id: str
    label: str
    senses: tuple[Sense, ...] = ()
    curated: CuratedLink | None = None
    reading: Reading | None = None
    text: str = ""
    negated: bool = False
    predicate: str = ""
    among_descriptions: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it is about a whole label, among others that name classes."""
        return not (self.text or self.among_descriptions)

    @property
    def word(self) -> Word:
        if (reading := self.reading) is None:
            return Word(self.label, self.senses)
        return Word(reading.text, self.senses, reading.exact, reading.hints, reading.modifiers)


def _candidates(
    class_id: str, label: str, curated: Sequence[CuratedLink] | None, source: ConceptSource
) -> list[_Candidate]:
    """Return what a class may mean: one candidate, or one for each atom of a formula and mention of a description."""
    if curated is not None:
        decided = [
            _Candidate(class_id, label, (Sense(link.concept, label, 0),), link, text=link.text, negated=link.negated)
            for link in curated
            if link.concept is not None
        ]
        return decided or [_Candidate(class_id, label)]
    if source.of_class(class_id) is not None:
        return [_candidate(class_id, label, source)]
    if (formula := parse_compound(label)) is not None:
        return list(_of_formula(formula, class_id, label, source))
    return _of_description(class_id, label, source) or [_candidate(class_id, label, source)]


def _of_formula(formula: Formula, class_id: str, label: str, source: ConceptSource) -> Iterator[_Candidate]:
    """Yield what each atom of a formula may mean, as if it were a label."""
    # An atom that stands both below NOT and elsewhere is something that the class may be.
    negated = dict(sorted(atoms(formula), key=itemgetter(1), reverse=True))
    parts = formula.parts if isinstance(formula, And) else (formula,)
    required = {text for part in parts if isinstance(part, Atom | Not) for text, _ in atoms(part)}
    for text, is_negated in negated.items():
        predicate = "skos:broadMatch" if text in required else "skos:relatedMatch"
        for candidate in _candidates(text, text, None, source):
            yield replace(candidate, class_id=class_id, label=label, text=text, negated=is_negated, predicate=predicate)


def _of_description(class_id: str, label: str, source: ConceptSource) -> list[_Candidate]:
    """Return a candidate for each mention of a description that the source knows; nothing for an ordinary label."""
    described = mentions(label)
    # *Yellow green* is one colour, *black and white* are two.
    are_colors = " and " in label and all(mention.concepts for mention in described)
    is_phrase = has_article(label) or is_adjective_alone(label) or are_colors
    if not described or (_is_known(label, source.members[0]) and not is_phrase):
        return []
    candidates = []
    n_heads = sum(mention.role == "head" for mention in described)
    for mention in described:
        senses = _senses_of_mention(mention, source)
        predicate = "skos:relatedMatch"
        if mention.concepts and mention.text == label.lower():
            predicate = "skos:closeMatch"
        elif mention.role == "head" and n_heads == 1 and not mention.concepts:
            predicate = "skos:broadMatch"
        reading = Reading(mention.text, CERTAINTY[mention.role], False, mention.hints, mention.modifiers)
        if senses:
            candidates.append(
                _Candidate(class_id, label, senses, reading=reading, text=mention.text, predicate=predicate)
            )
    return candidates


def _is_known(label: str, source: ConceptSource) -> bool:
    """Return whether a source surely knows a label; of a list of things, not only the first of them."""
    joins = {"and", "or", "but", "&", "plus"} & set(label.lower().replace("_", " ").split())
    return any(
        _senses(reading.text, source) and (not joins or joins & set(reading.text.lower().split()))
        for reading in takewhile(lambda reading: reading.is_sure, readings(label))
    )


def _senses_of_mention(mention: Mention, source: ConceptSource) -> tuple[Sense, ...]:
    """Return what a mention may mean: the first concept that an adjective or a colour leads to, or a noun's senses."""
    if not mention.concepts:
        senses = next(filter(None, (_senses(mention.text, member) for member in source.members)), ())
        # Where a colour is meant, the mention has it.
        return tuple(sense for sense in senses if not is_color(sense.concept)) or senses
    try:
        return (Sense(source.concept(mention.concepts[0]).id, mention.text, 0),)
    except KeyError:
        return source.senses(wordnet().concept(mention.concepts[0]).label)[:1]


def _candidate(class_id: str, label: str, source: ConceptSource) -> _Candidate:
    if (concept := source.of_class(class_id)) is not None:
        return _Candidate(class_id, label, (Sense(concept, label, 0),))
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
    return _candidate("", label, source).word


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
    link = partial(
        Link, candidate.class_id, candidate.label, concept, label, text=candidate.text, negated=candidate.negated
    )
    if (curated := candidate.curated) is not None:
        return link(curated.confidence, curated.justification, curated.predicate, decided=True)
    if (reading := candidate.reading) is None:
        return link(1.0, _BY_ID, candidate.predicate or "skos:exactMatch")
    confidences = [(candidate.senses[index].concept, float(probable[index] * reading.certainty)) for index in order]
    return link(
        confidence=confidences[0][1],
        justification=BY_LABEL,
        predicate=candidate.predicate or ("skos:exactMatch" if reading.exact else "skos:broadMatch"),
        others=tuple((other, confidence) for other, confidence in confidences[1:] if confidence > 0),
        signs=_signs(candidate, reading, order[0], label),
    )


def _signs(candidate: _Candidate, reading: Reading, index: int, label: str) -> tuple[str, ...]:
    signs = signs_of_doubt(reading.text, index, candidate.senses, label)
    # That *line* is a shape is rare among all texts, but not among descriptions of pictures.
    return tuple(sign for sign in signs if not (candidate.text and reading.hints and sign == "rare"))
