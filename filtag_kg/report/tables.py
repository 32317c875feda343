"""Tables as CSV and as Markdown, and the texts in them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence

from filtag_kg.csv_table import csv_writer
from filtag_kg.graph import xml_text

_SPECIAL = re.compile(r"[\\`*{}\[\]|#~$!]|(?<!\w)_|_(?!\w)")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def count_text(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: "1 filter", "2,000 filters"."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def csv_text(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table as CSV; None is an empty cell."""
    text = io.StringIO()
    writer = csv_writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def markdown_text(text: str, most: int = 60) -> str:
    r"""Return any text as one line of Markdown that shows it as it is, cut to `most` characters.

    >>> markdown_text("a|b\n<b>_c_</b> block5_conv3")
    'a\\|b &lt;b&gt;\\_c\\_&lt;/b&gt; block5_conv3'
    """
    line = " ".join(xml_text(text).split())
    if len(line) > most:
        line = f"{line[: most - 1]}…"
    return _SPECIAL.sub(r"\\\g<0>", line).translate(_ENTITIES)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> str:
    """Return a table whose columns line up in the source, too.

    Parameters
    ----------
    rows : iterable of sequences of str
        Cells that are Markdown already.
    right : iterable of int
        PageUrls of the columns to be set to the right.
    """
    to_right = set(right)
    lines = [list(header), *map(list, rows)]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(header))]
    rules = ["-" * (width - 1) + ":" if column in to_right else "-" * width for column, width in enumerate(widths)]
    return "\n".join(
        "| "
        + " | ".join(
            cell.rjust(width) if column in to_right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        + " |"
        for line in (lines[0], rules, *lines[1:])
    )
