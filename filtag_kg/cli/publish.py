"""``filtag publish``: load a KG into a remote store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from filtag_kg.cli.console import Quiet, progress_bar


def publish(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    url: Annotated[
        str, typer.Argument(metavar="URL", help="The store's Graph Store address, such as http://localhost:7878/store.")
    ],
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Log in; the password comes from FILTAG_PASSWORD in the environment, or the keyring."
        ),
    ] = None,
    token: Annotated[
        bool, typer.Option("--token", help="Log in with a token, from FILTAG_TOKEN in the environment, or the keyring.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace this KG, or an earlier version of it, if the store holds it.")
    ] = False,
    chunk: Annotated[int, typer.Option(metavar="N", min=1, help="Statements per request.")] = 20_000,
    parameter: Annotated[
        str, typer.Option(metavar="NAME", help="The URL parameter that names the graph; some stores use graph-uri.")
    ] = "graph",
    quiet: Quiet = False,
) -> None:
    """Load a KG into a remote SPARQL store, beside other KGs.

    It uses the SPARQL 1.1 Graph Store Protocol. What other KGs may say, too, such as networks and concepts, is merged
    with what the store has. If it fails, what it sent of this KG's own graphs is removed, so try again.
    """
    from filtag_kg.export import credentials, publish_kg
    from filtag_kg.kg import open_kg

    opened = open_kg(kg)
    total = opened.manifest["counts"]["quads"]
    done = 0
    with progress_bar(quiet, "statements") as update:

        def advance(sent: int) -> None:
            nonlocal done
            done += sent
            update(done, total)

        secrets = credentials(url, user, token=token)
        counts = publish_kg(
            opened, url, secrets=secrets, replace=replace, chunk=chunk, parameter=parameter, advance=advance
        )
    typer.echo(f"{sum(counts.values()):,} statements in {len(counts)} graphs at {url}")
