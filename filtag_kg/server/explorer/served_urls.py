"""Where the page of each thing is on a server: at the path of its IRI."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from filtag_kg.graph import DataIris

__all__ = ["ServedUrls"]


@dataclass(frozen=True, slots=True)
class ServedUrls:
    """Addresses from the server's root.

    Parameters
    ----------
    iris : DataIris
        Of the KG: a thing's page is at the path that its IRI has below their base.
    """

    iris: DataIris

    def overview(self) -> str:
        """Return the first page's."""
        return "/"

    def layer(self, network: str, layer: str, page: int = 1) -> str:
        """Return that of a page of a layer's."""
        first = self._path(self.iris.layer(network, layer))
        return first if page == 1 else f"{first}/page/{page}"

    def filter(self, network: str, layer: str, filter_: int) -> str:
        """Return that of a filter's."""
        return self._path(self.iris.filter(network, layer, filter_))

    def class_(self, class_id: str) -> str:
        """Return that of a class's."""
        return self._path(self.iris.class_(class_id))

    def concept(self, iri: str) -> str:
        """Return that of a concept's, whose IRI is not the server's own."""
        return f"/resource?iri={quote(iri, safe='')}"

    def page(self, name: str, page: int = 1) -> str:
        """Return that of a page about several things."""
        return f"/{name}" if page == 1 else f"/{name}?page={page}"

    def file(self, name: str) -> str:
        """Return that of a file."""
        return f"/files/{quote(name)}"

    def thing(self, iri: str) -> str:
        """Return that of any thing."""
        return self._path(iri) if iri.startswith(self.iris.base) else self.concept(iri)

    def _path(self, iri: str) -> str:
        return f"/{iri.removeprefix(self.iris.base)}"
