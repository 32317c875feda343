"""``filtag mcp``: a KG as tools for assistants."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from filtag_kg.cli.console import Quiet, note
from filtag_kg.errors import FiltagError

_MEMORY_MB = 512
_WORKERS = 2
"""One assistant asks few questions at once, and each may turn slow without holding up the next."""


def mcp(
    source: Annotated[str, typer.Argument(metavar="KG|URL", help="A KG's directory or a SPARQL endpoint.")],
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="Stop an answer that takes longer.")] = 10.0,
    max_rows: Annotated[int, typer.Option(metavar="N", help="Count at most N rows of an answer.")] = 100_000,
    max_memory: Annotated[
        int | None, typer.Option(metavar="MB", help=f"Stop an answer that needs more memory (default: {_MEMORY_MB}).")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Serve a KG to an assistant, as tools (Model Context Protocol).

    An assistant starts this command itself, and speaks with it over stdin and stdout: register it there. It needs the
    extra filtag-kg[mcp]. Of an endpoint, there are named queries and SPARQL alone.

    For example: filtag mcp my-kg
    """
    from filtag_kg.kg import open_kg
    from filtag_kg.query import RemoteEndpoint
    from filtag_kg.server import Limits, run_mcp

    def started() -> None:
        note(f"serving {source} to an assistant on stdin and stdout (the end of stdin ends it)")

    memory = (_MEMORY_MB if max_memory is None else max_memory) << 20
    limits = Limits(timeout=timeout, max_rows=max_rows, memory=memory, workers=_WORKERS)
    if not source.startswith(("http://", "https://")):
        run_mcp(open_kg(Path(source)), limits, started)
        return
    if max_memory is not None:
        raise FiltagError("the memory of an endpoint cannot be limited from here", options=("max_memory",))
    run_mcp(RemoteEndpoint(source, timeout=max(1, round(timeout))), limits, started)
