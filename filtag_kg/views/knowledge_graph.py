"""A KG in Python: on disk or behind a SPARQL endpoint."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, wraps
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ParamSpec

from filtag_kg.errors import FiltagError
from filtag_kg.export import export_graph, to_networkx
from filtag_kg.kg import KG
from filtag_kg.kg import build_kg as _build_kg
from filtag_kg.query import LocalEndpoint, Result, catalogue, find_query, named_query, open_endpoint, sparql_query
from filtag_kg.views.filter_names import named_filter
from filtag_kg.views.loaded_kg import LoadedKg
from filtag_kg.views.loading import load_kg
from filtag_kg.views.naming import class_named, concepts_named
from filtag_kg.views.records import ClassView, ConceptView, FilterView, LayerView
from filtag_kg.views.search import Match, SearchIndex, search_index

if TYPE_CHECKING:
    import networkx as nx


class KnowledgeGraph:
    """A KG to query and to look things up in: a directory, or a SPARQL endpoint that holds one.

    An endpoint answers `query` alone.

    Parameters
    ----------
    location : Path or str
        A directory, or a URL.

    Raises
    ------
    FiltagError
        If there is no KG.

    Examples
    --------
    >>> kg = KnowledgeGraph("my-kg")                                              # doctest: +SKIP
    >>> kg.query("filters-by-concept", concept="dog", layer="conv5_3").to_pandas()  # doctest: +SKIP
    >>> kg.query("SELECT ?f WHERE { ?f flt:tagCount 0 }").records()               # doctest: +SKIP
    >>> kg.filter("conv5_3", 42)                                                  # doctest: +SKIP
    """

    def __init__(self, location: Path | str) -> None:
        self.location = location
        self._endpoint = open_endpoint(str(location))

    @property
    def queries(self) -> tuple[str, ...]:
        """The named queries with their parameters."""
        return tuple(query.usage for query in catalogue())

    def query(self, query: str, /, **parameters: str | float) -> Result:
        """Answer a named query, or SPARQL.

        Parameters
        ----------
        query : str
            A name such as ``tags-of-filter``, or the text of a query; the vocabulary's prefixes need no declaration.
        **parameters
            Of the named query. One that is a word of Python's takes an underscore: ``class_="tabby"``.

        Raises
        ------
        FiltagError
            If there is no such query, a parameter does not fit, or the text is malformed.
        """
        if " " in query.strip() or "{" in query:
            return sparql_query(self._endpoint, query)
        given = {name.removesuffix("_"): str(value) for name, value in parameters.items()}
        return named_query(self._endpoint, find_query(query), given)

    @cached_property
    def loaded(self) -> LoadedKg:
        """The KG in memory, read at the first use.

        Raises
        ------
        FiltagError
            If the KG is not on this machine's disk, or damaged.
        """
        return load_kg(self._kg)

    @property
    def _kg(self) -> KG:
        if not isinstance(self._endpoint, LocalEndpoint):
            raise FiltagError(
                f"{self.location} is an endpoint, which has no tables: use query(), or open a KG's directory"
            )
        return self._endpoint.kg

    @cached_property
    def _index(self) -> SearchIndex:
        return search_index(self.loaded)

    def layer(self, layer: str, *, network: str | None = None) -> LayerView:
        """Return the view of a layer, in the first network by default.

        Raises
        ------
        FiltagError
            If there is no such layer or network, or the KG is an endpoint.
        """
        return self.loaded.layer(self.loaded.network_named(network), layer)

    def filter(self, layer: str, index: int, *, network: str | None = None) -> FilterView:
        """Return the view of a filter, in the first network by default.

        Raises
        ------
        FiltagError
            If there is no such filter, layer or network, or the KG is an endpoint.
        """
        return named_filter(self.loaded, self.loaded.network_named(network), layer, index)

    def class_(self, name: str) -> ClassView:
        """Return the view of a class, by its id or label.

        Raises
        ------
        FiltagError
            If there is none, or several have the label, or the KG is an endpoint.
        """
        concepts = self.loaded.concepts
        return self.loaded.class_(class_named(name, concepts.class_ids, concepts.class_labels))

    def concept(self, name: str) -> ConceptView:
        """Return the view of a concept, by a word, its IRI, or a ConceptNet term such as ``/c/en/dog``.

        A word means what classes are, or are kinds of; only if it means no such thing, what things have or do.

        Raises
        ------
        FiltagError
            If there is none, or the word has several senses, or the KG is an endpoint.
        """
        iris = concepts_named(self.loaded, name)
        iris = tuple(iri for iri in iris if iri in self.loaded.concepts.classes_below) or iris
        if len(iris) > 1:
            raise FiltagError(f"{name!r} has {len(iris)} senses here: name one by its IRI, {', '.join(iris)}")
        return self.loaded.concept(iris[0])

    def search(self, text: str, most: int = 20) -> list[Match]:
        """Return the filters, layers, classes and concepts that match what was typed, the best match first.

        Raises
        ------
        FiltagError
            If the KG is an endpoint.
        """
        return self._index.find(text, most)

    def export(self, format_: str, output: BinaryIO, *, table: str = "tags") -> None:
        """Write the KG for other tools.

        Parameters
        ----------
        format_ : str
            ``turtle``, ``ntriples``, ``nquads``, ``trig``, ``jsonld``, ``rdfxml``, ``sssom``, ``graphml``, ``csv`` or
            ``parquet``.
        output : BinaryIO
            An open file, such as ``open("my-kg.ttl", "wb")``.
        table : str
            Of ``csv`` and ``parquet``: ``tags``, ``common`` or ``concepts``.

        Raises
        ------
        FiltagError
            If there is no such format or table, or the KG is an endpoint or damaged.
        """
        export_graph(self._kg, format_, output, table=table)

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        """Return layers, filters, classes and concepts as nodes, and what ties them as edges.

        Raises
        ------
        FiltagError
            If networkx is not installed, or the KG is an endpoint or damaged.
        """
        return to_networkx(self._kg)

    def _repr_html_(self) -> str:
        if isinstance(self._endpoint, LocalEndpoint):
            return self._endpoint.kg._repr_html_()
        return f"<div><strong>KG</strong> {escape(str(self.location))}</div>"

    def __repr__(self) -> str:
        return f"KnowledgeGraph({str(self.location)!r})"


_Options = ParamSpec("_Options")


def _opened(build: Callable[_Options, KG]) -> Callable[_Options, KnowledgeGraph]:
    @wraps(build)
    def build_and_open(*args: _Options.args, **kwargs: _Options.kwargs) -> KnowledgeGraph:
        return KnowledgeGraph(build(*args, **kwargs).path)

    return build_and_open


build_kg = _opened(_build_kg)
