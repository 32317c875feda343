"""Which format a client gets: the best of ours that it accepts, or the one that it names.

Source: RFC 9110, *HTTP Semantics*, section 12.5.1. Clients name formats in as many ways as there are servers, so every
name that one of them uses is in the tables here, and `choose` is the only reader.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from filtag_kg.graph import RDF_FORMATS
from filtag_kg.server.request_error import RequestError, shorten

FORMAT_PARAMETERS = ("format", "output", "results", "accept")
"""What clients call the parameter that names a format. SPARQLWrapper sends the first three at once."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of answers.

    Parameters
    ----------
    name : str
        As in ``?format=``.
    media_types : tuple of str
        What ``Accept`` and ``Content-Type`` may call it, the standard name first.
    parameters : str
        What follows the media type in ``Content-Type``.
    other_names : tuple of str
        What else clients call it: abbreviations, and media types that it is not sent as.
    """

    name: str
    media_types: tuple[str, ...]
    parameters: str = ""
    other_names: tuple[str, ...] = ()

    def content_type(self, media_type: str) -> str:
        """Return the ``Content-Type`` under the name that the client used."""
        return media_type + self.parameters

    def media_type_called(self, name: str) -> str | None:
        """Return the media type to send to a client that calls the format so; None if it is not called so."""
        plain = _plain(name)
        for media_type in self.media_types:
            if _plain(media_type) == plain:
                return media_type
        if plain in map(_plain, (self.name, *self.other_names)):
            return self.media_types[0]
        return None


def _plain(name: str) -> str:
    """Return a name in lower case, without signs: clients write n-triples and ntriples, RDF/XML and rdf+xml.

    A plus that is not encoded arrives as a space.
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


_UTF8 = "; charset=utf-8"
CSV = Format("csv", ("text/csv",), f"{_UTF8}; header=present")
TSV = Format("tsv", ("text/tab-separated-values",), _UTF8)
TABLES = (
    Format("json", ("application/sparql-results+json", "application/json"), other_names=("srj", "text/json")),
    Format("xml", ("application/sparql-results+xml", "application/xml", "text/xml"), other_names=("srx", "sparql")),
    CSV,
    TSV,
)
_OTHER_NAMES = {
    "turtle": ("ttl", "application/turtle"),
    "ntriples": ("nt", "ntriple"),
    "rdfxml": ("rdf", "xml", "application/sparql-results+xml"),
    "jsonld": ("json", "text/json", "application/x-json+ld", "application/sparql-results+json"),
    "nquads": ("nq", "nquad"),
    "trig": (),
    "n3": ("application/n3",),
}
"""Some clients ask for every kind of answer as SPARQL results: they get a graph as XML or JSON, too."""
_ENCODED_BY_ITSELF = ("rdfxml", "jsonld")
GRAPHS = tuple(
    Format(each.name, each.media_types, "" if each.name in _ENCODED_BY_ITSELF else _UTF8, _OTHER_NAMES[each.name])
    for each in RDF_FORMATS.values()
)
HTML = Format("html", ("text/html", "application/xhtml+xml"), _UTF8)

JPEG = Format("jpeg", ("image/jpeg",), other_names=("jpg",))
PNG = Format("png", ("image/png",))
GZIP = Format("gzip", ("application/gzip", "application/x-gzip"), other_names=("gz",))
NQUADS = Format("nquads", ("application/n-quads",), other_names=_OTHER_NAMES["nquads"])
NUMPY = Format("npz", ("application/octet-stream",))

_RANGE = re.compile(r"\s*([\w!#$&^.+\-*]+/[\w!#$&^.+\-*]+)\s*((?:;[^;]*)*)")
_ANY = re.compile(r"\A\s*\*(?=\s*(?:;|\Z))")
"""Java's own client sends a star for ``*/*``."""
_QUALITY = re.compile(r";\s*q\s*=\s*(\d(?:\.\d*)?|\.\d+)\s*(?:;|$)", re.IGNORECASE)
_LOST_PLUS = re.compile(r"(?<=\w) (?=\w)")


def formats_named(parameters: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the formats that the parameters of a request name, each once; "auto" leaves it to ``Accept``."""
    named = (value.strip() for name, value in parameters if name.lower() in FORMAT_PARAMETERS)
    return tuple(dict.fromkeys(value for value in named if value and value.lower() != "auto"))


def choose(accept: str | None, offers: Sequence[Format], named: Sequence[str] = ()) -> tuple[Format, str] | None:
    """Return the best offer and the name that the client has for it; None if none fits.

    Parameters
    ----------
    accept : str or None
        The header; without one, the client accepts everything.
    offers : sequence of Format
        Ours, the preferred first.
    named : sequence of str
        From `formats_named`: names, media types, or lists as in the header, over which they take precedence.

    Raises
    ------
    RequestError
        400 if they are different formats.
    """
    if not named:
        return _negotiated(accept or "*/*", offers)
    choices = [_called(name, offers) for name in named]
    if None in choices:
        return None
    if len({choice[0] for choice in choices if choice is not None}) > 1:
        raise RequestError(400, f"several formats are given ({shorten(', '.join(named))}): give one")
    return choices[0]


def _called(name: str, offers: Sequence[Format]) -> tuple[Format, str] | None:
    if any(sign in name for sign in ",;*"):
        return _negotiated(_LOST_PLUS.sub("+", name), offers)
    for offer in offers:
        media_type = offer.media_type_called(name)
        if media_type is not None:
            return offer, media_type
    return None


def _negotiated(accept: str, offers: Sequence[Format]) -> tuple[Format, str] | None:
    ranges = _accepted(accept)
    sent_as = [(offer, name) for offer in offers for name in offer.media_types]
    # What an offer is not sent as counts only where nothing else is accepted.
    also_called = [(offer, name) for offer in offers for name in offer.other_names]
    for candidates in (sent_as, also_called):
        # Of the equally good, the first.
        offer, name = max(candidates, key=lambda candidate: _quality(candidate[1], ranges))
        if _quality(name, ranges) > 0:
            return offer, name if name in offer.media_types else offer.media_types[0]
    return None


def require_format(accept: str | None, offers: Sequence[Format], named: Sequence[str] = ()) -> tuple[Format, str]:
    """Return what `choose` does, or refuse.

    Raises
    ------
    RequestError
        406 with a list of the formats, if none fits; 400 as `choose` does.
    """
    choice = choose(accept, offers, named)
    if choice is None:
        wanted = shorten(f"format={', '.join(named)}" if named else f"Accept: {accept}")
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
        match = _RANGE.fullmatch(_ANY.sub("*/*", part))
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
