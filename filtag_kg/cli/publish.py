"""``filtag publish``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from filtag_kg.cli.console import Quiet, progress_bar

__all__ = ["publish"]


def publish(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    url: Annotated[
        str, typer.Argument(metavar="URL", help="The store's Graph Store address, such as http://localhost:7878/store.")
    ],
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Log in; the password is FILTAG_PASSWORD in the environment, or the keyring's."
        ),
    ] = None,
    token: Annotated[
        bool, typer.Option("--token", help="Log in by the token FILTAG_TOKEN in the environment, or the keyring's.")
    ] = False,
    chunk: Annotated[int, typer.Option(metavar="N", min=1, help="Statements a request.")] = 20_000,
    parameter: Annotated[
        str, typer.Option(metavar="NAME", help="What the address calls the graph; some stores say graph-uri.")
    ] = "graph",
    quiet: Quiet = False,
) -> None:
    """Load a KG into a remote store, graph by graph, over the SPARQL 1.1 Graph Store Protocol.

    Each graph is whole or not there; one that is there already is replaced, so publishing again mends any failure.
    """
    from filtag_kg.export import credentials, publish_kg
    from filtag_kg.kg import open_kg

    found = open_kg(kg)
    total = found.manifest["counts"]["quads"]
    done = 0
    with progress_bar(quiet, "statements") as update:

        def advance(more: int) -> None:
            nonlocal done
            done += more
            update(done, total)

        secrets = credentials(url, user, token=token)
        sent = publish_kg(found, url, secrets=secrets, chunk=chunk, parameter=parameter, advance=advance)
    typer.echo(f"{sum(sent.values()):,} statements in {len(sent)} graphs at {url}")
