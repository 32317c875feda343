"""How well a sense of a word fits what a label says beside the word: *salmon (food)*, *trophy cup*, *cab/taxi*."""

from __future__ import annotations

import re
from math import log
from typing import TYPE_CHECKING

from filtag_kg.concepts.readings import FUNCTION_WORDS
from filtag_kg.concepts.words import singulars

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filtag_kg.concepts.source import ConceptSource, Sense

_RELATED = 0.5
_MIN_IC = log(4)
_NEGATION = re.compile(r"(?:non|not|no)\b\W*", re.IGNORECASE)


class Hints:
    """Compares senses with hints; what lies above a concept is looked up once.

    Parameters
    ----------
    source : ConceptSource
        The source of the senses; hints are looked up there too.
    size : int
        How many concepts the source has.
    """

    def __init__(self, source: ConceptSource, size: int) -> None:
        self._source = source
        self._size = size
        self._above: dict[str, frozenset[str]] = {}
        self._senses: dict[str, tuple[str, ...]] = {}
        # Descriptions say the same words of each other again and again.
        self._closeness: dict[tuple[str, str], float] = {}

    def closeness(self, sense: Sense, hints: Iterable[str]) -> float:
        """Return how close a sense is to the closest of several hints.

        Parameters
        ----------
        hints : iterable of str
            Words or phrases. What begins with *non*, *not* or *no* speaks against what it names.

        Returns
        -------
        float
            In [-1, 1]: 1 if a hint is another name of the sense, names something above it or a whole that it is part
            of, or is the category that ConceptNet puts it in (``/c/en/salmon/n/wn/food``); half of Lin's similarity
            [1]_ if it names something related; 0 if nothing; negative if a negated hint is closest.

        References
        ----------
        .. [1] Lin 1998, An Information-Theoretic Definition of Similarity, section 4
        """
        closest = 0.0
        for hint in hints:
            sign, text = (-1, _NEGATION.sub("", hint)) if _NEGATION.match(hint) else (1, hint)
            # The word itself tells nothing of its sense: *plant, plant life*.
            for phrase in _phrases(text) - {sense.lemma.casefold()}:
                key = sense.concept, phrase
                if key not in self._closeness:
                    self._closeness[key] = self._to_phrase(sense, phrase)
                closest = max(closest, sign * self._closeness[key], key=lambda close: (abs(close), close))
        return closest

    def _to_phrase(self, sense: Sense, phrase: str) -> float:
        concept = self._source.concept(sense.concept)
        names = {name.casefold() for name in (concept.label, *concept.alt_labels)}
        categories = {term.partition("/wn/")[2] for term in concept.terms}
        if phrase in names or phrase in {word for category in categories for word in (category, *category.split("_"))}:
            return 1.0
        meant = self._meant(phrase)
        if any(edge.end in meant for edge in self._source.edges(sense.concept, "PartOf")):
            return 1.0
        above = self._at_or_above(sense.concept)
        return max((self._similarity(above, sense.concept, other) for other in meant), default=0.0)

    def _similarity(self, above: frozenset[str], concept: str, other: str) -> float:
        if other in above and self._ic(other) >= _MIN_IC:
            return 1.0
        shared = max((self._ic(common) for common in above & self._at_or_above(other)), default=0.0)
        # In sources with rough sizes what lies above may be the smaller one.
        ends = max(self._ic(concept) + self._ic(other), 2 * shared)
        return _RELATED * 2 * shared / ends if shared >= _MIN_IC else 0.0

    def _ic(self, concept: str) -> float:
        return log(self._size / min(self._source.size(concept), self._size))

    def _at_or_above(self, concept: str) -> frozenset[str]:
        if concept not in self._above:
            reached, waiting = {concept}, [concept]
            while waiting:
                new = {edge.end for edge in self._source.edges(waiting.pop(), "IsA")} - reached
                reached |= new
                waiting += sorted(new)
            self._above[concept] = frozenset(reached)
        return self._above[concept]

    def _meant(self, phrase: str) -> tuple[str, ...]:
        """Return the concepts that a hint may mean."""
        if phrase not in self._senses:
            spelled = (self._source.senses(text) for text in (phrase, *singulars(phrase)))
            self._senses[phrase] = tuple(sense.concept for sense in next(filter(None, spelled), ()))
        return self._senses[phrase]


def _phrases(hint: str) -> set[str]:
    """Return a hint and its words, in lower case, without function words and single letters."""
    words = [word for word in re.split(r"[\s-]+", hint.casefold()) if len(word) > 1 and word not in FUNCTION_WORDS]
    return {" ".join(words), *words} - {""}
