"""A KG, here or behind an endpoint, to be asked from Python."""

from __future__ import annotations

from pathlib import Path

from filtag_kg.query.ask import named_query
from filtag_kg.query.catalogue import catalogue, find_query
from filtag_kg.query.endpoint import open_endpoint
from filtag_kg.query.result import Result

__all__ = ["KnowledgeGraph"]


class KnowledgeGraph:
    """A KG's directory, or a SPARQL endpoint that holds one.

    Parameters
    ----------
    place : Path or str
        A directory, or a URL.

    Raises
    ------
    FiltagError
        If there is no KG at the place.

    Examples
    --------
    >>> kg = KnowledgeGraph("my-kg")                                              # doctest: +SKIP
    >>> kg.query("filters-by-concept", concept="dog", layer="conv5_3").to_pandas()  # doctest: +SKIP
    >>> kg.query("SELECT ?f WHERE { ?f flt:tagCount 0 }").records()               # doctest: +SKIP
    """

    def __init__(self, place: Path | str) -> None:
        self.place = place
        self._endpoint = open_endpoint(str(place))

    @property
    def queries(self) -> tuple[str, ...]:
        """The named queries, as one would type them."""
        return tuple(query.usage for query in catalogue())

    def query(self, query: str, /, **parameters: str | float) -> Result:
        """Ask a named query, or SPARQL.

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
            return self._endpoint.ask(query)
        given = {name.removesuffix("_"): str(value) for name, value in parameters.items()}
        return named_query(self._endpoint, find_query(query), given)

    def __repr__(self) -> str:
        return f"KnowledgeGraph({str(self.place)!r})"
