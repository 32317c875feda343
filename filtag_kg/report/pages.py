"""The pages about a KG and its things as HTML: the same for the static report and for the server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from filtag_kg.errors import FiltagError
from filtag_kg.graph import xml_text
from filtag_kg.report.figures import Figure
from filtag_kg.report.grouping import GroupedRun
from filtag_kg.report.jinja import environment
from filtag_kg.report.proportion import Proportion
from filtag_kg.report.urls import PageUrls
from filtag_kg.views import ABOUT_HIGHER, Facts, FilterLine, NetworkTable, RunTable

if TYPE_CHECKING:
    from jinja2 import Environment

_T = TypeVar("_T")

__all__ = ["FILTERS_A_PAGE", "PageSettings", "Pages"]

FILTERS_A_PAGE = 100
_LINES_A_PAGE = 400
_MOST_ROWS = 240
"""Rows of all runs together in the tables of a page, which is to stay below 500 kB; the rest is in the CSV files."""
_LEAST_ROWS = 20
_MOST_RUNS = 4
_MOST_PATHS = 6
_BEST_FILTERS = 12


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What a site has beside the pages of things.

    Parameters
    ----------
    live : bool
        Whether a server is behind the pages: they then have search, queries and other formats.
    templates : sequence of str
        Names of further packages with templates.
    extras : sequence of (page name, title)
        Further pages in the menu: hits, errors.
    downloads : sequence of (file name, what it is)
    """

    live: bool = False
    templates: Sequence[str] = ()
    extras: Sequence[tuple[str, str]] = ()
    downloads: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, eq=False)
