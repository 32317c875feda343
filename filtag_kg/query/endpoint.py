"""Where a query is sent: the store of a KG, or a SPARQL 1.1 endpoint elsewhere. Both only read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from typing import Protocol
from urllib.error import HTTPError

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.graph import KG, PREFIXES, open_kg
from filtag_kg.query.result import Result

__all__ = ["Endpoint", "LocalEndpoint", "RemoteEndpoint", "open_endpoint", "place_of"]


class Endpoint(Protocol):
    """Anything that answers SPARQL."""

    def ask(self, text: str) -> Result:
        """Answer a query.

        Raises
        ------
        FiltagError
            If the query is malformed or the endpoint does not answer.
        """
        ...


@dataclass(frozen=True)
class LocalEndpoint:
    """The store of a KG, opened once. A query that names no graph sees the union of all."""

    kg: KG

    @cached_property
    def _store(self) -> ox.Store:
        return self.kg.store()

    def ask(self, text: str) -> Result:
        """Answer a query; the prefixes of the vocabulary need not be declared."""
        try:
            answer = self._store.query(text, prefixes=PREFIXES, use_default_graph_as_union=True)
            return Result.of(answer)
        except SyntaxError as error:
            raise FiltagError(f"the query is malformed {place_of(error)}") from None
        except OSError as error:
            raise FiltagError(f"the query on {self.kg.path} failed: {_one_line(error)}") from None


@dataclass(frozen=True, slots=True)
class RemoteEndpoint:
    """A SPARQL 1.1 endpoint, asked over HTTP.

    Its default graph must be the union of its named graphs, as in most stores or by a setting of theirs.
    """

    url: str
    timeout: int = 60

    def ask(self, text: str) -> Result:
        """Answer a query; the prefixes of the vocabulary need not be declared."""
        from SPARQLWrapper import JSON, N3, POST, SPARQLWrapper
        from SPARQLWrapper.SPARQLExceptions import EndPointNotFound, QueryBadFormed, SPARQLWrapperException

        wrapper = SPARQLWrapper(self.url)
        wrapper.setMethod(POST)
        wrapper.setTimeout(self.timeout)
        wrapper.setQuery(_with_prefixes(text))
        is_graph = wrapper.queryType in ("CONSTRUCT", "DESCRIBE")
        wrapper.setReturnFormat(N3 if is_graph else JSON)
        wrapper.setOnlyConneg(True)
        try:
            answer = wrapper.query()
            headers = answer.response.headers
            body, media_type = answer.response.read(), headers.get_content_type()
        except QueryBadFormed as error:
            raise FiltagError(f"{self.url} finds the query malformed {_where(text) or _complaint(error)}") from None
        except EndPointNotFound:
            raise FiltagError(f"no SPARQL endpoint at {self.url} (404): check the address") from None
        except (SPARQLWrapperException, HTTPError) as error:
            raise FiltagError(
                f"{self.url} failed to answer ({_one_line(error)}): try again, or ask its owner"
            ) from None
        except HTTPException as error:
            raise FiltagError(f"{self.url} broke off its answer ({_one_line(error)}): try again") from None
        except (
            OSError,
            UnicodeError,
        ) as error:  # URLError and timeouts are OSErrors, a host of odd letters is the other.
            raise FiltagError(
                f"{self.url} cannot be reached ({_one_line(error)}): check the address and that it runs"
            ) from None
        if headers.get("X-SQL-State") == "S1TAT" or "X-SPARQL-MaxRows" in headers:
            raise FiltagError(f"{self.url} gave a part of the answer only: ask for less, or have its limits raised")
        try:
            if is_graph:
                format_ = ox.RdfFormat.from_media_type(media_type) or ox.RdfFormat.TURTLE
                return Result.of_triples([quad.triple for quad in ox.parse(input=BytesIO(body), format=format_)])
            return Result.of(ox.parse_query_results(BytesIO(body), format=ox.QueryResultsFormat.JSON))
        except (SyntaxError, ValueError) as error:
            raise FiltagError(
                f"{self.url} answered with no SPARQL results ({_one_line(error)}): check that it is an endpoint"
            ) from None


def open_endpoint(place: str) -> Endpoint:
    """Open a KG's directory or a SPARQL endpoint's URL.

    Raises
    ------
    FiltagError
        If there is no KG at the place.
    """
    if place.startswith(("http://", "https://")):
        return RemoteEndpoint(place)
    return LocalEndpoint(open_kg(Path(place)))


def _with_prefixes(text: str) -> str:
    """Declare the vocabulary's prefixes on the query's first line, so that errors name its own lines."""
    declarations = " ".join(f"PREFIX {prefix}: <{iri}>" for prefix, iri in PREFIXES.items())
    return f"{declarations} {text}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _where(text: str) -> str | None:
    """Return where and why a query is malformed; None where Oxigraph takes it."""
    try:
        ox.Store().query(text, prefixes=PREFIXES)
    except SyntaxError as error:
        return place_of(error)
    return None


def place_of(error: SyntaxError) -> str:
    """Return Oxigraph's complaint with the place first, without the alphabets that names are made of."""
    said = re.fullmatch(r"error at (\d+):(\d+): (.*)", str(error), re.DOTALL)
    if said is None:
        return f"({_one_line(error)})"
    line, column, why = said.groups()
    for reason in ("Prefix not found", "The SELECT contains a variable that is unbound"):
        if reason in why:
            why = reason[0].lower() + reason[1:]
    return f"in line {line}, column {column}: {' '.join(why.split())[:200]}"


def _complaint(error: Exception) -> str:
    """Return what the endpoint said, without what SPARQLWrapper puts around it."""
    text = _one_line(error)
    return text.partition("Response: ")[2].removeprefix("b").strip("'\"") or text
