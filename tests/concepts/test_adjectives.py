"""What adjectives say that a picture shows."""

from __future__ import annotations

import pytest

from filtag_kg.concepts import wordnet
from filtag_kg.concepts.adjectives import color_of, is_adjective_alone, seen_nouns


def labels(word: str) -> list[str]:
    return [wordnet().concept(concept).label for concept in seen_nouns(word)]


@pytest.mark.parametrize(
    ("word", "noun"),
    [
        *(("striped", "stripe"), ("cobwebbed", "cobweb"), ("scaly", "scaliness"), ("bumpy", "bumpiness")),
        *(("lacelike", "lace"), ("fibrous", "fiber"), ("wooden", "wood"), ("dotted", "point"), ("woven", "weave")),
        *(("polka-dotted", "polka dot"), ("potholed", "pothole"), ("swirly", "whirl"), ("colorful", "color")),
        *(("african", "Africa"), ("furry", "fur"), ("circular", "circle"), ("marbled", "marble"), ("meshed", "net")),
    ],
)
def test_adjectives_lead_to_what_is_seen(word: str, noun: str) -> None:
    assert labels(word)[0] == noun


@pytest.mark.parametrize("word", ["small", "everyday", "specific", "dog", "xyzzyed", ""])
def test_others_lead_nowhere(word: str) -> None:
    assert seen_nouns(word) == ()


@pytest.mark.parametrize(
    ("word", "color"),
    [
        ("orange", "orange"),
        ("reddish", "scarlet"),
        ("golden", "amber"),
        ("grey", "gray"),
        ("dog", None),
        ("dark", None),
    ],
)
def test_colors(word: str, color: str | None) -> None:
    concept = color_of(word)
    assert (concept and wordnet().concept(concept).label) == color


def test_a_noun_that_is_no_name_comes_before_an_adjective() -> None:
    assert [word for word in ("meshed", "striped", "orange", "remote", "Striped") if is_adjective_alone(word)] == [
        "meshed",
        "striped",
    ]
