"""The texts under which a class label may be found in a source of concepts.

Labels come as people write them: *silky_terrier*, *GoldenRetriever*, *001.Black_footed_Albatross*, *mice*, *grey fox*,
*tench, Tinca tinca*, *golden retriever puppy*. The label is tried as it stands first; each further text only if the
source knows none of those before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filtag_kg.concepts.words import singulars

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
        ("[ao]e", "e"),
        (r"ogue\b", "og"),
        ("ll(ed|ing)", r"l\1"),
        (r"ce\b", "se"),
        ("cheque", "check"),
    )
)
_NUMBER_BEFORE = re.compile(r"^\d+[\s._-]+(?=\D)")
# A number is not a word, though WordNet has *2* and *II*: a class of that name, or *class 7*, does not mean a digit.
_NUMBER = re.compile(r"[^A-Za-z]*\d[^A-Za-z]*(st|nd|rd|th|s)?|[IVX]{2,}|[ivx]{2,}", re.ASCII)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")


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
    """

    text: str
    certainty: float = 1.0
    exact: bool = True


def readings(label: str) -> Iterator[Reading]:
    """Yield the readings of a label, the best first; none for a number.

    Examples
    --------
    >>> [reading.text for reading in readings("silky_terriers")]
    ['silky terriers', 'silky terrier', 'silky-terriers', 'silkyterriers', 'terriers', 'terrier']
    >>> [reading.text for reading in readings("class_7")], [reading.text for reading in readings("2")]
    (['class 7', 'class-7', 'class7'], [])
    """
    seen: set[str] = set()
    for text, certainty, exact in _texts(label):
        if text and text not in seen and not _NUMBER.fullmatch(text):
            seen.add(text)
            yield Reading(text, certainty, exact)


def _texts(label: str) -> Iterator[tuple[str, float, bool]]:
    plain = " ".join(label.replace("_", " ").split())
    yield plain, 1.0, True
    cleaned = _HUMP.sub(" ", _NUMBER_BEFORE.sub("", plain))
    yield cleaned, 0.98, True
    # ImageNet's own labels are lists of synonyms, the common name first.
    names = [name for name in (" ".join(part.split()) for part in re.split(r"[,;/|(]", cleaned)) if name.strip(")")]
    for name in names:
        yield name.strip(")"), 0.95, True
    first = names[0].strip(")") if names else cleaned
    for variant in _variants(first):
        yield variant, 0.95, True
    words = re.split(r"[\s-]+", first)
    for start in range(1, len(words)):
        head = " ".join(words[start:])
        yield head, 0.6, False
        for variant in _variants(head):
            yield variant, 0.6, False


def _variants(text: str) -> Iterator[str]:
    """Yield the singular, other spellings, and two words written as one."""
    *before, last = text.split(" ")
    for singular in singulars(last.lower()):
        yield " ".join([*before, singular])
    for old, new in _SPELLINGS:
        other = old.sub(new, text.lower())
        if other != text.lower():
            yield other
    words = [*before, last]
    for gap in range(1, len(words)):
        for joint in "-", "":
            yield joint.join([" ".join(words[:gap]), " ".join(words[gap:])])
