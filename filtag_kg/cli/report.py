"""``filtag report`` and ``filtag conformance``: a KG for people to read, and to judge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filtag_kg.cli.console import Quiet, note, progress_bar
from filtag_kg.cli.hints import Command
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filtag_kg.report import Conformance, Proportion

__all__ = ["conformance", "make_report", "report", "report_folder"]

_FILES = {
    "semantic.md": "the groups of filters, to read as text",
    "groups.csv": "each group: concept, layer, its filters, their most frequent tags",
    "layers.csv": "each layer: filters, those with tags, coherent ones with their interval",
}

_Rule = Annotated[str | None, typer.Option("--rule", metavar="RULE", help="One rule alone, such as k=1.")]
_Q = Annotated[float, typer.Option("--q", metavar="Q", help="Filters with a q-value below this are coherent.")]

conformance = typer.Typer(
    name="conformance",
    help="Let a person judge whether the tags of a filter belong together.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def report(
    kgs: Annotated[list[Path], typer.Argument(metavar="KG", help="Directory of a KG; several are compared.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder to make; left out: KG-report.")
    ] = None,
    rule: _Rule = None,
    q: _Q = 0.05,
    hits: Annotated[
        Path | None, typer.Option("--hits", metavar="DIR", help="Show Hits@n that filtag evaluate -o DIR computed.")
    ] = None,
    errors: Annotated[
        Path | None, typer.Option("--errors", metavar="DIR", help="Show mistakes that filtag errors -o DIR found.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the report that is there.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write pages about a KG: its layers, filters, classes and concepts, with plots. Open index.html in a browser.

    For example: filtag report my-kg -o my-report
    """
    folder = output or report_folder(kgs[0])
    make_report(kgs, folder, rule=rule, q=q, hits=hits, errors=errors, force=force, quiet=quiet)
    note(f"{folder}: open index.html in a browser")


def report_folder(kg: Path) -> Path:
    """Return where the report of a KG goes where nobody says: beside it."""
    from filtag_kg.output_paths import sibling

    return sibling(kg, "-report")


def make_report(
    kgs: Sequence[Path],
    folder: Path,
    *,
    rule: str | None = None,
    q: float = 0.05,
    hits: Path | None = None,
    errors: Path | None = None,
    force: bool = False,
    quiet: bool = False,
) -> None:
    """Read KGs and write their report."""
    from filtag_kg.kg import open_kg
    from filtag_kg.report import Site, check_report_folder, semantic_report, write_report
    from filtag_kg.views import read_facts

    if len(kgs) > 1 and (hits or errors):
        raise FiltagError("--hits and --errors are about one KG: make a report of it alone")
    check_report_folder(folder, force=force)
    opened = [open_kg(path) for path in kgs]
    made = semantic_report(opened, rule=rule, q=q)
    downloads = [(name, _FILES[name]) for name in made.files] if len(kgs) == 1 else []
    sites = [Site(read_facts(kg, rule, q=q), made.of(kg), downloads, hits, errors) for kg in opened]
    with progress_bar(quiet, "pages") as progress:
        write_report(made, folder, sites=sites, force=force, progress=progress)


@conformance.command("draw", cls=Command)
def draw(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The sheet to make, as CSV.")],
    filters: Annotated[int, typer.Option("-n", metavar="N", help="How many filters.")] = 100,
    least_tags: Annotated[
        int, typer.Option("--min-tags", metavar="N", help="Draw filters with so many tags or more; 0: all filters.")
    ] = 2,
    rule: _Rule = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the random choice.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Draw filters at random into a sheet; write yes or no into its last column."""
    from filtag_kg.kg import open_kg
    from filtag_kg.report import draw_sheet, write_sheet

    rows = draw_sheet(open_kg(kg), rule=rule, filters=filters, least_tags=least_tags, seed=seed)
    write_sheet(rows, output)
    note(f"{output}: {len(rows)} filters; say of each, yes or no in the column conforms, if its tags belong together")


@conformance.command("rate", cls=Command)
def rate(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    sheet: Annotated[Path, typer.Argument(metavar="SHEET", help="The sheet, filled in.")],
    q: _Q = 0.05,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="table or json.")] = "table",
    quiet: Quiet = False,
) -> None:
    """Read a sheet back: the share of filters that conform, beside that of those that are coherent.

    Shares are of filters with two or more tags; with one or none there is nothing to judge, and they stand apart.
    """
    import json

    from filtag_kg.kg import open_kg
    from filtag_kg.report import AUTHORS, rate_sheet

    if format_ not in ("table", "json"):
        raise FiltagError(f"no format {format_!r}: choose table or json")
    found = rate_sheet(open_kg(kg), sheet, q=q)
    if format_ == "json":
        typer.echo(json.dumps(_figures(found), indent=2))
        return
    if found.rated.total < found.drawn:
        note(f"{found.drawn - found.rated.total} of {found.drawn} filters are not rated and do not count")
    typer.echo(f"conform, say you         {_shown(found.several)}")
    if found.tagged.total > found.several.total:
        typer.echo(f"  with one tag, too      {_shown(found.tagged)}")
    if found.rated.total > found.tagged.total:
        typer.echo(f"  without tags, too      {_shown(found.rated)}")
    if found.coherent is None or found.agreement is None:
        typer.echo(f"coherent                 {found.too_few}")
        return
    typer.echo(f"coherent at q < {q:<8g} {_shown(found.coherent)}")
    kappa = "" if found.kappa is None else f", kappa {found.kappa:.2f}"
    typer.echo(f"the same of both         {_shown(found.agreement)}{kappa}")
    typer.echo(f"FILTAG's authors         {_shown(AUTHORS['several'])}")
    typer.echo(f"  with one tag, too      {_shown(AUTHORS['tagged'])}")


def _shown(share: Proportion) -> str:
    if not share.total:
        return "of no filter"
    return f"{share.count} of {share.total}, {share.value:.1%} (95 % interval {share.low:.1%} to {share.high:.1%})"


def _figures(found: Conformance) -> dict[str, object]:
    from filtag_kg.report import AUTHORS

    shares = {
        "conform": found.several,
        "conform_with_tags": found.tagged,
        "conform_of_all": found.rated,
        "coherent": found.coherent,
        "agreement": found.agreement,
        "authors": AUTHORS["several"],
        "authors_with_tags": AUTHORS["tagged"],
    }
    return {
        "drawn": found.drawn,
        "rated": found.rated.total,
        **{
            name: share
            and {"count": share.count, "of": share.total, "share": share.value, "low": share.low, "high": share.high}
            for name, share in shares.items()
        },
        "kappa": found.kappa,
        **({"too_few": found.too_few} if found.too_few else {}),
    }
