"""Replace characters that XML cannot contain."""

from __future__ import annotations

import re

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    r"""Return text with U+FFFD for the characters that XML 1.0 cannot express, even escaped.

    >>> xml_text("a\x00b\tc")
    'a�b\tc'
    """
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
