"""``filtag serve``: the explorer and the SPARQL endpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from filtag_kg.cli.console import Quiet, note
from filtag_kg.cli.explain import KGNetwork
from filtag_kg.cli.network_options import Classes, Preprocess
from filtag_kg.cli.profile import ClassNames, given_names


def serve(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    host: Annotated[
        str, typer.Option(metavar="HOST", help="The address to listen on; 0.0.0.0 lets everyone in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", help="The port to listen on; 0 takes a free one.")] = 8000,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="Stop a query or page that takes longer.")] = 10.0,
    max_rows: Annotated[int, typer.Option(metavar="N", help="Refuse answers of more rows.")] = 1_000_000,
    max_size: Annotated[int, typer.Option(metavar="MB", help="Refuse answers that are larger.")] = 64,
    max_memory: Annotated[int, typer.Option(metavar="MB", help="Stop a query or page that needs more memory.")] = 512,
    cache: Annotated[int, typer.Option(metavar="MB", help="Memory for answers that are asked for again.")] = 64,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Quick queries and pages that run at once (default: one per processor)."),
    ] = None,
    root_path: Annotated[
        str, typer.Option(metavar="PATH", help="The path that a proxy puts the server under, such as /kg.")
    ] = "",
    host_name: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name by which the proxy calls the server (repeatable)."),
    ] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS", help="Believe the X-Forwarded headers of this address or network; * of any (repeatable)."
        ),
    ] = None,
    network: KGNetwork = None,
    preprocess: Preprocess = None,
    classes: Classes = None,
    class_names: ClassNames = None,
    quiet: Quiet = False,
) -> None:
    """Serve a KG over HTTP, read-only: explorer and SPARQL.

    The explorer is at /, SPARQL at /sparql, the named queries at /queries, and every IRI of the data has an address.
    --network, --preprocess, --classes and --class-names are for explaining images.

    For example: filtag serve my-kg --port 8000
    """
    from filtag_kg.kg import open_kg
    from filtag_kg.server import (
        Explorer,
        Limits,
        NetworkChoice,
        PublicAddress,
        create_app,
        is_loopback,
        listen,
        run_app,
    )

    limits = Limits(
        timeout=timeout,
        max_rows=max_rows,
        max_bytes=max_size << 20,
        memory=max_memory << 20,
        cache=cache << 20,
    )
    if workers is not None:
        limits = replace(limits, workers=workers)
    opened = open_kg(kg)
    opened.store_process().open()
    local = is_loopback(host)
    explorer = Explorer(kg, NetworkChoice(network, preprocess, classes, given_names(class_names, classes)))
    public = PublicAddress(root_path=root_path, proxies=tuple(proxy or ())).with_hosts(host_name or ())
    if not local and not host_name:
        public = replace(public, hosts=None)
    app = create_app(opened, limits, pages=explorer, routes=explorer.routes, beside=explorer.running, address=public)
    listening = listen(host, port)
    if not local:
        note(f"everyone who reaches {host} can query this KG: leave --host out to serve this machine only")

    def announce(address: str) -> None:
        home = f"{address.rstrip('/')}{public.root_path}/"
        typer.echo(f"serving {kg} at {home} (Ctrl-C ends it)", err=True)

    run_app(app, listening, announce)
