"""The hierarchy above the linked classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filtag_kg.concepts import build_hierarchy, link_classes, wordnet

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
    assert {concept: [part.id for part in parts] for concept, parts in isa.parts.items()} == {
        "dog": ["tail"],
        "vehicle": ["brake", "wheel"],
    }
    assert [part.id for part in isa.parts_of("beagle")] == ["tail"]
    assert isa.parts_of("cat") == ()


def test_only_what_is_above_a_class(make_hierarchy: Callable) -> None:
    _, isa = make_hierarchy(["tabby", "animal"])
    assert [concept.id for concept in isa.concepts] == ["animal", "cat", "tabby", "thing"]
    # a class can be above another
    assert isa.below.tolist() == [[True, True, True, True], [True, False, False, True]]


def test_cycles_end(make_hierarchy: Callable) -> None:
    _, isa = make_hierarchy(["a", "c"], {"a": ("b",), "b": ("a", "b"), "c": ("c",)})
    assert isa.parents == {"a": ("b",), "b": ("a",), "c": ()}
    assert isa.below.tolist() == [[True, True, False], [False, False, True]]
    assert isa.ancestors("a") == ("b",)


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
    assert "flag" in {part.label for part in isa.parts_of(links["n02099601"].concept)}
