"""The pages about a KG, its layers, filters, classes and concepts as HTML: for the static report and the server."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from filtag_kg.errors import FiltagError
from filtag_kg.graph import xml_text
from filtag_kg.kg import CheckedLabel, KgRun
from filtag_kg.report.figures import Figure
from filtag_kg.report.gallery import PICTURES_A_PAGE, Galleries
from filtag_kg.report.grouping import GroupedRun
from filtag_kg.report.jinja import environment
from filtag_kg.report.mixed_cards import MixedCard, mixed_card
from filtag_kg.report.proportion import Proportion
from filtag_kg.report.stated import stated_by_source
from filtag_kg.report.urls import FILTERS_A_PAGE, PageUrls, filter_anchor
from filtag_kg.views import (
    ABOUT_HIGHER,
    INACTIVE,
    UNEXPLAINED,
    Exemplar,
    LabelSummary,
    LayerView,
    LoadedKg,
    NetworkLayers,
    RunResults,
    alike_classes,
    class_pairs,
    filter_name,
    glossary_parts,
    summarise_by_layer,
    summarise_labels,
    unusual_filters,
    why_unknown,
)

if TYPE_CHECKING:
    from jinja2 import Environment

_T = TypeVar("_T")

_ROWS_A_PAGE = 400
_MOST_ROWS = 120
"""Rows of all runs together in the tables of a page, so that people can read it; the rest is in the CSV files."""
_LEAST_ROWS = 20
_MOST_LISTED = 18
"""Filters of a concept or class in a table, by one run: the page opens with the surest."""
_MOST_RUNS = 4
_MOST_PATHS = 4
_MOST_EXEMPLARS = 5
_MOST_UNEXPLAINED = 48
_MOST_DUPLICATES = 12
_MOST_PAIRS = 12
_MOST_MIXED = 40


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What a site has beside the pages that every KG has.

    Parameters
    ----------
    live : bool
        Whether a server is behind the pages, so that they have search, queries and other formats.
    templates : sequence of str
        Names of further packages with templates.
    extras : sequence of (page name, title)
        Further pages in the menu.
    downloads : sequence of (file name, description)
    own_page : mapping of (network, layer) to container of int, optional
        The filters that have a page; by default all.
    """

    live: bool = False
    templates: Sequence[str] = ()
    extras: Sequence[tuple[str, str]] = ()
    downloads: Sequence[tuple[str, str]] = ()
    own_page: Mapping[tuple[str, str], Container[int]] | None = None


@dataclass(frozen=True, slots=True)
class _CheckedRun:
    """A run whose labels were checked, for the page about that."""

    run: KgRun
    about: Mapping[str, Any]
    total: LabelSummary
    layers: Sequence[LabelSummary]
    best: Sequence[CheckedLabel]
    worst: Sequence[CheckedLabel]


