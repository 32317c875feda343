"""The URL of each page: a file of a static site, or a path on a server."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote

FILTERS_A_PAGE = 100
"""Filters on one page of a layer."""
_WORDNET = "http://wordnet-rdf.princeton.edu/pwn30/"
_MOST_CHARACTERS = 120
# Windows opens a device under such a name, whatever its ending.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


class PageUrls(Protocol):
    """URLs of pages, relative to the site's root."""

    def overview(self) -> str:
        """Return the URL of the first page."""
        ...

    def layer(self, network: str, layer: str, page: int = 1) -> str:
        """Return the URL of one page of a layer."""
        ...

    def filter(self, network: str, layer: str, filter_: int) -> str:
        """Return the URL of a filter."""
        ...

    def class_(self, class_id: str, page: int = 1) -> str:
        """Return the URL of one page of a class."""
        ...

    def concept(self, iri: str) -> str:
        """Return the URL of a concept."""
        ...

    def page(self, name: str, page: int = 1) -> str:
        """Return the URL of one page of a list: ``classes``, ``concepts``, ``groups`` and the like."""
        ...

    def file(self, name: str) -> str:
        """Return the URL of a file: ``style.css``, a plot, a thumbnail."""
        ...


@dataclass(frozen=True, slots=True)
class FileUrls:
    """Pages as files, each at a path that depends on nothing but what the page is about.

    Names of networks, layers and classes may hold anything: they are percent-encoded in file names, and once more in
    URLs, so that no URL leaves the folder.

    Parameters
    ----------
    own_page : mapping of (network, layer) to container of int, optional
        The filters that have a page; the others have a place on their layer's. By default all have one.
    """

    own_page: Mapping[tuple[str, str], Container[int]] | None = None

    def overview(self) -> str:
        """Return the URL of the first page."""
        return "index.html"

    def layer(self, network: str, layer: str, page: int = 1) -> str:
        """Return the URL of one page of a layer."""
        name = "index" if page == 1 else f"page-{page}"
        return f"{_layer_folder(network, layer)}/{name}.html"

    def filter(self, network: str, layer: str, filter_: int) -> str:
        """Return the URL of a filter: of its page, or of its place on its layer's page."""
        if self.has_page(network, layer, filter_):
            return self.filter_file(network, layer, filter_)
        return f"{self.layer(network, layer, layer_page(filter_))}#{filter_anchor(filter_)}"

    def has_page(self, network: str, layer: str, filter_: int) -> bool:
        """Return whether a filter has a page of its own."""
        return self.own_page is None or filter_ in self.own_page.get((network, layer), ())

    def filter_file(self, network: str, layer: str, filter_: int) -> str:
        """Return the URL of a file for a filter alone: its page, or what leads from there to its layer's."""
        return f"{_layer_folder(network, layer)}/filter/{filter_}.html"

    def class_(self, class_id: str, page: int = 1) -> str:
        """Return the URL of one page of a class."""
        name = f"class/{_encoded(class_id)}"
        return f"{name}.html" if page == 1 else f"{name}/page-{page}.html"

    def concept(self, iri: str) -> str:
        """Return the URL of a concept, ``concept/02084071-n.html``; outside WordNet with a hash."""
        return f"concept/{_concept_name(iri)}.html"

    def page(self, name: str, page: int = 1) -> str:
        """Return the URL of one page of a list."""
        return f"{name}.html" if page == 1 else f"{name}-{page}.html"

    def file(self, name: str) -> str:
        """Return the URL of a file."""
        return _quoted(name)


def layer_page(filter_: int) -> int:
    """Return the page of its layer that a filter is on."""
    return 1 + filter_ // FILTERS_A_PAGE


def filter_anchor(filter_: int) -> str:
    """Return a filter's place on that page."""
    return f"filter-{filter_}"


# Every page links to the same few thousand others, hence the caches.


@lru_cache(maxsize=1 << 16)
def _encoded(text: str) -> str:
    return quote(_file_name(text))


@lru_cache(maxsize=1 << 16)
def _quoted(name: str) -> str:
    return quote(name)


@lru_cache(maxsize=1 << 12)
def _layer_folder(network: str, layer: str) -> str:
    return f"network/{_encoded(network)}/layer/{_encoded(layer)}"


@lru_cache(maxsize=1 << 16)
def _concept_name(iri: str) -> str:
    if iri.startswith(_WORDNET):
        return _encoded(iri.removeprefix(_WORDNET))
    path = re.sub(r"[^\w.-]+", "-", iri.partition("://")[2].partition("/")[2], flags=re.ASCII)[:_MOST_CHARACTERS]
    return f"{path}-{_hash(iri)}"


def _file_name(text: str) -> str:
    """Return a readable file name that no other text has and every file system accepts."""
    name = quote(text, safe="")
    if name.strip(".") and len(name) <= _MOST_CHARACTERS and not _DEVICE.fullmatch(name):
        return name
    return f"{name[:_MOST_CHARACTERS].strip('.')}-{_hash(text)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
