"""RDF terms as text, as Python values, and short enough to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyoxigraph as ox

from filtag_kg.graph import PREFIXES

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple

Value = str | int | float | bool | None
"""A term as Python has it."""

_XSD = PREFIXES["xsd"]
_INTEGER = f"{_XSD}integer"
_FRACTIONS = frozenset(f"{_XSD}{name}" for name in ("decimal", "double", "float"))
_CONVERSIONS: Mapping[str, Callable[[str], Value]] = {
    _INTEGER: int,
    **dict.fromkeys(_FRACTIONS, float),
    f"{_XSD}boolean": ("true", "1").__contains__,  # Virtuoso writes 1.
}


def plain_text(term: Term | None) -> str:
    """Return an IRI or lexical form as it is; an empty string where nothing is bound."""
    if term is None:
        return ""
    return str(term) if isinstance(term, ox.BlankNode | ox.Triple) else term.value


def python_value(term: Term | None) -> Value:
    """Return a number, truth value or text; None where nothing is bound."""
    if term is None:
        return None
    if isinstance(term, ox.Literal):
        try:
            return _CONVERSIONS.get(term.datatype.value, str)(term.value)
        except ValueError:
            # Another store may hold text under a numeric type.
            return term.value
    return plain_text(term)


def is_number(term: Term | None) -> bool:
    """Return whether a term has a numeric type."""
    return is_fraction(term) or (isinstance(term, ox.Literal) and term.datatype.value == _INTEGER)


def is_fraction(term: Term | None) -> bool:
    """Return whether a term has a numeric type other than integer."""
    return isinstance(term, ox.Literal) and term.datatype.value in _FRACTIONS


def prefixed_name(iri: str) -> str | None:
    """Return an IRI with a prefix of the vocabulary: ``skos:broader``; None where no prefix fits."""
    for prefix, start in PREFIXES.items():
        if iri.startswith(start):
            return f"{prefix}:{iri.removeprefix(start)}"
    return None
