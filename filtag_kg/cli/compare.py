"""``filtag compare``: what two runs, layers or networks agree on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filtag_kg.cli.console import Quiet, note, results_console
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from rich.console import JustifyMethod
    from rich.table import Table

    from filtag_kg.report import Agreeing, Agreement, CoherentDifference, LabelAgreement

_MOST_DISAGREEMENTS = 10
_MOST_NAMED = 3


def compare(
    kg_a: Annotated[Path, typer.Argument(metavar="KG", help="The first KG.")],
    kg_b: Annotated[Path, typer.Argument(metavar="KG", help="The second KG, or the same.")],
    rule: Annotated[
        str | None, typer.Option(metavar="RUN", help="The run of the first KG: its rule, its method or its id.")
    ] = None,
    rule_b: Annotated[str | None, typer.Option(metavar="RUN", help="The run of the second KG.")] = None,
    layer: Annotated[
        str | None, typer.Option(metavar="LAYER", help="Compare this layer of the first KG, not whole runs.")
    ] = None,
    layer_b: Annotated[
        str | None, typer.Option(metavar="LAYER", help="With this layer of the second; by default the same.")
    ] = None,
    q: Annotated[float, typer.Option(metavar="Q", help="Filters with a q-value below this have a clear theme.")] = 0.05,
    most: Annotated[int, typer.Option(metavar="N", min=0, help="Show at most N concepts.")] = 20,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Also write a page, as HTML with pictures.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="table or json.")] = "table",
    quiet: Quiet = False,
) -> None:
    """Compare two runs: methods, rules, checkpoints, networks; or two layers.

    Filter by filter, beyond chance, where both networks have the same layers; then concept by concept. Of two networks
    it also compares how many filters have a common concept.

    For example: filtag compare my-kg my-kg --rule k=1 --rule-b clip-dissect
    """
    from filtag_kg.kg import open_kg
    from filtag_kg.output_paths import check_file_output
    from filtag_kg.report import agreement_page, check_level, compare_runs
    from filtag_kg.views import load_kg

    check_level(q)
    if format_ not in ("table", "json"):
        raise FiltagError(f"no format {format_!r}: choose table or json")
    if output is not None:
        check_file_output(output)
    facts_a = load_kg(open_kg(kg_a), q=q)
    facts_b = facts_a if kg_a.resolve() == kg_b.resolve() else load_kg(open_kg(kg_b), q=q)
    agreement = compare_runs(facts_a, facts_b, rule_a=rule, rule_b=rule_b, layer_a=layer, layer_b=layer_b)
    if output is not None:
        from filtag_kg.files import writing

        with writing(output) as file:
            file.write(agreement_page(agreement, facts_a).encode())
    if format_ == "json":
        typer.echo(_json(agreement))
    else:
        _print(agreement, most)
    if output is not None:
        note(f"{output}: open it in a browser")


def _print(agreement: Agreement, most: int) -> None:
    from filtag_kg.views import SOURCE_TEXTS

    console = results_console()
    console.print(
        f"a: {agreement.a.rule} of {agreement.a.network}\nb: {agreement.b.rule} of {agreement.b.network}\n",
        markup=False,
    )
    kinds_of_a, kinds_of_b = (SOURCE_TEXTS.get(run.kinds_of, run.kinds_of) for run in (agreement.a, agreement.b))
    if kinds_of_a != kinds_of_b:
        note(f"the kinds of a are {kinds_of_a}'s, those of b {kinds_of_b}'s: only concepts of one IRI are the same")
    if agreement.a.network != agreement.b.network and agreement.labels:
        note("filters of two networks correspond only if one was made from the other, as checkpoints are")
    _print_labels(agreement)
    _print_disagreements(agreement)
    _print_differences(agreement.coherent)
    _print_layers(agreement)
    for name, run in (("a", agreement.a), ("b", agreement.b)):
        if run.too_few():
            typer.echo(f"filters of {name} with a clear theme: {run.too_few()}")
    if not (agreement.a.too_few() and agreement.b.too_few()):
        _print_concepts(agreement, most)


def _table(title: str, *columns: str, to_the_left: int = 1) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=None, header_style="bold", pad_edge=False)
    for index, name in enumerate(columns):
        # Layers with the same beginning must stay apart, so the other columns give way, and nothing is cut.
        justify: JustifyMethod = "left" if index < to_the_left else "right"
        table.add_column(name, justify=justify, no_wrap=index == 0, overflow="fold")
    return table


def _print_labels(agreement: Agreement) -> None:
    if not agreement.labels:
        return
    table = _table(
        "Filters of which both say the same, and in brackets what chance gives",
        *("layer", "filters", "equal", "same kind", "near", "similarity", "beyond chance", "p"),
    )
    for row in agreement.labels:
        table.add_row(*_label_cells(row))
    results_console().print(table, markup=False)
    typer.echo()


def _label_cells(row: LabelAgreement) -> list[str]:
    beyond = row.beyond
    return [
        row.layer or "all layers",
        str(row.filters),
        *(_agreeing(each) for each in (row.equal, row.same_kind, row.near)),
        f"{row.similarity:.2f} ({row.expected:.2f})",
        "-" if beyond is None else f"{beyond.value:.2f} ({beyond.low:.2f} to {beyond.high:.2f})",
        "-" if beyond is None else f"{beyond.p_value:.2g}",
    ]


def _agreeing(each: Agreeing) -> str:
    return "-" if each.share.value is None else f"{each.share.value:.0%} ({each.expected:.0%})"


def _print_disagreements(agreement: Agreement) -> None:
    from filtag_kg.report import biggest_disagreements

    rows = biggest_disagreements(agreement.filters, _MOST_DISAGREEMENTS)
    if not rows:
        return
    table = _table("Where they disagree most", "layer", "filter", "a", "b", to_the_left=4)
    for row in rows:
        table.add_row(row.layer, str(row.filter), _named(row.labels_a), _named(row.labels_b))
    results_console().print(table, markup=False)
    typer.echo()


def _named(labels: tuple[str, ...]) -> str:
    more = f" and {len(labels) - _MOST_NAMED} more" if len(labels) > _MOST_NAMED else ""
    return ", ".join(labels[:_MOST_NAMED]) + more


def _print_differences(rows: tuple[CoherentDifference, ...]) -> None:
    if not rows:
        return
    table = _table(
        "Filters with a clear theme, of those that several classes mark", "layer", "a", "b", "difference", "p"
    )
    for row in rows:
        shares = [
            f"{share.count} of {share.total}" + ("" if share.value is None else f" ({share.value:.0%})")
            for share in (row.a, row.b)
        ]
        difference, p_value = "-", "-"
        if row.low is not None and row.high is not None and row.p_value is not None:
            points = (row.a.value or 0.0) - (row.b.value or 0.0)
            difference = f"{100 * points:+.0f} points ({100 * row.low:+.0f} to {100 * row.high:+.0f})"
            p_value = f"{row.p_value:.2g}"
        table.add_row(row.layer, *shares, difference, p_value)
    results_console().print(table, markup=False)
    typer.echo()


def _print_layers(agreement: Agreement) -> None:
    if not agreement.layers:
        return
    table = _table("The same tags", "layer", "filters", "marked by a", "by b", "by both", "similarity", "same theme")
    for row in agreement.layers:
        similarity = "" if row.similarity is None else f"{row.similarity:.2f}"
        same = f"{row.same_concept.count} of {row.same_concept.total}"
        counts = (row.filters, row.tagged_a, row.tagged_b, row.tagged_by_both)
        table.add_row(row.layer, *map(str, counts), similarity, same)
    results_console().print(table, markup=False)
    typer.echo()


def _print_concepts(agreement: Agreement, most: int) -> None:
    if not agreement.concepts:
        return
    table = _table("", "filters with the theme", "a", "b")
    for row in agreement.concepts[:most]:
        table.add_row(row.label, *("–" if n is None else str(n) for n in row.filters))
    results_console().print(table, markup=False)
    if len(agreement.concepts) > most:
        typer.echo(f"{most} of {len(agreement.concepts)} concepts; --most {len(agreement.concepts)} shows all")


def _json(agreement: Agreement) -> str:
    import json
    from dataclasses import fields, is_dataclass
    from enum import Enum
    from typing import Any

    from filtag_kg.report import Proportion

    def plain(value: Any) -> Any:  # noqa: ANN401 - whatever an agreement holds
        if isinstance(value, Proportion):
            return {"count": value.count, "of": value.total, "share": value.value, "low": value.low, "high": value.high}
        if is_dataclass(value) and not isinstance(value, type):
            return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
        if isinstance(value, tuple):
            return [plain(each) for each in value]
        return value.name.lower() if isinstance(value, Enum) else value

    sides = {
        name: {"run": run.run_id, "rule": run.rule, "network": run.network}
        for name, run in (("a", agreement.a), ("b", agreement.b))
    }
    parts = {name: plain(getattr(agreement, name)) for name in ("labels", "filters", "coherent", "layers", "concepts")}
    return json.dumps({**sides, **parts}, indent=2, ensure_ascii=False)
