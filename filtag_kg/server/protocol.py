"""Reads the query of an HTTP request, or says what is wrong with it.

Source: W3C, *SPARQL 1.1 Protocol*, section 2.1.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

import pyoxigraph as ox
from starlette.requests import ClientDisconnect, Request

from filtag_kg.server.jobs import InspectJob
from filtag_kg.server.negotiation import formats_named
from filtag_kg.server.pool import Pool
from filtag_kg.server.query_inspection import (
    DEEPEST,
    NO_FILE,
    READ_ONLY,
    Inspection,
    decoded,
    inspect_query,
    is_file,
)
from filtag_kg.server.request_error import GONE, RequestError, shorten
from filtag_kg.server.responses import ask_for

FIRST_ROWS = "maxrows"
"""The parameter, as Virtuoso calls it, of a client that is content with the first rows."""
_LONGEST = 128 << 10
_SHORT = 2000
"""Characters. Inspecting so many takes up to 30 ms; the longest query takes a second, so a worker does it."""
_DEFAULT_GRAPHS = frozenset({"urn:x-rdflib:default", "urn:x-arq:DefaultGraph", "urn:x-arq:UnionGraph"})
"""What rdflib and Jena call the default graph of any endpoint."""
_FORM = "application/x-www-form-urlencoded"
_QUERY, _UPDATE = "application/sparql-query", "application/sparql-update"


@dataclass(frozen=True, slots=True)
class ProtocolQuery:
    """A query with the options of the protocol.

    Parameters
    ----------
    text : str
        With its code point escapes decoded.
    default_graphs, named_graphs : tuple of str, or None
        The dataset; both are None if the request gives none.
    formats : tuple of str
        From `formats_named`.
    first_rows : int or None
        From `first_rows_of`.
    """

    text: str
    inspection: Inspection
    default_graphs: tuple[str, ...] | None
    named_graphs: tuple[str, ...] | None
    formats: tuple[str, ...]
    first_rows: int | None


async def read_query(request: Request, pool: Pool) -> ProtocolQuery | None:
    """Return the query of a request; None for a GET without one, which asks for the service's description.

    Parameters
    ----------
    pool : Pool
        Inspects long queries.

    Raises
    ------
    RequestError
        As `ask_for` does; 4xx if there is no query, or it is an update or reaches outside.
    """
    parameters = parameters_of(request)
    if request.method == "POST":
        parameters += await _posted(request, pool.limits.body_seconds)
    if any(name == "update" for name, _ in parameters):
        raise RequestError(403, READ_ONLY)
    queries = [value for name, value in parameters if name == "query"]
    if len(queries) > 1:
        raise RequestError(400, f"the request has {len(queries)} queries: send one")
    if not queries:
        if request.method == "POST":
            raise RequestError(400, "the form has no query: send query=…")
        return None
    text, inspection = await _inspected(request, pool, queries[0])
    default_graphs, named_graphs = (_graphs(parameters, f"{kind}-graph-uri") for kind in ("default", "named"))
    if inspection.refusal is not None:
        raise RequestError(403, inspection.refusal)
    if inspection.empty:
        raise RequestError(400, "the query is empty: write a query")
    if inspection.depth > DEEPEST:
        raise RequestError(
            400, f"the query has {inspection.depth} nested brackets, and {DEEPEST} are allowed: nest less"
        )
    given = bool(default_graphs or named_graphs)
    return ProtocolQuery(
        text,
        inspection,
        default_graphs if given else None,
        named_graphs if given else None,
        formats_named(parameters),
        first_rows_of(parameters),
    )


async def _inspected(request: Request, pool: Pool, typed: str) -> tuple[str, Inspection]:
    """Return a query with its code point escapes decoded, and its inspection."""
    if len(typed) <= _SHORT:
        text = decoded(typed)
        return text, inspect_query(text)
    text, inspection = json.loads((await ask_for(request, pool, InspectJob(typed))).body)
    return text, Inspection(**inspection)


def parameters_of(request: Request) -> list[tuple[str, str]]:
    """Return the parameters of a request's address.

    Raises
    ------
    RequestError
        400 if they are not UTF-8, or too many.
    """
    return _pairs(request.scope["query_string"])


def first_rows_of(parameters: Sequence[tuple[str, str]]) -> int | None:
    """Return how many rows are enough, as the parameter `maxrows` says; None if it is not there.

    Raises
    ------
    RequestError
        400 if it is not a whole number from 1.
    """
    given = {value for name, value in parameters if name.lower() == FIRST_ROWS and value}
    if not given:
        return None
    if len(given) > 1 or not re.fullmatch("[1-9][0-9]{0,8}", min(given)):
        raise RequestError(400, f"{FIRST_ROWS}={shorten(min(given))} is not a whole number from 1: give one")
    return int(min(given))


async def read_body(request: Request, longest: int, seconds: float, too_long: str) -> bytes:
    """Return the body of a request.

    Parameters
    ----------
    longest : int
        In bytes.
    seconds : float
        For all of it to arrive.
    too_long : str
        The error for a longer one.

    Raises
    ------
    RequestError
        413 if it is too long, 408 if it takes too long to arrive, 499 if the client leaves.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > longest:
                    raise RequestError(413, too_long)
    except TimeoutError:
        line = f"the request took longer than {seconds:g} s to arrive: send it again"
        raise RequestError(408, line) from None
    except ClientDisconnect:
        raise RequestError(GONE, "the client is gone") from None
    return bytes(body)


