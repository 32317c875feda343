"""A result as notebooks show it: a table to read, cut where it is long."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import pyoxigraph as ox

from filtag_kg.graph import PREFIXES
from filtag_kg.notebook_html import QUIET, link_html, table_html

if TYPE_CHECKING:
    from filtag_kg.query.result import Result, Term

__all__ = ["result_html"]

_MOST_ROWS = 50
_INTEGER = f"{PREFIXES['xsd']}integer"
_FRACTIONS = frozenset(f"{PREFIXES['xsd']}{name}" for name in ("decimal", "double", "float"))


def result_html(result: Result) -> str:
    """Return the first rows of a result as a table: figures to the right, IRIs as short links."""
    shown = result.rows[:_MOST_ROWS]
    right = (
        [
            name
            for name, cells in zip(result.columns, zip(*shown, strict=True), strict=True)
            if all(cell is None or _is_number(cell) for cell in cells)
        ]
        if shown
        else []
    )
    table = table_html(result.columns, (list(map(_cell, row)) for row in shown), right=right)
    n = len(result.rows)
    said = f"{n:,} {'row' if n == 1 else 'rows'}" if n <= _MOST_ROWS else f"{_MOST_ROWS} of {n:,} rows"
    return f'<div>{table}<p style="{QUIET};margin:0">{said}</p></div>'


def _cell(cell: Term | None) -> str:
    if cell is None:
        return ""
    if isinstance(cell, ox.NamedNode):
        return link_html(cell.value, _short(cell.value))
    if isinstance(cell, ox.Literal):
        return f"{float(cell.value):.3g}" if cell.datatype.value in _FRACTIONS else escape(cell.value)
    return escape(str(cell))


def _short(iri: str) -> str:
    """Return an IRI with a prefix, or its last two parts."""
    for prefix, start in PREFIXES.items():
        if iri.startswith(start):
            return f"{prefix}:{iri.removeprefix(start)}"
    parts = iri.rstrip("/").split("/")
    return f"…/{'/'.join(parts[-2:])}" if len(parts) > 5 else iri


def _is_number(cell: Term) -> bool:
    return isinstance(cell, ox.Literal) and cell.datatype.value in {_INTEGER, *_FRACTIONS}
