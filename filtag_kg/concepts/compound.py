"""Labels that are formulas over concepts, as INVERT and compositional explanations write them: *dog AND NOT poodle*.

::

    formula   alternative (OR alternative)*
    alternative   factor (AND factor)*
    factor   NOT factor  |  ( formula )  |  atom

An operator is a word in capitals (``AND``, ``OR``, ``NOT``) beside words that are not, or a sign: ``&&``, ``||``, and
``&``, ``|`` with spaces around it, ``~`` and ``!``; a lone ``&`` is English (*salt & pepper*). What is no formula, or a
malformed one, is ordinary text.

References
----------
.. [1] Bykov et al. 2023, Labeling Neural Representations with Inverse Recognition (INVERT)
.. [2] Mu & Andreas 2020, Compositional Explanations of Neurons
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Atom:
    """A text between operators."""

    text: str


@dataclass(frozen=True, slots=True)
class Not:
    """What a formula does not match."""

    of: Formula


@dataclass(frozen=True, slots=True)
class And:
    """What all parts match; two parts or more."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """What any part matches; two parts or more."""

    parts: tuple[Formula, ...]


Formula = Atom | Not | And | Or

_SIGNS = {"&": "AND", "&&": "AND", "∧": "AND", "|": "OR", "||": "OR", "∨": "OR", "~": "NOT", "!": "NOT", "¬": "NOT"}
# A single & or | needs spaces or brackets around it: AT&T is a name, and cab|taxi are two of one thing.
_TOKEN = re.compile(r"&&|\|\||[∧∨¬()]|[~!](?=[\w( ])|(?<=[\s)])[&|](?=[\s(~!])|\b(?:AND|OR|NOT)\b")
_GROUPED = re.compile(r"^\s*\(|&\s*\(")
# *salmon (food)*: a hint to what the text before it means.
_HINT = re.compile(r"[^\s()]\s*\([^()]*\)")
_ENDS_IN_OPERATOR = re.compile(r"\b(?:AND|OR|NOT)$|[&|~!∧∨¬]$")
_WORDS = {"AND", "OR", "NOT"}
_DEEPEST = 50


def parse_compound(label: str) -> Formula | None:
    """Return the formula that a label is; None for a label that is none.

    Examples
    --------
    >>> parse_compound("dog AND NOT poodle")
    And(parts=(Atom(text='dog'), Not(of=Atom(text='poodle'))))
    >>> parse_compound("(cat | dog) & ~poodle") == parse_compound("(cat OR dog) AND NOT poodle")
    True
    >>> parse_compound("dogs and birds"), parse_compound("salt & pepper"), parse_compound("dog AND")
    (None, None, None)
    """
    operators = set(_TOKEN.findall(label)) - {"(", ")"}
    if not operators or (operators == {"&"} and not _GROUPED.search(label)):
        return None
    if operators <= _WORDS and not any(letter.islower() for letter in label):
        return None
    tokens = list(_tokens(label))
    try:
        formula = _alternatives(tokens, 0)
    except _MalformedError:
        return None
    return None if tokens or isinstance(formula, Atom) else formula


def atoms(formula: Formula, *, negated: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield the text of each atom from left to right, and whether it stands below an odd number of NOTs."""
    match formula:
        case Atom(text):
            yield text, negated
        case Not(of):
            yield from atoms(of, negated=not negated)
        case And(parts) | Or(parts):
            for part in parts:
                yield from atoms(part, negated=negated)


def evaluate(formula: Formula, matches: Callable[[str], NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Return what a formula matches, given what the text of each atom does."""
    match formula:
        case Atom(text):
            return matches(text)
        case Not(of):
            return ~evaluate(of, matches)
        case And(parts):
            return reduce(np.logical_and, (evaluate(part, matches) for part in parts))
        case Or(parts):
            return reduce(np.logical_or, (evaluate(part, matches) for part in parts))


class _MalformedError(ValueError):
    """A text is no formula."""


def _tokens(label: str) -> Iterator[str]:
    """Yield operators by their words, brackets, and the texts between them, without the spaces around them."""
    spans = [match.span() for match in _HINT.finditer(label)]
    hints = [
        (start, stop) for start, stop in spans if not _TOKEN.search(label[start:stop].replace("(", " ").strip(" )"))
    ]
    hints = [(start, stop) for start, stop in hints if not _ENDS_IN_OPERATOR.search(label[: start + 1])]
    last = 0
    for match in _TOKEN.finditer(label):
        if any(start < match.start() < stop for start, stop in hints):
            continue
        if between := label[last : match.start()].strip():
            yield between
        yield _SIGNS.get(match[0], match[0])
        last = match.end()
    if rest := label[last:].strip():
        yield rest


def _alternatives(tokens: list[str], depth: int) -> Formula:
    """Take a formula from the front of the tokens."""
    return _chain(tokens, "OR", Or, lambda: _chain(tokens, "AND", And, lambda: _factor(tokens, depth)))


def _chain(tokens: list[str], operator: str, kind: type[And] | type[Or], take: Callable[[], Formula]) -> Formula:
    parts = [take()]
    while tokens[:1] == [operator]:
        del tokens[0]
        parts.append(take())
    return parts[0] if len(parts) == 1 else kind(tuple(parts))


def _factor(tokens: list[str], depth: int) -> Formula:
    if not tokens or depth > _DEEPEST:
        raise _MalformedError
    first = tokens.pop(0)
    if first == "NOT":
        return Not(_factor(tokens, depth + 1))
    if first == "(":
        formula = _alternatives(tokens, depth + 1)
        if tokens[:1] != [")"]:
            raise _MalformedError
        del tokens[0]
        return formula
    if first in ("AND", "OR", ")"):
        raise _MalformedError
    return Atom(first)
