"""``/queries``: the named queries over HTTP."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from filtag_kg.errors import FiltagError
from filtag_kg.query import NamedQuery, catalogue, find_query
from filtag_kg.server.jobs import NamedJob
from filtag_kg.server.negotiation import FORMAT_PARAMETERS, TABLES, formats_named, require_format
from filtag_kg.server.openapi import address_of, openapi
from filtag_kg.server.pool import Pool
from filtag_kg.server.protocol import FIRST_ROWS, first_rows_of, parameters_of
from filtag_kg.server.public_address import root_of
from filtag_kg.server.request_error import RequestError, shorten, shorten_all
from filtag_kg.server.responses import ask_for, response_of


class NamedQueries:
    """Answers requests at ``/queries`` and ``/openapi.json``."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._queries = catalogue()
        self._openapi = openapi(self._queries)

    async def list(self, request: Request) -> Response:
        """List the queries."""
        root = root_of(request)
        return JSONResponse({"queries": [_listed(query, root) for query in self._queries]})

    async def describe(self, request: Request) -> Response:
        """Describe the server's interface."""
        return JSONResponse({**self._openapi, "servers": [{"url": root_of(request) or "/"}]})

    async def ask(self, request: Request) -> Response:
        """Answer a query."""
        try:
            query = find_query(shorten(request.path_params["name"]))
        except FiltagError as error:
            raise RequestError(404, f"{error} (see {root_of(request)}/queries)") from None
        pairs = parameters_of(request)
        format_, media_type = require_format(request.headers.get("accept"), TABLES, formats_named(pairs))
        first_rows = first_rows_of(pairs)
        parameters: dict[str, str] = {}
        for name, value in pairs:
            # A form sends its empty fields, too.
            if name.lower() in (*FORMAT_PARAMETERS, FIRST_ROWS) or not value:
                continue
            if parameters.get(name, value) != value:
                raise RequestError(400, f"parameter {shorten(name)!r} is given twice: give it once")
            parameters[name] = value
        try:
            answer = await ask_for(request, self._pool, NamedJob(query.name, parameters, format_.name, first_rows))
        except RequestError as error:
            line = shorten_all(error.line, (*parameters, *parameters.values()))
            raise RequestError(error.status, line, error.headers) from None
        return response_of(answer, format_.content_type(media_type))


def _listed(query: NamedQuery, root: str) -> dict[str, object]:
    return {
        "name": query.name,
        "summary": query.summary,
        "required": list(query.required),
        "optional": list(query.optional),
        "columns": list(query.columns),
        "example": root + address_of(query),
        "sparql": query.text,
    }
