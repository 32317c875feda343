"""``/sparql``: the endpoint."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from filtag_kg.server.jobs import Answer, OverviewJob, QueryJob
from filtag_kg.server.negotiation import GRAPHS, TABLES, Format, choose, formats_named, require_format
from filtag_kg.server.pool import Pool
from filtag_kg.server.protocol import parameters_of, read_query
from filtag_kg.server.responses import ask_for, response_of
from filtag_kg.server.service_description import describe_service

_OFFERS = {"SELECT": TABLES, "ASK": TABLES, "CONSTRUCT": GRAPHS, "DESCRIBE": GRAPHS}
_KINDS = {"table": TABLES, "boolean": TABLES, "graph": GRAPHS}


class Sparql:
    """Answers requests at ``/sparql``."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._overview: tuple[int, Answer] | None = None

    async def __call__(self, request: Request) -> Response:
        """Answer a query; describe the service if there is none."""
        query = await read_query(request, self._pool)
        if query is None:
            return await self._description(request)
        accept = request.headers.get("accept")
        if query.inspection.form is not None:
            require_format(accept, _OFFERS[query.inspection.form], query.formats)
        formats = {kind: choose(accept, offers, query.formats) for kind, offers in _KINDS.items()}
        answer = await ask_for(
            request,
            self._pool,
            QueryJob(
                text=query.text,
                table=_name(formats["table"]),
                boolean=_name(formats["boolean"]),
                graph=_name(formats["graph"]),
                base=endpoint_of(request),
                describes=query.inspection.form == "DESCRIBE",
                names_dataset=query.inspection.names_dataset,
                default_graphs=query.default_graphs,
                named_graphs=query.named_graphs,
                first_rows=query.first_rows,
            ),
        )
        format_, media_type = formats[answer.kind] or require_format(accept, _KINDS[answer.kind], query.formats)
        return response_of(answer, format_.content_type(media_type))

    async def _description(self, request: Request) -> Response:
        named = formats_named(parameters_of(request))
        format_, media_type = require_format(request.headers.get("accept"), GRAPHS, named)
        generation = self._pool.generation
        if self._overview is None or self._overview[0] != generation:
            self._overview = generation, await ask_for(request, self._pool, OverviewJob())
        body = describe_service(endpoint_of(request), self._overview[1], format_.name)
        return Response(body, headers={"Content-Type": format_.content_type(media_type), "Vary": "Accept"})


def endpoint_of(request: Request) -> str:
    """Return the address of the endpoint as the client calls it."""
    return str(request.url.replace(query=None, fragment=None))


def _name(choice: tuple[Format, str] | None) -> str | None:
    return None if choice is None else choice[0].name
