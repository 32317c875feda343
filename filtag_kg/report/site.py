"""The static report: a folder of pages that any browser opens, with no server, no script and no request to anywhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from filtag_kg.errors import FiltagError
from filtag_kg.explain import read_confusions, read_hits
from filtag_kg.graph import xml_text
from filtag_kg.report.comparison import Comparison
from filtag_kg.report.figures import Figure, confusion_figure, hits_figure, run_figures
from filtag_kg.report.grouping import GroupedRun
from filtag_kg.report.jinja import environment, template_text
from filtag_kg.report.pages import Pages, PageSettings
from filtag_kg.report.site_map import FilePlaces
from filtag_kg.views import Facts, NetworkTable

__all__ = ["Site", "style_sheet", "write_comparison", "write_site"]

Progress = Callable[[int, int], None]
_ERROR_FILES = ("errors.html", "errors.csv", "confusions.csv")


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """What goes into a static report of one KG.

    Parameters
    ----------
    facts : Facts
    grouped : sequence of GroupedRun
        Of the same runs, in the same order.
    downloads : sequence of (file name, what it is)
        Files that lie in the folder, named on the first page.
    hits, errors : Path, optional
        What ``filtag evaluate -o`` and ``filtag errors -o`` wrote.
    """

    facts: Facts
    grouped: Sequence[GroupedRun]
    downloads: Sequence[tuple[str, str]] = ()
    hits: Path | None = None
    errors: Path | None = None


def style_sheet() -> str:
    """Return the style of all pages."""
    return template_text("page.css") + template_text("site.css")


def write_site(site: Site, folder: Path, progress: Progress | None = None) -> int:
    """Write all pages of a KG into a folder, and return how many there are.

    Parameters
    ----------
    site : Site
    folder : Path
        Files in it of the same names are replaced.
    progress : callable, optional
        Called with the pages written and the pages in all.

    Raises
    ------
    FiltagError
        If a thumbnail that the KG names is not there, or an evaluation or error analysis is missing or damaged.
    """
    facts, places = site.facts, FilePlaces()
    extras = [*_hits(site, folder), *_mistakes(site, folder)]
    figures = [
        figure
        for grouped, run_id in zip(site.grouped, facts.runs, strict=True)
        for figure in run_figures(grouped, facts, run_id, lambda iri: f"../{places.concept(iri)}")
    ]
    figures += [extra.figure for extra in extras if extra.figure is not None]
    settings = PageSettings(extras=[(extra.name, extra.title) for extra in extras], downloads=site.downloads)
    pages = Pages(facts, places, settings)
    _write(folder, "style.css", style_sheet())
    for figure in figures:
        for name, svg in figure.files:
            _write(folder, name, svg)
    total = _n_pages(pages) + len(extras)
    done = 0
    for address, text in _pages(pages, site, extras, figures):
        _write(folder, unquote(address), text)
        done += 1
        if progress is not None:
            progress(done, total)
    _copy_pictures(facts, folder)
    return done


def write_comparison(sites: Sequence[tuple[str, Facts]], comparisons: Sequence[Comparison], folder: Path) -> None:
    """Write the first page of a report on several KGs, each of which has its pages in a folder of its own."""
    page = environment().get_template("compared.html")
    labels = {
        (facts.kg.manifest["id"], table.network): table.label for _, facts in sites for table in facts.networks.values()
    }
    _write(folder, "index.html", xml_text(page.render(sites=sites, comparisons=comparisons, labels=labels)))
    _write(folder, "style.css", style_sheet())


@dataclass(frozen=True, slots=True)
class _Extra:
    """A page beside those of things."""

    name: str
    title: str
    figure: Figure | None
    render: Callable[[Pages], str]


def _hits(site: Site, folder: Path) -> Iterator[_Extra]:
    if site.hits is None:
        return
    rows = read_hits(site.hits / "hits.csv")
    _copy(site.hits / "hits.csv", folder / "hits.csv")
    figure = hits_figure(rows)
    lines: dict[tuple[str, str], dict[int, object]] = {}
    for row in rows:
        lines.setdefault((row.rule, row.layers), {})[row.n] = row
    values = {
        "figure": figure,
        "lines": lines,
        "ns": sorted({row.n for row in rows}),
        "images": max((row.images for row in rows), default=0),
    }
    yield _Extra("hits", "Hits@n", figure, lambda pages: pages.other("hits.html", "hits", **values))


def _mistakes(site: Site, folder: Path) -> Iterator[_Extra]:
    if site.errors is None:
        return
    rows = read_confusions(site.errors / "confusions.csv")
    for name in _ERROR_FILES:
        _copy(site.errors / name, folder / "errors" / name)
    figure = confusion_figure(rows)
    total = sum(row.mistakes for row in rows)
    same = sum(row.mistakes for row in rows if row.same)
    values = {"figure": figure, "rows": rows, "total": total, "same": same / total if total else 0.0}
    yield _Extra("mistakes", "Mistakes", figure, lambda pages: pages.other("mistakes.html", "mistakes", **values))


def _pages(pages: Pages, site: Site, extras: Sequence[_Extra], figures: Sequence[Figure]) -> Iterator[tuple[str, str]]:
    """Yield address and text of every page."""
    facts, places = pages.facts, pages.places
    yield places.overview(), pages.overview(figures)
    for page in range(1, pages.n_class_pages + 1):
        yield places.page("classes", page), pages.classes(page)
    for page in range(1, pages.n_concept_pages + 1):
        yield places.page("concepts", page), pages.concepts(page)
    for page in range(1, len(site.grouped) + 1):
        yield places.page("groups", page), pages.groups(site.grouped, page)
    for extra in extras:
        yield places.page(extra.name), extra.render(pages)
    yield from ((places.class_(class_id), pages.class_(class_id)) for class_id in facts.concepts.class_ids)
    yield from ((places.concept(iri), pages.concept(iri)) for iri in facts.concepts.labels)
    for network in facts.networks.values():
        for index, layer in enumerate(network.layer_names):
            yield from _layer_pages(pages, network, index, layer)


def _layer_pages(pages: Pages, network: NetworkTable, index: int, layer: str) -> Iterator[tuple[str, str]]:
    places = pages.places
    for page in range(1, pages.n_layer_pages(network, layer) + 1):
        yield places.layer(network.network, layer, page), pages.layer(network, layer, page)
    for filter_ in range(network.size(index)):
        yield places.filter(network.network, layer, filter_), pages.filter(network, layer, filter_)


def _n_pages(pages: Pages) -> int:
    facts = pages.facts
    layers = ((network, layer) for network in facts.networks.values() for layer in network.layer_names)
    return (
        1
        + pages.n_class_pages
        + pages.n_concept_pages
        + len(facts.runs)
        + len(facts.concepts.class_ids)
        + len(facts.concepts.labels)
        + sum(network.n_filters for network in facts.networks.values())
        + sum(pages.n_layer_pages(network, layer) for network, layer in layers)
    )


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    try:
        path.write_text(text, encoding="utf-8")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _copy_pictures(facts: Facts, folder: Path) -> None:
    names = {exemplar.thumbnail for of in facts.exemplars.values() for exemplar in of}
    names |= {picture.file for of in facts.visualizations.values() for picture in of}
    for name in sorted(names):
        _copy(facts.kg.path / name, folder / name)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        raise FiltagError(f"{source} is missing: make what it belongs to anew") from None
