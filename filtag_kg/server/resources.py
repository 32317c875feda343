"""Every IRI of the data has an address: a page for people, a graph for programs."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from filtag_kg.names import name_in_path, part_of_path
from filtag_kg.server.jobs import ResourceJob
from filtag_kg.server.kg_files import KgFiles
from filtag_kg.server.negotiation import GRAPHS, HTML, formats_named, require_format
from filtag_kg.server.pool import Pool
from filtag_kg.server.protocol import parameters_of
from filtag_kg.server.public_address import root_of
from filtag_kg.server.request_error import RequestError, shorten
from filtag_kg.server.responses import ask_for, response_of


class Pages(Protocol):
    """Pages for people, one for each thing of the data."""

    async def page(self, request: Request, pool: Pool, path: str) -> str | None:
        """Return the HTML of a page; None if there is none.

        Parameters
        ----------
        request : Request
            The page is given up when its client leaves.
        pool : Pool
            Makes the pages that take work.
        path : str
            The thing's IRI without the KG's base, percent-encoded as in the data; the whole IRI if it is outside the
            base.
        """
        ...

    def error(self, status: int, line: str) -> str:
        """Return the HTML of an error page. Called from a thread."""
        ...


class Resources:
    """Answers requests for things.

    Parameters
    ----------
    base : str or None
        What the data's IRIs begin with.
    pages : Pages or None
        Without any, everybody gets graphs.
    files : KgFiles or None
        Those of the KG.
    """

    def __init__(self, pool: Pool, base: str | None, pages: Pages | None, files: KgFiles | None) -> None:
        self._pool = pool
        self._base = base
        self._pages = pages
        self._files = files

    async def by_path(self, request: Request) -> Response:
        """Answer for the thing under the base that has the request's path."""
        raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
        root = root_of(request)
        raw = raw.removeprefix(root.encode())
        # Clients may encode more or less than the data's IRIs do. An encoded slash stays encoded.
        path = "/".join(part_of_path(name_in_path(part)) for part in raw.decode("latin-1").removeprefix("/").split("/"))
        if self._base is None or not path:
            raise RequestError(
                404, f"there is nothing at {root}/{shorten(path)}: query {root}/sparql, or see {root}/openapi.json"
            )
        return await self._answer(request, self._base + path, path)

    async def by_iri(self, request: Request) -> Response:
        """Answer for the thing that the parameter ``iri`` names, under the base or not."""
        iris = [value for name, value in parameters_of(request) if name == "iri"]
        if len(iris) != 1 or not iris[0]:
            raise RequestError(400, f"give the IRI of one thing: {root_of(request)}/resource?iri=…")
        ours = self._base is not None and iris[0].startswith(self._base)
        return await self._answer(request, iris[0], iris[0].removeprefix(self._base or "") if ours else iris[0])

    async def _answer(self, request: Request, iri: str, path: str) -> Response:
        file = None if self._files is None else await self._files.find(path)
        of_file = () if file is None else file.formats
        offers = (*of_file, *GRAPHS) if self._pages is None else (*of_file, *GRAPHS, HTML)
        named = formats_named(parameters_of(request))
        format_, media_type = require_format(request.headers.get("accept"), offers, named)
        description = f"{root_of(request)}/resource?iri={quote(iri, safe='')}&format=turtle"
        described_by = f'<{description}>; rel="describedby"; type="text/turtle"'
        if format_ == HTML and self._pages is not None:
            page = await self._pages.page(request, self._pool, path)
            if page is not None:
                return HTMLResponse(page, headers={"Vary": "Accept", "Link": described_by})
            format_ = (*of_file, *GRAPHS)[0]
            media_type = format_.media_types[0]
        if file is not None and format_ in of_file:
            return file.response(request, format_, media_type, {"Vary": "Accept", "Link": described_by})
        answer = await ask_for(request, self._pool, ResourceJob(iri, format_.name))
        if answer.status == "unknown":
            sparql = f"{root_of(request)}/sparql"
            raise RequestError(
                404, f"the graph does not know <{shorten(iri)}>: check its spelling, or search for it at {sparql}"
            )
        return response_of(answer, format_.content_type(media_type), {"Link": described_by})
