"""What ``filtag show`` draws its text with: tables, bars, and lists that are cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from filtag_kg.cli.console import results_console
from filtag_kg.views import chance_text

if TYPE_CHECKING:
    from rich.console import OverflowMethod

    from filtag_kg.concepts import CommonConcept

_EIGHTHS = " ▏▎▍▌▋▊▉"
_BAR_WIDTH = 10
_RIGHT = frozenset(("filters", "marked", "tags", "clear themes", "rank", "shared", "covers", "concentration"))


def table(*columns: str, yielding: str | None = None, wraps: bool = False) -> Table:
    """Return a table with its figures to the right; where it is too wide one column gives way, the last by default."""
    yielding = yielding or columns[-1]
    grid = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        # Rich narrows only columns that may wrap; the last one's cells are cut all the same (`cut_cell`).
        overflow: OverflowMethod = "fold" if wraps or name != columns[-1] else "ellipsis"
        grid.add_column(
            name, justify="right" if name in _RIGHT else "left", no_wrap=name != yielding, overflow=overflow
        )
    return grid


def print_table(grid: Table, title: str | None = None) -> None:
    """Print a table after an empty line, and nothing if it has no rows."""
    if not grid.row_count:
        return
    console = results_console()
    console.print()
    if title:
        console.print(f"[bold]{title}[/bold]")
    console.print(grid)


def print_title(name: str, about: str) -> None:
    """Print what the text is about."""
    results_console().print(f"[bold]{escape(name)}[/bold]\n[dim]{escape(about)}[/dim]", highlight=False)


def print_pairs(pairs: dict[str, str]) -> None:
    """Print names with their texts, those without text left out."""
    grid = Table(box=None, show_header=False, pad_edge=False)
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for name, text in pairs.items():
        if text:
            grid.add_row(name, escape(text))
    results_console().print(grid)


def print_cut(shown: int, total: int, what: str) -> None:
    """Say how many rows of a table were left out, if any."""
    if shown < total:
        text = f"{shown:,} of {total:,} {what}; --most {total} shows all"
        results_console().print(f"[dim]{escape(text)}[/dim]", highlight=False)


def cut_cell(markup: str) -> Text:
    """Return a cell that is cut rather than wrapped."""
    cell = Text.from_markup(markup, overflow="ellipsis")
    cell.no_wrap = True
    return cell


def cut_list(names: Sequence[str], most: int) -> str:
    """Return the first names, and how many more there are."""
    return ", ".join(names[:most]) + (f", and {len(names) - most:,} more" if len(names) > most else "")


def counted(n: int, noun: str) -> str:
    """Return a number with its noun in the plural, if it needs one."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}{'es' if noun.endswith('s') else 's'}"


def bar(value: float | None, highest: float, form: str, *, width: int = _BAR_WIDTH) -> Text:
    """Return a bar, drawn in eighths of a letter, with the formatted value behind it; empty if there is no value."""
    if value is None:
        return Text("")
    eighths = round(8 * width * max(0.0, value) / highest) if highest > 0 else 0
    eighths = min(eighths, 8 * width)
    blocks = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    return Text.assemble((f"{blocks:<{width}}", "cyan"), " ", f"{value:{form}}")


def concept_name(row: CommonConcept | None) -> str:
    """Return the name of a common concept, bold if it is beyond chance."""
    if row is None:
        return ""
    return f"[bold]{escape(row.label)}[/bold]" if row.beyond_chance() else escape(row.label)


def chance(row: CommonConcept, *, few: bool) -> str:
    """Return whether a common concept is beyond chance; `few`: the run has too few classes to tell."""
    return f"[bold]{chance_text(row)}[/bold]" if row.beyond_chance() else chance_text(row, few=few)
