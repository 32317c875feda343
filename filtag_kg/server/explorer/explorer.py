"""The explorer's addresses: search, lists, comparison, queries as forms, dropped images, and files."""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from filtag_kg.errors import FiltagError
from filtag_kg.query import PARAMETERS, bound_text, catalogue
from filtag_kg.report import style_sheet
from filtag_kg.server.explorer.comparison import compared
from filtag_kg.server.explorer.explaining import Explaining, NetworkChoice
from filtag_kg.server.explorer.kg_pages import KGPages, Snapshot
from filtag_kg.server.explorer.question import asked_query, mistake_in
from filtag_kg.server.request_error import RequestError, shortened, shortening

__all__ = ["Explorer"]

_MOST_FOUND = 20
_MOST_LISTED = 200
_LARGEST_IMAGE = 20_000_000
_BYTES = "application/octet-stream"
_STATIC = {"main.js", "search.js", "query.js", "explain.js", "results.js"}


class Explorer:
    """Pages of a KG for people.

    Parameters
    ----------
    path : Path
        The KG's directory.
    network : NetworkChoice
        The network that dropped images are explained by.

    Raises
    ------
    FiltagError
        If there is no KG.
    """

    def __init__(self, path: Path, network: NetworkChoice | None = None) -> None:
        self._path = path
        self.pages = KGPages(path)
        self.explaining = Explaining(path, network or NetworkChoice())
        self._style = style_sheet() + _static("explorer.css").decode()

    def routes(self) -> list[BaseRoute]:
        """Return what the server answers beside the things of the data."""
        return [
            Route("/search", self.search),
            Route("/classes", self._list(lambda now, page: now.pages.classes(page))),
            Route("/concepts", self._list(lambda now, page: now.pages.concepts(page))),
            Route("/groups", self._list(lambda now, page: now.pages.groups(now.grouped(), page))),
            Route("/compare", self.compare),
            Route("/query", self.query),
            Route("/query/text", self.query_text),
            Route("/explain", self.explain, methods=["GET", "POST"]),
            Route("/files/{name:path}", self.file),
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Draw the first page's plots while the server runs, and end what explains images with it."""
        over = threading.Event()
        # No daemon: a thread that Python's end finds inside matplotlib takes the process down with it.
        drawing = threading.Thread(target=self.pages.draw, args=(over.is_set,), name="plots")
        drawing.start()
        try:
            yield
        finally:
            over.set()
            self.explaining.close()
            await run_in_threadpool(drawing.join)

    async def search(self, request: Request) -> Response:
        """Answer what is called so, for scripts as JSON and for people as a page."""
        sought = request.query_params.get("q", "")
        wants_json = request.query_params.get("format") == "json"
        now = await self._now()
        found = now.index.find(sought[:200], _MOST_FOUND if wants_json else _MOST_LISTED)
        if wants_json:
            rows = [{**asdict(each), "address": now.places.thing(each.iri)} for each in found]
            return JSONResponse(rows, headers={"Cache-Control": "no-cache"})
        rows_ = [(each, now.places.thing(each.iri)) for each in found]
        return _html(now.pages.other("search.html", "search", sought_for=sought, found=rows_, most=_MOST_LISTED))

    async def compare(self, request: Request) -> Response:
        """Hold two filters, layers or runs against each other."""
        now = await self._now()
        asked = dict(request.query_params)
        found, mistake = None, ""
        try:
            found = await run_in_threadpool(compared, now.facts, asked)
        except FiltagError as error:
            mistake = self._line(error, asked)
        page = now.pages.other("compare.html", "compare", asked=asked, found=found, mistake=mistake)
        return _html(page, 400 if mistake else 200)

    async def query(self, request: Request) -> Response:
        """Show the named queries as forms, and one's own SPARQL."""
        now = await self._now()
        asked = dict(request.query_params)
        chosen, mistake = None, ""
        try:
            if asked.get("name"):
                chosen = asked_query(asked["name"])
                mistake_in(now.facts, chosen, asked)
        except FiltagError as error:
            mistake = self._line(error, asked)
        page = now.pages.other(
            "query.html",
            "query",
            queries=catalogue(),
            chosen=chosen,
            parameters=PARAMETERS,
            mistake=mistake,
            asked=asked,
            layers=[layer for network in now.facts.networks.values() for layer in network.layer_names],
            rules=[(run_id, table.run) for run_id, table in now.facts.runs.items()],
            sparql=asked.get("sparql", ""),
        )
        return _html(page, 400 if mistake else 200)

    async def query_text(self, request: Request) -> Response:
        """Answer the SPARQL that a named query with its parameters is."""
        asked = dict(request.query_params)
        now = await self._now()
        try:
            query = asked_query(asked.pop("name", ""))
            text = await run_in_threadpool(bound_text, now.endpoint, query, asked)
        except FiltagError as error:
            raise RequestError(400, self._line(error, asked)) from None
        return PlainTextResponse(query.text if text is None else text)

    async def explain(self, request: Request) -> Response:
        """Show where to drop an image; answer one that was dropped with its explanation."""
        now = await self._now()
        missing = self.explaining.missing(now.facts.kg)
        if request.method == "GET":
            return _html(now.pages.other("explain.html", "explain", missing=missing, rules=list(now.facts.kg.rules)))
        if missing is not None:
            raise RequestError(503, missing)
        # A page of another site may not have this machine work for it.
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise RequestError(403, "images are explained for the explorer's own page alone: drop it there")
        # Nor may its form, which a browser sends without asking before.
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != _BYTES and not kind.startswith("image/"):
            raise RequestError(415, f"send the image itself as the body, as image/jpeg or {_BYTES}")
        image = await _body(request)
        name = unquote(request.headers.get("x-file-name", "image"))[:200]
        try:
            found = await self.explaining.explain(image, name, request.query_params.get("rule") or None)
        except FiltagError as error:
            raise RequestError(400, self._line(error, dict(request.query_params))) from None
        network = now.facts.networks.get(found.network)
        return _html(now.pages.other("explanation.html", "explain", found=found, network=network))

    async def file(self, request: Request) -> Response:
        """Answer a file: the style, a script, a plot, or a picture that the KG names."""
        name = request.path_params["name"]
        if name == "style.css":
            return Response(self._style, media_type="text/css", headers={"Cache-Control": "max-age=300"})
        folder, _, script = name.partition("/")
        if folder == "explorer" and script in _STATIC:
            return Response(_static(script), media_type="text/javascript", headers={"Cache-Control": "max-age=300"})
        now = await self._now()
        plot = now.figure(name)
        if plot is not None:
            return Response(plot, media_type="image/svg+xml", headers={"Cache-Control": "no-cache"})
        if name in now.pictures:
            kind = mimetypes.guess_type(name)[0]
            return FileResponse(self._path / name, media_type=kind, headers={"Cache-Control": "max-age=3600"})
        raise RequestError(404, f"no file {shortened(name)}: see the pages for what there is")

    def _list(self, render: Callable[[Snapshot, int], str]) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            page = request.query_params.get("page", "1")
            now = await self._now()
            if not page.isdecimal():
                raise RequestError(404, f"page={shortened(page)} is no whole number: give one from 1")
            try:
                return _html(await run_in_threadpool(render, now, int(page)))
            except FiltagError as error:
                raise RequestError(404, self._line(error, {"page": page})) from None

        return answer

    def _line(self, error: FiltagError, asked: Mapping[str, str]) -> str:
        """Return an error as strangers may read it: without our path, and without repeating all that they sent."""
        return shortening(str(error).replace(f" in {self._path}:", " in this KG:"), (*asked, *asked.values()))

    async def _now(self) -> Snapshot:
        return await run_in_threadpool(lambda: self.pages.now)


async def _body(request: Request) -> bytes:
    """Return an image that was sent, unless it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_IMAGE:
            raise RequestError(413, f"the image has more than {_LARGEST_IMAGE // 1_000_000} MB: give a smaller one")
    if not body:
        raise RequestError(400, "no image was sent: drop one")
    return bytes(body)


def _html(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return HTMLResponse(text, status, headers=headers)


def _static(name: str) -> bytes:
    return files("filtag_kg.server.explorer").joinpath("static", name).read_bytes()
