"""The URL of each page on the server: the path of the thing's IRI."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from filtag_kg.graph import DataIris


@dataclass(frozen=True, slots=True)
class ServedUrls:
    """URLs from the server's root.

    Parameters
    ----------
    iris : DataIris
        Of the KG: the path of a thing's page is its IRI without their base.
    """

    iris: DataIris

    def overview(self) -> str:
        """Return the URL of the first page."""
        return "/"

    def layer(self, network: str, layer: str, page: int = 1) -> str:
        """Return the URL of one page of a layer."""
        first = self._path(self.iris.layer(network, layer))
        return first if page == 1 else f"{first}/page/{page}"

    def filter(self, network: str, layer: str, filter_: int) -> str:
        """Return the URL of a filter."""
        return self._path(self.iris.filter(network, layer, filter_))

    def class_(self, class_id: str, page: int = 1) -> str:
        """Return the URL of one page of a class."""
        first = self._path(self.iris.class_(class_id))
        return first if page == 1 else f"{first}/page/{page}"

    def concept(self, iri: str) -> str:
        """Return the URL of a concept, or of any other thing whose IRI is outside the base."""
        return f"/resource?iri={quote(iri, safe='')}"

    def page(self, name: str, page: int = 1) -> str:
        """Return the URL of one page of a list."""
        return f"/{name}" if page == 1 else f"/{name}?page={page}"

    def file(self, name: str) -> str:
        """Return the URL of a file."""
        return f"/files/{quote(name)}"

    def thing(self, iri: str) -> str:
        """Return the URL of any thing."""
        return self._path(iri) if iri.startswith(self.iris.base) else self.concept(iri)

    def _path(self, iri: str) -> str:
        return f"/{iri.removeprefix(self.iris.base)}"
