"""Kinds that people state of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from filtag_kg.concepts import Hierarchy, build_hierarchy, concept_source, link_classes, wordnet
from filtag_kg.concepts.combined import CombinedSource
from filtag_kg.concepts.conceptnet import ConceptNetIndex, import_dump
from filtag_kg.concepts.conceptnet.excerpt import ConceptNetExcerpt
from filtag_kg.concepts.evidence import RULES, Generality, is_general
from filtag_kg.concepts.families import families_of
from filtag_kg.concepts.features import Features
from filtag_kg.network import imagenet_class_ids
from tests.concepts.conceptnet.conftest import line

if TYPE_CHECKING:
    from pathlib import Path

STATED = {
    "bakery": "store shop",
    "boot": "shoe fashion",
    "car": "compartment time vehicle auto",
    "compartment": "space",
    "space": "time",
    "crane": "machine bird",
    "dog": "pet bird insect",
    "dalmatian": "dog",
    "dog_pound": "dog",
    "canine": "puppy",
}
BIRD, CRANE = "n02012849", "n03126707"
CLASSES = {
    "n02776631": "bakery",
    "n02872752": "boot",
    "n02958343": "car",
    BIRD: "crane",
    CRANE: "crane",
    "n02084071": "dog",
    "n02110341": "dalmatian",
}


def source() -> CombinedSource:
    lines = [
        f"{word}\tIsA\t{' '.join(f'{kind}:{letters}' for kind in kinds.split())}"
        for word, kinds in STATED.items()
        for letters in ["ab" if word == "dog" else "a"]
    ]
    return CombinedSource([wordnet(), ConceptNetExcerpt(lines, "1")])


@pytest.fixture(scope="module")
def isa() -> Hierarchy:
    links = link_classes(list(CLASSES), list(CLASSES.values()), source())
    return build_hierarchy(links, source())


@pytest.fixture(scope="module")
def kinds(isa: Hierarchy) -> Features:
    (kinds,) = (features for features in isa.features if features.relation == "IsA")
    assert kinds.source == "conceptnet"
    return kinds


def labels(kinds: Features, class_id: str) -> set[str]:
    return {kind.label for kind in kinds.of.get(wordnet().of_class(class_id) or "", ())}


def test_plainer_names_than_wordnets(kinds: Features) -> None:
    assert labels(kinds, "n02872752") == {"shoe"}
    assert labels(kinds, "n02776631") & {"shop", "store"}
    assert labels(kinds, "n02084071") == {"pet"}
    # A shoe is no kind of boot's in WordNet, so it is another group there.
    assert wordnet().senses("shoe")[0].concept not in wordnet().at_or_above(wordnet().of_class("n02872752") or "")


def test_a_kind_is_one_of_the_class_and_not_of_another_meaning_of_its_word(kinds: Features) -> None:
    assert labels(kinds, BIRD) == {"bird"}
    assert "bird" not in labels(kinds, CRANE)
    # A lift's car is a compartment, this one is none; and time is of another domain.
    assert labels(kinds, "n02958343").isdisjoint({"compartment", "time", "space"})


def test_a_kind_of_a_kind_is_none_and_nothing_is_inherited(isa: Hierarchy, kinds: Features) -> None:
    assert not kinds.inherited
    assert labels(kinds, "n02110341") == {"dog"}
    (family,) = (family for family in families_of(isa) if (family.relation, family.source) == ("IsA", "conceptnet"))
    names = [concept.label for concept in family.concepts]
    rows = {class_id: row for row, class_id in enumerate(isa.class_ids)}
    pets = np.flatnonzero(family.below[:, names.index("pet")])
    assert pets.tolist() == [rows["n02084071"]]


def test_what_lies_below_a_class_is_no_kind_of_it(kinds: Features) -> None:
    # Canine is another word for a dog's kind, not for the dog; and no class is a kind of its own.
    assert "puppy" not in labels(kinds, "n02084071")
    assert all(kind.id != concept for concept, of in kinds.of.items() for kind in of)


def test_edges_are_of_the_synsets_and_by_data_set(kinds: Features) -> None:
    dog = wordnet().of_class("n02084071")
    pet = wordnet().senses("pet")[0].concept
    edges = [edge for edge in kinds.edges if edge.start == dog]
    assert [(edge.relation, edge.end, edge.source, edge.dataset) for edge in edges] == [
        ("IsA", pet, "conceptnet", "/d/conceptnet/5"),
        ("IsA", pet, "conceptnet", "/d/conceptnet/5.7"),
    ]


def test_less_than_one_contributors_word_is_no_kind(tmp_path: Path) -> None:
    weights = {"dog": 0.1, "cat": 0.6, "hamster": 1.0, "rabbit": 0.0}
    lines = [line("IsA", f"en/{word}", "en/pet", weight, "/d/x", "cc:by/4.0") for word, weight in weights.items()]
    lines.append(line("IsA", "en/cat", "en/pet", 0.5, "/d/y", "cc:by/4.0"))
    (tmp_path / "dump.csv").write_text("".join(lines), encoding="utf-8")
    import_dump(tmp_path / "dump.csv", tmp_path / "index.sqlite")
    both = CombinedSource([wordnet(), ConceptNetIndex(tmp_path / "index.sqlite")])
    isa = build_hierarchy(link_classes(list(weights), list(weights), both), both)
    (kinds,) = (features for features in isa.features if features.relation == "IsA")
    # Two statements together are one contributor's word.
    assert sorted(wordnet().concept(concept).label for concept in kinds.of) == ["cat", "hamster"]


def test_of_all_of_imagenets_classes() -> None:
    both = concept_source("wordnet,conceptnet")
    class_ids = imagenet_class_ids()
    names = [wordnet().concept(wordnet().of_class(class_id) or "").label for class_id in class_ids]
    isa = build_hierarchy(link_classes(class_ids, names, both), both)
    (kinds,) = (features for features in isa.features if features.relation == "IsA")
    linked = {isa.concepts[column].id for column in np.flatnonzero(isa.linked.any(axis=0))}
    assert linked.issuperset(kinds.of)
    assert len(kinds.of) >= 200
    for concept, of in kinds.of.items():
        for kind in of:
            assert kind.source == "wordnet"
            assert concept not in wordnet().at_or_above(kind.id)
            above = wordnet().at_or_above(kind.id) - {kind.id}
            assert not is_general(Generality(size=wordnet().size(kind.id), above=above, living=False), RULES)
    for class_id, expected in (("n02776631", {"shop", "store"}), (BIRD, {"bird"})):
        assert expected & {kind.label for kind in kinds.of[wordnet().of_class(class_id) or ""]}
