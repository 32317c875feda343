"""``filtag paper``: what a KG's results need to get into a paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from filtag_kg.cli.console import Quiet, note, progress_bar
from filtag_kg.errors import FiltagError


def paper(
    kgs: Annotated[list[Path], typer.Argument(metavar="KG", help="Directory of a KG; several have a folder each.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder to make; by default KG-paper.")
    ] = None,
    rule: Annotated[str | None, typer.Option("--rule", metavar="RULE", help="Only this rule, such as k=1.")] = None,
    q: Annotated[
        float, typer.Option("--q", metavar="Q", help="Filters with a q-value below this have a clear theme.")
    ] = 0.05,
    filters: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=50, help="How many filters the figure of filters and their tags shows."),
    ] = 6,
    hits: Annotated[
        Path | None,
        typer.Option("--hits", metavar="DIR", help="Include the Hits@n that filtag evaluate -o DIR computed."),
    ] = None,
    errors: Annotated[
        Path | None,
        typer.Option("--errors", metavar="DIR", help="Include the misclassifications that filtag errors -o DIR found."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what an earlier filtag paper wrote.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write what a paper needs of a KG.

    Figures as PDF and SVG, tables as LaTeX and CSV, a methods text and the works it cites.

    For example: filtag paper my-kg --hits hits -o my-paper
    """
    from filtag_kg.kg import open_kg
    from filtag_kg.output_paths import sibling
    from filtag_kg.paper import PaperSource, check_paper_folder, write_paper
    from filtag_kg.report import semantic_report
    from filtag_kg.views import load_kg

    if len(kgs) > 1 and (hits or errors):
        raise FiltagError("--hits and --errors are about one KG: name it alone")
    folder = output or sibling(kgs[0], "-paper")
    check_paper_folder(folder, force=force)
    loaded = [load_kg(open_kg(path), rule, q=q) for path in kgs]
    grouping = semantic_report(loaded)
    sources = [PaperSource(each, grouping.of_kg(each.kg), hits, errors) for each in loaded]
    with progress_bar(quiet, "figures") as progress:
        notes = write_paper(sources, folder, filters=filters, force=force, progress=progress)
    for line in notes:
        note(line)
    if len(loaded) > 1:
        for each in loaded:
            note(f"{folder / each.kg.manifest['id']}: of {each.kg.path}")
    note(f"{folder}: figures, tables, methods.md, methods.tex, references.bib; paper.tex shows all of it")
