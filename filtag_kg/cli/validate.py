"""``filtag validate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from filtag_kg.cli.console import Quiet, note
from filtag_kg.errors import FiltagError

__all__ = ["validate"]


def validate(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    sample: Annotated[
        int, typer.Option(metavar="N", min=1, help="Hold so many things of each class against the shapes.")
    ] = 100,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the choice of these.")] = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Compare only the sizes of graph, store and profile, not every byte.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Look for what is wrong with a KG: changed files, SHACL shapes on a sample, counts, ranks and links of it all.

    Each finding is a line: the check, where, and what. Any finding ends with exit code 1.
    """
    from filtag_kg.kg import open_kg, validate_kg

    found = validate_kg(open_kg(kg), sample=sample, seed=seed, quick=quick)
    for line in found.notes:
        note(line)
    for finding in found.findings:
        typer.echo(f"{finding.check}: {finding.where}: {finding.what}")
    if found.findings:
        raise FiltagError(f"{kg} is not valid ({len(found.findings)} findings, above): build it anew")
    typer.echo(
        f"valid: {found.n_statements:,} statements by {found.n_checks} checks, {found.n_nodes:,} things by the shapes"
    )
