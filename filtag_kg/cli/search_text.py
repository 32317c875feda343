"""What ``filtag show --search`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from filtag_kg.cli.console import results_console
from filtag_kg.cli.text_table import cut_cell, table

if TYPE_CHECKING:
    from filtag_kg.views import Match


def print_matches(text: str, matches: Sequence[Match]) -> None:
    """Print what was found, or what comes near, and why."""
    console = results_console()
    if not matches:
        console.print(f"Nothing is called {escape(text)}, is a kind of it or has it, and nothing comes near.")
        return
    if matches[0].is_near:
        console.print(
            f"Nothing is called {escape(text)}, is a kind of it or has it. What comes near:\n", highlight=False
        )
    rows = table("found", "what", "about", "why")
    for match in matches:
        rows.add_row(escape(match.label), match.kind, cut_cell(escape(match.detail)), cut_cell(escape(match.why)))
    console.print(rows)
