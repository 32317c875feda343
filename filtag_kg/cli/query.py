"""``filtag query`` and ``filtag export``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from filtag_kg.cli.console import Quiet, results_console
from filtag_kg.errors import FiltagError


def query(
    source: Annotated[
        str | None, typer.Argument(metavar="KG|URL", help="A KG's directory or a SPARQL endpoint.")
    ] = None,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A named query; --list shows them all.")] = None,
    parameters: Annotated[list[str] | None, typer.Argument(metavar="[PARAM=VALUE]...", help="Its parameters.")] = None,
    sparql: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="Run this SPARQL query instead; - is stdin.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the named queries with their parameters.")] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="NAME", help="Show what a named query answers, its parameters and its SPARQL.")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table, csv, tsv, json, xml or turtle.")
    ] = "table",
    quiet: Quiet = False,
) -> None:
    """Query a KG, or a SPARQL endpoint that holds one.

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
        for listed in catalogue():
            typer.echo(f"{listed.usage}\n    {listed.summary}\n    columns: {', '.join(listed.columns)}")
        return
    if explain is not None:
        typer.echo(explanation(find_query(explain)))
        return
    if source is None or (name is None) == (sparql is None):
        raise typer.BadParameter("give a KG or URL, and either a named query or --sparql; --list shows the names")
    if format_ not in RESULT_FORMATS:
        raise FiltagError(f"no result format {format_!r}: choose one of {', '.join(RESULT_FORMATS)}")
    # A file may be called so; os.path.exists, unlike Path.exists, takes names of any length.
    if "{" in (given := str(name or sparql)) and not os.path.exists(given):  # noqa: PTH110
        raise FiltagError(
            "this is a query, neither a name nor a file: write it into a file, or pipe it and give -",
            options=("sparql",),
        )
    endpoint = open_endpoint(source)
    if name is not None:
        result = named_query(endpoint, find_query(name), _pairs(parameters or []))
    else:
        result = sparql_query(endpoint, _read_text(str(sparql)))
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
            help="turtle, trig, nquads, ntriples, jsonld, rdfxml, sssom, csv, parquet or graphml.",
        ),
    ] = "turtle",
    table: Annotated[
        str, typer.Option(metavar="TABLE", help="For csv and parquet: tags, common or concepts.")
    ] = "tags",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="The file to write; by default stdout.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Export a KG for other tools.

    The RDF formats write the whole graph, sssom the links, csv and parquet a table, graphml nodes and edges.
    """
    from filtag_kg.export import export_graph
    from filtag_kg.files import writing
    from filtag_kg.kg import open_kg

    opened = open_kg(kg)
    if output is None:
        export_graph(opened, format_, sys.stdout.buffer, table=table)
        return
    with writing(output) as file:
        export_graph(opened, format_, file, table=table)


def _read_text(path: str) -> str:
    """Return the text of a file, or of stdin for ``-``."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise FiltagError(f"cannot read {path} ({error.strerror}): check the path") from None
    except UnicodeDecodeError:
        raise FiltagError(f"{path} is not UTF-8 text: give a file with a SPARQL query") from None


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
