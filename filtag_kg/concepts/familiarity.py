"""Which names people know: *mammal*, not *placental*; *metal*, not *metallic element*.

The familiarity of a word for a concept is how often WordNet's corpus has the word in this sense, plus the number of
statements that people made about the word in ConceptNet's excerpt; 0 where the word means something else first.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from filtag_kg.concepts.conceptnet.excerpt import conceptnet_excerpt
from filtag_kg.concepts.source import RELATIONS
from filtag_kg.concepts.terms import CONCEPTNET, term_uri
from filtag_kg.concepts.wordnet import wordnet

if TYPE_CHECKING:
    from filtag_kg.concepts.source import Concept

_LEAST = 3
# A name that replaces another must surely be the better one: an *outlet* is no *mercantile establishment* to most.
_LEAST_FOR_LABEL = 5


def is_familiar(concept: Concept) -> bool:
    """Return whether people know a concept by its label.

    Examples
    --------
    >>> [is_familiar(wordnet().concept(wordnet().senses(word)[0].concept)) for word in ("mammal", "placental")]
    [True, False]
    """
    return concept.source != wordnet().name or _familiarity(concept.label, concept.id) >= _LEAST


def plainly_named(concept: Concept) -> Concept:
    """Return a concept with the name that people know it by as its label, where they do not use its own at all.

    Examples
    --------
    >>> plainly_named(wordnet().concept(wordnet().senses("metal")[0].concept)).label
    'metal'
    """
    if concept.source != wordnet().name or _is_used(concept.label):
        return concept
    best = max(concept.alt_labels, key=lambda name: _uses(name, concept.id), default=concept.label)
    if _uses(best, concept.id) < _LEAST_FOR_LABEL:
        return concept
    others = (concept.label, *(name for name in concept.alt_labels if name != best))
    return replace(concept, label=best, alt_labels=others)


def _familiarity(word: str, synset: str) -> int:
    senses = wordnet().senses(word)
    return senses[0].count + _statements(word) if senses and senses[0].concept == synset else 0


def _uses(word: str, synset: str) -> int:
    """Return how often the corpus and statements use a word for a synset; 0 if the word means something else first."""
    senses = wordnet().senses(word)
    stated = sum(sense.count for sense in conceptnet_excerpt().senses(word))
    return senses[0].count + stated if senses and senses[0].concept == synset else 0


def _is_used(word: str) -> bool:
    """Return whether WordNet's corpus or anybody's statement has a word, in any sense."""
    return bool(conceptnet_excerpt().senses(word)) or any(sense.count for sense in wordnet().senses(word))


@functools.lru_cache(maxsize=1 << 16)
def _statements(word: str) -> int:
    term = CONCEPTNET + term_uri(word)
    return sum(1 for relation in RELATIONS for _ in conceptnet_excerpt().edges(term, relation))
