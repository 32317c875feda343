"""How well a sense fits what a label says beside the word."""

from __future__ import annotations

from math import log

import pytest

from filtag_kg.concepts import Concept, Sense, wordnet
from filtag_kg.concepts.hints import Hints
from tests.concepts.conftest import SmallSource


def closeness(word: str, *hints: str) -> dict[str, float]:
    """Return how close each sense of a word is to hints, by what it is a kind of."""
    compared = Hints(wordnet(), len(wordnet()))
    return {
        wordnet().concept(next(wordnet().edges(sense.concept, "IsA")).end).label: compared.closeness(sense, hints)
        for sense in wordnet().senses(word)
    }


@pytest.mark.parametrize(
    ("word", "hint", "above"),
    [
        ("salmon", "food", "fish"),  # the category of the ConceptNet term
        ("ram", "animal", "sheep"),
        ("cab", "taxi", "car"),  # another name of it
        ("pitcher", "vessel for liquid", "vessel"),
        ("cup", "trophies", "trophy"),
        ("router", "computer equipment", "device"),  # a word of the category *computer science*
        ("hand", "human", "extremity"),  # what it is a part of
    ],
)
def test_a_hint_that_names_what_a_sense_is(word: str, hint: str, above: str) -> None:
    found = closeness(word, hint)
    assert found[above] == 1
    assert sum(close == 1 for close in found.values()) < len(found)


def test_a_related_hint_is_worth_less_and_none_nothing() -> None:
    mouse = closeness("mouse", "keyboard")
    assert 0.1 < mouse["electronic device"] < 0.5
    assert mouse["rodent"] == 0
    assert set(closeness("mouse").values()) == {0}
    assert set(closeness("mouse", "no such wurd", "", "mouse", "a").values()) == {0}


def test_a_negated_hint_speaks_against_what_it_names() -> None:
    pin = closeness("pin", "non jewelry")
    assert pin["jewelry"] == -1
    assert all(close > -1 for above, close in pin.items() if above != "jewelry")


def test_of_several_hints_the_closest_counts() -> None:
    assert closeness("crane", "machine", "bird")["wading bird"] == 1


class Words(SmallSource):
    """The small source, in which some words are known."""

    def senses(self, term: str) -> tuple[Sense, ...]:
        return (Sense(term, term, 0),) if term in ("dog", "vehicle", "cat") else ()

    def concept(self, concept_id: str) -> Concept:
        return Concept(concept_id, concept_id, (), (), "small")


def test_any_source_will_do() -> None:
    hints = Hints(Words(), 100)
    assert hints.closeness(Sense("beagle", "beagle", 0), ("dog",)) == 1
    size = Words().size
    for other, common in (("cat", "animal"), ("vehicle", "thing")):
        ends = log(100 / size("beagle")) + log(100 / size(other))
        assert hints.closeness(Sense("beagle", "beagle", 0), (other,)) == pytest.approx(log(100 / size(common)) / ends)
    assert Hints(Words(), 13).closeness(Sense("beagle", "beagle", 0), ("vehicle",)) == 0, "things are everything"
