"""Other spellings of the words in a class label: singulars, British and American, joined, split, and misspelled."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING

from filtag_kg.concepts.wordnet import wordnet
from filtag_kg.concepts.words import base_forms, parts_of_speech, singulars

if TYPE_CHECKING:
    from collections.abc import Iterator

# British and American spellings of the same word; the source may know either.
_SPELLINGS = tuple(
    (re.compile(old), new)
    for old, new in (
        (r"our\b", "or"),
        (r"or\b", "our"),
        (r"re\b", "er"),
        (r"er\b", "re"),
        ("grey", "gray"),
        ("gray", "grey"),
        (r"is(e|ing)\b", r"iz\1"),
        ("aero", "air"),
        ("tyre", "tire"),
        ("plough", "plow"),
        ("mould", "mold"),
        ("[ao]e(?=[^aeiou ])", "e"),
        (r"ogue\b", "og"),
        ("ll(ed|ing)", r"l\1"),
        (r"ce\b", "se"),
        ("cheque", "check"),
    )
)
_SHORTEST_PLURAL = 3
_FEWEST_LETTERS = 6
# The longest noun of WordNet has 71 letters, and hardly any has more than 40.
_MOST_LETTERS = 50


def variants(text: str) -> Iterator[str]:
    """Yield the singular, the plural, other spellings, two words written as one, and one written as two."""
    *before, last = text.split(" ")
    for singular in singulars(last.lower()):
        yield " ".join([*before, singular])
    for old, new in _SPELLINGS:
        other = old.sub(new, text.lower())
        if other != text.lower():
            yield other
    words = re.split(r"[\s-]+", text)
    for gap in range(1, len(words) if len(text) <= _MOST_LETTERS else 0):
        for joint in " ", "-", "":
            yield joint.join([" ".join(words[:gap]), " ".join(words[gap:])])
    # From here only what WordNet knows: these are many, and other sources may be slow to ask.
    plural = [f"{text}s"] if len(last) > _SHORTEST_PLURAL else []
    yield from (spelled for spelled in (*_splits(text), *plural) if wordnet().senses(spelled))


def uninflected(text: str) -> Iterator[str]:
    """Yield nouns of WordNet that a phrase is with the verb instead of a participle: *pot plant* for *potted plant*."""
    for phrase in (text, *_splits(text)):
        first, space, rest = phrase.partition(" ")
        if space and first.endswith("ed"):
            nouns = (f"{verb} {rest}" for verb in base_forms(first, "v"))
            yield from (noun for noun in nouns if wordnet().senses(noun))


def _splits(text: str) -> list[str]:
    """Return a text with a space or a hyphen at each place; nothing for a text that is longer than any noun."""
    if len(text) > _MOST_LETTERS:
        return []
    return [f"{text[:gap].rstrip()}{joint}{text[gap:].lstrip()}" for gap in range(1, len(text)) for joint in (" ", "-")]


def corrections(text: str) -> Iterator[str]:
    """Yield the nouns of WordNet that one slip of the pen turns into a text, the most frequent first.

    A slip leaves out a letter, adds one, writes another one or swaps two. The first letter is seldom wrong, and names
    and words of any part of speech are left alone: *chopped* is no misspelled *chopper*.
    """
    text = text.lower()
    is_word = parts_of_speech(text) or any(base_forms(text, part) for part in "nva")
    if is_word or not _FEWEST_LETTERS <= len(text) <= _MOST_LETTERS:
        return
    edits = set()
    for word in (text, *singulars(text)):
        halves = [(word[:gap], word[gap:]) for gap in range(1, len(word) + 1)]
        edits |= {left + right[1] + right[0] + right[2:] for left, right in halves if len(right) > 1}
        edits |= {left + right[1:] for left, right in halves if right}
        for letter in string.ascii_lowercase:
            edits |= {left + letter + right for left, right in halves}
            edits |= {left + letter + right[1:] for left, right in halves if right}
    known = {edit: senses for edit in edits if (senses := wordnet().senses(edit))}
    counts = {
        edit: sum(sense.count for sense in senses)
        for edit, senses in known.items()
        if any(sense.lemma.islower() for sense in senses)
    }
    yield from sorted(counts, key=lambda edit: (-counts[edit], edit))
