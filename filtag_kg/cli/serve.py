"""``filtag serve``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from filtag_kg.cli.console import Quiet, note
from filtag_kg.cli.explain import KGNetwork
from filtag_kg.cli.profile import Classes, Preprocess

__all__ = ["serve"]


def serve(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    host: Annotated[str, typer.Option(metavar="HOST", help="Listen there; 0.0.0.0 is everywhere.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", help="0 takes any that is free.")] = 8000,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="Stop a query or page that takes longer.")] = 10.0,
    max_rows: Annotated[
        int, typer.Option(metavar="N", help="Leave out the rows of an answer after so many.")
    ] = 100_000,
    max_memory: Annotated[int, typer.Option(metavar="MB", help="End a query or page that takes more memory.")] = 512,
    cache: Annotated[int, typer.Option(metavar="MB", help="Keep so much of answers for who asks the same.")] = 64,
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="Quick queries and pages that run at once (one a processor).")
    ] = None,
    network: KGNetwork = None,
    preprocess: Preprocess = None,
    classes: Classes = None,
    quiet: Quiet = False,
) -> None:
    """Serve a KG over HTTP, read-only: the explorer page, SPARQL at /sparql, the named queries at /queries.

    Every IRI of the data has an address, too. --network, --preprocess and --classes are for explaining images.

    For example: filtag serve my-kg --port 8000
    """
    from filtag_kg.kg import open_kg
    from filtag_kg.server import (
        LOOPBACK_NAMES,
        Explorer,
        Limits,
        NetworkChoice,
        create_app,
        is_loopback,
        listen,
        run_app,
    )

    limits = Limits(timeout=timeout, max_rows=max_rows, memory=max_memory << 20, cache=cache << 20)
    if workers is not None:
        limits = replace(limits, workers=workers)
    served = open_kg(kg)
    served.store_process().open()
    local = is_loopback(host)
    explorer = Explorer(kg, NetworkChoice(network, preprocess, classes))
    hosts = LOOPBACK_NAMES if local else None
    app = create_app(served, limits, pages=explorer, routes=explorer.routes, beside=explorer.running, hosts=hosts)
    listening = listen(host, port)
    if not local:
        note(f"everyone who reaches {host} can query this KG: leave --host out to serve this machine alone")
    run_app(app, listening, lambda address: typer.echo(f"serving {kg} at {address} (Ctrl-C ends it)", err=True))
