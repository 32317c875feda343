"""The explorer's addresses: search, lists, comparisons, query forms, dropped images and files."""

from __future__ import annotations

import mimetypes
import threading
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from filtag_kg.errors import FiltagError
from filtag_kg.explain import limits, verdict
from filtag_kg.report import style_sheet
from filtag_kg.server.explorer.image_explainer import ImageExplainer, NetworkChoice
from filtag_kg.server.explorer.kg_pages import KGPages, Snapshot
from filtag_kg.server.explorer.worker_pages import is_index
from filtag_kg.server.jobs import Answer, PageJob
from filtag_kg.server.pool import Pool
from filtag_kg.server.protocol import read_body
from filtag_kg.server.public_address import root_of
from filtag_kg.server.request_error import RequestError, shorten, shorten_all
from filtag_kg.server.responses import ask_for, while_connected

_MOST_SUGGESTED = 20
_MOST_LISTED = 200
_LONGEST_SEARCH = 200
_LARGEST_IMAGE = 20_000_000
_BYTES = "application/octet-stream"
_FIRST_VISIT_S = 2.0
_STATIC = ("main.js", "search.js", "query.js", "explain.js", "results.js", "root.js")
_LISTS = ("classes", "concepts", "groups", "unusual", "pairs", "mixed")
_COMPARE_INPUTS = ("kind", "a", "b", "network", "rule_a", "rule_b")


