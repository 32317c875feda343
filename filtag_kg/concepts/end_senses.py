"""Choose the meaning of a noun that ends a statement: what has a *wing* is a bird here and an aeroplane there.

In letters, for a sense s of the noun, a relation r and the synset b that the statement is about::

    frequency   (count of s in WordNet's corpus + 1) ^ 1/2
    usual       the share of ends of r from b's lexicographer file that lie in that of s, of ends with one sense only;
                (n(r, file of b, file of s) + 1) / (n(r, file of b) + number of files)
    related     x 20 if WordNet itself names s a part or material of b, of something above it or directly below it
    P(s)        frequency x usual x related, normalised over the senses of the noun

Only meanings that the relation can lead to are ends: places for *AtLocation*, things that are no living being for
*HasA*, substances and materials for *MadeOf*, of which animals are not made. If the others together are more probable,
the end is refused. A meaning that is not probable enough stays unsaid: the end is then the word, a term of ConceptNet.

The counts n are in ``data/usual-ends.tsv``, which ``scripts/make_conceptnet_data.py`` makes: relation, file of the
start, file of the end, number of different statements.
"""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass
from importlib import resources

from filtag_kg.concepts.wordnet import wordnet

LEAST_CONFIDENCE = 0.6
"""An end with a less probable meaning stays a word."""

_FREQUENCY = 0.5
_RELATED = 20.0
_N_FILES = 26
_FILES = {
    "HasA": ("body", "animal", "artifact", "plant", "object", "shape", "substance", "food", "Tops", "phenomenon"),
    "AtLocation": ("location", "artifact", "object", "plant", "group", "phenomenon", "substance", "body"),
}
_LIVING = ("organism", "people")
_ANIMAL = ("animal", "person")
_MATERIALS = ("material", "fabric", "building material", "food", "rock")


@dataclass(frozen=True, slots=True)
class EndSense:
    """The meaning of an end.

    Parameters
    ----------
    concept : str or None
        IRI of the synset; None if the word alone is known.
    confidence : float, in [0, 1]
        How probable it is.
    """

    concept: str | None
    confidence: float


@functools.cache
def end_sense(relation: str, noun: str, synset: str | None) -> EndSense | None:
    """Return the meaning of a noun at the end of a relation; None if it means nothing that the relation leads to.

    Parameters
    ----------
    relation : {"HasA", "MadeOf", "AtLocation"}
    noun : str
        A lemma of WordNet.
    synset : str or None
        IRI of what the statement is about; None if WordNet does not know it.
    """
    if relation == "MadeOf" and synset is not None and not wordnet().at_or_above(synset).isdisjoint(_concepts(_ANIMAL)):
        return None
    senses = wordnet().senses(noun)
    file = wordnet().lexicographer_file(synset or "")
    related = frozenset() if synset is None else _related(synset)
    weights = {
        sense.concept: (sense.count + 1) ** _FREQUENCY
        * _usual(relation, file, wordnet().lexicographer_file(sense.concept))
        * (_RELATED if sense.concept in related else 1)
        for sense in senses
    }
    fitting = {concept: weight for concept, weight in weights.items() if _fits(relation, concept)}
    total = sum(weights.values())
    if not fitting or 2 * sum(fitting.values()) < total:
        return None
    best = max(fitting, key=fitting.__getitem__)
    confidence = fitting[best] / total
    return EndSense(best if confidence >= LEAST_CONFIDENCE else None, confidence)


def is_living(synset: str | None) -> bool:
    """Return whether a synset is of living beings."""
    return synset is not None and not wordnet().at_or_above(synset).isdisjoint(_concepts(_LIVING))


def _usual(relation: str, start: str, end: str) -> float:
    counts = _usual_ends()
    return (counts[relation, start, end] + 1) / (counts[relation, start, ""] + _N_FILES)


@functools.cache
def _fits(relation: str, concept: str) -> bool:
    file = wordnet().lexicographer_file(concept)
    if relation == "MadeOf":
        return file == "substance" or not wordnet().at_or_above(concept).isdisjoint(_concepts(_MATERIALS))
    return file in _FILES[relation] and (relation != "HasA" or not is_living(concept))


@functools.cache
def _concepts(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(wordnet().senses(word)[0].concept for word in words)


@functools.cache
def _related(synset: str) -> frozenset[str]:
    """Return the parts and materials of a synset, of those above it and of those directly below it."""
    near = {*wordnet().at_or_above(synset), *(edge.start for edge in wordnet().edges(synset, "IsA", incoming=True))}
    parts = {edge.start for concept in near for edge in wordnet().edges(concept, "PartOf", incoming=True)}
    return frozenset(parts | {edge.end for concept in near for edge in wordnet().edges(concept, "MadeOf")})


@functools.cache
def _usual_ends() -> Counter[tuple[str, str, str]]:
    """Return the numbers of statements by relation and files; those with any end under an empty file."""
    text = resources.files("filtag_kg.concepts").joinpath("data/usual-ends.tsv").read_text(encoding="ascii")
    counts: Counter[tuple[str, str, str]] = Counter()
    for line in filter(None, text.splitlines()):
        relation, start, end, number = line.split("\t")
        counts[relation, start, end] += int(number)
        counts[relation, start, ""] += int(number)
        counts[relation, "", end] += int(number)
        counts[relation, "", ""] += int(number)
    return counts
