"""Workers' answers as HTTP responses. When a client leaves, its job is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from filtag_kg.server.jobs import Answer, Job
from filtag_kg.server.negotiation import for_people
from filtag_kg.server.pool import Pool
from filtag_kg.server.request_error import GONE, RequestError

_LONGEST_NOTE = 2000
_T = TypeVar("_T")


async def ask_for(request: Request, pool: Pool, job: Job) -> Answer:
    """Have a job answered while the client waits.

    Raises
    ------
    RequestError
        As `Pool.ask` does; 400 where the query is malformed or a parameter does not fit; 500 where the answer is
        larger than the limits.
    """
    answer = await while_connected(request, pool.ask(job))
    if answer.status in ("invalid", "too large"):
        raise RequestError(400 if answer.status == "invalid" else 500, answer.line)
    return answer


async def while_connected(request: Request, working: Coroutine[Any, Any, _T]) -> _T:
    """Return a coroutine's result; cancel it when the client leaves.

    Raises
    ------
    RequestError
        499 if it left.
    """
    asking = asyncio.ensure_future(working)
    leaving = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({asking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            raise RequestError(GONE, "the client is gone")
        return asking.result()
    finally:
        leaving.cancel()
        asking.cancel()
        await asyncio.gather(asking, leaving, return_exceptions=True)


def response_of(answer: Answer, content_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer as a response, whose headers tell notes and whether a part was left out."""
    all_headers = dict(headers or {}) | {"Vary": "Accept"}
    notes = list(answer.notes)
    if answer.capped:
        all_headers["X-SPARQL-MaxRows"] = str(answer.rows)
        rows = f"{answer.rows} {'triples' if answer.kind == 'graph' else 'rows'}"
        notes.insert(0, f"only the first {rows} of the answer: ask for less, or page with LIMIT and OFFSET")
    if notes:
        # A header holds ASCII; other characters are escaped as in Python.
        all_headers["Filtag-Note"] = " | ".join(notes).encode("ascii", "backslashreplace").decode()[:_LONGEST_NOTE]
    return Response(answer.body, headers=all_headers | {"Content-Type": content_type})


def error_answers(page: Callable[[int, str], str] | None) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Return the handler of failed requests. It answers with one line of text, or with a page if there are pages.

    Parameters
    ----------
    page : callable, optional
        Makes HTML from a status and a line. Called from a thread.
    """

    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestError)
        headers = error.headers | {"Vary": "Accept"}
        if page is None or not for_people(request.headers.get("accept")):
            return PlainTextResponse(f"{error.line}\n", error.status, headers)
        return HTMLResponse(await run_in_threadpool(page, error.status, error.line), error.status, headers)

    return answer


async def _disconnected(request: Request) -> None:
    # A POST's body was read to its end; a GET has an empty one.
    while (await request.receive())["type"] != "http.disconnect":
        pass