async def _posted(request: Request, seconds: float) -> list[tuple[str, str]]:
    media_type, _, rest = request.headers.get("content-type", "").partition(";")
    media_type = media_type.strip().lower()
    if media_type == _UPDATE:
        raise RequestError(403, READ_ONLY)
    too_long = f"the request is longer than {_LONGEST >> 10} KiB: send a shorter query"
    body = await read_body(request, _LONGEST, seconds, too_long)
    if media_type not in (_FORM, _QUERY):
        if body.startswith(b"update=") or inspect_query(body[:_SHORT].decode(errors="replace")).refusal == READ_ONLY:
            raise RequestError(403, READ_ONLY)
        raise RequestError(
            415, f"a query is posted as {_QUERY} or {_FORM}, not as {media_type or 'a body without Content-Type'}"
        )
    charset = next((part.partition("=")[2] for part in rest.split(";") if part.strip().startswith("charset=")), "utf-8")
    if charset.strip().strip('"').lower() not in ("utf-8", "utf8", "us-ascii"):
        raise RequestError(415, f"queries in {charset.strip()} are not read: send UTF-8")
    if media_type == _FORM:
        return _pairs(body)
    try:
        return [("query", body.decode())]
    except UnicodeDecodeError:
        raise RequestError(400, "the query is not UTF-8: send UTF-8") from None


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    try:
        text = encoded.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=200)
    except UnicodeDecodeError:
        raise RequestError(400, "a parameter is not percent-encoded UTF-8: encode it again") from None
    except ValueError:
        raise RequestError(400, "the request has more than 200 parameters: send fewer") from None


def _graphs(parameters: Sequence[tuple[str, str]], name: str) -> tuple[str, ...]:
    """Return the graphs that parameters of one name give; none where they give the default graph itself."""
    graphs = tuple(dict.fromkeys(value for key, value in parameters if key == name))
    if not _DEFAULT_GRAPHS.isdisjoint(graphs):
        return ()
    for graph in graphs:
        if is_file(graph):
            raise RequestError(403, NO_FILE.format(f"<{graph}>"))
        try:
            ox.NamedNode(graph)
        except ValueError:
            raise RequestError(400, f"{name}={shorten(graph)} is not an absolute IRI: give one") from None
    return graphs
