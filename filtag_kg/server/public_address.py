"""How clients call the server: by its own name, or through a proxy at another host and under a path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from filtag_kg.errors import FiltagError
from filtag_kg.server.request_error import shorten

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
FORWARDED = ("x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix", "x-forwarded-for")

_PATH = re.compile(r"(?:/(?!\.+(?:/|\Z))[A-Za-z0-9._~-]+)*")
_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_URLS = re.compile(r'(\s(?:href|xlink:href|src|srcset|action|data-network|data-class)=")/(?!/)')
"""In our own pages and plots, where every attribute is in double quotes, and every quote in a text is escaped."""
_REWRITTEN = ("text/html", "image/svg+xml")


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """How clients may call the server, and which proxies say so.

    Parameters
    ----------
    hosts : tuple of str, or None
        Host names that requests may use; None allows any.
    root_path : str
        The path that stands before all of the server's own, such as ``/kg``. A proxy may leave it in requests or not.
    proxies : tuple of str
        Addresses or networks whose ``X-Forwarded-…`` headers are believed; ``*`` for all.

    Raises
    ------
    FiltagError
        If a path, host or proxy is not one.
    """

    hosts: tuple[str, ...] | None = LOOPBACK_NAMES
    root_path: str = ""
    proxies: tuple[str, ...] = ()
    _networks: tuple[IPv4Network | IPv6Network, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        root_path = self.root_path.rstrip("/")
        if not _PATH.fullmatch(root_path):
            raise FiltagError(
                f"{self.root_path} is not a path: give one such as /kg, of letters, digits and . _ ~ -",
                options=("root_path",),
            )
        for host in self.hosts or ():
            if not _HOST.fullmatch(host) or _name_of(host) != host:
                raise FiltagError(f"{host} is not a host name: give it without scheme and port", options=("host_name",))
        object.__setattr__(self, "root_path", root_path)
        object.__setattr__(self, "_networks", tuple(_networks(self.proxies)))

    def with_hosts(self, names: Iterable[str]) -> PublicAddress:
        """Return the same with further host names; unchanged if any is allowed."""
        return self if self.hosts is None else replace(self, hosts=(*self.hosts, *names))

    def allows(self, host: str) -> bool:
        """Return whether a request may have this ``Host``."""
        return self.hosts is None or _name_of(host).lower() in (name.lower() for name in self.hosts)

    def believes(self, client: str | None) -> bool:
        """Return whether a client is one of the proxies."""
        if "*" in self.proxies:
            return True
        try:
            address = ip_address(client or "")
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def _networks(proxies: Sequence[str]) -> Iterable[IPv4Network | IPv6Network]:
    for proxy in proxies:
        if proxy != "*":
            try:
                yield ip_network(proxy)
            except ValueError:
                raise FiltagError(
                    f"{proxy} is not the address of a proxy: give one such as 127.0.0.1 or 10.0.0.0/8, or * for any",
                    options=("proxy",),
                ) from None


def root_of(request: Request) -> str:
    """Return the path before the server's own paths, as the client calls it; empty if there is none."""
    root: str = request.scope.get("root_path", "")
    return root


class AtPublicAddress:
    """Gives the application each request as the client sent it to the proxy, and keeps the links of pages there.

    Host names that are not the server's are refused. Otherwise a site could point its own name at this machine (DNS
    rebinding), and its pages could pose as ours. What counts is the name that this server is called by: the page of a
    site can set ``X-Forwarded-Host``, too.

    Parameters
    ----------
    app : ASGI application
    address : PublicAddress
    """

    def __init__(self, app: ASGIApp, address: PublicAddress) -> None:
        self._app = app
        self._address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host = Headers(scope=scope).get("host", "")
        if not self._address.allows(host):
            names = " or ".join(self._address.hosts or ())
            line = f"this server is not called {shorten(_name_of(host))}: use {names}, or serve the KG on that host"
            await PlainTextResponse(f"{line}\n", 421)(scope, receive, send)
            return
        try:
            scope = _as_called(scope, self._address)
        except ValueError as error:
            await PlainTextResponse(f"{error}: correct the proxy's settings\n", 400)(scope, receive, send)
            return
        await self._app(scope, receive, _PagesUnder(scope["root_path"], send) if scope["root_path"] else send)


def _as_called(scope: Scope, address: PublicAddress) -> Scope:
    """Return a request as the client sent it: its scheme, its host, and its path with the root path before it.

    Raises
    ------
    ValueError
        If what a proxy says is not a scheme, host or path.
    """
    client = scope.get("client")
    headers = MutableHeaders(raw=list(scope["headers"]))
    said: dict[str, str] = {}
    if address.believes(client[0] if client else None):
        # Of several proxies, the first is the one that the client knows.
        said = {name: headers[name].partition(",")[0].strip() for name in FORWARDED if headers.get(name)}
    root = said.get("x-forwarded-prefix", address.root_path).rstrip("/")
    for name, value, pattern in (
        ("X-Forwarded-Prefix", root, _PATH),
        ("X-Forwarded-Host", said.get("x-forwarded-host", "localhost"), _HOST),
        ("X-Forwarded-Proto", said.get("x-forwarded-proto", "http"), re.compile("https?", re.IGNORECASE)),
    ):
        if not pattern.fullmatch(value):
            raise ValueError(f"{name} is {shorten(value)!r}")
    if "x-forwarded-host" in said:
        headers["host"] = said["x-forwarded-host"]
    path, raw_path = scope["path"], scope.get("raw_path") or scope["path"].encode()
    if root and raw_path != root.encode() and not raw_path.startswith(f"{root}/".encode()):
        # The proxy has taken it away.
        path, raw_path = root + path, root.encode() + raw_path
    elif raw_path == root.encode():
        path, raw_path = f"{root}/", f"{root}/".encode()
    return {
        **scope,
        "scheme": said.get("x-forwarded-proto", str(scope["scheme"])).lower(),
        "headers": headers.raw,
        "client": (said["x-forwarded-for"], 0) if "x-forwarded-for" in said else client,
        "path": path,
        "raw_path": raw_path,
        "root_path": root,
    }


class _PagesUnder:
    """Sends pages and plots, whose links begin at the server's root, with links that begin at a root path.

    Workers make pages without knowing how their readers call the server, so many readers share one page.
    """

    def __init__(self, root: str, send: Send) -> None:
        self._root = root
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        """Send a message, or keep it until the page is whole."""
        if message["type"] == "http.response.start":
            headers = Headers(raw=message["headers"])
            if headers.get("content-type", "").startswith(_REWRITTEN) and "content-encoding" not in headers:
                self._start = message
                return
        elif self._start is not None and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if message.get("more_body"):
                return
            body = _URLS.sub(rf"\g<1>{self._root}/", self._body.decode()).encode()
            MutableHeaders(raw=self._start["headers"])["content-length"] = str(len(body))
            await self._send(self._start)
            message = {**message, "body": body}
        await self._send(message)


def _name_of(host: str) -> str:
    """Return a host without its port."""
    return host[: host.index("]") + 1] if "]" in host else host.partition(":")[0]