@dataclass(frozen=True, eq=False)
class Pages:
    """Renders pages."""

    loaded: LoadedKg
    urls: PageUrls
    settings: PageSettings = field(default_factory=PageSettings)

    @cached_property
    def galleries(self) -> Galleries:
        """The filters and images that pages open with."""
        return Galleries(self.loaded, self.settings.own_page)

    @cached_property
    def _environment(self) -> Environment:
        jinja = environment(self.settings.templates)
        loaded = self.loaded
        jinja.globals.update(
            url=self.urls,
            settings=self.settings,
            loaded=loaded,
            manifest=loaded.kg.manifest,
            coherent_q=loaded.q,
            about_higher=ABOUT_HIGHER,
            most_rows=self._most_rows,
            most_listed=_MOST_LISTED,
            most_runs=_MOST_RUNS,
            most_paths=_MOST_PATHS,
            proportion=Proportion,
            network_labels=", ".join(network.label for network in loaded.networks.values()),
            anchor=filter_anchor,
            gallery=self.galleries,
            most_exemplars=_MOST_EXEMPLARS,
            picture_url=self._picture_url,
            mixed_card=self._mixed_card,
            several_networks=len(loaded.networks) > 1,
        )
        return jinja

    def _render(self, template: str, url: str, **values: Any) -> str:  # noqa: ANN401 - whatever the template takes
        text = self._environment.get_template(template)
        if url.startswith("/"):
            return xml_text(text.render(root="", **values))
        return xml_text(_nearer(text.render(root="../" * url.count("/"), **values), url))

    def _picture_url(self, exemplar: Exemplar) -> str:
        page, anchor = self.galleries.place(exemplar)
        return f"{self.urls.class_(exemplar.class_id, page)}#{anchor}"

    @cached_property
    def picture_files(self) -> frozenset[str]:
        """The files in the KG's directory that pages show as pictures."""
        thumbnails = {picture.exemplar.thumbnail for picture in self.galleries.all_pictures()}
        visualizations = self.loaded.visualizations.values()
        return frozenset(thumbnails | {picture.file for of_filter in visualizations for picture in of_filter})

    def overview(self, figures: Sequence[Figure] = ()) -> str:
        """Return the first page: headline figures, the surest filters, plots, layers, what was run."""
        loaded = self.loaded
        networks = [loaded.network(network) for network in loaded.networks.values()]
        return self._render(
            "overview.html",
            self.urls.overview(),
            networks=networks,
            figures=figures,
            profile=loaded.kg.manifest["inputs"].get("profile", {}),
            headline={table.run.run_id: self._headline(table) for table in loaded.runs.values()},
            label_summaries={
                run_id: summarise_labels(check.labels) for run_id, check in loaded.checks.runs.items() if check.labels
            },
        )

    def n_layer_pages(self, network: NetworkLayers, layer: str) -> int:
        """Return how many pages a layer's filters take."""
        return _n_pages(network.size(self.loaded.layer_index(network, layer)), FILTERS_A_PAGE)

    def layer(self, network: NetworkLayers, layer: str, page: int = 1) -> str:
        """Return one page of a layer: its surest filters, and each filter with its exemplars and tags.

        Raises
        ------
        FiltagError
            If there is no such layer or page.
        """
        loaded, urls = self.loaded, self.urls
        view = self._layer_view(network, layer)
        n_pages = self.n_layer_pages(network, layer)
        shown = _on_page(range(view.n_filters), page, FILTERS_A_PAGE, f"layer {layer}")
        column = loaded.column(network, layer, 0)
        names = network.layer_names
        return self._render(
            "layer.html",
            urls.layer(network.network, layer, page),
            layer=view,
            network=network,
            page=page,
            page_urls=[urls.layer(view.network, view.layer, number) for number in range(1, n_pages + 1)],
            shown=[self.galleries.card(network, column + i) for i in shown],
            before=names[view.index - 1] if view.index else None,
            after=names[view.index + 1] if view.index + 1 < len(names) else None,
        )

    @cached_property
    def _layer_view(self) -> Callable[[NetworkLayers, str], LayerView]:
        # The pages of one layer come after each other.
        return lru_cache(maxsize=1)(self.loaded.layer)

    def filter(self, network: NetworkLayers, layer: str, filter_: int) -> str:
        """Return the page of a filter.

        Raises
        ------
        FiltagError
            If there is no such filter.
        """
        view = self.loaded.filter(network, layer, filter_)
        url = self.urls.filter(network.network, layer, filter_)
        name = filter_name(self.loaded, network, self.loaded.column(network, layer, filter_))
        return self._render("filter.html", url, filter=view, network=network, name=name)

    def n_pages_of_class(self, class_id: str) -> int:
        """Return how many pages the pictures of a class take."""
        return _n_pages(len(self.galleries.pictures(class_id)), PICTURES_A_PAGE)

    def class_(self, class_id: str, page: int = 1) -> str:
        """Return one page of a class: the filters that respond to it, and its images with the filters of each.

        Raises
        ------
        FiltagError
            If there is no such class or page.
        """
        view = self.loaded.class_(class_id)
        pictures = self.galleries.pictures(class_id)
        numbers = range(1, self.n_pages_of_class(class_id) + 1)
        return self._render(
            "class.html",
            self.urls.class_(class_id, page),
            class_=view,
            runs=self.loaded.runs,
            pictures=_on_page(pictures, page, PICTURES_A_PAGE, f"class {class_id}"),
            n_pictures=len(pictures),
            page=page,
            page_urls=[self.urls.class_(class_id, number) for number in numbers],
        )

    def concept(self, iri: str) -> str:
        """Return the page of a concept.

        Raises
        ------
        FiltagError
            If the KG does not know it.
        """
        view = self.loaded.concept(iri, most=self._most_rows)
        return self._render(
            "concept.html",
            self.urls.concept(iri),
            concept=view,
            runs=self.loaded.runs,
            coherent={run_id: sum(row.filters for row in rows) for run_id, rows in view.layers.items()},
            is_feature=iri not in self.loaded.concepts.classes_below,
        )

    @property
    def n_class_pages(self) -> int:
        """How many pages the list of classes takes."""
        return _n_pages(len(self.loaded.concepts.class_ids), _ROWS_A_PAGE)

    @property
    def n_concept_pages(self) -> int:
        """How many pages the list of concepts takes."""
        return _n_pages(len(self.loaded.concepts.classes_below), _ROWS_A_PAGE)

    def classes(self, page: int = 1) -> str:
        """Return one page of the list of all classes.

        Raises
        ------
        FiltagError
            If there is no such page.
        """
        graph = self.loaded.concepts
        rows = [
            (class_id, label, concepts, [len(table.rows_of_class(index)) for table in self.loaded.runs.values()])
            for index, (class_id, label, concepts) in enumerate(
                zip(graph.class_ids, graph.class_labels, graph.class_concepts, strict=True)
            )
        ]
        rows.sort(key=lambda row: (row[1].lower(), row[0]))
        return self._list("classes", page, rows)

    def concepts(self, page: int = 1) -> str:
        """Return one page of the list of all concepts above classes, with the coherent filters for each.

        Raises
        ------
        FiltagError
            If there is no such page.
        """
        graph = self.loaded.concepts
        kinds = [{iri: filters for iri, _, filters in self.loaded.kinds(table)} for table in self.loaded.runs.values()]
        rows = [
            (iri, graph.label(iri), len(below), [filters_of.get(iri, 0) for filters_of in kinds])
            for iri, below in graph.classes_below.items()
        ]
        rows.sort(key=lambda row: (-sum(row[3]), -row[2], row[1], row[0]))
        return self._list("concepts", page, rows)

    def groups(self, grouped_runs: Sequence[GroupedRun], page: int = 1) -> str:
        """Return the filters of one run, grouped by what their tags have in common; one page for each run.

        Raises
        ------
        FiltagError
            If there is no such page.
        """
        (grouped,) = _on_page(grouped_runs, page, 1, "groups")
        url = self.urls.page("groups", page)
        sources = stated_by_source(grouped)
        return self._render("groups.html", url, grouped_runs=grouped_runs, grouped=grouped, sources=sources, page=page)

    def unusual(self, page: int = 1) -> str:
        """Return the filters of one network to look at: inactive, duplicate, unexplained; one page for each network.

        Raises
        ------
        FiltagError
            If there is no such page, or the profile is damaged.
        """
        networks = list(self.loaded.networks.values())
        (network,) = _on_page(networks, page, 1, "unusual")
        found = unusual_filters(self.loaded, network)
        first = network.first_columns
        unexplained = found.unexplained[:_MOST_UNEXPLAINED] if found is not None else ()
        duplicates = found.duplicates[:_MOST_DUPLICATES] if found is not None else ()
        return self._render(
            "unusual.html",
            self.urls.page("unusual", page),
            networks=networks,
            network=network,
            unusual=found,
            shown=[
                (self.galleries.card(network, first[layer] + filter_), share) for layer, filter_, share in unexplained
            ],
            duplicates=[
                [self.galleries.card(network, first[layer] + filter_) for filter_ in filters[:2]]
                for layer, filters in duplicates
            ],
            inactive=INACTIVE,
            unexplained=UNEXPLAINED,
            page=page,
        )

    def mixed(self, page: int = 1) -> str:
        """Return the filters of one network that respond to two unrelated things; one page for each network.

        Raises
        ------
        FiltagError
            If there is no such page.
        """
        networks = list(self.loaded.networks.values())
        (network,) = _on_page(networks, page, 1, "mixed")
        results = self.loaded.mixed.get(network.network)
        shown = list(results.filters.values())[:_MOST_MIXED] if results is not None else []
        return self._render(
            "mixed.html",
            self.urls.page("mixed", page),
            networks=networks,
            network=network,
            results=results,
            cards=[mixed_card(self.galleries, network, mixed) for mixed in shown],
            why_unknown=why_unknown(
                from_profile=any(table.run.method is None for table in self.loaded.runs_of(network.network))
            ),
            page=page,
        )

    def _mixed_card(self, network: NetworkLayers, layer: str, filter_: int) -> MixedCard | None:
        mixed = self.loaded.mixed_filter(network, layer, filter_)
        return None if mixed is None else mixed_card(self.galleries, network, mixed)

    def pairs(self, page: int = 1) -> str:
        """Return the classes of one network that are hardest to tell apart; one page for each network.

        Raises
        ------
        FiltagError
            If there is no such page, or the profile is damaged.
        """
        loaded = self.loaded
        networks = list(loaded.networks.values())
        (network,) = _on_page(networks, page, 1, "pairs")
        known = loaded.activations.profile(network.network) is not None
        alike = alike_classes(loaded, network, _MOST_PAIRS) if known else []
        return self._render(
            "pairs.html",
            self.urls.page("pairs", page),
            networks=networks,
            network=network,
            pairs=class_pairs(loaded, network, alike) if alike else [],
            page=page,
        )

    def labels(self) -> str:
        """Return the page that says which labels are true, as far as they were checked."""
        runs = [
            self._checked(table) for table in self.loaded.runs.values() if table.run.run_id in self.loaded.checks.runs
        ]
        return self._render("labels.html", self.urls.page("labels"), checked_runs=runs)

    def glossary(self) -> str:
        """Return the page that explains the words of all pages."""
        return self._render("glossary.html", self.urls.page("glossary"), parts=glossary_parts())

    def _checked(self, table: RunResults) -> _CheckedRun:
        loaded, run = self.loaded, table.run
        check = loaded.checks.runs[run.run_id]

        return _CheckedRun(
            run=run,
            about=check.about,
            total=summarise_labels(check.labels),
            layers=summarise_by_layer(check.labels),
            best=loaded.checks.best(run.run_id),
            worst=loaded.checks.worst(run.run_id),
        )

    def _list(self, name: str, page: int, rows: Sequence[Any]) -> str:
        numbers = range(1, _n_pages(len(rows), _ROWS_A_PAGE) + 1)
        return self._render(
            f"{name}.html",
            self.urls.page(name, page),
            rows=_on_page(rows, page, _ROWS_A_PAGE, name),
            total=len(rows),
            page=page,
            page_urls=[self.urls.page(name, number) for number in numbers],
            runs=self.loaded.runs,
        )

    def other(self, template: str, name: str, **values: Any) -> str:  # noqa: ANN401 - whatever the template takes
        """Return a page from a template of its own."""
        return self._render(template, self.urls.page(name), **values)

    @property
    def _most_rows(self) -> int:
        return max(_LEAST_ROWS, _MOST_ROWS // max(1, len(self.loaded.runs)))

    def _headline(self, table: RunResults) -> Mapping[str, Any]:
        network = self.loaded.networks[table.run.network]
        lines = self.loaded.network(network).layers[table.run.run_id]
        return {
            "filters": network.n_filters,
            "tagged": sum(line.tagged for line in lines),
            "tags": sum(line.tags for line in lines),
            "coherent": Proportion(sum(line.coherent for line in lines), sum(line.several for line in lines)),
            "concepts": len(self.loaded.kinds(table)),
        }


def _nearer(text: str, url: str) -> str:
    """Let links to what shares folders with a page start there, and not at the root: filters link to many others."""
    folders = url.split("/")[:-1]
    for depth in range(len(folders), 0, -1):
        from_root = "../" * len(folders) + "/".join(folders[:depth]) + "/"
        # No text of a KG has a quotation mark: they are escaped.
        text = text.replace(f'"{from_root}', '"' + "../" * (len(folders) - depth))
    return text


def _n_pages(n_rows: int, rows_a_page: int) -> int:
    return max(1, -(-n_rows // rows_a_page))


def _on_page(rows: Sequence[_T], page: int, rows_a_page: int, name: str) -> Sequence[_T]:
    """Return the rows on one page of a list."""
    n_pages = _n_pages(len(rows), rows_a_page)
    if not 1 <= page <= n_pages:
        raise FiltagError(f"no page {page} of {name}: it has {n_pages}")
    return rows[(page - 1) * rows_a_page : page * rows_a_page]
