"""Read what people told ConceptNet that a thing has, is made of, is used for, is like, can do, or where it is.

An end of ConceptNet is what somebody wrote: *wings*, *two wings*, *in the sky*, *catching mice*, *very big*. It is read
as a word or two of the relation's type, in base forms, so statements that mean the same are counted together.
Everything else is refused:

phrase      longer than two words without prepositions, articles and numbers, or a denial (*no wings*)
type        not what the relation leads to: a verb, maybe with its object, for what a thing is used for or can do; an
            adjective for what it is like; else a noun that is no name
everything  what goes with everything and so tells nothing: *good*, *fun*, *place*, *die*; of an animal, what all have

Nouns are checked further where their sense is chosen (`filtag_kg.concepts.end_senses`).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from filtag_kg.concepts.wordnet import wordnet
from filtag_kg.concepts.words import base_forms, parts_of_speech

NOUN_RELATIONS = ("HasA", "MadeOf", "AtLocation")
"""The relations to things; the others lead to what things do or are like."""
_VERB_RELATIONS = ("UsedFor", "CapableOf")

_MOST_WORDS = 2


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PREPOSITIONS = _words(
    "in on at inside near under over by within outside above below beside behind along around into onto from to with "
    "of next through across off up for out as"
)
_DETERMINERS = _words(
    "a an the it its it's his her their my your our some any many most all both several few two three four five six "
    "seven eight nine ten 1 2 3 4 5 6 7 8 9 10 one very lot lots pair other various different more each every own"
)
_DENIALS = _words("no not never cannot can't without nothing none n't don't doesn't isn't")
_ADVERBS = _words(
    "very be is are usually often generally quite always sometimes really extremely mostly typically also too so"
)
_AUXILIARIES = _words("be to can could will would may might must used")
_EVERYTHING = {
    "HasA": _words(
        "part piece side top bottom end back front inside outside thing name surface body middle center kind "
        "variety use purpose problem"
    ),
    "MadeOf": _words("material part piece thing cell atom molecule matter substance stuff element component"),
    "AtLocation": _words(
        "home house world earth planet universe place area building room city town country state store shop "
        "mall market location outdoors outside space everywhere nature center middle side top bottom front back"
    ),
    "HasProperty": _words(
        "good bad nice great fine important useful fun funny beautiful pretty ugly cute cool interesting "
        "boring expensive cheap popular common rare normal real true false different same new old able possible "
        "happy sad evil romantic scary annoying wonderful awesome stupid smart sexy best better worse worst dead alive "
        "free solid opaque easy difficult necessary available famous well known male female lovely amazing strange "
        "weird special"
    ),
    "UsedFor": _words(
        "play use have do get make go be live work entertain enjoy relax help look see like love please need "
        "learn give take put keep show earn pass think feel find meet"
    ),
    "CapableOf": _words(
        "die hurt think hate love use have do get make go be live work exist change need want like look see "
        "know feel help come happen become mean seem take give put keep cost break fall"
    ),
}
# A *leg* tells nothing of a dog, but something of a chair.
_PARTS_OF_ALL_ANIMALS = _words(
    "head face body skin bone blood brain heart stomach muscle eye ear nose mouth tooth tongue leg foot neck"
)
# A verb that says nothing alone may say much with an object: *make music*. These do not even then.
_EMPTY_WITH_OBJECT = _words("be have do get use like love need want hate")
_EMPTY_OBJECTS = _words("noise fun good money time thing things something anything person people friend way life it")


class Refusal(StrEnum):
    """Why an end is refused."""

    PHRASE = "phrase"
    TYPE = "type"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class End:
    """A word or two of one type.

    Parameters
    ----------
    base : str
        In base forms, with spaces: *wing*, *catch mouse*. Ends are the same if this and `part` are.
    text : str
        For people, as near to what was written as the base forms allow: *wing*, *catch mice*.
    part : {"n", "v", "a"}
        Noun, verb or adjective.
    """

    base: str
    text: str
    part: Literal["n", "v", "a"]


@functools.lru_cache(maxsize=1 << 16)
def read_end(relation: str, text: str, *, of_living: bool = False) -> End | Refusal:
    """Read an end of a relation.

    Parameters
    ----------
    relation : str
        ConceptNet's name of any relation but *IsA* and *PartOf*.
    text : str
        The word or phrase, with spaces or ``_``.
    of_living : bool
        Whether it is stated of a living being, of which what all animals have tells nothing.

    Examples
    --------
    >>> read_end("HasA", "two_wings"), read_end("UsedFor", "catching mice")
    (End(base='wing', text='wing', part='n'), End(base='catch mouse', text='catch mice', part='v'))
    >>> [str(read_end("HasProperty", text)) for text in ("good", "dog", "out of cage")]
    ['everything', 'type', 'phrase']
    """
    words = text.lower().replace("_", " ").split()
    if not _DENIALS.isdisjoint(words):
        return Refusal.PHRASE
    if relation in _VERB_RELATIONS:
        return _verb(relation, words)
    if relation == "HasProperty":
        return _adjective(words)
    end = _noun(relation, words)
    says_nothing = of_living and relation == "HasA" and isinstance(end, End) and end.base in _PARTS_OF_ALL_ANIMALS
    return Refusal.EVERYTHING if says_nothing else end


def _verb(relation: str, words: list[str]) -> End | Refusal:
    words = _without(words, _AUXILIARIES)
    words = [words[0], *_without(words[1:], _DETERMINERS)] if words else words
    while len(words) > 1 and words[-1] in _PREPOSITIONS:
        words = words[:-1]
    if not 1 <= len(words) <= _MOST_WORDS:
        return Refusal.PHRASE
    verb, *objects = words
    base = _base(verb, "v")
    # What things can do is a verb even if the word is more often a noun, *bark*, and so is what has an object. What
    # they are used for may well be a noun: *fuel*.
    at_least = 1 if relation == "UsedFor" and not objects else 1 / 6
    if base is None or not (verb.endswith("ing") or _is_mostly(base, "v", at_least=at_least)):
        return Refusal.TYPE
    if not objects:
        return Refusal.EVERYTHING if base in _EVERYTHING[relation] else End(base, base, "v")
    (object_,) = objects
    noun = _base(object_, "n")
    if noun is None or not _is_mostly(noun, "n"):
        return Refusal.TYPE
    if base in _EMPTY_WITH_OBJECT or not _EMPTY_OBJECTS.isdisjoint((object_, noun)):
        return Refusal.EVERYTHING
    return End(f"{base} {noun}", f"{base} {object_}", "v")


def _adjective(words: list[str]) -> End | Refusal:
    words = _without(words, _ADVERBS | _DETERMINERS)
    if len(words) != 1:
        return Refusal.PHRASE if len(words) > _MOST_WORDS else Refusal.TYPE
    (word,) = words
    if not _is_mostly(word, "a"):
        return Refusal.TYPE
    return Refusal.EVERYTHING if word in _EVERYTHING["HasProperty"] else End(word, word, "a")


def _noun(relation: str, words: list[str]) -> End | Refusal:
    words = _without(words, _DETERMINERS | (_PREPOSITIONS if relation == "AtLocation" else frozenset()))
    if not 1 <= len(words) <= _MOST_WORDS:
        return Refusal.PHRASE
    base = _base(" ".join(words), "n")
    if base is None and relation != "AtLocation" and len(words) > 1 and "a" in parts_of_speech(words[0]):
        # A *long neck* is a neck. A *public place* is not any place.
        base = _base(words[1], "n")
    if base is None or wordnet().senses(base)[0].lemma[:1].isupper():
        return Refusal.TYPE
    return Refusal.EVERYTHING if base in _EVERYTHING[relation] else End(base, base, "n")


def _without(words: list[str], leading: frozenset[str]) -> list[str]:
    """Return words without the first ones that are of a set."""
    for index, word in enumerate(words):
        if word not in leading:
            return words[index:]
    return []


def _base(word: str, part: str) -> str | None:
    """Return the base form of a word; of a verb itself, unless another is much more frequent (*saw* is *see*)."""
    bases = base_forms(word, part)
    if part == "v" and word in bases and 10 * (parts_of_speech(word)[part] + 1) >= parts_of_speech(bases[0])[part]:
        return word
    return bases[0] if bases else None


def _is_mostly(word: str, part: str, *, at_least: float = 1 / 2) -> bool:
    """Return whether a word is used as a part of speech at least so many times as often as any other."""
    counts = parts_of_speech(word)
    own = max((parts_of_speech(form)[part] for form in base_forms(word, part)), default=-1)
    others = max((count for other, count in counts.items() if other != part), default=0)
    return own >= 0 and own + 1 >= at_least * others
