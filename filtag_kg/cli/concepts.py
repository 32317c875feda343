"""``filtag concepts``: index ConceptNet's dump, look words up in a source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filtag_kg.cli.console import DEFAULT_CONCEPTS, Concepts, Quiet, note, progress_bar, results_console
from filtag_kg.cli.hints import Command
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from filtag_kg.concepts import WordFacts

app = typer.Typer(
    name="concepts",
    help="Index ConceptNet's dump, or look a word up in a source.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("import", cls=Command)
def import_(
    dump: Annotated[
        Path,
        typer.Argument(metavar="DUMP", help="ConceptNet's dump of assertions, conceptnet-assertions-5.7.0.csv.gz."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="The index to make; by default in your data folder."),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option("--language", metavar="CODE", help="Keep this language (en by default). May be repeated."),
    ] = None,
    relation: Annotated[
        list[str] | None,
        typer.Option(
            "--relation", metavar="NAME", help="Keep this relation, such as IsA (all by default). May be repeated."
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Index ConceptNet's dump, for --concepts conceptnet-dump."""
    from filtag_kg.concepts import RELATIONS, default_index, import_dump

    index = output or default_index()
    with progress_bar(quiet, "MB", unit_size=1_000_000) as progress:
        counts = import_dump(
            dump, index, languages=language or ("en",), relations=relation or RELATIONS, progress=progress
        )
    note(f"{index}: {counts.edges:,} edges between {counts.nodes:,} terms, of {counts.lines:,} lines")
    if counts.skipped_note:
        note(counts.skipped_note)


@app.command("show", cls=Command)
def show(
    term: Annotated[str, typer.Argument(metavar="TERM", help="A word, or a term such as /c/en/dog.")],
    concepts: Concepts = DEFAULT_CONCEPTS,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Show at most N edges of each relation.")] = 10,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="table, csv, tsv or json.")] = "table",
    quiet: Quiet = False,
) -> None:
    """Show a word's meanings in a concept source, and the edges of each."""
    from filtag_kg.concepts import concept_source, look_up, word_facts_text

    meanings = look_up(term, concept_source(concepts), limit=limit)
    if not meanings:
        raise FiltagError(f"no concept of {concepts} is called {term!r}: try another spelling or another --concepts")
    if format_ == "table":
        _print_tables(meanings)
    else:
        typer.echo(word_facts_text(meanings, format_), nl=False)


def _print_tables(meanings: list[WordFacts]) -> None:
    from rich.markup import escape
    from rich.table import Table

    console = results_console()
    for meaning in meanings:
        names = ", ".join((meaning.concept.label, *meaning.concept.alt_labels))
        console.print(f"[bold]{escape(names)}[/bold]  {escape(meaning.concept.id)}", soft_wrap=True, highlight=False)
        table = Table(box=None, pad_edge=True, header_style="dim")
        for column in ("relation", "", "weight", "source", "data set"):
            table.add_column(column, justify="right" if column == "weight" else "left")
        for relation, label, edge in meaning.edges:
            table.add_row(relation, escape(label), f"{edge.weight:g}", edge.source, escape(edge.dataset))
        if meaning.edges:
            console.print(table, highlight=False)
        console.print()