class Pages:
    """Renders pages.

    Parameters
    ----------
    facts : Facts
    urls : PageUrls
    settings : PageSettings
    """

    facts: Facts
    urls: PageUrls
    settings: PageSettings = field(default_factory=PageSettings)

    @cached_property
    def _environment(self) -> Environment:
        made = environment(self.settings.templates)
        made.globals.update(
            url=self.urls,
            settings=self.settings,
            facts=self.facts,
            manifest=self.facts.kg.manifest,
            coherent_q=self.facts.q,
            about_higher=ABOUT_HIGHER,
            most_rows=self._most_rows,
            most_runs=_MOST_RUNS,
            most_paths=_MOST_PATHS,
            proportion=Proportion,
            several_networks=len(self.facts.networks) > 1,
        )
        return made

    def _render(self, template: str, address: str, **values: Any) -> str:  # noqa: ANN401 - whatever the template takes
        root = "" if address.startswith("/") else "../" * address.count("/")
        return xml_text(self._environment.get_template(template).render(root=root, **values))

    def overview(self, figures: Sequence[Figure] = ()) -> str:
        """Return the first page: what was run, headline figures, plots, layers, the surest filters."""
        facts = self.facts
        networks = [facts.network(network) for network in facts.networks.values()]
        return self._render(
            "overview.html",
            self.urls.overview(),
            networks=networks,
            figures=figures,
            made=facts.kg.manifest["inputs"].get("profile", {}),
            headline={table.run.run_id: self._headline(table) for table in facts.runs.values()},
            surest={network.network: self._surest(network) for network in facts.networks.values()},
        )

    def n_layer_pages(self, network: NetworkTable, layer: str) -> int:
        """Return how many pages a layer's filters take."""
        return -(-network.size(self.facts.layer_index(network, layer)) // FILTERS_A_PAGE)

    def layer(self, network: NetworkTable, layer: str, page: int = 1) -> str:
        """Return a page of a layer: a row a filter with its exemplars and tags, as in the paper's Figure 3.

        Raises
        ------
        FiltagError
            If there is no such layer or page.
        """
        facts = self.facts
        found = facts.layer(network, layer)
        pages = self.n_layer_pages(network, layer)
        if not 1 <= page <= pages:
            raise FiltagError(f"no page {page} of layer {layer}: it has {pages}")
        start = (page - 1) * FILTERS_A_PAGE
        shown = range(start, min(start + FILTERS_A_PAGE, found.n_filters))
        column = facts.column(network, layer, 0)
        return self._render(
            "layer.html",
            self.urls.layer(network.network, layer, page),
            layer=found,
            network=network,
            page=page,
            pages=pages,
            shown=shown,
            exemplars=[facts.exemplars.get((network.network, column + i), ())[:5] for i in shown],
            pictures=[facts.visualizations.get((network.network, layer, i), ()) for i in shown],
            before=network.layer_names[found.index - 1] if found.index else None,
            after=network.layer_names[found.index + 1] if found.index + 1 < len(network.layer_names) else None,
        )

    def filter(self, network: NetworkTable, layer: str, filter_: int) -> str:
        """Return the page of a filter.

        Raises
        ------
        FiltagError
            If there is no such filter.
        """
        found = self.facts.filter(network, layer, filter_)
        return self._render(
            "filter.html", self.urls.filter(network.network, layer, filter_), filter=found, network=network
        )

    def class_(self, class_id: str) -> str:
        """Return the page of a class.

        Raises
        ------
        FiltagError
            If there is no such class.
        """
        found = self.facts.class_(class_id)
        return self._render("class.html", self.urls.class_(class_id), found=found, runs=self.facts.runs)

    def concept(self, iri: str) -> str:
        """Return the page of a concept.

        Raises
        ------
        FiltagError
            If the KG does not know it.
        """
        found = self.facts.concept(iri, most=self._most_rows)
        return self._render(
            "concept.html",
            self.urls.concept(iri),
            found=found,
            runs=self.facts.runs,
            coherent={run_id: sum(row.filters for row in rows) for run_id, rows in found.layers.items()},
            is_feature=iri not in self.facts.concepts.classes_below,
        )

    @property
    def n_class_pages(self) -> int:
        """How many pages the list of classes takes."""
        return max(1, -(-len(self.facts.concepts.class_ids) // _LINES_A_PAGE))

    @property
    def n_concept_pages(self) -> int:
        """How many pages the list of concepts takes."""
        return max(1, -(-len(self.facts.concepts.classes_below) // _LINES_A_PAGE))

    def classes(self, page: int = 1) -> str:
        """Return a page of the list of all classes.

        Raises
        ------
        FiltagError
            If there is no such page.
        """
        graph = self.facts.concepts
        order = sorted(range(len(graph.class_ids)), key=lambda c: (graph.class_labels[c].lower(), graph.class_ids[c]))
        rows = [
            (
                graph.class_ids[c],
                graph.class_labels[c],
                graph.class_concepts[c],
                [len(table.rows_of_class(c)) for table in self.facts.runs.values()],
            )
            for c in _lines(order, page, self.n_class_pages, "classes")
        ]
        return self._list("classes", page, self.n_class_pages, len(order), rows)

    def concepts(self, page: int = 1) -> str:
        """Return a page of the list of all concepts above classes, with the coherent filters of each kind.

        Raises
        ------
        FiltagError
            If there is no such page.
        """
        graph = self.facts.concepts
        kinds = {
            run_id: Counter(row.concept for _, row in table.concepts_of_layer(range(len(table.of_filter) - 1)))
            for run_id, table in self.facts.runs.items()
        }
        rows = [
            (iri, graph.label(iri), len(below), [kinds[run_id][iri] for run_id in self.facts.runs])
            for iri, below in graph.classes_below.items()
        ]
        rows.sort(key=lambda row: (-sum(row[3]), -row[2], row[1], row[0]))
        shown = _lines(rows, page, self.n_concept_pages, "concepts")
        return self._list("concepts", page, self.n_concept_pages, len(rows), shown)

    def groups(self, grouped: Sequence[GroupedRun], page: int = 1) -> str:
        """Return the semantic grouping of a run: filters by what their tags have in common; a page a run.

        Raises
        ------
        FiltagError
            If there is no such page.
        """
        if not 1 <= page <= len(grouped):
            raise FiltagError(f"no page {page} of groups: it has {len(grouped)}")
        return self._render(
            "groups.html", self.urls.page("groups", page), grouped=grouped, of=grouped[page - 1], page=page
        )

    def _list(self, name: str, page: int, pages: int, total: int, rows: Sequence[Any]) -> str:
        return self._render(
            f"{name}.html",
            self.urls.page(name, page),
            rows=rows,
            total=total,
            page=page,
            pages=pages,
            runs=self.facts.runs,
        )

    def other(self, template: str, name: str, **values: Any) -> str:  # noqa: ANN401 - whatever the template takes
        """Return a page from a template of its own."""
        return self._render(template, self.urls.page(name), **values)

    @property
    def _most_rows(self) -> int:
        return max(_LEAST_ROWS, _MOST_ROWS // max(1, len(self.facts.runs)))

    def _headline(self, table: RunTable) -> Mapping[str, Any]:
        network = self.facts.networks[table.run.network]
        lines = self.facts.network(network).layers[table.run.run_id]
        several = sum(line.several for line in lines)
        kinds = {row.concept for _, row in table.concepts_of_layer(range(network.n_filters))}
        return {
            "filters": network.n_filters,
            "tagged": sum(line.tagged for line in lines),
            "tags": sum(line.tags for line in lines),
            "coherent": Proportion(sum(line.coherent for line in lines), several),
            "concepts": len(kinds),
        }

    def _surest(self, network: NetworkTable) -> list[tuple[RunTable, FilterLine]]:
        """Return coherent filters of the network's first run: the surest of each kind, those of several kinds."""
        runs = self.facts.runs_of(network.network)
        if not runs:
            return []
        table = runs[0]
        found = sorted(
            table.concepts_of_layer(range(network.n_filters)),
            key=lambda item: (item[1].p_adjusted, item[1].p_value, -item[0]),
        )
        of_each = {row.concept: column for column, row in reversed(found)}
        best = (column for column, row in found if of_each[row.concept] == column)
        return [(table, self.facts.line(table, column)) for column in islice(best, _BEST_FILTERS)]


def _lines(rows: Sequence[_T], page: int, pages: int, name: str) -> Sequence[_T]:
    """Return the rows of a page of a list."""
    if not 1 <= page <= pages:
        raise FiltagError(f"no page {page} of {name}: it has {pages}")
    return rows[(page - 1) * _LINES_A_PAGE : page * _LINES_A_PAGE]
