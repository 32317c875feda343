"""What all commands say on stderr, and the options that several of them take."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

__all__ = [
    "Base",
    "Concepts",
    "Force",
    "Links",
    "OutputKG",
    "Quiet",
    "note",
    "print_error",
    "progress_bar",
    "results_console",
]

if TYPE_CHECKING:
    from rich.console import Console

_log = logging.getLogger("filtag_kg")


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # A note that cannot be written stops nothing.
            typer.echo(f"note: {record.getMessage()}", err=True)


def _set_quiet(quiet: bool) -> bool:
    if not any(isinstance(handler, _Notes) for handler in _log.handlers):
        _log.addHandler(_Notes())
        _log.propagate = False
        # It would say of each attempt what a note says of them all.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
    _log.setLevel(logging.ERROR if quiet else logging.INFO)
    return quiet


Quiet = Annotated[
    bool,
    typer.Option("-q", "--quiet", help="Print no notes and no progress.", callback=_set_quiet, is_eager=True),
]
OutputKG = Annotated[Path, typer.Option("-o", "--output", metavar="KG", help="Directory of the KG to make.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the KG that is there.")]
Base = Annotated[str, typer.Option("--base", metavar="IRI", help="What the IRIs of the KG's own things begin with.")]
Concepts = Annotated[
    str,
    typer.Option(
        "--concepts",
        metavar="SOURCE[,SOURCE]",
        help="Where concepts come from, the preferred first: wordnet, conceptnet[:INDEX], conceptnet-api[:URL].",
    ),
]
Links = Annotated[
    Path | None,
    typer.Option(
        "--links", metavar="FILE", help="Links of classes to concepts, as SSSOM/TSV: links.sssom.tsv, corrected."
    ),
]


def note(text: str) -> None:
    """Say something on stderr, unless --quiet."""
    _log.info(text)


def print_error(text: str) -> None:
    """Say what went wrong, in one line on stderr."""
    with suppress(OSError):
        typer.echo(f"error: {' '.join(text.split())}", err=True)


def results_console() -> Console:
    """Return a console on stdout: as wide as the terminal, and wide where there is none."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160)


@contextmanager
def progress_bar(quiet: bool, unit: str = "images", *, of: int = 1) -> Iterator[Callable[[int, int], None]]:
    """Yield a function of (done, in all) that draws a bar with units/s and time left on stderr.

    A unit is so many (`of`) of what is counted: a million bytes.
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
        yield lambda done, total: progress.update(bar, completed=done // of, total=total // of)
