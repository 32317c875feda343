r"""Terms of ConceptNet as paths of IRIs.

ConceptNet's own terms are nearly all letters, digits and ``_``, but its dump and services hold whatever people wrote:
spaces, brackets, backslashes, control characters. One rule makes an IRI of any of them:

- The term is put into Unicode's form NFC, in which ConceptNet writes its own.
- A character that may stand in a segment of an IRI's path (``isegment`` of RFC 3987 [1]_) stays as it is: letters of
  all scripts, digits, ``-._~!$&'()*+,;=:@``. Any other character, ``%`` included, is percent-encoded in UTF-8.
- So are the segments ``.`` and ``..``, which clients would resolve, and characters that the RFC allows or forbids by
  its prose alone: marks of writing direction (section 4.1) and white space.
- What has no text after the language, is longer than 1,000 characters, or has half a surrogate pair is not a term.

A term always gets the same path, and decoding the path gives the term back, in NFC. For the term ``/c/en/a\b`` it is
``/c/en/a%5Cb``, for ``/c/en/50%`` it is ``/c/en/50%25``.

References
----------
.. [1] Duerst and Suignard 2005, *Internationalized Resource Identifiers (IRIs)*, RFC 3987, sections 2.2 and 4.1
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, unquote

# ucschar of RFC 3987 without white space, marks of writing direction and the byte order mark.
_NOT_ASCII = (
    "\u00a1-\u061b\u061d-\u167f\u1681-\u1fff\u200b-\u200d\u2010-\u2027\u2030-\u205e\u2060-\u2065\u206a-\u2fff"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff00-\uffef"
    + "".join(f"{chr(0x10000 * plane)}-{chr(0x10000 * plane + 0xFFFD)}" for plane in range(1, 14))
    + "\U000e1000-\U000efffd"
)
_IN_SEGMENTS = r"A-Za-z0-9\-._~!$&'()*+,;=:@" + _NOT_ASCII
_NOT_IN_SEGMENTS = re.compile(f"[^{_IN_SEGMENTS}]")
_LANGUAGE = "[a-z]+(?:[_-][a-z]+)*"
_TERM = re.compile(f"/c/{_LANGUAGE}/[^/].*", re.DOTALL)
_PATH = re.compile(f"(?:/(?:[{_IN_SEGMENTS}]|%[0-9A-F]{{2}})*)+")
# What needs no encoding, to spare nearly all terms the work; a segment that begins with a dot may.
_PLAIN_TERM = re.compile(f"/c/{_LANGUAGE}/[{_IN_SEGMENTS}]+(?:/[{_IN_SEGMENTS}]*)*")
_DOTS = (".", "..")
_NOT_IN_LABELS = re.compile(f"[^ -~{_NOT_ASCII}]")
_MOST_CHARACTERS = 1000


def term_path(term: str) -> str:
    r"""Return the path of a term in IRIs.

    Raises
    ------
    ValueError
        If it is not a term; the message says why.

    Examples
    --------
    >>> term_path("/c/en/a\\b"), term_path("/c/en/50%/n"), term_path("/c/en/café")
    ('/c/en/a%5Cb', '/c/en/50%25/n', '/c/en/café')
    """
    if _is_plain(term):
        return term
    if not _TERM.fullmatch(term):
        raise ValueError("an end is not a term such as /c/en/dog")
    if len(term) > _MOST_CHARACTERS:
        raise ValueError(f"a term has more than {_MOST_CHARACTERS:,} characters")
    try:
        return encoded_path(unicodedata.normalize("NFC", term))
    except UnicodeEncodeError:
        raise ValueError("a term is not Unicode") from None


def encoded_path(path: str) -> str:
    """Return a path with what IRIs cannot contain percent-encoded.

    Raises
    ------
    UnicodeEncodeError
        If it has half a surrogate pair.

    Examples
    --------
    >>> encoded_path("/d/my data/..")
    '/d/my%20data/%2E%2E'
    """
    return "/".join(
        "%2E" * len(segment)
        if segment in _DOTS
        else _NOT_IN_SEGMENTS.sub(lambda match: quote(match[0], safe=""), segment)
        for segment in path.split("/")
    )


def is_path(value: object) -> bool:
    """Return whether a value can be the path of an IRI."""
    return isinstance(value, str) and _PATH.fullmatch(value) is not None


def term_of(path: str) -> str:
    r"""Return the term of a path in IRIs.

    Examples
    --------
    >>> term_of("/c/en/a%5Cb")
    '/c/en/a\\b'
    """
    return unquote(path)


def is_term_path(path: object) -> bool:
    """Return whether a value is what `term_path` returns for some term.

    Examples
    --------
    >>> is_term_path("/c/en/dog/n"), is_term_path("/c/en"), is_term_path("/c/en/a b"), is_term_path("/c/en/%64og")
    (True, False, False, False)
    """
    if not isinstance(path, str):
        return False
    if _is_plain(path):
        return True
    try:
        return term_path(term_of(path)) == path
    except ValueError:
        return False


def _is_plain(term: str) -> bool:
    """Return whether a value is a term that is its own path."""
    return (
        _PLAIN_TERM.fullmatch(term) is not None
        and "/." not in term
        and len(term) <= _MOST_CHARACTERS
        and unicodedata.is_normalized("NFC", term)
    )


def text_of(path: str) -> str:
    r"""Return the word of a term's path, in plain spelling.

    White space of any kind becomes a space; control characters, marks of writing direction and what is not a character
    become U+FFFD. If nothing is left, the word is what the path has.

    Examples
    --------
    >>> text_of("/c/en/golden_retriever/n/wn/animal"), text_of("/c/en/a%5Cb%09c%00"), text_of("/c/en/_")
    ('golden retriever', 'a\\b c�', '_')
    """
    segment = path.split("/")[3]
    words = unquote(segment).replace("_", " ").split()
    return _NOT_IN_LABELS.sub("\N{REPLACEMENT CHARACTER}", " ".join(words)) or segment


def part_of_speech(path: str) -> str:
    """Return the letter of a term's part of speech; empty where the term has none.

    Examples
    --------
    >>> part_of_speech("/c/en/dog/n/wn/animal"), part_of_speech("/c/en/dog")
    ('n', '')
    """
    parts = path.split("/")
    return parts[4] if len(parts) > 4 else ""
