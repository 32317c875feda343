"""What a noun means at the end of a statement."""

from __future__ import annotations

import pytest

from filtag_kg.concepts.end_senses import LEAST_CONFIDENCE, EndSense, end_sense
from filtag_kg.concepts.wordnet import wordnet

ABOUT = ("bird", "airplane", "dog", "car", "elephant", "tree", "knife", "window", "house", "piano")
NOUNS = [
    "wing",
    "trunk",
    "leg",
    "key",
    "bank",
    "tail",
    "owner",
    "child",
    "dog",
    "glass",
    "iron",
    "idea",
    "kennel",
    "tree",
    "happiness",
    "London",
    "point",
    "cover",
]


def first(word: str) -> str:
    return wordnet().senses(word)[0].concept


def meaning(relation: str, about: str, noun: str) -> str | None:
    """Return the domain of the meaning of a noun; *word* where it is not sure, None where it is refused."""
    sense = end_sense(relation, noun, first(about))
    if sense is None:
        return None
    return wordnet().lexicographer_file(sense.concept) if sense.concept else "word"


@pytest.mark.parametrize(
    ("relation", "about", "noun", "domain"),
    [
        ("HasA", "bird", "wing", "animal"),
        ("HasA", "airplane", "wing", "artifact"),
        ("HasA", "elephant", "trunk", "animal"),
        ("HasA", "car", "trunk", "artifact"),
        ("HasA", "tree", "trunk", "plant"),
        ("HasA", "dog", "leg", "body"),
        ("AtLocation", "dog", "kennel", "artifact"),
        ("MadeOf", "window", "glass", "substance"),
        ("MadeOf", "knife", "iron", "substance"),
    ],
)
def test_the_meaning_fits_what_the_statement_is_about(relation: str, about: str, noun: str, domain: str) -> None:
    assert meaning(relation, about, noun) == domain


def test_one_word_is_two_synsets() -> None:
    bird, aeroplane = (end_sense("HasA", "wing", first(about)) for about in ("bird", "airplane"))
    assert bird is not None
    assert aeroplane is not None
    assert bird.concept != aeroplane.concept
    # WordNet itself says that they are these.
    assert any(edge.start == bird.concept for edge in wordnet().edges(first("bird"), "PartOf", incoming=True))


@pytest.mark.parametrize(
    ("relation", "about", "noun"),
    [
        ("HasA", "dog", "owner"),
        ("HasA", "woman", "child"),
        ("HasA", "dog", "flea"),
        ("HasA", "dog", "idea"),
        ("AtLocation", "dog", "happiness"),
        ("MadeOf", "knife", "dog"),
        ("MadeOf", "window", "idea"),
        # Animals are not made of anything.
        ("MadeOf", "dog", "iron"),
    ],
)
def test_what_a_relation_does_not_lead_to_is_refused(relation: str, about: str, noun: str) -> None:
    assert meaning(relation, about, noun) is None


def test_an_unsure_meaning_stays_a_word() -> None:
    unsure = end_sense("HasA", "wing", None)
    assert unsure is not None
    assert unsure.concept is None
    assert 0 < unsure.confidence < LEAST_CONFIDENCE
    # Clocks and people have different faces.
    assert meaning("HasA", "clock", "face") == "word"


def test_every_answer_is_a_sense_with_enough_confidence_or_a_word_with_less() -> None:
    for relation in ("HasA", "MadeOf", "AtLocation"):
        for about in (None, *map(first, ABOUT)):
            for noun in NOUNS:
                sense = end_sense.__wrapped__(relation, noun, about)
                assert sense == end_sense(relation, noun, about)
                if sense is None:
                    continue
                assert isinstance(sense, EndSense)
                assert 0 < sense.confidence <= 1
                assert (sense.concept is None) == (sense.confidence < LEAST_CONFIDENCE)
                assert sense.concept is None or sense.concept in {each.concept for each in wordnet().senses(noun)}
                living = wordnet().at_or_above(sense.concept) if sense.concept and relation == "HasA" else set()
                assert not {first("organism"), first("people")} & living
