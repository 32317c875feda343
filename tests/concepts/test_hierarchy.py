"""The hierarchy above the linked classes."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np
import pytest

from filtag_kg.concepts import build_hierarchy, link_classes, wordnet
from filtag_kg.concepts.families import information_content

if TYPE_CHECKING:
    from collections.abc import Callable

PWN = "http://wordnet-rdf.princeton.edu/pwn30/"


def test_by_hand(classes: tuple[str, ...], make_hierarchy: Callable) -> None:
    _, isa = make_hierarchy(["unheard of", *classes])
    names = [concept.id for concept in isa.concepts]
    assert names == sorted([*classes, "dog", "cat", "animal", "vehicle", "thing"])
    assert list(isa.parents) == names
    assert isa.parents["beagle"] == ("dog",)
    assert isa.parents["thing"] == ()
    assert isa.below.shape == (9, 13)
    assert not isa.below[0].any()
    assert isa.below.sum(axis=0).tolist() == [
        {"dog": 3, "cat": 2, "animal": 5, "vehicle": 3, "thing": 8}.get(name, 1) for name in names
    ]
    assert isa.ancestors("beagle") == ("animal", "dog", "thing")
    assert {concept: [part.id for part in parts] for concept, parts in isa.features["HasA"].items()} == {
        "dog": ["tail"],
        "vehicle": ["brake", "wheel"],
    }


def test_only_what_is_above_a_class(make_hierarchy: Callable) -> None:
    _, isa = make_hierarchy(["tabby", "animal"])
    assert [concept.id for concept in isa.concepts] == ["animal", "cat", "tabby", "thing"]
    # a class can be above another
    assert isa.below.tolist() == [[True, True, True, True], [True, False, False, True]]


def test_cycles_end(make_hierarchy: Callable) -> None:
    _, isa = make_hierarchy(["a", "c"], {"a": ("b",), "b": ("a", "b"), "c": ("c",)})
    assert isa.parents == {"a": ("b",), "b": (), "c": ()}
    assert isa.below.tolist() == [[True, True, False], [False, False, True]]
    assert isa.ancestors("a") == ("b",)
    assert [(edge.start, edge.end) for edge in isa.left_out.cycles] == [("b", "a")]


def test_no_classes(make_hierarchy: Callable) -> None:
    _, isa = make_hierarchy([])
    assert isa.concepts == ()
    assert isa.below.shape == (0, 0)


def test_wordnet_has_more_than_one_way_up() -> None:
    links = link_classes(["n02099601"], ["golden retriever"], wordnet())
    isa = build_hierarchy(links, wordnet())
    labels = {concept.label for concept in isa.concepts}
    assert {"golden retriever", "dog", "domestic animal", "carnivore", "entity"} <= labels
    assert isa.below.all()
    assert "flag" in {part.label for parts in isa.features["HasA"].values() for part in parts}


def test_information_content(classes: tuple[str, ...], make_hierarchy: Callable) -> None:
    _, isa = make_hierarchy(classes)
    names = [concept.id for concept in isa.concepts]
    ic = dict(zip(names, information_content(isa.below).tolist(), strict=True))
    assert ic["thing"] == 0
    assert ic["dog"] == pytest.approx(log(8 / 3))


def test_a_trace_goes_up_and_then_to_the_feature(classes: tuple[str, ...], make_hierarchy: Callable) -> None:
    _, isa = make_hierarchy(classes)
    assert [(edge.start, edge.end) for edge in isa.trace("beagle", "thing")] == [
        ("beagle", "dog"),
        ("dog", "animal"),
        ("animal", "thing"),
    ]
    assert isa.trace("beagle", "beagle") == ()
    *up, part = isa.trace("bus", "wheel", "HasA")
    assert [(edge.relation, edge.start, edge.end) for edge in up] == [("IsA", "bus", "vehicle")]
    assert (part.relation, part.start, part.end, part.dataset) == ("PartOf", "wheel", "vehicle", "/d/small")
    for common, relation in (("cat", "IsA"), ("wheel", "HasA"), ("wheel", "MadeOf")):
        with pytest.raises(ValueError, match="beagle is not connected to"):
            isa.trace("beagle", common, relation)


def test_every_common_concept_of_wordnet_can_be_traced() -> None:
    links = link_classes(["n02099601", "n02084071", "n03417042"], ["golden", "dog", "truck"], wordnet())
    isa = build_hierarchy(links, wordnet())
    for row, class_id in enumerate(isa.class_ids):
        for column in np.flatnonzero(isa.below[row]).tolist():
            trace = isa.trace(links[class_id].concept, isa.concepts[column].id)
            assert [edge.end for edge in trace[:-1]] == [edge.start for edge in trace[1:]]
        for concept, parts in isa.features["HasA"].items():
            if isa.below[row][[c.id for c in isa.concepts].index(concept)]:
                assert all(isa.trace(links[class_id].concept, part.id, "HasA") for part in parts)
