"""Where the page of each thing is: a file of a static site, or an address of a server."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote

__all__ = ["FilePlaces", "Places"]

_WORDNET = "http://wordnet-rdf.princeton.edu/pwn30/"
_LONGEST = 120
# Windows opens a device under such a name, whatever its ending.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


class Places(Protocol):
    """Addresses of pages, relative to the site's root."""

    def overview(self) -> str:
        """Return the first page's."""
        ...

    def layer(self, network: str, layer: str, page: int = 1) -> str:
        """Return that of a page of a layer's."""
        ...

    def filter(self, network: str, layer: str, filter_: int) -> str:
        """Return that of a filter's."""
        ...

    def class_(self, class_id: str) -> str:
        """Return that of a class's."""
        ...

    def concept(self, iri: str) -> str:
        """Return that of a concept's."""
        ...

    def page(self, name: str, page: int = 1) -> str:
        """Return that of a page of ``classes``, ``concepts``, ``groups`` and the like."""
        ...

    def file(self, name: str) -> str:
        """Return that of a file: ``style.css``, a plot, a thumbnail."""
        ...


@dataclass(frozen=True, slots=True)
class FilePlaces:
    """The pages as files, each at a place that follows from what it is about alone.

    Names of networks, layers and classes may hold anything: they are percent-encoded in file names, so that an address,
    which is encoded once more, cannot leave the folder.
    """

    def overview(self) -> str:
        """Return the first page's."""
        return "index.html"

    def layer(self, network: str, layer: str, page: int = 1) -> str:
        """Return that of a page of a layer's."""
        number = "index" if page == 1 else f"page-{page}"
        return f"{_layer_folder(network, layer)}/{number}.html"

    def filter(self, network: str, layer: str, filter_: int) -> str:
        """Return that of a filter's."""
        return f"{_layer_folder(network, layer)}/filter/{filter_}.html"

    def class_(self, class_id: str) -> str:
        """Return that of a class's."""
        return f"class/{_address(class_id)}.html"

    def concept(self, iri: str) -> str:
        """Return that of a concept's: ``concept/02084071-n.html`` for a synset, else its path and a hash of its IRI."""
        return f"concept/{_concept(iri)}.html"

    def page(self, name: str, page: int = 1) -> str:
        """Return that of a page about several things."""
        return f"{name}.html" if page == 1 else f"{name}-{page}.html"

    def file(self, name: str) -> str:
        """Return that of a file."""
        return quote(name)


# Every page asks for the same few thousand.


@lru_cache(maxsize=1 << 16)
def _address(text: str) -> str:
    return quote(_name(text))


@lru_cache(maxsize=1 << 12)
def _layer_folder(network: str, layer: str) -> str:
    return f"network/{_address(network)}/layer/{_address(layer)}"


@lru_cache(maxsize=1 << 16)
def _concept(iri: str) -> str:
    if iri.startswith(_WORDNET):
        return _address(iri.removeprefix(_WORDNET))
    path = re.sub(r"[^\w.-]+", "-", iri.partition("://")[2].partition("/")[2], flags=re.ASCII)[:_LONGEST]
    return f"{path}-{hashlib.sha256(iri.encode()).hexdigest()[:8]}"


def _name(text: str) -> str:
    """Return a file name that says what it is for: no other text has it, and no file system refuses it."""
    name = quote(text, safe="")
    if name.strip(".") and len(name) <= _LONGEST and not _DEVICE.fullmatch(name):
        return name
    return f"{name[:_LONGEST].strip('.')}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
