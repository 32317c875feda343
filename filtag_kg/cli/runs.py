"""``filtag runs`` and ``filtag compare``: the runs of a KG, and what two of them agree on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filtag_kg.cli.console import Quiet, note, results_console

if TYPE_CHECKING:
    from filtag_kg.report import Agreement


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


def compare(
    kg_a: Annotated[Path, typer.Argument(metavar="KG", help="The first KG.")],
    kg_b: Annotated[Path, typer.Argument(metavar="KG", help="The second KG, or the same.")],
    rule: Annotated[str | None, typer.Option(metavar="RUN", help="The run of the first KG: its rule or id.")] = None,
    rule_b: Annotated[str | None, typer.Option(metavar="RUN", help="The run of the second KG.")] = None,
    q: Annotated[float, typer.Option(metavar="Q", help="Filters with a q-value below this are coherent.")] = 0.05,
    most: Annotated[int, typer.Option(metavar="N", help="Show at most N concepts.")] = 20,
    quiet: Quiet = False,
) -> None:
    """Compare two runs, layer by layer and concept by concept.

    Layers are compared only if both runs are of one network.

    For example: filtag compare my-kg my-kg --rule k=1 --rule-b q=0.05
    """
    from filtag_kg.kg import open_kg
    from filtag_kg.report import compare_runs
    from filtag_kg.views import SOURCE_TEXTS, load_kg

    facts_a = load_kg(open_kg(kg_a), q=q)
    facts_b = facts_a if kg_a.resolve() == kg_b.resolve() else load_kg(open_kg(kg_b), q=q)
    agreement = compare_runs(facts_a, facts_b, rule_a=rule, rule_b=rule_b)
    console = results_console()
    console.print(
        f"a: {agreement.a.rule} of {agreement.a.network}\nb: {agreement.b.rule} of {agreement.b.network}\n",
        markup=False,
    )
    kinds_of_a, kinds_of_b = (SOURCE_TEXTS.get(run.kinds_of, run.kinds_of) for run in (agreement.a, agreement.b))
    if kinds_of_a != kinds_of_b:
        note(f"the kinds of a are {kinds_of_a}'s, those of b {kinds_of_b}'s: only concepts of one IRI are the same")
    _print_layers(agreement)
    for name, run in (("a", agreement.a), ("b", agreement.b)):
        if run.too_few():
            typer.echo(f"coherent filters of {name}: {run.too_few()}")
    if not (agreement.a.too_few() and agreement.b.too_few()):
        _print_concepts(agreement, most)


def _print_layers(agreement: Agreement) -> None:
    from rich.table import Table

    if not agreement.layers:
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("layer", "filters", "tagged by a", "by b", "by both", "similarity", "same concept"):
        table.add_column(name, justify="left" if name == "layer" else "right")
    for row in agreement.layers:
        similarity = "" if row.similarity is None else f"{row.similarity:.2f}"
        same = f"{row.same_concept.count} of {row.same_concept.total}"
        counts = (row.filters, row.tagged_a, row.tagged_b, row.tagged_by_both)
        table.add_row(row.layer, *map(str, counts), similarity, same)
    results_console().print(table)
    typer.echo()


def _print_concepts(agreement: Agreement, most: int) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("coherent filters for")
    for name in ("a", "b"):
        table.add_column(name, justify="right")
    for row in agreement.concepts[:most]:
        table.add_row(escape(row.label), *("–" if n is None else str(n) for n in row.filters))
    results_console().print(table)
    if len(agreement.concepts) > most:
        typer.echo(f"{most} of {len(agreement.concepts)} concepts; --most {len(agreement.concepts)} shows all")
