"""State which pictures show what filters respond to: thumbnails of their exemplars, and pictures made by optimisation.

A region of a picture is named as W3C Media Fragments does: ``picture.jpg#xywh=percent:left,top,width,height``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, floor

from filtag_kg.graph.emit_states import Statement
from filtag_kg.graph.nquads import Triple, iri, literal, t
from filtag_kg.graph.vocabulary import MEDIA_TYPES, DataIris

_HAIR = 1e-9


@dataclass(frozen=True, slots=True)
class Picture:
    """A thumbnail of an exemplar.

    Parameters
    ----------
    file : str
        Its name in the folder of exemplars.
    image : str
        The image's name among the images of the pass.
    class_ids : tuple of str
        The image's classes, as far as the graph has them.
    """

    file: str
    image: str
    class_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Depiction:
    """That a picture, or a region of it, shows what a filter responds to.

    Parameters
    ----------
    region : tuple of float, optional
        Left, top, right and bottom, as shares of the picture's sides; the whole picture, if left out.
    """

    layer: str
    filter: int
    file: str
    region: tuple[float, float, float, float] | None


@dataclass(frozen=True, slots=True)
class OptimisedPicture:
    """A picture of what a filter looks for.

    Parameters
    ----------
    method : str
        By which it was made: ``feature-visualisation``.
    file : str
        Its name in the folder of pictures, a PNG.
    """

    layer: str
    filter: int
    method: str
    file: str


def depiction_statements(
    network: str, depictions: Iterable[Depiction], iris: DataIris, *, profile_sha256: str
) -> dict[tuple[str, int], list[Statement]]:
    """Return what is stated of filters, by layer and filter, in the graph of the profile."""
    graph = iris.profile_graph(network, profile_sha256)
    statements: dict[tuple[str, int], list[Statement]] = {}
    for each in depictions:
        picture = iri(iris.exemplar(network, profile_sha256, each.file) + _fragment(each.region))
        statements.setdefault((each.layer, each.filter), []).append((t("foaf:depiction"), picture, graph))
    return statements


def emit_pictures(
    network: str, pictures: Iterable[Picture], iris: DataIris, *, profile_sha256: str
) -> Iterator[Triple]:
    """Describe pictures: of which image and classes they are, and their media type."""
    for picture in pictures:
        node = iri(iris.exemplar(network, profile_sha256, picture.file))
        yield node, t("rdf:type"), t("foaf:Image")
        yield node, t("dcterms:format"), iri(f"{MEDIA_TYPES}image/jpeg")
        yield node, t("dcterms:title"), literal(picture.image)
        for class_id in picture.class_ids:
            yield node, t("foaf:depicts"), iri(iris.class_(class_id))


def emit_optimised_pictures(network: str, pictures: Iterable[OptimisedPicture], iris: DataIris) -> Iterator[Triple]:
    """State which pictures show what filters look for, by which method they were made, and their media type."""
    for picture in pictures:
        node = iri(iris.visualization(network, picture.file))
        yield iri(iris.filter(network, picture.layer, picture.filter)), t("foaf:depiction"), node
        yield node, t("rdf:type"), t("foaf:Image")
        yield node, t("dcterms:format"), iri(f"{MEDIA_TYPES}image/png")
        title = f"{picture.layer} {picture.filter}: {picture.method.replace('-', ' ')}"
        yield node, t("dcterms:title"), literal(title)


def _fragment(region: tuple[float, float, float, float] | None) -> str:
    """Return a region as the fragment of a picture's IRI; it takes whole numbers, so the region may grow a little."""
    if region is None:
        return ""
    left, top = (floor(100 * side + _HAIR) for side in region[:2])
    right, bottom = (ceil(100 * side - _HAIR) for side in region[2:])
    return f"#xywh=percent:{left},{top},{right - left},{bottom - top}"
