"""HTML for notebooks: escaped, without scripts or external resources, readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

# Readable on white and on black; lines and text take the page's own colour.
QUIET = "opacity:.7"
_TABLE = "border-collapse:collapse;margin:.4em 0 .8em;color:inherit;background:none"
_CELL = "padding:.15em .8em .15em 0;border:0;background:none;vertical-align:top;text-align:"
_TRACK = "display:inline-block;width:5em;margin-right:.4em"
_FILL = "display:inline-block;height:.65em;background:#3b82a6;width:"


def table_html(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[str] = ()) -> str:
    """Return a table.

    Parameters
    ----------
    columns : sequence of str
        Plain text; if all are empty, the table has no header.
    rows : iterable of sequences of str
        HTML, already escaped.
    right : iterable of str
        The columns to align right: numbers.
    """
    sides = ["right" if name in set(right) else "left" for name in columns]
    head = "".join(
        f'<th scope="col" style="{_CELL}{side};border-bottom:1px solid currentColor">{escape(name)}</th>'
        for name, side in zip(columns, sides, strict=True)
    )
    head = f"<thead><tr>{head}</tr></thead>" if any(columns) else ""
    body = "".join(f"<tr>{''.join(map(_cell, row, sides))}</tr>" for row in rows)
    return f'<table style="{_TABLE}">{head}<tbody>{body}</tbody></table>'


def bar_html(value: float | None, highest: float, form: str) -> str:
    """Return a bar with its number; nothing for None."""
    if value is None:
        return ""
    share = min(1.0, max(0.0, value / highest)) if highest > 0 else 0.0
    return f'<span style="{_TRACK}"><span style="{_FILL}{100 * share:.1f}%"></span></span>{value:{form}}'


def link_html(iri: str, text: str) -> str:
    """Return a link to a web IRI with a short text; for any other IRI the text alone."""
    if not iri.startswith(("http://", "https://")):
        return escape(text)
    # A browser's default blue is hard to read on black.
    style = "color:inherit;text-decoration:underline"
    return f'<a href="{escape(iri)}" title="{escape(iri)}" rel="noreferrer" style="{style}">{escape(text)}</a>'


def _cell(content: str, side: str) -> str:
    return f'<td style="{_CELL}{side}">{content}</td>'
