"""The headers of every answer, and the answers to preflight requests."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from filtag_kg.server.public_address import FORWARDED

_OWN_PAGES = ("/explain",)
"""Paths for the server's own pages alone: the preflight requests of other sites' pages get no permission."""
_METHODS = "GET, HEAD, POST, OPTIONS"
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Pages fetch and run only what is the server's own. Bars have their length in a style attribute."""
_READABLE = "Content-Type, Filtag-Note, Link, Retry-After, X-SPARQL-MaxRows"


class PublicHeaders:
    """Lets the pages of every site read the answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Access-Control-Allow-Origin", "*")
                headers.setdefault("Access-Control-Expose-Headers", _READABLE)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                if headers.get("Content-Type", "").startswith("text/html"):
                    headers.setdefault("Content-Security-Policy", _PAGE_POLICY)
                    headers.setdefault("Referrer-Policy", "same-origin")
            await send(message)

        if scope["method"] == "OPTIONS":
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            await _options(path, Headers(scope=scope))(scope, receive, with_headers)
        else:
            await self._app(scope, receive, with_headers)


def _options(path: str, asked: Headers) -> Response:
    """Answer a preflight request, with which a browser asks whether a page of another site may send a request."""
    if path in _OWN_PAGES:
        return Response(status_code=204, headers={"Allow": _METHODS})
    names = asked.get("access-control-request-headers", "accept, content-type").replace(" ", "").lower().split(",")
    headers = {
        "Allow": _METHODS,
        "Access-Control-Allow-Methods": _METHODS,
        # No header gives anybody more rights, so clients may send what they like, but not pose as a proxy.
        "Access-Control-Allow-Headers": ", ".join(name for name in names if name not in FORWARDED),
        "Access-Control-Max-Age": "86400",
        "Vary": "Access-Control-Request-Headers",
    }
    if asked.get("access-control-request-private-network") == "true":
        headers["Access-Control-Allow-Private-Network"] = "true"
    return Response(status_code=204, headers=headers)
