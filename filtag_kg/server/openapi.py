"""The interface in OpenAPI 3.1, made from the catalogue of named queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import urlencode

from filtag_kg.query import PARAMETERS, NamedQuery
from filtag_kg.server.negotiation import GRAPHS, TABLES, Format

_TEXT: Mapping[str, Any] = {"type": "string"}
_IRIS = {"type": "array", "items": {"type": "string", "format": "uri"}}
_KINDS: Mapping[str, Mapping[str, Any]] = {
    "filter": {"type": "integer", "minimum": 0},
    "whole number": {"type": "integer", "minimum": 0},
    "number from 0 to 1": {"type": "number", "minimum": 0, "maximum": 1},
}
_LINE = {"text/plain": {"schema": _TEXT}}
_ERRORS = {
    "400": {"description": "The request is wrong; one line says how.", "content": _LINE},
    "406": {"description": "There is no such format; the line lists those that there are.", "content": _LINE},
    "500": {"description": "The query needed too much memory, or its answer is too large.", "content": _LINE},
    "503": {"description": "Too many queries at once; Retry-After says when to try again.", "content": _LINE},
    "504": {"description": "The query took too long and was stopped.", "content": _LINE},
}
_FIRST_ROWS = {
    "name": "maxrows",
    "in": "query",
    "required": False,
    "description": "So many rows are enough. Without it, an answer beyond the server's limits is refused.",
    "schema": {"type": "integer", "minimum": 1},
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


def parameter_schema(kind: str) -> Mapping[str, Any]:
    """Return the JSON Schema of a named query's parameter, given its kind."""
    return _KINDS.get(kind, _TEXT)


def address_of(query: NamedQuery) -> str:
    """Return the path of a query's example."""
    return f"/queries/{query.name}" + (f"?{urlencode(query.example)}" if query.example else "")


def _named(query: NamedQuery) -> dict[str, Any]:
    answer = {
        "description": f"A table of the columns {', '.join(query.columns)}.",
        "headers": {
            "Filtag-Note": {"description": "Notes on the answer, such as the senses of a word.", "schema": _TEXT},
            "X-SPARQL-MaxRows": {
                "description": "The number of rows, if there are more than maxrows asked for.",
                "schema": {"type": "integer"},
            },
        },
        "content": _content(TABLES),
    }
    return {
        "get": {
            "operationId": query.name,
            "summary": query.summary,
            "parameters": [*(_query_parameter(query, name) for name in query.parameters), _format(TABLES), _FIRST_ROWS],
            "responses": {"200": answer, **_ERRORS},
        }
    }


def _query_parameter(query: NamedQuery, name: str) -> dict[str, Any]:
    parameter = PARAMETERS[name]
    schema = parameter_schema(parameter.kind)
    described = _parameter(name, schema, parameter.meaning, required=name in query.required)
    if name in query.example:
        convert = {"integer": int, "number": float}.get(str(schema["type"]), str)
        described["example"] = convert(query.example[name])
    return described


def _parameter(name: str, schema: Mapping[str, Any], description: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "description": description, "schema": schema}


def _format(formats: Sequence[Format]) -> dict[str, Any]:
    names = [each.name for each in formats]
    return _parameter("format", {"type": "string", "enum": names}, "Takes precedence over Accept.")


def _content(formats: Sequence[Format]) -> dict[str, Any]:
    return {each.media_types[0]: {} for each in formats}


def _sparql() -> dict[str, Any]:
    formats = (*TABLES, *GRAPHS)
    dataset = {"default-graph-uri": _IRIS, "named-graph-uri": _IRIS}
    form = {
        "type": "object",
        "required": ["query"],
        "properties": {"query": _TEXT, **dataset, "format": _TEXT, "maxrows": _FIRST_ROWS["schema"]},
    }
    options = [*(_parameter(name, schema, "The graphs of the dataset.") for name, schema in dataset.items())]
    options += [_format(formats), _FIRST_ROWS]
    answer = {
        "description": "A table or truth value, or a graph; without a query, the service's description.",
        "content": _content(formats),
    }
    responses = {"200": answer, **_READ_ONLY, **_ERRORS}
    return {
        "get": {
            "operationId": "query",
            "summary": "SPARQL 1.1 Protocol: a query in the address.",
            "parameters": [_parameter("query", _TEXT, "The SPARQL."), *options],
            "responses": responses,
        },
        "post": {
            "operationId": "post-query",
            "summary": "SPARQL 1.1 Protocol: a query as a form, or directly.",
            "parameters": options,
            "requestBody": {
                "required": True,
                "content": {
                    "application/sparql-query": {"schema": _TEXT},
                    "application/x-www-form-urlencoded": {"schema": form},
                },
            },
            "responses": responses,
        },
    }
