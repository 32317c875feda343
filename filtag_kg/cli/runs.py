"""``filtag runs`` and ``filtag compare``: the runs of KGs, by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filtag_kg.cli.console import Quiet, results_console

if TYPE_CHECKING:
    from filtag_kg.report import Agreement

__all__ = ["compare", "runs"]


def runs(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    remove: Annotated[
        str | None, typer.Option(metavar="RUN", help="Remove this run: its id, or its rule where that names one.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """List the runs of a KG, or remove one. filtag build --into adds some."""
    from rich.table import Table

    from filtag_kg.kg import open_kg, remove_run, runs_of

    if remove is not None:
        remove_run(open_kg(kg), remove)
    table = Table("run", "rule", "network", box=None, header_style="bold", pad_edge=False)
    for run in runs_of(open_kg(kg)):
        table.add_row(run.run_id, run.rule, run.network)
    results_console().print(table, markup=False)


def compare(
    kg_a: Annotated[Path, typer.Argument(metavar="KG", help="The one KG.")],
    kg_b: Annotated[Path, typer.Argument(metavar="KG", help="The other, or the same.")],
    rule: Annotated[str | None, typer.Option(metavar="RUN", help="Of the one: a rule, or a run's id.")] = None,
    rule_b: Annotated[str | None, typer.Option(metavar="RUN", help="Of the other.")] = None,
    q: Annotated[float, typer.Option(metavar="Q", help="Filters with a q-value below this are coherent.")] = 0.05,
    most: Annotated[int, typer.Option(metavar="N", help="List so many concepts.")] = 20,
    quiet: Quiet = False,
) -> None:
    """Say what two runs agree on: layer by layer if they are of one network, and concept by concept.

    For example: filtag compare my-kg my-kg --rule k=1 --rule-b q=0.05
    """
    from filtag_kg.kg import open_kg
    from filtag_kg.report import compare_runs

    found = compare_runs(open_kg(kg_a), open_kg(kg_b), rule_a=rule, rule_b=rule_b, q=q)
    console = results_console()
    console.print(f"a: {found.a.rule} of {found.a.network}\nb: {found.b.rule} of {found.b.network}\n", markup=False)
    _print_layers(found)
    for name, run in (("a", found.a), ("b", found.b)):
        if run.too_few():
            typer.echo(f"coherent filters of {name}: {run.too_few()}")
    if not (found.a.too_few() and found.b.too_few()):
        _print_concepts(found, most)


def _print_layers(found: Agreement) -> None:
    from rich.table import Table

    if not found.layers:
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("layer", "filters", "tagged by a", "by b", "by both", "similarity", "same concept"):
        table.add_column(name, justify="left" if name == "layer" else "right")
    for row in found.layers:
        similarity = "" if row.similarity is None else f"{row.similarity:.2f}"
        same = f"{row.same_concept.count} of {row.same_concept.total}"
        counts = (row.filters, row.tagged_a, row.tagged_b, row.tagged_by_both)
        table.add_row(row.layer, *map(str, counts), similarity, same)
    results_console().print(table)
    typer.echo()


def _print_concepts(found: Agreement, most: int) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("coherent filters for")
    for name in ("a", "b"):
        table.add_column(name, justify="right")
    for row in found.concepts[:most]:
        table.add_row(escape(row.label), *("–" if n is None else str(n) for n in row.filters))
    results_console().print(table)
    if len(found.concepts) > most:
        typer.echo(f"{most} of {len(found.concepts)} concepts; --most {len(found.concepts)} shows all")
