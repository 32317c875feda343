r"""Text of users as LaTeX that shows it as it is, whatever characters it has, with pdfLaTeX, XeLaTeX and LuaLaTeX."""

from __future__ import annotations

import unicodedata

PREAMBLE = r"""\ifdefined\filtagchar\else
  \protected\def\filtagchar#1#2{\ifdefined\Umathcode #2\else\texttt{U+#1}\fi}
\fi
"""
"""Defines what shows a character that pdfLaTeX has no letter for: XeLaTeX and LuaLaTeX show it, pdfLaTeX its code."""

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\symbol{34}",
    "`": r"\textasciigrave{}",
    # After the end of a row, brackets and stars would be read as its options.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "\N{NO-BREAK SPACE}": "~",
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    "\N{LEFT SINGLE QUOTATION MARK}": r"\textquoteleft{}",
    "\N{RIGHT SINGLE QUOTATION MARK}": r"\textquoteright{}",
    "\N{LEFT DOUBLE QUOTATION MARK}": r"\textquotedblleft{}",
    "\N{RIGHT DOUBLE QUOTATION MARK}": r"\textquotedblright{}",
    "\N{MIDDLE DOT}": r"\textperiodcentered{}",
    "\N{SECTION SIGN}": r"\S{}",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{MINUS SIGN}": r"$-$",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
}
_ACCENTS = {
    "\N{COMBINING GRAVE ACCENT}": r"\`",
    "\N{COMBINING ACUTE ACCENT}": r"\'",
    "\N{COMBINING CIRCUMFLEX ACCENT}": r"\^",
    "\N{COMBINING TILDE}": r"\~",
    "\N{COMBINING DIAERESIS}": r"\"",
    "\N{COMBINING MACRON}": r"\=",
    "\N{COMBINING BREVE}": r"\u",
    "\N{COMBINING DOT ABOVE}": r"\.",
    "\N{COMBINING RING ABOVE}": r"\r",
    "\N{COMBINING DOUBLE ACUTE ACCENT}": r"\H",
    "\N{COMBINING CARON}": r"\v",
    "\N{COMBINING CEDILLA}": r"\c",
}
_LIGATURES = "-',"
"""Characters of which TeX makes another when they are repeated."""


def tex_text(text: str) -> str:
    r"""Return text as one line of LaTeX.

    >>> print(tex_text("50 % of {a_b} & Färber's"))
    50 \% of \{a\_b\} \& F\"{a}rber's
    """
    parts: list[str] = []
    previous = ""
    for character in " ".join(text.split()):
        if character == previous and character in _LIGATURES:
            parts.append("{}")
        parts.append(_character(character))
        previous = character
    return "".join(parts)


def _character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if " " <= character <= "~":
        return character
    letter, *accents = list(unicodedata.normalize("NFD", character))
    if letter.isascii() and letter.isalpha() and len(accents) == 1 and accents[0] in _ACCENTS:
        return f"{_ACCENTS[accents[0]]}{{{letter}}}"
    # Half of a character, or one that steers a device, cannot be shown.
    shown = "?" if unicodedata.category(character) in ("Cc", "Cs", "Cn", "Co") else character
    return rf"\filtagchar{{{ord(character):04X}}}{{{shown}}}"
