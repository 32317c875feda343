"""A result as notebooks show it: a table of its first rows."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import pyoxigraph as ox

from filtag_kg.notebook_html import QUIET, link_html, table_html
from filtag_kg.query.terms import Term, is_fraction, is_number, prefixed_name

if TYPE_CHECKING:
    from filtag_kg.query.result import Result

_MOST_ROWS = 50


def result_html(result: Result) -> str:
    """Return the first rows of a result as a table: numbers right-aligned, IRIs as short links."""
    shown = result.rows[:_MOST_ROWS]
    numeric = [
        name
        for i, name in enumerate(result.columns)
        if shown and all(row[i] is None or is_number(row[i]) for row in shown)
    ]
    table = table_html(result.columns, (list(map(_cell, row)) for row in shown), right=numeric)
    n = len(result.rows)
    size = f"{n:,} {'row' if n == 1 else 'rows'}" if n <= _MOST_ROWS else f"{_MOST_ROWS} of {n:,} rows"
    return f'<div>{table}<p style="{QUIET};margin:0">{size}</p></div>'


def _cell(term: Term | None) -> str:
    if term is None:
        return ""
    if isinstance(term, ox.NamedNode):
        return link_html(term.value, _short(term.value))
    if isinstance(term, ox.Literal):
        return f"{float(term.value):.3g}" if is_fraction(term) else escape(term.value)
    return escape(str(term))


def _short(iri: str) -> str:
    """Return an IRI with a prefix, or its last two parts."""
    parts = iri.rstrip("/").split("/")
    return prefixed_name(iri) or (f"…/{'/'.join(parts[-2:])}" if len(parts) > 5 else iri)
