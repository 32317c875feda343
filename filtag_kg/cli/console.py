"""Notes, errors and progress on stderr, and the options that several commands share."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

_log = logging.getLogger("filtag_kg")


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # A note that cannot be written must not stop the command.
            typer.echo(f"note: {record.getMessage()}", err=True)


def _set_quiet(quiet: bool) -> bool:
    if not any(isinstance(handler, _Notes) for handler in _log.handlers):
        _log.addHandler(_Notes())
        _log.propagate = False
        # It logs every failed attempt; our own note sums them up.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
    _log.setLevel(logging.ERROR if quiet else logging.INFO)
    return quiet


Quiet = Annotated[
    bool,
    typer.Option("-q", "--quiet", help="Print no notes and no progress.", callback=_set_quiet, is_eager=True),
]
OutputKG = Annotated[Path, typer.Option("-o", "--output", metavar="KG", help="Directory of the KG to make.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing KG.")]
Base = Annotated[str, typer.Option("--base", metavar="IRI", help="What the KG's own IRIs begin with.")]
Title = Annotated[
    str | None, typer.Option("--title", metavar="TEXT", help="The KG's title as a dataset.", show_default=False)
]
Creators = Annotated[
    list[str] | None,
    typer.Option("--creator", metavar="NAME|IRI", help="Whose data it is: a name, or an ORCID's IRI. May be repeated."),
]
Licence = Annotated[
    str | None,
    typer.Option(
        "--licence",
        metavar="ID|IRI",
        help="Licence of your own data, profile and tags: an SPDX id such as CC-BY-4.0, or an IRI.  [default: none is "
        "claimed; concepts stay under their sources' licences]",
        show_default=False,
    ),
]
DEFAULT_CONCEPTS = "wordnet,conceptnet"
"""As `filtag_kg.concepts` has it, which would take long to import here."""
Concepts = Annotated[
    str,
    typer.Option(
        "--concepts",
        metavar="SOURCE[,SOURCE]",
        help="Where concepts come from, the preferred first: wordnet, conceptnet, "
        "conceptnet-dump[:INDEX], conceptnet-api[:URL].",
    ),
]
Links = Annotated[
    Path | None,
    typer.Option(
        "--links", metavar="FILE", help="Links of classes to concepts, as SSSOM/TSV: links.sssom.tsv, corrected."
    ),
]


def note(text: str) -> None:
    """Print a note on stderr, unless --quiet."""
    _log.info(text)


def print_error(text: str) -> None:
    """Print what went wrong, in one line on stderr."""
    with suppress(OSError):
        typer.echo(f"error: {' '.join(text.split())}", err=True)


def results_console() -> Console:
    """Return a console on stdout: as wide as the terminal, or 160 columns wide without one."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160)


@contextmanager
def progress_bar(quiet: bool, unit: str = "images", *, unit_size: int = 1) -> Iterator[Callable[[int, int], None]]:
    """Yield a function of (done, total) that draws a bar on stderr, with units/s and the time left.

    Parameters
    ----------
    unit_size : int
        What a unit counts: 1,000,000 for bytes shown as MB.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:.0f} {unit}/s")

    columns = (BarColumn(), MofNCompleteColumn(), Speed(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), speed_estimate_period=60) as progress:
        bar = progress.add_task(unit, total=None)
        yield lambda done, total: progress.update(bar, completed=done // unit_size, total=total // unit_size)
