"""Tables for a paper: each once as CSV, with everything, and once as LaTeX, with what fits on a page."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from filtag_kg.csv_table import csv_writer
from filtag_kg.paper.tex import PREAMBLE, tex_text

_MOST_ROWS = 48
"""A page has room for so many; a multiple of the lines that one rule takes in a table of Hits@n."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    name : str
        Its header in CSV.
    title : str
        Its header in LaTeX; empty for a column that only CSV has.
    form : callable
        From a cell, which is not None, to its text in LaTeX before escaping.
    number : bool
        Whether it is set to the right.
    """

    name: str
    title: str = ""
    form: Callable[[Any], str] = str
    number: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class PaperTable:
    """A table.

    Parameters
    ----------
    name : str
        Of its files, of letters, digits and hyphens.
    caption : str
        Text, not LaTeX.
    rows : sequence of sequences
        A cell for each column; None is an empty cell.
    most : int, optional
        Rows in LaTeX at most; the caption says how many there are.
    wide : bool
        Whether it takes both columns of a page.
    csv : bool
        Whether it is written as CSV.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    most: int | None = None
    wide: bool = False
    csv: bool = True

    def csv_text(self) -> str:
        """Return all columns and rows as CSV."""
        return table_csv([column.name for column in self.columns], self.rows)

    def tex_text(self) -> str:
        """Return the titled columns as LaTeX, which needs booktabs: a table for each page that they fill."""
        shown = [(index, column) for index, column in enumerate(self.columns) if column.title]
        rows = self.rows if self.most is None else self.rows[: self.most]
        caption = self.caption
        if len(rows) < len(self.rows):
            caption = f"{caption} The first {len(rows):,} of {len(self.rows):,}."
        environment = "table*" if self.wide else "table"
        lines = []
        for start in range(0, max(1, len(rows)), _MOST_ROWS):
            lines += [
                rf"\begin{{{environment}}}",
                r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
                rf"\caption{{{tex_text(f'{caption} Continued.' if start else caption)}}}",
                *([] if start else [rf"\label{{tab:{self.name}}}"]),
                rf"\begin{{tabular}}{{@{{}}{''.join('r' if column.number else 'l' for _, column in shown)}@{{}}}}",
                r"\toprule",
                _row([tex_text(column.title) for _, column in shown]),
                r"\midrule",
                *(
                    _row([_cell(row[index], column) for index, column in shown])
                    for row in rows[start : start + _MOST_ROWS]
                ),
                r"\bottomrule",
                r"\end{tabular}",
                rf"\end{{{environment}}}",
            ]
        return PREAMBLE + "\n".join(lines) + "\n"


def table_csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table as CSV; None is an empty cell."""
    text = io.StringIO()
    writer = csv_writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _cell(value: object, column: Column) -> str:
    return "" if value is None else tex_text(column.form(value))


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def whole(value: int) -> str:
    """Return a whole number with commas."""
    return f"{value:,}"


def per_cent(value: float) -> str:
    """Return a share in per cent, without the sign."""
    return f"{100 * value:.1f}"


def two_digits(value: float) -> str:
    """Return a number with two digits behind the point."""
    return f"{value:.2f}"
