"""``filtag validate``: check a KG for damage and contradictions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from filtag_kg.cli.console import Quiet, note
from filtag_kg.errors import FiltagError


def validate(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    sample: Annotated[
        int, typer.Option(metavar="N", min=1, help="Check N things of each class against the SHACL shapes.")
    ] = 100,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of that sample.")] = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Compare only the sizes of graph, store and profile, not every byte.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Check a KG for damage and contradictions.

    Compares every file with the manifest, a sample with the SHACL shapes, and all counts, ranks and links. Each finding
    is one line: the check, where, and what. Any finding ends with exit code 1.
    """
    from filtag_kg.kg import open_kg, validate_kg

    report = validate_kg(open_kg(kg), sample=sample, seed=seed, quick=quick)
    for text in report.notes:
        note(text)
    for finding in report.findings:
        typer.echo(f"{finding.check}: {finding.where}: {finding.what}")
    if report.findings:
        raise FiltagError(f"{kg} is not valid ({len(report.findings)} findings, above): build it anew")
    typer.echo(
        f"valid: {report.n_statements:,} statements by {report.n_checks} checks, "
        f"{report.n_nodes:,} nodes by the SHACL shapes"
    )
