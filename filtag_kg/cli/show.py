"""``filtag show``: a network, layer, filter, class or concept of a KG, in the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from filtag_kg.cli.console import Quiet, note
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from filtag_kg.kg import KG, KgRun
    from filtag_kg.views import LoadedKg, NetworkLayers, RunResults

_FORMATS = ("text", "json")
_Shown: TypeAlias = tuple[object, Sequence[Callable[[], None]]]
"""What to print as JSON, and what prints it as text."""


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
    search: Annotated[
        str | None,
        typer.Option(metavar="WORDS", help="Find what has this name, or means it: puppy, wheel, animal that swims."),
    ] = None,
    network: Annotated[str | None, typer.Option(metavar="NET", help="The network; by default the KG's first.")] = None,
    rule: Annotated[
        str | None, typer.Option(metavar="RULE", help="A rule or run id; by default the network's first.")
    ] = None,
    most: Annotated[int, typer.Option(metavar="N", min=1, help="Show at most N rows of each table.")] = 10,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="text or json (all rows).")] = "text",
    quiet: Quiet = False,
) -> None:
    """Show a network, layer, filter, class or concept of a KG, or search it.

    For example: filtag show my-kg head_conv 992
    """
    from filtag_kg.kg import open_kg, runs_of
    from filtag_kg.views import load_kg

    if format_ not in _FORMATS:
        raise FiltagError(f"no format {format_!r}: choose one of {', '.join(_FORMATS)}")
    if sum(choice is not None for choice in (layer, class_, concept, search)) > 1:
        raise typer.BadParameter("show one thing: a layer or filter, --class, --concept, or --search")
    opened = open_kg(kg)
    # Reading one run takes a fraction of the time of reading all.
    # The rule that says most of a filter may be any.
    is_filter = filter_ is not None or (layer is not None and "/" in layer)
    reads_all = network is not None or search is not None or is_filter or format_ == "json"
    first = None if reads_all else runs_of(opened)[0].run_id
    loaded = load_kg(opened, rule or first)
    chosen = loaded.network_named(network)
    run = loaded.run_named(rule, chosen.network)
    if class_ is not None:
        value, texts = _classes(loaded, class_, run.run, most)
    elif concept is not None:
        value, texts = _concepts(loaded, concept, run.run, most)
    elif search is not None:
        value, texts = _found(loaded, search, most)
    elif layer is None:
        value, texts = _network(opened, loaded, chosen, run, most)
    else:
        value, texts = _layer(loaded, chosen, layer, filter_, None if rule is None else run.run, run.run, most)
    if format_ == "json":
        typer.echo(json.dumps(value, default=_plain, indent=2, ensure_ascii=False))
        return
    for print_text in texts:
        print_text()


def _network(kg: KG, loaded: LoadedKg, network: NetworkLayers, run: RunResults, most: int) -> _Shown:
    from filtag_kg.cli.show_text import print_network

    view = loaded.network(network)
    concepts = {table.run.run_id: loaded.kinds(table) for table in loaded.runs_of(network.network)}
    about = {
        name: kg.manifest[name] for name in ("id", "built", "counts", "licences", "attribution") if name in kg.manifest
    }
    value = {"path": str(kg.path), **about, "network": view, "concepts": concepts}
    return value, [partial(print_network, kg, loaded, view, run, most=most)]


def _layer(
    loaded: LoadedKg,
    network: NetworkLayers,
    layer: str,
    filter_: int | None,
    chosen: KgRun | None,
    first: KgRun,
    most: int,
) -> _Shown:
    """Return a layer or filter, by the chosen run; else the first, or of a filter that which says most."""
    from filtag_kg.cli.show_text import print_filter, print_layer
    from filtag_kg.views import layer_and_filter, named_filter

    layer, filter_ = layer_and_filter(network, layer, filter_)
    if filter_ is None:
        layer_view = loaded.layer(network, layer)
        run = chosen or first
        layer_run = next(each for each in layer_view.runs if each.run.run_id == run.run_id)
        return layer_view, [partial(print_layer, layer_view, layer_run, most=most)]
    filter_view = named_filter(loaded, network, layer, filter_)
    named = None if filter_view.name is None else filter_view.name.run
    run = chosen or named or first
    filter_run = next(each for each in filter_view.runs if each.run.run_id == run.run_id)
    return filter_view, [partial(print_filter, filter_view, filter_run, loaded.checks, most=most)]


def _classes(loaded: LoadedKg, name: str, run: KgRun, most: int) -> _Shown:
    from filtag_kg.cli.show_text import print_class
    from filtag_kg.views import classes_named

    class_ids = classes_named(name, loaded.concepts.class_ids, loaded.concepts.class_labels)
    views = [loaded.class_(class_id) for class_id in class_ids]
    texts = [partial(print_class, view, run, most=most) for view in views]
    if len(views) > 1:
        texts.insert(0, partial(note, f"{name!r} is the label of {len(views)} classes: {', '.join(class_ids)}"))
    return views, texts


def _concepts(loaded: LoadedKg, name: str, run: KgRun, most: int) -> _Shown:
    from filtag_kg.cli.show_text import print_concept
    from filtag_kg.views import concepts_named

    views = [loaded.concept(iri) for iri in concepts_named(loaded, name)]
    texts = [partial(print_concept, view, run, most=most) for view in views]
    if len(views) > 1:
        senses = ", ".join(f"{view.label} ({view.iri})" for view in views)
        texts.insert(0, partial(note, f"{name!r} has {len(views)} senses here: {senses}"))
    return views, texts


def _found(loaded: LoadedKg, text: str, most: int) -> _Shown:
    from filtag_kg.cli.search_text import print_matches
    from filtag_kg.views import search_index

    matches = search_index(loaded).find(text, most)
    return matches, [partial(print_matches, text, matches)]


def _plain(value: DataclassInstance | Path) -> dict[str, object] | str:
    from dataclasses import fields

    if isinstance(value, Path):
        return str(value)
    return {field.name: getattr(value, field.name) for field in fields(value)}
