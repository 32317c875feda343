"""What descriptions of pictures mention."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.concepts import concept_source, link_classes, wordnet
from filtag_kg.concepts.descriptions import mentions

DESCRIPTIONS = {
    "The color orange and red": {"orange", "red"},
    "Dogs and birds": {"dog", "bird"},
    "White lines next to darker objects": {"line", "white", "darkness"},
    "Fluorescent blue and green objects": {"fluorescence", "blue", "green"},
    "Red areas in picture": {"red"},
    "wicker basket full of fruit": {"wicker basket", "fruit"},
    "dog faces": {"dog", "face"},
    "dog face": {"dog", "face"},
    "People 's faces": {"people", "face"},
    "red and yellow dots": {"red", "yellow", "point"},
    "Black and white stripes": {"black", "white", "stripe"},
    "The top of a building": {"building"},
    "Colorful objects that are red": {"color", "red"},
    "objects colored red": {"red"},
    "white dogs on green grass": {"white", "dog", "green", "grass"},
    "person riding a bicycle": {"person", "bicycle"},
    "dogs, cats and birds": {"dog", "cat", "bird"},
    "striped fabric": {"stripe", "fabric"},
    "a swimming pool with blue water": {"swimming pool", "blue", "water"},
    "dogs without collars on grass": {"dog", "grass"},
    "The sky": {"sky"},
    "striped": {"stripe"},
    "lacelike": {"lace"},
    "lines and edges": {"line"},
    "black and white": {"black", "white"},
    "oranges and lemons": {"orange", "lemon"},
    "dog and not poodle": {"dog"},
    "dogs but no cats": {"dog"},
    "no dogs but cats": {"cat"},
    "not only dogs but also cats": {"dog", "cat"},
    "a dog lacking a tail": {"dog"},
    "red but not blue": {"red"},
    "red dots not on grass": {"red", "point"},
    "a meadow that doesn't show trees": {"hayfield"},
    "red-colored areas": {"red"},
    "the dog's face": {"dog", "face"},
    "orange and apple trees": {"orange", "apple tree"},
}


@pytest.mark.parametrize("label", DESCRIPTIONS)
def test_every_concept_that_a_description_mentions_is_linked(label: str) -> None:
    links = link_classes(["a"], [label], wordnet())
    assert {link.label for link in links.of("a")} == DESCRIPTIONS[label]
    assert all(0 < link.confidence <= 0.9 for link in links.of("a"))


@pytest.mark.parametrize(
    "label",
    [
        *("golden retriever puppy", "golden retriever puppies", "door behind", "bottom cabinet no top", "black cat"),
        *("tiger shark, Galeocerdo cuvieri", "cab/taxi (car)", "001.Black_footed_Albatross", "Black_throated_Sparrow"),
        *("crayfish, crawfish, crawdad, crawdaddy", "salmon_(food)", "potted plant", "orange", "chestnut", "remote"),
        *("person sitting", "class 7", "2", "", "the", "and", "of", "objects", "Edges of objects", "&", "🐶"),
    ],
)
def test_a_kind_of_thing_is_no_description(label: str) -> None:
    assert mentions(label) == ()


def test_what_a_description_is_about_comes_first() -> None:
    said = mentions("Green dots on dog faces")
    assert [(mention.text, mention.role) for mention in said] == [
        ("dot", "head"),
        ("green", "modifier"),
        ("face", "setting"),
        ("dog", "setting"),
    ]
    links = link_classes(["a"], ["Green dots on dog faces"], wordnet())
    assert [link.text for link in links.of("a")] == ["dot", "green", "face", "dog"]
    assert [link.predicate for link in links.of("a")] == ["skos:broadMatch", *["skos:relatedMatch"] * 3]
    assert links["a"] == links.of("a")[0]


def test_empty_words_are_linked_only_where_nothing_else_is() -> None:
    labels = ["red areas", "Edges of objects", "parts of circles", "the bottom of circles"]
    links = link_classes(labels, labels, wordnet())
    assert [[link.label for link in links.of(label)] for label in labels] == [
        ["red"],
        ["boundary"],
        ["circle"],
        ["circle"],
    ]


@pytest.mark.parametrize("name", ["gold-senses", "filtag-vgg16"])
def test_class_labels_are_no_descriptions(shared_data: Path, name: str) -> None:
    if name == "gold-senses":
        paths = sorted((shared_data / name).glob("*.csv"))
        labels = [row["label"] for path in paths for row in csv.DictReader(path.open(encoding="utf-8"))]
    else:
        lines = (shared_data / name / "wnid-names.txt").read_text(encoding="utf-8").splitlines()
        labels = [line.split(None, 1)[1] for line in lines]
    links = link_classes([f"c{index}" for index in range(len(labels))], labels, wordnet())
    assert len(links.links) == len(links)
    assert not any(link.text for link in links.links)


@given(st.text(st.sampled_from("dog red and of the , AND NOT ( ) s' & | 🐶 \u2028 -_"), max_size=40))
def test_any_text_has_mentions_or_none(text: str) -> None:
    said = mentions(text)
    assert len({mention.text for mention in said}) == len(said)
    links = link_classes(["a"], [text], wordnet())
    assert len({(link.concept, link.text) for link in links.of("a")}) == len(links.of("a"))


def test_sources_without_wordnets_synsets_link_by_its_nouns() -> None:
    source = concept_source("conceptnet")
    links = link_classes(["a"], ["wooden tables and red dogs"], source)
    assert {link.label for link in links.of("a")} >= {"wood", "dog"}
    assert all(source.concept(link.concept) for link in links.of("a"))


@pytest.mark.parametrize("label", ["yellow green", "yellowish brown", "West African", "The Hague", "dark red"])
def test_what_wordnet_knows_as_it_stands_is_one_thing(label: str) -> None:
    (link,) = link_classes([label], [label], wordnet()).links
    assert (link.text, link.predicate) == ("", "skos:exactMatch")


def test_descriptions_leave_ordinary_labels_alone() -> None:
    labels = ["crane", "heron", "kite", "orange", "lemon"]
    alone = link_classes(labels, labels, wordnet())
    among = link_classes([*labels, "d"], [*labels, "spots of the color orange"], wordnet())
    assert [among[label] for label in labels] == [alone[label] for label in labels]


def test_fruits_are_no_colors_unless_their_names_stand_beside_colors() -> None:
    kinds = {}
    for label in ("an orange", "orange and red", "oranges and lemons", "the color orange", "orange objects"):
        link = link_classes([label], [label], wordnet())[label]
        kinds[label] = wordnet().lexicographer_file(link.concept)
    assert kinds == {
        "an orange": "food",
        "orange and red": "attribute",
        "oranges and lemons": "food",
        "the color orange": "attribute",
        "orange objects": "attribute",
    }


@pytest.mark.parametrize(
    "label",
    [
        *("without dogs", "no dogs", "no_dogs", "NO DOGS", "not a dog", "Without any dogs", "except dogs", "no dog"),
        *("neither dog nor cat", "no dogs or cats", "without a dog or cat", "no dogs, cats", "no dogs and cats"),
        *("non-dog", "non dog", "not-dog", "a non-red", "never dogs", "lacking dogs", "no dogs allowed", "no red"),
    ],
)
def test_what_is_not_there_is_no_link(label: str) -> None:
    links = link_classes([label], [label], wordnet())
    assert (links.of(label), label in links) == ((), False)


@pytest.mark.parametrize(
    ("label", "concept"),
    [
        ("dog, no cats", "dog"),
        ("dog minus cat", "dog"),
        ("cars except trucks", "car"),
        ("non-stick pan", "pan"),
        ("non-white dog", "dog"),
        ("dogs not on grass", "dog"),
        ("forget-me-not", "forget-me-not"),
        ("minus sign", "minus sign"),
        ("bottom cabinet no top", "cabinet"),
        ("animals without dogs", "animal"),
    ],
)
def test_what_is_there_stays_linked(label: str, concept: str) -> None:
    (link,) = link_classes([label], [label], wordnet()).of(label)
    assert link.label == concept
