"""The static report: a folder of pages that any browser opens, with no server, no script and no request to anywhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from filtag_kg.errors import FiltagError
from filtag_kg.explain import HitsRow, read_evaluation, read_misclassifications
from filtag_kg.graph import xml_text
from filtag_kg.report.comparison import Comparison
from filtag_kg.report.figures import Figure, confusion_figure, hits_figure, run_figures
from filtag_kg.report.grouping import GroupedRun
from filtag_kg.report.jinja import environment, template_text
from filtag_kg.report.own_pages import own_pages
from filtag_kg.report.pages import Pages, PageSettings
from filtag_kg.report.urls import FileUrls, layer_page
from filtag_kg.views import LoadedKg, NetworkLayers

Progress = Callable[[int, int], None]
_ERROR_FILES = ("errors.html", "errors.csv", "confusions.csv")


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """What goes into the static report of one KG.

    Parameters
    ----------
    grouped : sequence of GroupedRun
        Its runs.
    downloads : sequence of (file name, description)
        Files in the folder that the first page links to.
    hits, errors : Path, optional
        What ``filtag evaluate -o`` and ``filtag errors -o`` wrote.
    """

    loaded: LoadedKg
    grouped: Sequence[GroupedRun]
    downloads: Sequence[tuple[str, str]] = ()
    hits: Path | None = None
    errors: Path | None = None


def style_sheet() -> str:
    """Return the style of all pages."""
    return "".join(map(template_text, ("page.css", "site.css", "gallery.css", "mixed.css")))


def write_site(site: Site, folder: Path, progress: Progress | None = None) -> int:
    """Write all pages of a KG into a folder, and return how many there are.

    Parameters
    ----------
    folder : Path
        Files in it with the same names are replaced.
    progress : callable, optional
        Called with the number of pages written and of all pages.

    Raises
    ------
    FiltagError
        If a thumbnail that the KG names is missing, or an evaluation or error analysis is missing or damaged.
    """
    loaded = site.loaded
    own = own_pages(loaded)
    urls = FileUrls(own)
    extras = [*_hits_page(site, folder), *_confusions_page(site, folder)]
    figures = [
        figure for grouped in site.grouped for figure in run_figures(grouped, lambda iri: f"../{urls.concept(iri)}")
    ]
    figures += [extra.figure for extra in extras if extra.figure is not None]
    settings = PageSettings(
        extras=[(extra.name, extra.title) for extra in extras], downloads=site.downloads, own_page=own
    )
    pages = Pages(loaded, urls, settings)
    _write(folder, "style.css", style_sheet())
    for figure in figures:
        for name, svg in figure.files:
            _write(folder, name, svg)
    renderers = list(_renderers(pages, site, extras, figures))
    for network in loaded.networks.values():
        renderers += _layer_renderers(pages, urls, network)
    for done, (url, render) in enumerate(renderers, start=1):
        _write(folder, unquote(url), render())
        if progress is not None:
            progress(done, len(renderers))
    for name in sorted(pages.picture_files):
        _copy(loaded.kg.path / name, folder / name)
    for network in loaded.networks.values():
        _write_redirects(urls, network, folder)
    return len(renderers)


def write_comparison(sites: Sequence[tuple[str, LoadedKg]], comparisons: Sequence[Comparison], folder: Path) -> None:
    """Write the first page of a report on several KGs, each of which has its pages in a folder of its own."""
    page = environment().get_template("compared.html")
    labels = {
        (loaded.kg.manifest["id"], table.network): table.label
        for _, loaded in sites
        for table in loaded.networks.values()
    }
    _write(folder, "index.html", xml_text(page.render(sites=sites, comparisons=comparisons, labels=labels)))
    _write(folder, "style.css", style_sheet())


@dataclass(frozen=True, slots=True)
class _Extra:
    """A page about an evaluation or error analysis."""

    name: str
    title: str
    template: str
    figure: Figure | None
    values: Mapping[str, object]

    def render(self, pages: Pages) -> str:
        return pages.other(self.template, self.name, figure=self.figure, **self.values)


def _hits_page(site: Site, folder: Path) -> Iterator[_Extra]:
    if site.hits is None:
        return
    rows, _ = read_evaluation(site.hits, site.loaded.networks)
    _copy(site.hits / "hits.csv", folder / "hits.csv")
    lines: dict[tuple[str, str], dict[int, HitsRow]] = {}
    for row in rows:
        lines.setdefault((row.rule, row.layers), {})[row.n] = row
    values = {
        "lines": lines,
        "ns": sorted({row.n for row in rows}),
        "images": max((row.images for row in rows), default=0),
    }
    yield _Extra("hits", "Hits@n", "hits.html", hits_figure(rows), values)


def _confusions_page(site: Site, folder: Path) -> Iterator[_Extra]:
    if site.errors is None:
        return
    rows = read_misclassifications(site.errors, site.loaded.networks)
    for name in _ERROR_FILES:
        _copy(site.errors / name, folder / "errors" / name)
    total = sum(row.mistakes for row in rows)
    same = sum(row.mistakes for row in rows if row.same)
    values = {"rows": rows, "total": total, "same": same / total if total else 0.0}
    yield _Extra("mistakes", "Misclassifications", "confusions.html", confusion_figure(rows), values)


def _renderers(
    pages: Pages, site: Site, extras: Sequence[_Extra], figures: Sequence[Figure]
) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield the URL of every page with the function that returns its text."""
    loaded, urls = pages.loaded, pages.urls
    yield urls.overview(), partial(pages.overview, figures)
    for page in range(1, pages.n_class_pages + 1):
        yield urls.page("classes", page), partial(pages.classes, page)
    for page in range(1, pages.n_concept_pages + 1):
        yield urls.page("concepts", page), partial(pages.concepts, page)
    for page in range(1, len(site.grouped) + 1):
        yield urls.page("groups", page), partial(pages.groups, site.grouped, page)
    for page in range(1, len(loaded.networks) + 1):
        yield urls.page("unusual", page), partial(pages.unusual, page)
        yield urls.page("pairs", page), partial(pages.pairs, page)
        yield urls.page("mixed", page), partial(pages.mixed, page)
    yield urls.page("glossary"), pages.glossary
    if loaded.checks.run_ids:
        yield urls.page("labels"), pages.labels
    for extra in extras:
        yield urls.page(extra.name), partial(extra.render, pages)
    for class_id in loaded.concepts.class_ids:
        for page in range(1, pages.n_pages_of_class(class_id) + 1):
            yield urls.class_(class_id, page), partial(pages.class_, class_id, page)
    for iri in loaded.concepts.labels:
        yield urls.concept(iri), partial(pages.concept, iri)


