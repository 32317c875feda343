"""Follow redirects: the query or body is sent again, secrets only to the same host."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    import requests

METHOD_KEPT = (307, 308)
"""Redirects that keep method and body (RFC 9110, sections 15.4.8 and 15.4.9)."""
REDIRECTS = (301, 302, 303, *METHOD_KEPT)
_MOST = 5


def follow_redirects(
    send: Callable[[str], requests.Response], url: str, *, statuses: Collection[int], secret: bool = False
) -> requests.Response:
    """Send a request, and follow redirects.

    Parameters
    ----------
    send : callable
        Sends the request to an address, without following redirects itself.
    statuses : collection of int
        Which redirects to follow; other answers are returned.
    secret : bool
        Whether the request has a secret, so it may not go to another host.

    Raises
    ------
    FiltagError
        If redirects form a circle, lead to what is not a web address or from https to http, or would take a secret to
        another host.
    """
    shown = without_secrets(url)
    visited = [url]
    while True:
        try:
            answer = send(visited[-1])
        except ValueError as error:
            if isinstance(error, OSError):  # requests' own, about the address that was given
                raise
            raise FiltagError(f"{shown} redirects to what is not an address ({error}): ask its owner") from None
        target = redirect_target(visited[-1], answer)
        if target is None or answer.status_code not in statuses:
            return answer
        if target in visited or len(visited) > _MOST:
            way = " to ".join(map(without_secrets, [*visited, target]))
            raise FiltagError(f"{shown} redirects without end ({way}): check the address, or ask its owner")
        now, then = urlsplit(visited[-1]), urlsplit(target)
        if then.scheme not in ("http", "https") or not then.hostname:
            raise FiltagError(
                f"{shown} redirects to {without_secrets(target)}, which is not a web address: ask its owner"
            )
        if now.scheme == "https" and then.scheme == "http":
            raise FiltagError(
                f"{shown} redirects to {without_secrets(target)}, which is not encrypted: "
                "give that address, if you trust it"
            )
        if secret and _host(now) != _host(then):
            raise FiltagError(
                f"{shown} has moved to {without_secrets(target)}, and secrets are not sent to another host: "
                "give that address"
            )
        visited.append(target)


def _host(parts: SplitResult) -> tuple[str, str | None, int]:
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def redirect_target(url: str, answer: requests.Response) -> str | None:
    """Return the address that an answer redirects to; None if it is not a redirect.

    Raises
    ------
    FiltagError
        If it is not an address.
    """
    location = answer.headers.get("Location")
    if answer.status_code not in REDIRECTS or not location:
        return None
    try:
        # Headers are read as Latin-1, and many servers write UTF-8.
        target = urljoin(url, location.encode("latin-1", "replace").decode("utf-8", "replace").strip())
        urlsplit(target).port  # noqa: B018 - reading it checks it
    except ValueError:
        shown = without_secrets(url)
        raise FiltagError(f"{shown} redirects to {location!r}, which is not an address: ask its owner") from None
    return target


def without_secrets(url: str) -> str:
    """Return an address without user and password, so it can be shown."""
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}" if separator else url
