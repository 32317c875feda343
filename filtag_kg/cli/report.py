"""``filtag report`` and ``filtag conformance``: pages about a KG, and a person's judgement of its tags."""

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

_FILES = {
    "semantic.md": "the groups of filters, to read as text",
    "groups.csv": "each group: concept, source, layer, its filters, the classes behind it",
    "layers.csv": "each layer: filters, filters with tags, filters with a clear theme with their interval",
}

_Rule = Annotated[str | None, typer.Option("--rule", metavar="RULE", help="Only this rule, such as k=1.")]
_Q = Annotated[float, typer.Option("--q", metavar="Q", help="Filters with a q-value below this have a clear theme.")]

conformance = typer.Typer(
    name="conformance",
    help="Let a person judge whether a filter's tags belong together.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def report(
    kgs: Annotated[list[Path], typer.Argument(metavar="KG", help="Directory of a KG; several are compared.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder to make; by default KG-report.")
    ] = None,
    rule: _Rule = None,
    q: _Q = 0.05,
    hits: Annotated[
        Path | None,
        typer.Option("--hits", metavar="DIR", help="Include the Hits@n that filtag evaluate -o DIR computed."),
    ] = None,
    errors: Annotated[
        Path | None,
        typer.Option("--errors", metavar="DIR", help="Include the misclassifications that filtag errors -o DIR found."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing report.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write a report on a KG: HTML pages with plots.

    Every layer, filter, class and concept has a page; open index.html in a browser.

    For example: filtag report my-kg -o my-report
    """
    folder = output or report_folder(kgs[0])
    make_report(kgs, folder, rule=rule, q=q, hits=hits, errors=errors, force=force, quiet=quiet)
    note(f"{folder}: open index.html in a browser")


def report_folder(kg: Path) -> Path:
    """Return the default folder of a KG's report, beside the KG."""
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
    from filtag_kg.views import load_kg

    if len(kgs) > 1 and (hits or errors):
        raise FiltagError("--hits and --errors are about one KG: make a report of it alone")
    check_report_folder(folder, force=force)
    loaded = [load_kg(open_kg(path), rule, q=q) for path in kgs]
    grouping = semantic_report(loaded)
    downloads = [(name, _FILES[name]) for name in grouping.files] if len(kgs) == 1 else []
    sites = [Site(each, grouping.of_kg(each.kg), downloads, hits, errors) for each in loaded]
    with progress_bar(quiet, "pages") as progress:
        write_report(grouping, folder, sites=sites, force=force, progress=progress)


@conformance.command("draw", cls=Command)
def draw(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The sheet to make, as CSV.")],
    filters: Annotated[int, typer.Option("-n", metavar="N", help="How many filters to draw.")] = 100,
    least_tags: Annotated[
        int, typer.Option("--min-tags", metavar="N", help="Draw only filters with at least N tags; 0: all filters.")
    ] = 2,
    rule: _Rule = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the random choice.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Draw filters at random into a sheet, for a person to rate.

    Write yes or no into its last column.
    """
    from filtag_kg.kg import open_kg
    from filtag_kg.report import draw_sheet, write_sheet
    from filtag_kg.views import load_kg

    opened = open_kg(kg)
    loaded = load_kg(opened, rule or opened.rules[0])
    rows = draw_sheet(loaded, filters=filters, least_tags=least_tags, seed=seed)
    write_sheet(rows, output)
    note(
        f"{output}: {len(rows)} filters; write yes or no in the column conforms: do the filter's tags belong together?"
    )


@conformance.command("rate", cls=Command)
def rate(
    kg: Annotated[Path, typer.Argument(metavar="KG", help="Directory of the KG.")],
    sheet: Annotated[Path, typer.Argument(metavar="SHEET", help="The sheet, filled in.")],
    q: _Q = 0.05,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="table or json.")] = "table",
    quiet: Quiet = False,
) -> None:
    """Read a rated sheet: the share of filters that conform, beside the share with a clear theme.

    Shares are of filters with two or more tags; filters with one or none have nothing to judge and are listed apart.
    """
    import json

    from filtag_kg.kg import open_kg
    from filtag_kg.report import rate_sheet

    if format_ not in ("table", "json"):
        raise FiltagError(f"no format {format_!r}: choose table or json")
    rated = rate_sheet(open_kg(kg), sheet, q=q)
    if format_ == "json":
        typer.echo(json.dumps(_figures(rated), indent=2))
        return
    _print_conformance(rated, q)


def _print_conformance(judged: Conformance, q: float) -> None:
    from filtag_kg.report import AUTHORS

    if judged.rated.total < judged.drawn:
        note(f"{judged.drawn - judged.rated.total} of {judged.drawn} filters are not rated and do not count")
    typer.echo(f"conform, say you         {_share_text(judged.several)}")
    if judged.tagged.total > judged.several.total:
        typer.echo(f"  with one tag, too      {_share_text(judged.tagged)}")
    if judged.rated.total > judged.tagged.total:
        typer.echo(f"  without tags, too      {_share_text(judged.rated)}")
    if judged.coherent is None or judged.agreement is None:
        typer.echo(f"clear theme              {judged.too_few}")
        return
    typer.echo(f"clear theme, q < {q:<7g} {_share_text(judged.coherent)}")
    kappa = "" if judged.kappa is None else f", kappa {judged.kappa:.2f}"
    typer.echo(f"both agree on            {_share_text(judged.agreement)}{kappa}")
    typer.echo(f"FILTAG's authors         {_share_text(AUTHORS['several'])}")
    typer.echo(f"  with one tag, too      {_share_text(AUTHORS['tagged'])}")


def _share_text(share: Proportion) -> str:
    if not share.total:
        return "of no filter"
    return f"{share.count} of {share.total}, {share.value:.1%} (95 % interval {share.low:.1%} to {share.high:.1%})"


def _figures(judged: Conformance) -> dict[str, object]:
    from filtag_kg.report import AUTHORS

    shares = {
        "conform": judged.several,
        "conform_with_tags": judged.tagged,
        "conform_of_all": judged.rated,
        "coherent": judged.coherent,
        "agreement": judged.agreement,
        "authors": AUTHORS["several"],
        "authors_with_tags": AUTHORS["tagged"],
    }
    return {
        "drawn": judged.drawn,
        "rated": judged.rated.total,
        **{
            name: share
            and {"count": share.count, "of": share.total, "share": share.value, "low": share.low, "high": share.high}
            for name, share in shares.items()
        },
        "kappa": judged.kappa,
        **({"too_few": judged.too_few} if judged.too_few else {}),
    }
