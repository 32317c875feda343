"""Words that are no class lead to what is meant: judged by hand on the 200 classes of the demo.

A row is a word, what must be among the first results, and what must not be found. WordNet and ConceptNet's excerpt are
part of the package, so what they say does not change.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.kg import KG
from filtag_kg.views import SearchIndex, load_kg, search_index
from tests.views.test_certainty import many

__all__ = ["many"]

_FIRST = 8
JUDGED: list[tuple[str, set[str], set[str]]] = [
    # synonyms
    ("automobile", {"car"}, {"seashore"}),
    ("auto", {"car"}, set()),
    ("pig", {"hog"}, set()),
    ("puma", {"cougar"}, set()),
    ("mountain lion", {"cougar"}, set()),
    ("red panda", {"lesser panda"}, set()),
    ("ladybird", {"ladybug"}, set()),
    ("brogan", {"shoe"}, {"animal"}),
    ("fridge", {"refrigerator", "white goods", "kitchen appliance", "home appliance"}, set()),
    ("cab", {"car", "motor vehicle"}, {"seashore"}),
    # what they are kinds of
    ("feline", {"feline"}, {"dog"}),
    ("canine", {"canine", "dog"}, {"cat"}),
    ("pets", {"goldfish", "dog", "cat", "poodle", "fish"}, {"car"}),
    ("insect", {"insect"}, {"dog"}),
    ("arthropod", {"arthropod"}, set()),
    ("garment", {"garment"}, set()),
    ("fruit", {"edible fruit", "fruit"}, set()),
    ("vehicle", {"vehicle"}, set()),
    ("monkeys", {"monkey", "primate", "baboon"}, set()),
    ("musical instrument", {"musical instrument"}, set()),
    ("furniture", {"furniture"}, set()),
    ("bridges", {"bridge"}, set()),
    ("footwear", {"footwear", "covering", "clothing", "sandal"}, set()),
    ("weapon", {"weapon", "cannon"}, set()),
    ("bears", {"bear"}, set()),
    ("amphibian", {"amphibian"}, set()),
    ("wading bird", {"wading bird"}, set()),
    ("hoofed animal", {"ungulate", "hog", "ox", "gazelle"}, {"lion"}),
    # kinds of what there is
    ("puppy", {"dog"}, {"cat", "organism"}),
    ("kitten", {"cat"}, {"dog"}),
    ("beagle", {"dog", "hunting dog"}, {"cat"}),
    ("dachshund", {"dog", "hunting dog"}, {"cat"}),
    ("eagle", {"bird"}, {"mammal"}),
    ("shark", {"fish"}, {"bird"}),
    ("whale", {"aquatic mammal", "mammal"}, {"fish"}),
    ("ant", {"insect", "hymenopterous insect"}, {"mammal"}),
    ("lizard", {"reptile"}, {"mammal"}),
    ("violin", {"musical instrument"}, {"vehicle"}),
    ("trombone", {"brass", "wind instrument"}, set()),
    ("ambulance", {"motor vehicle", "car"}, {"device"}),
    ("minivan", {"car"}, set()),
    ("submarine", {"vessel"}, {"animal"}),
    ("peach", {"edible fruit", "fruit"}, {"animal"}),
    ("skyscraper", {"building"}, {"vehicle"}),
    ("armchair", {"chair"}, {"animal"}),
    ("trousers", {"garment"}, {"animal"}),
    # parts, materials, colours, looks, uses, places
    ("wheel", {"car", "cart", "wagon", "wheeled vehicle", "motor vehicle"}, {"dog"}),
    ("fur", {"fur coat", "dog", "cat", "bear"}, {"car"}),
    ("wings", {"bird", "insect"}, {"dog"}),
    ("feathers", {"bird"}, {"dog"}),
    ("yellow", {"school bus", "orange", "banana", "lemon"}, {"dog"}),
    ("red", {"car", "lesser panda", "clothing", "roof"}, {"potato"}),
    ("striped", {"fish", "sock"}, {"airstrip"}),
    ("furry", {"cat", "dog", "bear"}, {"car"}),
    ("wooden", {"furniture", "desk", "chair", "barn", "wooden spoon"}, {"dog"}),
    ("kitchen", {"kitchen utensil", "refrigerator", "pot"}, {"dog"}),
    ("swim", {"fish", "frog", "bear", "dog"}, {"car"}),
    # several words
    ("animal that swims", {"goldfish", "bullfrog", "brown bear", "tailed frog"}, {"bathtub", "swimming trunks"}),
    ("bird that can fly", {"albatross", "black stork", "goose"}, {"dragonfly", "fly"}),
    ("vehicle with wheels", {"convertible", "beach wagon", "limousine", "freight car"}, {"potter's wheel"}),
    ("insects with wings", {"bee", "dragonfly", "fly"}, {"goose"}),
    ("things made of wood", {"desk", "chair", "furniture", "barn", "wooden spoon"}, set()),
]


@pytest.fixture(scope="module")
def demo(many: KG) -> SearchIndex:
    index = search_index(load_kg(many))
    index.warm()
    return index


def test_the_list_is_long_enough_to_tell() -> None:
    assert len(JUDGED) >= 60


@pytest.mark.parametrize(("text", "right", "wrong"), JUDGED, ids=lambda value: value if isinstance(value, str) else "")
def test_a_word_finds_what_it_means(demo: SearchIndex, text: str, right: set[str], wrong: set[str]) -> None:
    matches = [match for match in demo.find(text) if not match.is_near and match.kind != "filter"]
    labels = [match.label for match in matches]
    assert right.intersection(labels[:_FIRST]), labels
    assert wrong.isdisjoint(labels), labels
    for match in matches:
        assert match.why or text.lower().rstrip("s") in f"{match.label} {match.detail}".lower(), match


def test_a_match_says_why(demo: SearchIndex) -> None:
    why = {
        (text, match.label): match.why
        for text in ("puppy", "automobile", "wheel", "yellow")
        for match in demo.find(text)
    }
    assert why["puppy", "dog"] == "puppy → dog"
    assert why["automobile", "car"] == "also called automobile"
    assert why["wheel", "car"] == "car has wheel, says ConceptNet"
    assert why["yellow", "school bus"] == "school bus is yellow, says ConceptNet"


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("pupy", "dog"),
        ("jelyfish", "jellyfish"),
        ("limosine", "limousine"),
        ("red fruit", "edible fruit"),
        ("spyglass", "instrument"),
    ],
)
def test_what_has_no_match_says_what_comes_near(demo: SearchIndex, text: str, near: str) -> None:
    found = demo.find(text)
    assert found
    assert all(match.is_near for match in found)
    assert near in [match.label for match in found]


@pytest.mark.parametrize("text", ["xyzzy", "honesty", "the of a", "!", "…"])
def test_what_nothing_comes_near_finds_nothing(demo: SearchIndex, text: str) -> None:
    assert demo.find(text) == []


def test_filters_that_respond_to_it_are_found_with_it(demo: SearchIndex) -> None:
    filters = [match for match in demo.find("beast") if match.kind == "filter"]
    assert all(match.why.startswith("Responds to ") for match in filters)


@given(st.text(max_size=60))
def test_any_text_has_an_answer(demo: SearchIndex, text: str) -> None:
    found = demo.find(text)
    assert len({match.iri for match in found}) == len(found) <= 20
    # What matches and what comes near are never mixed.
    assert len({match.is_near for match in found}) <= 1


def test_filters_do_not_crowd_out_classes_and_concepts(demo: SearchIndex) -> None:
    found = demo.find("mammal", 20)
    assert sum(match.kind == "filter" for match in found) <= 5
    assert found[0].label == "mammal"
