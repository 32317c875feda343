"""Answers as text for an assistant to read: few characters, rounded figures, and what was left out.

A cell is one line, whatever the graph holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from filtag_kg.views import probability_text

_PROBABILITIES = ("q_value", "p_adjusted", "p_value")


def table_text(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    r"""Return rows as a Markdown table, without the columns that have nothing in them.

    >>> print(table_text(("layer", "share", "score"), [{"layer": "deep|er", "share": 0.66666, "score": None}]))
    | layer | share |
    |---|---|
    | deep\|er | 0.667 |
    """
    shown = [name for name in columns if any(row.get(name) not in (None, "") for row in rows)]
    cells = [shown, *([_cell(name, row.get(name)) for name in shown] for row in rows)]
    head, *body = (f"| {' | '.join(line)} |" for line in cells)
    return "\n".join([head, "|---" * len(shown) + "|", *body])


def record_text(record: Mapping[str, Any], level: int = 0) -> str:
    """Return a record: a line for each value, a table for each list of records, nothing for what is missing.

    >>> tags = [{"class": "tabby", "rank": 1}]
    >>> print(record_text({"layer": "deep", "mixed": None, "tags": {"total": 9, "items": tags}}))
    layer: deep
    tags (1 of 9):
    | class | rank |
    |---|---|
    | tabby | 1 |
    """
    return "\n".join(line for name, value in record.items() for line in _lines(name, value, level))


def _lines(name: str, value: Any, level: int) -> list[str]:  # noqa: ANN401 - JSON
    title = name.replace("_", " ")
    match value:
        case None | "" | [] | {"total": 0}:
            return []
        case {"total": int(total), "items": list(items), **others}:
            of = f"{len(items):,} of {total:,}" if len(items) < total else f"{total:,}"
            return [f"{title} ({of}):", _listing(items), *(f"{key}: {other}" for key, other in others.items() if other)]
        case [dict(), *_] as rows:
            if any(isinstance(each, dict | list) for row in rows for each in row.values()):
                return [f"{'#' * (level + 2)} {title}", *(record_text(row, level + 1) + "\n" for row in rows)]
            return [f"{title}:", _listing(rows)]
        case list():
            return [f"{title}: {', '.join(_cell('', each) for each in value)}"]
        case dict():
            nested = record_text(value, level + 1)
            return [f"{title}:", *(f"  {line}" for line in nested.splitlines())] if nested else []
        case _:
            return [f"{title}: {_cell(name, value)}"]


def _listing(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if len(columns) == 1:
        return ", ".join(_cell(columns[0], row[columns[0]]) for row in rows)
    return table_text(columns, rows)


def one_line(text: str, most: int) -> str:
    """Return a text in one line of so many characters at most."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _cell(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return probability_text(value) if name in _PROBABILITIES else f"{value:.3g}"
    return " ".join(str(value).split()).replace("|", "\\|")
