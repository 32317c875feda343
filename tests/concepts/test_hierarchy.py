"""The hierarchy above the linked classes."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np
import pytest

from filtag_kg.concepts import Concept, Edge, build_hierarchy, concept_source, link_classes, wordnet
from filtag_kg.concepts.combined import CombinedSource
from filtag_kg.concepts.conceptnet import ConceptNetIndex, import_dump
from filtag_kg.concepts.conceptnet.excerpt import ConceptNetExcerpt
from filtag_kg.concepts.families import information_content
from filtag_kg.concepts.features import features_of
from filtag_kg.concepts.source import FEATURES
from filtag_kg.network import imagenet_class_ids
from tests.concepts.conceptnet.conftest import line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from filtag_kg.concepts import Hierarchy
    from filtag_kg.concepts.features import Features

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
    linked = {(isa.class_ids[row], names[column]) for row, column in np.argwhere(isa.linked)}
    assert linked == {(name, name) for name in classes}
    assert isa.source == "small"
    assert [concept.id for concept in isa.described()] == sorted([*names, "tail", "brake", "wheel"])


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
    has = isa.features[0]
    assert (has.relation, has.source) == ("HasA", "wordnet")
    assert "flag" in {part.label for parts in has.of.values() for part in parts}


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
    (has,) = isa.features
    *up, part = isa.trace("bus", "wheel", has)
    assert [(edge.relation, edge.start, edge.end) for edge in up] == [("IsA", "bus", "vehicle")]
    assert (part.relation, part.start, part.end, part.dataset) == ("HasA", "vehicle", "wheel", "/d/small")
    for common, features in (("cat", None), ("wheel", has), ("wheel", None)):
        with pytest.raises(ValueError, match="beagle is not connected to"):
            isa.trace("beagle", common, features)


def test_a_stated_kind_is_one_step_from_its_own_class(classes: tuple[str, ...], make_hierarchy: Callable) -> None:
    _, isa = make_hierarchy(classes)
    stated = [
        Edge("IsA", start, "pet", 1.0, "people", dataset, "")
        for start, dataset in (("beagle", "/d/a"), ("beagle", "/d/b"), ("dog", "/d/a"))
    ]
    pet = features_of("IsA", "people", stated, {"pet": Concept("pet", "pet", (), (), "people")})
    assert not pet.inherited
    assert list(isa.trace("beagle", "pet", pet)) == stated[:2]
    with pytest.raises(ValueError, match="husky is not connected to pet"):
        isa.trace("husky", "pet", pet)


def test_every_common_concept_of_wordnet_can_be_traced() -> None:
    links = link_classes(["n02099601", "n02084071", "n03417042"], ["golden", "dog", "truck"], wordnet())
    isa = build_hierarchy(links, wordnet())
    for row, class_id in enumerate(isa.class_ids):
        for column in np.flatnonzero(isa.below[row]).tolist():
            trace = isa.trace(links[class_id].concept, isa.concepts[column].id)
            assert [edge.end for edge in trace[:-1]] == [edge.start for edge in trace[1:]]
        for features in isa.features:
            for concept, ends in features.of.items():
                if isa.below[row][[c.id for c in isa.concepts].index(concept)]:
                    for end in ends:
                        trace = isa.trace(links[class_id].concept, end.id, features)
                        assert (trace[-1].relation, trace[-1].end) == (features.relation, end.id)


@pytest.fixture(scope="module")
def imagenet() -> tuple[Hierarchy, Hierarchy]:
    """The hierarchies of ImageNet's 1,000 classes from WordNet alone, and with ConceptNet."""
    class_ids = imagenet_class_ids()
    labels = [wordnet().concept(concept).label for class_id in class_ids if (concept := wordnet().of_class(class_id))]
    alone, both = (
        build_hierarchy(link_classes(class_ids, labels, source), source)
        for source in map(concept_source, ("wordnet", "wordnet,conceptnet"))
    )
    return alone, both


def test_another_source_leaves_the_hierarchy_as_it_is(imagenet: tuple[Hierarchy, Hierarchy]) -> None:
    alone, both = imagenet
    assert both.concepts == alone.concepts
    assert both.parents == alone.parents
    assert both.edges == alone.edges
    assert both.source == alone.source == "wordnet"
    assert (both.below == alone.below).all()
    assert (both.linked == alone.linked).all()
    # A class is of some kinds, not of everything.
    assert (both.below.sum(axis=1) - 1).mean() <= 20
    assert {(features.relation, features.source) for features in both.features} >= {
        *((features.relation, features.source) for features in alone.features),
        *((relation, "conceptnet") for relation in ("IsA", *FEATURES)),
    }
    own = [features for features in both.features if features.source == "wordnet"]
    assert [(features.of, features.edges) for features in own] == [
        (features.of, features.edges) for features in alone.features
    ]


