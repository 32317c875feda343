"""Where a query is sent: the store of a KG, or a remote SPARQL 1.1 endpoint. Both are only read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Protocol

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.graph import PREFIXES
from filtag_kg.kg import KG, StoreProcess, open_kg
from filtag_kg.query.result import Result
from filtag_kg.redirects import REDIRECTS, follow_redirects, without_secrets

# The query's form, after comments and declarations.
_FORM = re.compile(
    r"(?:\s|\#[^\n]*|BASE\s*<[^>]*>|PREFIX\s*[^\s:]*:\s*<[^>]*>)*(SELECT|ASK|CONSTRUCT|DESCRIBE|)", re.IGNORECASE
)
_TABLE_TYPES = "application/sparql-results+json, application/json;q=0.5"
_GRAPH_TYPES = "text/turtle, application/n-triples;q=0.9, text/n3;q=0.5, application/rdf+xml;q=0.4"


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
    """The store of a KG, opened once, in a separate process. A query that names no graph sees the union of all."""

    kg: KG

    @cached_property
    def _store(self) -> StoreProcess:
        return self.kg.store_process()

    def ask(self, text: str) -> Result:
        """Answer a query; the prefixes of the vocabulary need not be declared."""
        try:
            answer = self._store.query(text)
        except SyntaxError as error:
            raise FiltagError(malformed(error)) from None
        return Result.of_triples(answer) if isinstance(answer, list) else Result.of(answer)


@dataclass(frozen=True, slots=True)
class RemoteEndpoint:
    """A SPARQL 1.1 endpoint, asked over HTTP.

    Its default graph must be the union of its named graphs, as it is in most stores, or can be set to be.
    """

    url: str
    timeout: int = 60

    def ask(self, text: str) -> Result:
        """Answer a query; the prefixes of the vocabulary need not be declared.

        Redirects are followed.
        """
        import requests

        shown = without_secrets(self.url)
        is_graph = _FORM.match(text)[1].upper() in ("CONSTRUCT", "DESCRIBE")  # type: ignore[index]

        def send(url: str) -> requests.Response:
            return requests.post(
                url,
                data={"query": _with_prefixes(text)},
                headers={"Accept": _GRAPH_TYPES if is_graph else _TABLE_TYPES},
                timeout=self.timeout,
                allow_redirects=False,
            )

        try:
            answer = follow_redirects(send, self.url, statuses=REDIRECTS)
        except requests.exceptions.ChunkedEncodingError as error:
            raise FiltagError(f"{shown} broke off its answer ({_one_line(error)}): try again") from None
        except (requests.RequestException, UnicodeError) as error:
            raise FiltagError(
                f"{shown} cannot be reached ({_cause(error)}): check the address and that it runs"
            ) from None
        if answer.status_code == requests.codes.bad_request:
            raise FiltagError(f"{shown} finds the query malformed {_syntax_error(text) or _one_line(answer.text)}")
        if answer.status_code == requests.codes.not_found:
            raise FiltagError(f"no SPARQL endpoint at {shown} (404): check the address")
        if not requests.codes.ok <= answer.status_code < requests.codes.multiple_choices:
            reason = f"{answer.status_code} {answer.reason}: {_one_line(answer.text)}"
            raise FiltagError(f"{shown} failed to answer ({reason}): try again, or ask its owner")
        if answer.headers.get("X-SQL-State") == "S1TAT" or "X-SPARQL-MaxRows" in answer.headers:
            raise FiltagError(f"{shown} gave only part of the answer: ask for less, or have its limits raised")
        body = BytesIO(answer.content)
        try:
            if is_graph:
                media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
                format_ = ox.RdfFormat.from_media_type(media_type) or ox.RdfFormat.TURTLE
                return Result.of_triples([quad.triple for quad in ox.parse(input=body, format=format_)])
            return Result.of(ox.parse_query_results(body, format=ox.QueryResultsFormat.JSON))
        except (SyntaxError, ValueError) as error:
            raise FiltagError(
                f"{shown} did not answer with SPARQL results ({_one_line(error)}): check that it is an endpoint"
            ) from None


def open_endpoint(kg_or_url: str) -> Endpoint:
    """Open a KG's directory or a SPARQL endpoint's URL.

    Raises
    ------
    FiltagError
        If there is no KG in the directory.
    """
    if kg_or_url.startswith(("http://", "https://")):
        return RemoteEndpoint(kg_or_url)
    return LocalEndpoint(open_kg(Path(kg_or_url)))


def malformed(error: SyntaxError) -> str:
    """Return Oxigraph's complaint about a query in one line: where, then why."""
    return f"the query is malformed {_where_and_why(error)}"


def _with_prefixes(text: str) -> str:
    """Declare the vocabulary's prefixes on the query's first line, so line numbers in errors stay right."""
    declarations = " ".join(f"PREFIX {prefix}: <{iri}>" for prefix, iri in PREFIXES.items())
    return f"{declarations} {text}"


def _cause(error: Exception) -> str:
    """Return why a request failed, without what urllib3 says of its own objects."""
    reason = getattr(error.args[0], "reason", error) if error.args else error
    return _one_line(str(reason).rpartition("): ")[2])


def _one_line(error: Exception | str) -> str:
    return " ".join(str(error).split())[:300]


def _syntax_error(text: str) -> str | None:
    """Return where and why a query is malformed; None where Oxigraph accepts it."""
    try:
        ox.Store().query(text, prefixes=PREFIXES)
    except SyntaxError as error:
        return _where_and_why(error)
    return None


def _where_and_why(error: SyntaxError) -> str:
    match = re.fullmatch(r"error at (\d+):(\d+): (.*)", str(error), re.DOTALL)
    if match is None:
        return f"({_one_line(error)})"
    line, column, why = match.groups()
    # These reasons come behind a list of all characters that a name could have gone on with.
    for reason in ("Prefix not found", "The SELECT contains a variable that is unbound"):
        if reason in why:
            why = reason[0].lower() + reason[1:]
    return f"in line {line}, column {column}: {' '.join(why.split())[:200]}"
