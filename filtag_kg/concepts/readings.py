"""The texts under which a class label may be found in a source of concepts.

Labels come as people write them: *silky_terrier*, *GoldenRetriever*, *001.Black_footed_Albatross*, *mice*, *grey fox*,
*tench, Tinca tinca*, *salmon_(food)*, *floor 2*, *trashcan*, *door behind*, *golden retriever puppy*, *picutre*. The
label is tried as it stands first; each further text only if the source knows none of those before:

1. without numbers before and after it, split at capitals; what is in brackets is a hint to the sense
2. each of its names, between commas, slashes or *or*; the others are hints
3. their other spellings
4. the noun that a name is about, which is broader: what stands before a preposition (*door behind*), and of that the
   last words; the words around them are modifiers
5. what one slip of the pen turns into a name
6. the phrase without its last words (*green onion chopped*), the right half of a compound (*whiteboard*), and what one
   slip of the pen turns into the last word
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from filtag_kg.concepts.spelling import corrections, uninflected, variants
from filtag_kg.concepts.wordnet import wordnet
from filtag_kg.concepts.words import base_forms, parts_of_speech, singulars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

# How often a link is right whose word can mean one thing only, by how the word was found: see benchmarks/linking.py.
_AS_IT_STANDS = 0.98
_NEARLY_AS_IT_STANDS = 0.97
_SPELLED_OTHERWISE = 0.95
_HEAD = 0.7
_CORRECTED = 0.5
_SHORTEST_HEAD = 2
_MOST_WORDS = 8
_NUMBER_BEFORE = re.compile(r"^\d+[\s._-]+(?=\D)")
_NUMBER_AFTER = re.compile(r"(?<=[A-Za-z]{3})\d+$|(?<=\w)(?:[\s._-]+(?:\d+|[IVX]{2,}|[A-Z]))+$", re.ASCII)
# A number is not a word, though WordNet has *2* and *II*: a class of that name, or *class 7*, does not mean a digit.
_NUMBER = re.compile(r"[^A-Za-z]*\d[^A-Za-z]*(st|nd|rd|th|s)?|[IVX]{2,}|[ivx]{2,}", re.ASCII)
# What is numbered says nothing of what it is: *class 7*, *Acura TL Type-S*.
_NUMBERED = frozenset(
    re.findall(
        r"\w+",
        "category class cluster concept feature filter folder group id index item kind label model neuron no number "
        "object part sample series set synset tag topic type unit version",
    )
)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_BRACKETS = re.compile(r"[(\[{]([^)\]}]*)[)\]}]?")
_BETWEEN_NAMES = re.compile(r"[,;/|]|\bor\b")
BEFORE_ABSENT = frozenset(
    ("no", "not", "non", "never", "without", "except", "excluding", "lacking", "minus", "neither", "nor")
)
"""Words after which stands what is not there."""
FUNCTION_WORDS = BEFORE_ABSENT | frozenset(
    re.findall(
        r"\w+",
        "a about above across after against along an around as at before behind below beneath beside between by down "
        "during for from in inside into left near of off on onto other others outside over right stuff that the "
        "through to under underneath up via which with within",
    )
)
"""Words that end a noun phrase: what it is about stands before them."""
ABSENT_PART = re.compile(r"\b(?<!-)(?:no|non|not)-[^\s-]+[\s-]*", re.IGNORECASE)
"""A word that says what something is not: *non-stick*."""
_FAR_MORE = 2
_LIVING = ("animal", "person", "Tops")
_FEWEST_LETTERS_OF_A_HALF = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """A text that a label may be found under.

    Parameters
    ----------
    text : str
        What to look up.
    certainty : float, in (0, 1]
        How probable it is that the text means the same as the label, or something more general.
    exact : bool
        Whether the text means the same as the label; else the label is a kind of it.
    hints : tuple of str
        What the label says to explain the text, in brackets or as other names.
    modifiers : tuple of str
        The words of the label that the text leaves out.
    """

    text: str
    certainty: float = _AS_IT_STANDS
    exact: bool = True
    hints: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()

    @property
    def is_sure(self) -> bool:
        """Whether the text surely means the same as the label: at most it is spelled otherwise."""
        return self.certainty >= _SPELLED_OTHERWISE


def readings(label: str) -> Iterator[Reading]:
    """Yield the readings of a label, the best first; none for a number.

    Examples
    --------
    >>> [reading.text for reading in readings("silky_terriers")]
    ['silky terriers', 'silky terrier', 'silky-terriers', 'silkyterriers', 'terriers', 'terrier']
    >>> [reading.hints for reading in readings("cab/taxi (car)") if reading.text == "cab"]
    [('car', 'taxi')]
    >>> [reading.text for reading in readings("class_7")], list(readings("2"))
    (['class 7'], [])
    """
    seen: set[str] = set()
    for reading in _readings(label):
        if reading.text and reading.text not in seen and not _NUMBER.fullmatch(reading.text):
            seen.add(reading.text)
            yield reading


def _readings(label: str) -> Iterator[Reading]:
    plain = " ".join(re.sub("[_+]", " ", label).split())
    if _NUMBER.fullmatch(plain):
        return
    yield Reading(plain)
    hints = tuple(" ".join(hint.split()) for hint in _BRACKETS.findall(plain))
    named = _NUMBER_BEFORE.sub("", " ".join(_BRACKETS.sub(" ", plain).split()))
    bare = _NUMBER_AFTER.sub("", named)
    exact = bare == named
    if not exact and bare.lower() in _NUMBERED:
        return
    text = " ".join(_HUMP.sub(" ", bare).split())
    yield Reading(text, _NEARLY_AS_IT_STANDS if exact else _SPELLED_OTHERWISE, exact, hints)
    parts = takewhile(
        lambda name: not _is_absent(name), (" ".join(part.split()) for part in _BETWEEN_NAMES.split(text))
    )
    names = [name for name in parts if len(name) > 1]
    yield from _of_names(names, lambda name: (name,), _SPELLED_OTHERWISE, exact, hints)
    yield from _of_names(names, variants, _SPELLED_OTHERWISE, exact, hints)
    yield from _of_names(names, uninflected, _HEAD, exact, hints)
    phrases = [_Phrase(name, hints) for name in names]
    for phrase in phrases:
        yield from phrase.heads()
    # A name with a number is a model's, and not misspelled: *Boeing 747*.
    if exact:
        yield from _of_names(names, corrections, _CORRECTED, exact, hints)
    for phrase in phrases:
        yield from phrase.without_last_words()
        yield from phrase.right_halves()
    for phrase in phrases if exact else ():
        yield from phrase.corrections()


def _is_absent(name: str) -> bool:
    """Return whether a name says what is not there: *without dogs*; so do names after it, *neither dog nor cat*."""
    return bool(set(name.lower().split()[:1]) & BEFORE_ABSENT) or ABSENT_PART.fullmatch(name) is not None


def _of_names(
    names: Sequence[str],
    spellings: Callable[[str], Iterable[str]],
    certainty: float,
    exact: bool,
    hints: tuple[str, ...],
) -> Iterator[Reading]:
    """Yield the spellings of each name, to which the others are hints."""
    for name in names:
        others = tuple(other for other in names if other != name)
        for text in spellings(name):
            yield Reading(text, certainty, exact, hints + others)


class _Phrase:
    """The words of a name up to the first that ends a noun phrase, and what stands beside them."""

    def __init__(self, name: str, hints: tuple[str, ...]) -> None:
        words = re.split(r"[\s-]+", ABSENT_PART.sub("", name))
        while words and words[0].lower() in FUNCTION_WORDS:
            del words[0]
        end = next((index for index, word in enumerate(words) if word.lower() in FUNCTION_WORDS), len(words))
        while end > 1 and (_is_quality(words[end - 1]) or _is_doing(*words[end - 2 : end])):
            end -= 1
        # A sentence is no label, but it may end in a noun.
        self._words, self._after, self._hints = words[max(end - _MOST_WORDS, 0) : end], words[end:], hints

    def heads(self) -> Iterator[Reading]:
        """Yield the phrase, with fewer and fewer of the words before the last."""
        yield from self._endings(len(self._words))

    def without_last_words(self) -> Iterator[Reading]:
        """Yield the same for the phrase without its last word, its last two, and so on: *green onion chopped*."""
        for stop in range(len(self._words) - 1, 0, -1):
            # Only what WordNet knows: these are many, and other sources may be slow to ask.
            yield from (reading for reading in self._endings(stop) if wordnet().senses(reading.text))

    def right_halves(self) -> Iterator[Reading]:
        """Yield the right half of the last word, if both are words: *whiteboard*."""
        last = "".join(self._words[-1:])
        for gap in range(_FEWEST_LETTERS_OF_A_HALF, len(last) - _FEWEST_LETTERS_OF_A_HALF + 1):
            left, right = last[:gap], last[gap:]
            if parts_of_speech(right).get("n") and (any(parts_of_speech(left).values()) or base_forms(left, "v")):
                yield self._reading(right, _CORRECTED, [*self._words[:-1], left])

    def corrections(self) -> Iterator[Reading]:
        """Yield what is one slip of the pen away from the last word."""
        for correction in corrections("".join(self._words[-1:])):
            yield self._reading(correction, _CORRECTED, self._words[:-1])

    def _endings(self, stop: int) -> Iterator[Reading]:
        for start in range(stop):
            text = " ".join(self._words[start:stop])
            if len(text) < _SHORTEST_HEAD or text.lower() in _NUMBERED:
                continue
            for spelled in (text, *variants(text)):
                yield self._reading(spelled, _HEAD, self._words[:start] + self._words[stop:])

    def _reading(self, text: str, certainty: float, beside: list[str]) -> Reading:
        modifiers = tuple(word for word in beside + self._after if word.lower() not in FUNCTION_WORDS)
        return Reading(text, certainty, exact=False, hints=self._hints, modifiers=modifiers)


def _is_quality(word: str) -> bool:
    """Return whether a word is an adjective, and far more so than a noun: *door open*, *car red*."""
    counts = parts_of_speech(word)
    return counts.get("a", 0) > _FAR_MORE * (counts.get("n", 0) + 1)


def _is_doing(word: str, after: str) -> bool:
    """Return whether the second word is what the first does: *person sitting*, but not *ice skating*."""
    spelled = (wordnet().senses(text) for text in (word, *singulars(word.lower())))
    first = next((senses[0] for senses in spelled if senses), None)
    is_living = first is not None and wordnet().lexicographer_file(first.concept) in _LIVING
    return is_living and after.endswith("ing") and bool(base_forms(after, "v"))
