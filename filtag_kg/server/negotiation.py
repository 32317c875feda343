"""Which format a client gets: the best of ours that it accepts.

Source: RFC 9110, *HTTP Semantics*, section 12.5.1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from filtag_kg.graph import RDF_FORMATS
from filtag_kg.server.request_error import RequestError, shorten


@dataclass(frozen=True, slots=True)
class Format:
    """A format of answers.

    Parameters
    ----------
    name : str
        As in ``?format=``.
    media_types : tuple of str
        What clients may call it, the standard name first.
    parameters : str
        What follows the media type in ``Content-Type``.
    """

    name: str
    media_types: tuple[str, ...]
    parameters: str = ""

    def content_type(self, media_type: str) -> str:
        """Return the ``Content-Type`` under the name that the client used."""
        return media_type + self.parameters


_UTF8 = "; charset=utf-8"
_JSON = Format("json", ("application/sparql-results+json", "application/json"))
_XML = Format("xml", ("application/sparql-results+xml", "application/xml", "text/xml"))
TABLES = (
    _JSON,
    _XML,
    Format("csv", ("text/csv",), f"{_UTF8}; header=present"),
    Format("tsv", ("text/tab-separated-values",), _UTF8),
)
BOOLEANS = (_JSON, _XML)
_ENCODED_BY_ITSELF = ("rdfxml", "jsonld")
GRAPHS = tuple(
    Format(each.name, each.media_types, "" if each.name in _ENCODED_BY_ITSELF else _UTF8)
    for each in RDF_FORMATS.values()
)
HTML = Format("html", ("text/html", "application/xhtml+xml"), _UTF8)

JPEG = Format("jpeg", ("image/jpeg",))

_RANGE = re.compile(r"\s*([\w!#$&^.+\-*]+/[\w!#$&^.+\-*]+)\s*((?:;[^;]*)*)")
_QUALITY = re.compile(r";\s*q\s*=\s*(\d(?:\.\d*)?)\s*(?:;|$)", re.IGNORECASE)


def choose(accept: str | None, offers: Sequence[Format], format_: str | None = None) -> tuple[Format, str] | None:
    """Return the best offer and the name that the client has for it; None if none fits.

    Parameters
    ----------
    accept : str or None
        The header; without one, the client accepts everything.
    offers : sequence of Format
        Ours, the preferred first.
    format_ : str or None
        A name that wins over the header.
    """
    if format_ is not None:
        return next(((offer, offer.media_types[0]) for offer in offers if offer.name == format_), None)
    ranges = _accepted(accept or "*/*")
    weighed = [
        (_quality(media_type, ranges), -i, -j, offer, media_type)
        for i, offer in enumerate(offers)
        for j, media_type in enumerate(offer.media_types)
    ]
    quality, _, _, offer, media_type = max(weighed, key=lambda offered: offered[:3])
    return (offer, media_type) if quality > 0 else None


def require_format(accept: str | None, offers: Sequence[Format], format_: str | None = None) -> tuple[Format, str]:
    """Return what `choose` does, or refuse.

    Raises
    ------
    RequestError
        406 with a list of the formats, if none fits.
    """
    choice = choose(accept, offers, format_)
    if choice is None:
        wanted = shorten(f"format={format_}" if format_ is not None else f"Accept: {accept}")
        listing = ", ".join(f"{offer.name} ({offer.media_types[0]})" for offer in offers)
        raise RequestError(406, f"this answer has no format for {wanted}: there is {listing}")
    return choice


def for_people(accept: str | None) -> bool:
    """Return whether a browser asks: it names HTML and prefers nothing to it, as no program does."""
    ranges = _accepted(accept or "")
    html = max((quality for range_, quality in ranges if range_ == HTML.media_types[0]), default=0.0)
    return html > 0 and html == max(quality for _, quality in ranges)


def _accepted(accept: str) -> list[tuple[str, float]]:
    """Return the media ranges of a header with their qualities, in its order."""
    ranges = []
    for part in accept.split(","):
        match = _RANGE.fullmatch(part)
        if match is not None:
            quality = _QUALITY.search(match[2])
            ranges.append((match[1].lower(), min(1.0, float(quality[1])) if quality else 1.0))
    return ranges


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return the quality of the most specific range that covers a media type."""
    for wanted in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        for range_, quality in ranges:
            if range_ == wanted:
                return quality
    return 0.0
