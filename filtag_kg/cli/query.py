"""``filtag query`` and ``filtag export``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from filtag_kg.cli.console import Quiet, results_console
from filtag_kg.errors import FiltagError

__all__ = ["export", "query", "read_text"]


def query(
    place: Annotated[
        str | None, typer.Argument(metavar="KG|URL", help="A KG's directory or a SPARQL endpoint.")
    ] = None,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A named query; --list shows them.")] = None,
    parameters: Annotated[list[str] | None, typer.Argument(metavar="[PARAM=VALUE]...", help="Its parameters.")] = None,
    sparql: Annotated[str | None, typer.Option(metavar="FILE|-", help="Ask this SPARQL instead; - is stdin.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the named queries with their parameters.")] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="NAME", help="Say what a named query answers and takes, and its SPARQL.")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table, csv, tsv, json, xml or turtle.")
    ] = "table",
    quiet: Quiet = False,
) -> None:
    """Ask a KG, or a SPARQL endpoint that holds one.

    For example: filtag query my-kg filters-by-concept concept=dog
    """
    from filtag_kg.query import (
        RESULT_FORMATS,
        catalogue,
        explanation,
        find_query,
        format_result,
        named_query,
        open_endpoint,
        sparql_query,
        table_of,
    )

    if list_:
        for known in catalogue():
            typer.echo(f"{known.usage}\n    {known.summary}\n    columns: {', '.join(known.columns)}")
        return
    if explain is not None:
        typer.echo(explanation(find_query(explain)))
        return
    if place is None or (name is None) == (sparql is None):
        raise typer.BadParameter("give a KG or URL, and either a named query or --sparql; --list shows the names")
    if format_ not in RESULT_FORMATS:
        raise FiltagError(f"no result format {format_!r}: choose one of {', '.join(RESULT_FORMATS)}")
    endpoint = open_endpoint(place)
    if name is not None:
        result = named_query(endpoint, find_query(name), _pairs(parameters or []))
    else:
        result = sparql_query(endpoint, read_text(str(sparql)))
    if format_ == "table":
        results_console().print(table_of(result))
    else:
        typer.echo(format_result(result, format_), nl=False)


def export(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="turtle, nquads, ntriples, jsonld, rdfxml, sssom, csv, parquet or graphml.",
        ),
    ] = "turtle",
    table: Annotated[
        str, typer.Option(metavar="TABLE", help="For csv and parquet: tags, common or concepts.")
    ] = "tags",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here, not to stdout.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write a KG for other tools: the whole graph, its links (sssom), a table, or nodes and edges (graphml)."""
    from filtag_kg.export import export_graph
    from filtag_kg.files import writing
    from filtag_kg.kg import open_kg

    graph = open_kg(kg)
    if output is None:
        export_graph(graph, format_, sys.stdout.buffer, table=table)
        return
    with writing(output) as file:
        export_graph(graph, format_, file, table=table)


def read_text(place: str) -> str:
    """Return the text of a file, or of stdin for ``-``.

    Raises
    ------
    FiltagError
        If it cannot be read.
    """
    try:
        return sys.stdin.read() if place == "-" else Path(place).read_text(encoding="utf-8")
    except OSError as error:
        raise FiltagError(f"cannot read {place} ({error.strerror}): check the path") from None
    except UnicodeDecodeError:
        raise FiltagError(f"{place} is no UTF-8 text: give a file with a SPARQL query") from None


def _pairs(parameters: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for parameter in parameters:
        name, equals, value = parameter.partition("=")
        if not (equals and name and value):
            raise FiltagError(f"parameter {parameter!r} is not of the form name=value")
        if name in pairs:
            raise FiltagError(f"parameter {name!r} is given twice: give it once")
        pairs[name] = value
    return pairs
