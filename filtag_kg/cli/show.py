"""``filtag show``: a network, layer, filter, class or concept of a KG, in the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filtag_kg.cli.console import Quiet, note
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from filtag_kg.kg import KG
    from filtag_kg.views import Facts, NetworkTable

__all__ = ["show"]

_FORMATS = ("text", "json")


def show(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    layer: Annotated[str | None, typer.Argument(metavar="LAYER", help="A layer, or a filter as LAYER/FILTER.")] = None,
    filter_: Annotated[int | None, typer.Argument(metavar="FILTER", help="A filter of the layer.")] = None,
    class_: Annotated[
        str | None, typer.Option("--class", metavar="CLASS", help="Show a class instead: its id or label.")
    ] = None,
    concept: Annotated[
        str | None,
        typer.Option(metavar="CONCEPT", help="Show a concept instead: a word, its IRI, or a term (/c/en/dog)."),
    ] = None,
    network: Annotated[str | None, typer.Option(metavar="NET", help="The network; by default the KG's first.")] = None,
    rule: Annotated[
        str | None, typer.Option(metavar="RULE", help="A rule or run id; by default the network's first.")
    ] = None,
    most: Annotated[int, typer.Option(metavar="N", min=1, help="Show at most N rows of each table.")] = 10,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="text or json (all rows).")] = "text",
    quiet: Quiet = False,
) -> None:
    """Show a network, layer, filter, class or concept of a KG.

    For example: filtag show my-kg head_conv 992
    """
    from filtag_kg.kg import open_kg, runs_of
    from filtag_kg.views import read_facts

    if format_ not in _FORMATS:
        raise FiltagError(f"no format {format_!r}: choose one of {', '.join(_FORMATS)}")
    if sum(choice is not None for choice in (layer, class_, concept)) > 1:
        raise typer.BadParameter("show one thing: a layer or filter, --class, or --concept")
    opened = open_kg(kg)
    # Reading one run takes a fraction of the time of reading all.
    first = None if network is not None or format_ == "json" else runs_of(opened)[0].run_id
    facts = read_facts(opened, rule or first)
    chosen = facts.network_named(network)
    if class_ is not None or concept is not None:
        _show_class_or_concept(facts, chosen, class_, concept, rule, most, format_)
    elif layer is None:
        _show_kg(opened, facts, chosen, rule, most, format_)
    else:
        _show_layer(facts, chosen, layer, filter_, rule, most, format_)


def _show_kg(kg: KG, facts: Facts, network: NetworkTable, rule: str | None, most: int, format_: str) -> None:
    from filtag_kg.cli.show_text import print_network

    if format_ == "json":
        kinds = {table.run.run_id: facts.kinds(table) for table in facts.runs_of(network.network)}
        about = {name: kg.manifest[name] for name in ("id", "built", "counts", "licences")}
        _print_json({"path": str(kg.path), **about, "network": facts.network(network), "concepts": kinds})
        return
    table = facts.run_named(rule, network.network)
    print_network(kg, facts, facts.network(network), table, most=most)


def _show_layer(
    facts: Facts, network: NetworkTable, layer: str, filter_: int | None, rule: str | None, most: int, format_: str
) -> None:
    from filtag_kg.cli.show_text import print_filter, print_layer
    from filtag_kg.views import layer_and_filter

    layer, filter_ = layer_and_filter(network, layer, filter_)
    run_id = facts.run_named(rule, network.network).run.run_id
    if filter_ is None:
        layer_facts = facts.layer(network, layer)
        if format_ == "json":
            _print_json(layer_facts)
        else:
            print_layer(layer_facts, next(run for run in layer_facts.runs if run.run.run_id == run_id), most=most)
        return
    filter_facts = facts.filter(network, layer, filter_)
    if format_ == "json":
        _print_json(filter_facts)
    else:
        print_filter(filter_facts, next(run for run in filter_facts.runs if run.run.run_id == run_id), most=most)


def _show_class_or_concept(
    facts: Facts,
    network: NetworkTable,
    class_: str | None,
    concept: str | None,
    rule: str | None,
    most: int,
    format_: str,
) -> None:
    from filtag_kg.cli.show_text import print_class, print_concept
    from filtag_kg.views import classes_named, concepts_named

    run = facts.run_named(rule, network.network).run
    if class_ is not None:
        classes = [
            facts.class_(class_id)
            for class_id in classes_named(class_, facts.concepts.class_ids, facts.concepts.class_labels)
        ]
        if format_ == "json":
            _print_json(classes)
            return
        if len(classes) > 1:
            note(f"{class_!r} is the label of {len(classes)} classes: {', '.join(each.class_id for each in classes)}")
        for each in classes:
            print_class(each, run, most=most)
        return
    concepts = [facts.concept(iri) for iri in concepts_named(facts, str(concept))]
    if format_ == "json":
        _print_json(concepts)
        return
    if len(concepts) > 1:
        senses = ", ".join(f"{each.label} ({each.iri})" for each in concepts)
        note(f"{concept!r} has {len(concepts)} senses here: {senses}")
    for sense in concepts:
        print_concept(sense, run, most=most)


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, default=_plain, indent=2, ensure_ascii=False))


def _plain(value: DataclassInstance | Path) -> dict[str, object] | str:
    from dataclasses import fields

    if isinstance(value, Path):
        return str(value)
    return {field.name: getattr(value, field.name) for field in fields(value)}
