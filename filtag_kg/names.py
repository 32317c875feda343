"""Names as people and file systems write them: how they are compared, and how they stand in paths of IRIs."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, unquote

__all__ = ["name_in_path", "nfc", "part_of_path"]

_DOTS = re.compile(r"=?(\.\.?)")


def nfc(name: str) -> str:
    r"""Return a name in the form in which names are compared: file systems of macOS take the letters of *Bär* apart.

    >>> nfc("Ba\u0308r") == "Bär"
    True
    """
    return unicodedata.normalize("NFC", name)


def part_of_path(name: str) -> str:
    """Return a name as one part of a path: percent-encoded, and never taken for this folder or the one above.

    >>> part_of_path("a/b"), part_of_path("..")
    ('a%2Fb', '=..')
    """
    # Clients resolve "." and "..", and take "%2E%2E" for the same. A name that has "=" itself has it as "%3D".
    return f"={name}" if _DOTS.fullmatch(name) and name[0] == "." else quote(name, safe="")


def name_in_path(part: str) -> str:
    """Return the name that a part of a path stands for.

    >>> name_in_path("a%2Fb"), name_in_path("=.."), name_in_path("%3D..")
    ('a/b', '..', '=..')
    """
    dots = _DOTS.fullmatch(part)
    return dots[1] if dots else unquote(part)
