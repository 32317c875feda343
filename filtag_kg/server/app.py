"""The application: which address has what."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path

from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from filtag_kg.kg import KG
from filtag_kg.server.headers import PublicHeaders
from filtag_kg.server.kg_files import KgFiles
from filtag_kg.server.limits import Limits
from filtag_kg.server.named_queries import NamedQueries
from filtag_kg.server.pool import Pool
from filtag_kg.server.public_address import AtPublicAddress, PublicAddress, root_of
from filtag_kg.server.request_error import RequestError
from filtag_kg.server.resources import Pages, Resources
from filtag_kg.server.responses import error_answers
from filtag_kg.server.sparql import Sparql


class _AnyPath(PathConvertor):
    """A path that may hold line feeds, as a class id may."""

    regex = "(?s:.*)"


register_url_convertor("any", _AnyPath())
_GET, _SPARQL = ["GET"], ["GET", "POST"]


def create_app(
    served: KG | Path,
    limits: Limits | None = None,
    *,
    pages: Pages | None = None,
    routes: Callable[[Pool], Sequence[BaseRoute]] = lambda _pool: (),
    beside: Callable[[], AbstractAsyncContextManager[None]] | None = None,
    address: PublicAddress | None = None,
) -> Starlette:
    """Return the server's application, whose workers live as long as it runs.

    Parameters
    ----------
    served : KG or Path
        A KG, or the directory of any Oxigraph store, whose things have no addresses.
    pages : Pages or None
        Pages for people: one for each thing of the data, and ``page("")`` at the root.
    routes : callable
        Returns further routes, which take precedence over the data, given the pool that does their work.
    beside : callable, optional
        Returns a context that stays open while the server runs.
    address : PublicAddress, optional
        How clients may call the server; by default, only as on this machine.
    """
    limits = limits or Limits()
    store_path = served.path / "store" if isinstance(served, KG) else served
    pool = Pool(store_path, limits, served.path if isinstance(served, KG) and pages is not None else None)
    sparql, named_queries = Sparql(pool), NamedQueries(pool)
    base = served.manifest["parameters"]["base"] if isinstance(served, KG) else None
    files = KgFiles(served.path) if isinstance(served, KG) else None
    resources = Resources(pool, base, pages, files)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with pool.open(), nullcontext() if beside is None else beside():
            yield

    async def root(request: Request) -> Response:
        page = None if pages is None else await pages.page(request, pool, "")
        if page is not None:
            return Response(page, media_type="text/html")
        here = root_of(request)
        return PlainTextResponse(
            f"FilTag-KG\n{here}/sparql: SPARQL 1.1, read-only\n{here}/queries: named queries\n"
            f"{here}/openapi.json: the whole interface\n"
        )

    app = Starlette(
        routes=[
            Route("/", root, methods=_GET),
            Route("/sparql", sparql.__call__, methods=_SPARQL),
            Route("/sparql/", sparql.__call__, methods=_SPARQL),
            Route("/queries", named_queries.list, methods=_GET),
            Route("/queries/{name}", named_queries.ask, methods=_GET),
            Route("/openapi.json", named_queries.describe, methods=_GET),
            Route("/resource", resources.by_iri, methods=_GET),
            *routes(pool),
            Route("/{path:any}", resources.by_path, methods=_GET),
        ],
        middleware=[Middleware(AtPublicAddress, address=address or PublicAddress()), Middleware(PublicHeaders)],
        exception_handlers={
            RequestError: error_answers(None if pages is None else pages.error),
            HTTPException: _http_error,
        },
        lifespan=lifespan,
    )
    app.state.stop = pool.stop
    app.state.limits = limits
    return app


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code != 405:
        return PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)
    # Starlette lists methods in a different order each time.
    allowed = ", ".join(sorted({"OPTIONS", *(error.headers or {}).get("Allow", "").replace(" ", "").split(",")}))
    return PlainTextResponse(f"{request.method} is not allowed here: use {allowed}\n", 405, {"Allow": allowed})
