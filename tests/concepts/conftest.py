"""A source of concepts written out by hand: eight classes, three dogs, two cats and three vehicles."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from filtag_kg.concepts import Concept, Edge, Hierarchy, Links, Sense, build_hierarchy, link_classes
from filtag_kg.concepts.features import features_of
from filtag_kg.tags import TagTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

BROADER = {
    "beagle": ("dog",),
    "collie": ("dog",),
    "husky": ("dog",),
    "siamese": ("cat",),
    "tabby": ("cat",),
    "car": ("vehicle",),
    "bus": ("vehicle",),
    "tram": ("vehicle",),
    "dog": ("animal",),
    "cat": ("animal",),
    "animal": ("thing",),
    "vehicle": ("thing",),
    "thing": (),
}
PARTS = {"dog": ("tail",), "vehicle": ("brake", "wheel")}
CLASSES = tuple(BROADER)[:8]


class SmallSource:
    """A concept source whose IRIs are the words themselves."""

    name, version, licence, climbs, citation = "small", "1", "https://example.org/licence", True, "somebody"

    def __init__(self, broader: dict[str, tuple[str, ...]] = BROADER) -> None:
        self._broader = broader

    def concept(self, concept_id: str) -> Concept:
        return Concept(concept_id, concept_id, (), (), "small")

    def of_class(self, class_id: str) -> str | None:
        return class_id if class_id in self._broader else None

    def senses(self, term: str) -> tuple[Sense, ...]:
        return ()

    @property
    def members(self) -> tuple[SmallSource, ...]:
        return (self,)

    def size(self, concept_id: str) -> int:
        below = {concept_id}
        while more := {child for child, above in self._broader.items() if below & set(above)} - below:
            below |= more
        return len(below)

    def edges(self, concept_id: str, relation: str, *, incoming: bool = False) -> Iterator[Edge]:
        if relation == "IsA" and not incoming:
            for other in self._broader[concept_id]:
                yield self.edge("IsA", concept_id, other)

    def edge(self, relation: str, start: str, end: str) -> Edge:
        return Edge(relation, start, end, 1.0, self.name, "/d/small", self.licence)


def hierarchy_of(class_ids: Iterable[str], broader: dict[str, tuple[str, ...]] = BROADER) -> tuple[Links, Hierarchy]:
    class_ids = list(class_ids)
    source = SmallSource(broader)
    links = link_classes(class_ids, class_ids, source)
    isa = build_hierarchy(links, source)
    edges = [source.edge("HasA", of, part) for of in isa.parents for part in PARTS.get(of, ())]
    has = features_of("HasA", source.name, edges, {edge.end: source.concept(edge.end) for edge in edges})
    return links, replace(isa, features=(has,) if edges else ())


def table(
    tags: Iterable[tuple[int, int, str]],
    class_ids: Iterable[str] = CLASSES,
    n_filters: tuple[int, ...] = (4, 4),
) -> TagTable:
    """Return a table of (layer index, filter, class id) with one rule."""
    class_ids = tuple(class_ids)
    rows = list(tags)
    layer, filter_, class_ = (
        np.array([row[at] if at < 2 else class_ids.index(row[at]) for row in rows], dtype=np.int64) for at in range(3)
    )
    nothing = np.zeros(len(rows), dtype=np.int64)
    return TagTable(
        network="net",
        layer_names=tuple(f"conv{place}" for place in range(len(n_filters))),
        n_filters=n_filters,
        class_ids=class_ids,
        class_labels=class_ids,
        rules=("k=1",),
        rule=nothing,
        layer=layer,
        filter=filter_,
        class_=class_,
        rank=nothing,
        activation=np.full(len(rows), np.nan),
        contrast=np.full(len(rows), np.nan),
    )


@pytest.fixture
def classes() -> tuple[str, ...]:
    return CLASSES


@pytest.fixture
def make_hierarchy() -> Callable[..., tuple[Links, Hierarchy]]:
    return hierarchy_of


@pytest.fixture
def make_table() -> Callable[..., TagTable]:
    return table
