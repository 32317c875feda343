"""Terms and quads in canonical N-Quads syntax.

They are text rather than objects: a KG has millions of lines, which are sorted as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Context, Decimal

import numpy as np

from filtag_kg.graph.vocabulary import PREFIXES, term

Triple = tuple[str, str, str]
"""Subject, predicate and object, each written as in N-Triples."""

_XSD = PREFIXES["xsd"]
_EXACT = Context(prec=800)
_NO_IRI = re.compile(r'[\x00- <>"{}|^`\\]')
_LARGE, _FEW_BINARY_DIGITS = 1000.0, 2.0**24
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"})


def iri(value: str) -> str:
    """Return an IRI as a term.

    Raises
    ------
    ValueError
        If it contains a character that no IRI may have.
    """
    if _NO_IRI.search(value) is not None:
        raise ValueError(f"{value!r} is not an IRI")
    return f"<{value}>"


def t(curie: str) -> str:
    """Return a term of the vocabulary, such as ``flt:Filter``."""
    return f"<{term(curie)}>"


def literal(value: str, *, language: str | None = None) -> str:
    r"""Return a literal.

    >>> literal('a "b"\n'), literal("dog", language="en")
    ('"a \\"b\\"\\n"', '"dog"@en')
    """
    text = f'"{value.translate(_ESCAPES)}"'
    return text if language is None else f"{text}@{language}"


def integer(value: int) -> str:
    """Return an ``xsd:integer``."""
    return f'"{value}"^^<{_XSD}integer>'


def boolean(value: bool) -> str:
    """Return an ``xsd:boolean``."""
    return f'"{str(value).lower()}"^^<{_XSD}boolean>'


def double(value: float) -> str:
    """Return an ``xsd:double`` in the fewest digits that give the number back, and no exponent.

    Oxigraph writes its numbers in this way, so files and store hold the same terms. Of two equally near decimals it is
    the one further from zero.

    >>> double(1.0), double(2e-7)
    ('"1"^^<http://www.w3.org/2001/XMLSchema#double>', '"0.0000002"^^<http://www.w3.org/2001/XMLSchema#double>')
    """
    text = repr(float(value))
    # Python's spelling is the same for most numbers, and takes a third of the time. Not where it has an exponent or no
    # digits (inf, nan), nor where the number has so few binary digits that it may lie halfway between two decimals.
    if "e" in text or "n" in text or abs(value) > _LARGE or (value * _FEW_BINARY_DIGITS).is_integer():
        text = _positional(value)
    return f'"{text.removesuffix(".0")}"^^<{_XSD}double>'


def _positional(value: float) -> str:
    text = np.format_float_positional(value, trim="-")
    if np.isfinite(value):
        exact, shown = Decimal(value), Decimal(text)
        unit = Decimal(1).scaleb(int(shown.as_tuple().exponent))
        if 2 * abs(exact - shown) == unit:
            text = format(exact.quantize(unit, rounding=ROUND_HALF_UP, context=_EXACT), "f")
    return text


def date_time(value: str) -> str:
    """Return a time in ISO 8601 as an ``xsd:dateTime`` in UTC.

    >>> date_time("2026-01-01T02:00:00+02:00")
    '"2026-01-01T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>'
    """
    moment = datetime.fromisoformat(value).astimezone(UTC)
    return f'"{moment:%Y-%m-%dT%H:%M:%SZ}"^^<{_XSD}dateTime>'


DEFAULT_GRAPH = ""
"""Stands for the default graph where others are named by their IRIs."""


def end_of_line(graph: str) -> str:
    """Return how a line of a graph ends, behind the object, without newline."""
    return " ." if graph == DEFAULT_GRAPH else f" {iri(graph)} ."


def quads(triples: Iterable[Triple], graph: str) -> set[str]:
    """Return the lines, without newlines, of triples in a graph."""
    end = end_of_line(graph)
    return {f"{s} {p} {o}{end}" for s, p, o in triples}
