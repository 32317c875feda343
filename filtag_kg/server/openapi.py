"""The interface in OpenAPI 3.1, made from the catalogue of named queries."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import urlencode

from filtag_kg.query import PARAMETERS, NamedQuery
from filtag_kg.server.negotiation import GRAPHS, TABLES

__all__ = ["address_of", "openapi"]

_KINDS = {
    "filter": {"type": "integer", "minimum": 0},
    "whole number": {"type": "integer", "minimum": 0},
    "number from 0 to 1": {"type": "number", "minimum": 0, "maximum": 1},
}
_LINE = {"text/plain": {"schema": {"type": "string"}}}
_ERRORS = {
    "400": {"description": "The request is wrong; one line says how.", "content": _LINE},
    "406": {"description": "There is no such format; the line lists those that there are.", "content": _LINE},
    "500": {"description": "The query needed too much memory.", "content": _LINE},
    "503": {"description": "Too many queries at once; Retry-After says when to try again.", "content": _LINE},
    "504": {"description": "The query took too long and was stopped.", "content": _LINE},
}
_READ_ONLY = {"403": {"description": "An update, SERVICE or a file: this endpoint is read-only.", "content": _LINE}}


def openapi(queries: Sequence[NamedQuery]) -> dict[str, Any]:
    """Return the description as JSON data."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "FilTag-KG",
            "version": version("filtag-kg"),
            "summary": "A CNN's convolutional filters as a knowledge graph: SPARQL and named queries, read-only.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/sparql": _sparql(),
            "/queries": {
                "get": {
                    "operationId": "list-queries",
                    "summary": "List the named queries.",
                    "responses": {"200": {"description": "The queries.", "content": {"application/json": {}}}},
                }
            },
            **{f"/queries/{query.name}": _named(query) for query in queries},
        },
    }


def address_of(query: NamedQuery) -> str:
    """Return the path of a query's example."""
    return f"/queries/{query.name}" + (f"?{urlencode(query.example)}" if query.example else "")


def _named(query: NamedQuery) -> dict[str, Any]:
    names = [(name, True) for name in query.required] + [(name, False) for name in query.optional]
    answer = {
        "description": f"A table of the columns {', '.join(query.columns)}.",
        "headers": {
            "Filtag-Note": {
                "description": "Notes on the answer, such as the senses of a word.",
                "schema": {"type": "string"},
            },
            "X-SPARQL-MaxRows": {
                "description": "The limit on rows, if the answer was cut.",
                "schema": {"type": "integer"},
            },
        },
        "content": {each.media_types[0]: {} for each in TABLES},
    }
    return {
        "get": {
            "operationId": query.name,
            "summary": query.summary,
            "parameters": [*(_parameter(query, name, required) for name, required in names), _format(TABLES)],
            "responses": {"200": answer, **_ERRORS},
        }
    }


def _parameter(query: NamedQuery, name: str, required: bool) -> dict[str, Any]:
    parameter = PARAMETERS[name]
    schema: dict[str, Any] = dict(_KINDS.get(parameter.kind, {"type": "string"}))
    described: dict[str, Any] = {
        "name": name,
        "in": "query",
        "required": required,
        "description": parameter.meaning,
        "schema": schema,
    }
    if name in query.example:
        convert = {"integer": int, "number": float}.get(schema["type"], str)
        described["example"] = convert(query.example[name])
    return described


def _format(formats: Sequence[Any]) -> dict[str, Any]:
    return {
        "name": "format",
        "in": "query",
        "required": False,
        "description": "Takes precedence over Accept.",
        "schema": {"type": "string", "enum": [each.name for each in formats]},
    }


def _sparql() -> dict[str, Any]:
    graphs = {"type": "array", "items": {"type": "string", "format": "uri"}}
    dataset = [
        {"name": f"{kind}-graph-uri", "in": "query", "required": False, "schema": graphs}
        for kind in ("default", "named")
    ]
    answer = {
        "200": {
            "description": "A table or truth value, or a graph; without a query, the service's description.",
            "content": {each.media_types[0]: {} for each in (*TABLES, *GRAPHS)},
        },
        **_READ_ONLY,
        **_ERRORS,
    }
    query = {"name": "query", "in": "query", "required": False, "schema": {"type": "string"}}
    form = {
        "type": "object",
        "required": ["query"],
        "properties": {
            "query": {"type": "string"},
            "default-graph-uri": graphs,
            "named-graph-uri": graphs,
            "format": {"type": "string"},
        },
    }
    body = {
        "required": True,
        "content": {
            "application/sparql-query": {"schema": {"type": "string"}},
            "application/x-www-form-urlencoded": {"schema": form},
        },
    }
    formats = _format((*TABLES, *GRAPHS))
    return {
        "get": {
            "operationId": "query",
            "summary": "SPARQL 1.1 Protocol: a query in the address.",
            "parameters": [query, *dataset, formats],
            "responses": answer,
        },
        "post": {
            "operationId": "post-query",
            "summary": "SPARQL 1.1 Protocol: a query as a form, or directly.",
            "parameters": [*dataset, formats],
            "requestBody": body,
            "responses": answer,
        },
    }
