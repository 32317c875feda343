"""Names as people and file systems write them: how to compare them, and how to put them into paths of IRIs."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, unquote

_DOTS = re.compile(r"=?(\.\.?)")


def nfc(name: str) -> str:
    r"""Return a name in the form in which names are compared; file systems of macOS decompose the *ä* of *Bär*.

    >>> nfc("Ba\u0308r") == "Bär"
    True
    """
    return unicodedata.normalize("NFC", name)


def part_of_path(name: str) -> str:
    """Return a name as one segment of a path: percent-encoded, and never ``.`` or ``..``.

    >>> part_of_path("a/b"), part_of_path("..")
    ('a%2Fb', '=..')
    """
    # Clients resolve "." and "..", even as "%2E%2E". A "=" in the name itself becomes "%3D".
    return f"={name}" if _DOTS.fullmatch(name) and name[0] == "." else quote(name, safe="")


def name_in_path(part: str) -> str:
    """Return the name that a segment of a path stands for.

    >>> name_in_path("a%2Fb"), name_in_path("=.."), name_in_path("%3D..")
    ('a/b', '..', '=..')
    """
    dots = _DOTS.fullmatch(part)
    return dots[1] if dots else unquote(part)
