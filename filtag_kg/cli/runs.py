"""``filtag runs``: the runs of a KG."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from filtag_kg.cli.console import Quiet, results_console


def runs(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    remove: Annotated[
        str | None, typer.Option(metavar="RUN", help="Remove this run: its id, or its rule if only one run has it.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """List the runs of a KG, or remove one.

    filtag build --into adds runs.
    """
    from rich.table import Table

    from filtag_kg.kg import open_kg, remove_run, runs_of

    if remove is not None:
        remove_run(open_kg(kg), remove)
    table = Table("run", "rule", "network", box=None, header_style="bold", pad_edge=False)
    for run in runs_of(open_kg(kg)):
        table.add_row(run.run_id, run.rule, run.network)
    results_console().print(table, markup=False)