def _layer_renderers(pages: Pages, urls: FileUrls, network: NetworkLayers) -> Iterator[tuple[str, Callable[[], str]]]:
    for index, layer in enumerate(network.layer_names):
        for page in range(1, pages.n_layer_pages(network, layer) + 1):
            yield urls.layer(network.network, layer, page), partial(pages.layer, network, layer, page)
        for filter_ in filter(partial(urls.has_page, network.network, layer), range(network.size(index))):
            yield urls.filter(network.network, layer, filter_), partial(pages.filter, network, layer, filter_)


def _write_redirects(urls: FileUrls, network: NetworkLayers, folder: Path) -> None:
    """Let the address of each filter without a page lead to its layer's.

    The filters of one page share one file under many names, which takes no room on the disk.
    """
    redirect = environment().get_template("redirect.html")
    for index, layer in enumerate(network.layer_names):
        written: dict[int, Path] = {}
        for filter_ in range(network.size(index)):
            if urls.has_page(network.network, layer, filter_):
                continue
            page, name = layer_page(filter_), unquote(urls.filter_file(network.network, layer, filter_))
            if page in written:
                _link(written[page], folder / name)
            else:
                url = urls.layer(network.network, layer, page).rpartition("/")[2]
                _write(folder, name, xml_text(redirect.render(layer=layer, url=f"../{url}")))
                written[page] = folder / name


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:  # The file system has no links, or not so many.
        shutil.copyfile(source, target)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        raise FiltagError(f"{source} is missing: create it again") from None