def test_features_come_in_a_fixed_order_and_every_one_can_be_traced(imagenet: tuple[Hierarchy, Hierarchy]) -> None:
    _, isa = imagenet
    order = [(features.relation != "IsA", *order_of(features)) for features in isa.features]
    assert order == sorted(order)
    assert len(set(order)) == len(order)
    concepts = set(isa.parents)
    for features in isa.features:
        assert list(features.of) == sorted(features.of)
        assert concepts.issuperset(features.of)
        assert {(edge.start, edge.end) for edge in features.edges} == {
            (concept, end.id) for concept, ends in features.of.items() for end in ends
        }
        assert {(edge.relation, edge.source) for edge in features.edges} == {(features.relation, features.source)}
        for edge in features.edges[::50]:
            assert edge in isa.trace(edge.start, edge.end, features)


def order_of(features: Features) -> tuple[int, bool]:
    return (("IsA", *FEATURES).index(features.relation), features.source != "wordnet")


def test_without_wordnet_classes_have_kinds_one_step_up() -> None:
    lines = ["beagle\tIsA\tdog:a hound:ac", "dog\tIsA\tcanine:a", "hound\tIsA\tdog:a", "boot\tIsA\tshoe:a"]
    source = ConceptNetExcerpt(lines, "1")
    links = link_classes(["beagle", "boot"], ["beagle", "boot"], source)
    isa = build_hierarchy(links, source)
    labels = [concept.label for concept in isa.concepts]
    above = {
        class_id: {labels[column] for column in np.flatnonzero(isa.below[row])} - {class_id}
        for row, class_id in enumerate(isa.class_ids)
    }
    assert isa.source == "conceptnet"
    # No canine: that is a kind of a kind.
    assert above == {"beagle": {"dog", "hound"}, "boot": {"shoe"}}
    assert all(features.relation != "IsA" for features in isa.features)


def test_without_wordnet_a_class_that_wordnet_lacks_has_its_stated_kinds() -> None:
    source = ConceptNetExcerpt(["goldendoodle\tIsA\tdog:a goldendoodle:a", "dog\tIsA\tpet:a"], "1")
    isa = build_hierarchy(link_classes(["goldendoodle"], ["goldendoodle"], source), source)
    assert [concept.label for concept in isa.concepts] == ["dog", "goldendoodle"]


def test_kinds_in_another_language_are_not_compared_with_wordnet(tmp_path: Path) -> None:
    # WordNet knows a tiger, but no word of German.
    kinds = [("de/hund", "de/tier"), ("de/tiger", "de/tier"), ("de/tier", "de/wesen")]
    dump = tmp_path / "dump.csv"
    dump.write_text("".join(line("IsA", *kind, 1.0, "/d/x", "cc:by/4.0") for kind in kinds), encoding="utf-8")
    import_dump(dump, tmp_path / "index.sqlite", languages=("de",))
    source = ConceptNetIndex(tmp_path / "index.sqlite")
    isa = build_hierarchy(link_classes(["a", "b"], ["Hund", "Tiger"], source), source)
    labels = [concept.label for concept in isa.concepts]
    assert labels == ["hund", "tier", "tiger"]
    assert isa.below[:, labels.index("tier")].all()


def test_a_class_that_only_conceptnet_knows_has_wordnets_kinds_above() -> None:
    lines = ["goldendoodle\tIsA\tdog:a doodle_dog:b"]
    source = CombinedSource([ConceptNetExcerpt(lines, "1"), wordnet()])
    links = link_classes(["goldendoodle", "pug"], ["goldendoodle", "pug"], source)
    isa = build_hierarchy(links, source)
    assert links["goldendoodle"].concept == "http://api.conceptnet.io/c/en/goldendoodle"
    assert isa.parents[links["goldendoodle"].concept] == (f"{PWN}02084071-n",)
    labels = [concept.label for concept in isa.concepts]
    assert isa.below[:, labels.index("carnivore")].all()
    assert "doodle dog" not in labels