class Explorer:
    """Pages of a KG for people.

    Workers make the pages that take work. Search, and pages that are small or made once, are answered here.

    Parameters
    ----------
    path : Path
        The KG's directory.
    network : NetworkChoice
        The network that explains dropped images.

    Raises
    ------
    FiltagError
        If there is no KG.
    """

    def __init__(self, path: Path, network: NetworkChoice | None = None) -> None:
        self._path = path
        self._pages = KGPages(path)
        self._explainer = ImageExplainer(path, network or NetworkChoice())
        self._style = style_sheet() + _static("explorer.css").decode()
        self._scripts = {name: _static(name) for name in _STATIC}
        self._uploads = 0

    def routes(self, pool: Pool) -> list[BaseRoute]:
        """Return the routes of all pages but those of the data's things."""
        return [
            Route("/search", self.search),
            *(Route(f"/{name}", partial(self.list_page, pool, name)) for name in _LISTS),
            Route("/glossary", self.glossary),
            Route("/labels", partial(self.labels, pool)),
            Route("/compare", partial(self.compare, pool)),
            Route("/query", partial(self.query, pool)),
            Route("/query/text", partial(self.query_text, pool)),
            Route("/explain", partial(self.explain, pool), methods=["GET", "POST"]),
            Route("/files/{name:path}", self.file),
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Draw the first page's plots while the server runs; end the explainer process with it."""
        is_over = threading.Event()

        def draw() -> None:
            # The first visitor comes now, and has the processor alone.
            if not is_over.wait(_FIRST_VISIT_S):
                self._pages.draw(is_over.is_set)

        # Not a daemon: if Python exits while the thread is inside matplotlib, the process crashes.
        drawing = threading.Thread(target=draw, name="plots")
        await run_in_threadpool(self._pages.warm)
        drawing.start()
        try:
            yield
        finally:
            is_over.set()
            self._explainer.close()
            await run_in_threadpool(drawing.join)

    async def page(self, request: Request, pool: Pool, path: str) -> str | None:
        """Return the page of a thing, given the path of its IRI or the whole IRI; None if there is none."""
        now = await self._now()
        if not path:
            return await run_in_threadpool(now.overview)
        answer = await ask_for(request, pool, PageJob("thing", {"path": path}))
        return None if answer.status == "unknown" else answer.body.decode()

    def error(self, status: int, line: str) -> str:
        """Return an error page."""
        return self._pages.now.pages.other("error.html", "error", status=status, line=line)

    async def search(self, request: Request) -> Response:
        """Search by name and meaning; the answer is JSON for scripts, and a page for people."""
        text = request.query_params.get("q", "")[:_LONGEST_SEARCH]
        wants_json = request.query_params.get("format") == "json"
        now = await self._now()
        matches = now.index.find(text, _MOST_SUGGESTED if wants_json else _MOST_LISTED)
        if wants_json:
            rows = [{**asdict(match), "address": root_of(request) + now.urls.thing(match.iri)} for match in matches]
            for row in rows:
                del row["place"]
            return JSONResponse(rows, headers={"Cache-Control": "no-cache"})
        found = [(match, now.urls.thing(match.iri), now.card(match)) for match in matches]
        return HTMLResponse(now.pages.other("search.html", "search", text=text, matches=found, most=_MOST_LISTED))

    async def list_page(self, pool: Pool, name: str, request: Request) -> Response:
        """Return one page of a list."""
        page = request.query_params.get("page", "1")
        if not is_index(page):
            raise RequestError(404, f"page={shorten(page)} is not a whole number: give one from 1")
        try:
            return _page_response(await ask_for(request, pool, PageJob(name, {"page": page})))
        except RequestError as error:
            # A page that is missing from a list is not a wrong parameter.
            raise RequestError(404 if error.status == 400 else error.status, error.line, error.headers) from None

    async def glossary(self, _request: Request) -> Response:
        """Explain the words of the pages."""
        now = await self._now()
        return HTMLResponse(now.pages.glossary())

    async def labels(self, pool: Pool, request: Request) -> Response:
        """Say which labels are true."""
        return _page_response(await ask_for(request, pool, PageJob("labels", {})))

    async def compare(self, pool: Pool, request: Request) -> Response:
        """Compare two filters, layers or runs."""
        inputs = {name: value for name, value in request.query_params.items() if name in _COMPARE_INPUTS}
        return _page_response(await ask_for(request, pool, PageJob("compare", inputs)))

    async def query(self, pool: Pool, request: Request) -> Response:
        """Show the forms of the named queries and of SPARQL."""
        return _page_response(await ask_for(request, pool, PageJob("query", dict(request.query_params))))

    async def query_text(self, pool: Pool, request: Request) -> Response:
        """Return the SPARQL of a named query with its parameters."""
        answer = await ask_for(request, pool, PageJob("query/text", dict(request.query_params)))
        return PlainTextResponse(answer.body)

    async def explain(self, pool: Pool, request: Request) -> Response:
        """Show the page to drop an image on, or explain the image that was dropped."""
        now = await self._now()
        missing = self._explainer.missing(now.loaded.kg)
        if request.method == "GET":
            return HTMLResponse(now.pages.other("explain.html", "explain", missing=missing, rules=now.loaded.kg.rules))
        if missing is not None:
            raise RequestError(503, missing)
        _check_own_page(request)
        if self._uploads >= pool.limits.uploads:
            raise RequestError(503, "too many images wait: try again in a few seconds", {"Retry-After": "5"})
        self._uploads += 1
        try:
            too_long = f"the image has more than {_LARGEST_IMAGE // 1_000_000} MB: give a smaller one"
            image = await read_body(request, _LARGEST_IMAGE, pool.limits.body_seconds, too_long)
            name = unquote(request.headers.get("x-file-name", "image"))[:200]
            rule = request.query_params.get("rule") or None
            explained = await while_connected(request, self._explainer.explain(pool, image, name, rule))
        except RequestError:
            raise
        except FiltagError as error:
            raise RequestError(400, shorten_all(str(error), request.query_params.values())) from None
        finally:
            self._uploads -= 1
        explanation = explained.explanation
        network = now.loaded.networks.get(explanation.network)
        said = {
            "pictures": [(each.caption, b64encode(each.jpeg).decode()) for each in explained.pictures],
            "squashed": explained.squashed,
            "sentences": verdict(explanation),
            "limits": "" if explanation.evidence is None else limits(explanation.evidence),
        }
        page = now.pages.other("explanation.html", "explain", explanation=explanation, network=network, **said)
        return HTMLResponse(page)

    async def file(self, request: Request) -> Response:
        """Return a file: the style sheet, a script, a plot, or a picture that the KG names."""
        name = request.path_params["name"]
        if name == "style.css":
            return Response(self._style, media_type="text/css", headers={"Cache-Control": "max-age=300"})
        folder, _, script = name.partition("/")
        if folder == "explorer" and script in self._scripts:
            content = self._scripts[script]
            return Response(content, media_type="text/javascript", headers={"Cache-Control": "max-age=300"})
        # A page has a hundred small pictures: one turn of a thread for each.
        answer = await run_in_threadpool(self._plot_or_picture, name)
        if answer is None:
            raise RequestError(404, f"no file {shorten(name)}: only files that pages show are served")
        return answer

    def _plot_or_picture(self, name: str) -> Response | None:
        now = self._pages.now
        plot = now.figure(name)
        if plot is not None:
            return Response(plot, media_type="image/svg+xml", headers={"Cache-Control": "no-cache"})
        if name not in now.pages.picture_files:
            return None
        try:
            content = (self._path / name).read_bytes()
        except OSError:  # The KG is being replaced.
            return None
        return Response(content, media_type=mimetypes.guess_type(name)[0], headers={"Cache-Control": "max-age=3600"})

    async def _now(self) -> Snapshot:
        return await run_in_threadpool(lambda: self._pages.now)


def _page_response(answer: Answer) -> Response:
    """Return a page that a worker made, with status 400 if it shows an error."""
    return HTMLResponse(answer.body, 400 if answer.line else 200)


def _check_own_page(request: Request) -> None:
    """Refuse images from pages of other sites, which may not use this machine's time."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise RequestError(403, "images are explained on the explorer's own page alone: drop it there")
    # Browsers send the types of forms, unlike others, to other sites without a preflight request.
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _BYTES and not media_type.startswith("image/"):
        raise RequestError(415, f"send the image itself as the body, as image/jpeg or {_BYTES}")


def _static(name: str) -> bytes:
    return files("filtag_kg.server.explorer").joinpath("static", name).read_bytes()
