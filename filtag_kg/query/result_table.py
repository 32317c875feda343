"""A result as a table for a terminal."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pyoxigraph as ox

from filtag_kg.query.result import Result
from filtag_kg.query.terms import Term, is_fraction, is_number, plain_text, prefixed_name

if TYPE_CHECKING:
    from rich.table import Table


def table_of(result: Result) -> Table:
    """Return a result as a table: numbers right-aligned, known IRIs short."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for i, name in enumerate(result.columns):
        bound = [row[i] for row in result.rows if row[i] is not None]
        numeric = bool(bound) and all(map(is_number, bound))
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in result.rows:
        table.add_row(*(escape(_readable(cell)) for cell in row))
    return table


def text_of(result: Result, most: int = 50) -> str:
    """Return the first rows of a result as text, and how many rows there are."""
    from rich.console import Console

    # In Jupyter, rich would show what it prints by itself.
    console = Console(width=200, color_system=None, file=io.StringIO(), force_jupyter=False)
    with console.capture() as capture:
        console.print(table_of(replace(result, rows=result.rows[:most])))
    n = len(result.rows)
    size = f"{most} of {n:,} rows" if n > most else f"{n:,} {'row' if n == 1 else 'rows'}"
    return "\n".join(line.rstrip() for line in f"{capture.get()}{size}".splitlines())


def _readable(term: Term | None) -> str:
    text = plain_text(term)
    if isinstance(term, ox.NamedNode):
        return prefixed_name(text) or text
    if is_fraction(term):
        # Another store may hold text under a numeric type.
        with suppress(ValueError):
            return f"{float(text):.3g}"
    return text
