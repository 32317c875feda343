"""Answers as an assistant gets them: text to read, structured content with exact values, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from filtag_kg.server.assistant.rows import Rows
from filtag_kg.server.assistant.text import record_text, table_text
from filtag_kg.server.assistant.vocabulary import terms_about


@dataclass(frozen=True, slots=True)
class Reply:
    """What a tool answers.

    Parameters
    ----------
    structured : JSON object or None
        None for an error.
    pictures : sequence of (media type, base64)
    """

    text: str
    structured: dict[str, Any] | None = None
    pictures: Sequence[tuple[str, str]] = ()
    is_error: bool = False


def rows_reply(rows: Rows, offset: int, notes: Sequence[str]) -> Reply:
    """Return rows as an answer, which says how many there are and how to get the others.

    Parameters
    ----------
    offset : int
        Rows that were skipped.
    """
    shown = offset + len(rows.rows)
    next_offset = shown if rows.rows and (shown < rows.total or not rows.all_counted) else None
    records = [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
    said = [*notes]
    if rows.cut_cells:
        cells = "1 long cell is" if rows.cut_cells == 1 else f"{rows.cut_cells} long cells are"
        said.append(f"{cells} cut and ends in …: ask for parts with SUBSTR in SPARQL")
    size = _size(rows, offset)
    more = [] if next_offset is None else [f"For the next ones, call again with offset={next_offset}."]
    table = [table_text(rows.columns, records)] if records else []
    return Reply(
        text="\n".join([" ".join([size, *more]), *table, *(f"Note: {note}" for note in said)]),
        structured={
            "columns": list(rows.columns),
            "rows": records,
            "offset": offset,
            "total": rows.total,
            "total_is_exact": rows.all_counted,
            "next_offset": next_offset,
            "notes": said,
        },
    )


def _size(rows: Rows, offset: int) -> str:
    total = f"{rows.total:,}" if rows.all_counted else f"more than {rows.total:,}"
    noun = "row" if rows.total == 1 else "rows"
    if not rows.total:
        return "No rows."
    if not rows.rows:
        return f"No rows from offset {offset:,} on, of {total} {noun}."
    if len(rows.rows) == rows.total and rows.all_counted:
        return f"{total} {noun}."
    return f"Rows {offset + 1:,} to {offset + len(rows.rows):,} of {total} {noun}."


def view_reply(record: dict[str, Any], pictures: Sequence[tuple[str, str]]) -> Reply:
    """Return a record as an answer, with pictures in the order in which it tells of them."""
    return Reply(record_text(record) or "Nothing.", record, [(media_type, data) for media_type, data in pictures])


def terms_reply(words: str) -> Reply:
    """Return terms of the vocabulary as an answer."""
    terms = terms_about(words)
    if not terms:
        return Reply(f"no term of the vocabulary has {words[:200]!r} in it: leave words out for all", is_error=True)
    columns = list(terms[0])
    return Reply(table_text(columns, terms), {"terms": terms})
