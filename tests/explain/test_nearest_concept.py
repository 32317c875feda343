from __future__ import annotations

from itertools import product
from math import log

import pytest

from filtag_kg import wordnet
from filtag_kg.concepts import MIN_IC, build_hierarchy, link_classes
from filtag_kg.explain.nearest_concept import ClassConcepts, Group
from tests.conftest import CLASSES

DOG = "http://wordnet-rdf.princeton.edu/pwn30/02084071-n"
# With four more kinds of things a dog is no longer more than a quarter of everything.
MORE = {
    "n01440764": "tench",
    "n01443537": "goldfish",
    "n01770393": "scorpion",
    "n02165456": "ladybug",
    "n03001627": "chair",
    "n04379243": "table",
}
EVERY = CLASSES | MORE


@pytest.fixture(scope="module")
def concepts() -> ClassConcepts:
    others = {"n02123394": "Persian cat", "n02125311": "cougar", "nonsense": "xyzzy"}
    return ClassConcepts(tuple(EVERY), tuple(EVERY.values()), others, wordnet())


def test_nearest_is_what_looking_at_every_concept_finds(concepts: ClassConcepts) -> None:
    links = link_classes(tuple(EVERY), tuple(EVERY.values()), wordnet())
    isa = build_hierarchy(links, wordnet())
    for (row, first), (other, second) in product(enumerate(EVERY), repeat=2):
        best = max(
            (
                (log(len(EVERY) / isa.below[:, column].sum()), len(isa.ancestors(concept.id)))
                for column, concept in enumerate(isa.concepts)
                if isa.below[row, column] and isa.below[other, column]
            ),
            default=None,
        )
        found = concepts.nearest(first, second)
        assert best is not None
        assert found is not None
        assert (found.ic, len(isa.ancestors(found.concept.id))) == (pytest.approx(best[0]), best[1])
        assert found.agree is (best[0] >= MIN_IC - 1e-12)


def test_two_dogs_agree_and_a_dog_and_a_car_do_not(concepts: ClassConcepts) -> None:
    dogs = concepts.nearest("n02087394", "n02088466")
    assert dogs is not None
    assert dogs.agree
    far = concepts.nearest("n02087394", "n04285008")
    assert far is not None
    assert (far.concept.label, far.agree) == ("whole", False)


def test_classes_beyond_those_of_the_kg_are_linked_too(concepts: ClassConcepts) -> None:
    cats = concepts.nearest("n02123394", "n02123045")
    assert cats is not None
    assert (cats.concept.label, cats.agree) == ("domestic cat", True)
    assert concepts.nearest("n02123394", "nonsense") is None
    assert concepts.group("n02125311") == Group("http://wordnet-rdf.princeton.edu/pwn30/02121620-n", "cat")


def test_groups_are_what_people_call_things(concepts: ClassConcepts) -> None:
    assert {concepts.group(class_id) for class_id in list(CLASSES)[:3]} == {Group(DOG, "dog")}
    assert {concepts.group(class_id).label for class_id in ("n02123045", "n02124075")} == {"cat"}
    assert {concepts.group(class_id).label for class_id in ("n02814533", "n03770679", "n04285008")} == {"car"}
    assert concepts.group("nonsense") == Group("nonsense", "xyzzy"), "a class without a concept is a group of its own"
