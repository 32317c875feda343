"""What labels match of things at or below concepts."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from filtag_kg.concepts import CuratedLink, Links, label_matches, link_classes, wordnet

THINGS = ("poodle", "beagle", "tabby", "robin", "bus")


def matched(label: str, **options: object) -> set[str]:
    links = link_classes(("label", *THINGS), (label, *THINGS), wordnet(), **options)  # type: ignore[arg-type]
    return {THINGS[index] for index in label_matches(links, "label", below(links)).nonzero()[0]}


def below(links: Links):
    def at_or_below(concept: str) -> NDArray[np.bool_]:
        return np.array([concept in wordnet().at_or_above(links[thing].concept) for thing in THINGS])

    return at_or_below


@pytest.mark.parametrize(
    ("label", "things"),
    [
        ("dog", {"poodle", "beagle"}),
        ("dogs and birds", {"poodle", "beagle", "robin"}),
        ("dog AND NOT poodle", {"beagle"}),
        ("(cat OR dog) AND NOT poodle", {"tabby", "beagle"}),
        ("cat | bird", {"tabby", "robin"}),
        ("dog & ~poodle", {"beagle"}),
        ("NOT animal", {"bus"}),
        ("NOT (NOT dog)", {"poodle", "beagle"}),
        ("dog OR NOT dog", set(THINGS)),
        ("dog AND xyzzyx", set()),
        ("dog AND NOT xyzzyx", {"poodle", "beagle"}),
        ("n02084071 AND NOT n02113335", {"beagle"}),
        ("dogs and birds AND NOT robin", {"poodle", "beagle"}),
    ],
)
def test_what_a_label_matches(label: str, things: set[str]) -> None:
    assert matched(label) == things


def test_a_person_decides_on_the_whole_label_or_on_an_atom() -> None:
    (cat,) = (sense.concept for sense in wordnet().senses("domestic cat")[:1])
    label = "dog AND NOT poodle"
    assert matched(label, curated={"label": [CuratedLink(cat)]}) == {"tabby"}
    assert matched(label, curated={"label": [CuratedLink(cat, text="dog")]}) == {"tabby"}


def test_a_class_without_a_link_matches_nothing_that_is_known() -> None:
    links = link_classes(("label", *THINGS), ("xyzzyx", *THINGS), wordnet())
    with pytest.raises(KeyError, match="label"):
        label_matches(links, "label", below(links))


def test_what_a_formula_excludes_comes_last_and_is_no_concept_of_the_class() -> None:
    links = link_classes(("label",), ("NOT poodle AND dog",), wordnet())
    assert [(link.label, link.negated, link.predicate) for link in links.of("label")] == [
        ("dog", False, "skos:broadMatch"),
        ("poodle", True, "skos:broadMatch"),
    ]
    assert links.concepts("label") == (links["label"].concept,)
