"""Plain sentences, one for each thing that is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.kg import KgRun
from filtag_kg.views import Step, clear_filters, probability_text, rule_sentence, share_sentence, sureness, why_text


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("k=1", "Each class marks its single most active filter in every layer."),
        ("k=1:contrast", "Each class marks its single most distinctive filter in every layer."),
        ("k=5:contrast", "Each class marks its 5 most distinctive filters in every layer."),
        ("k=2000", "Each class marks its 2,000 most active filters in every layer."),
        ("q=0.05", "Each class marks its most active 5 % of the filters in every layer."),
        ("q=0.005:contrast", "Each class marks its most distinctive 0.5 % of the filters in every layer."),
        ("my own labels", "Labels of filters, called my own labels."),
    ],
)
def test_a_rule_is_told_in_a_sentence(rule: str, sentence: str) -> None:
    assert rule_sentence(rule) == sentence
    assert rule_sentence(KgRun("0123456789abcdef", rule, "net", "", None, "wordnet")) == sentence


def test_labels_of_another_method_are_its_own_words_whatever_they_are_called() -> None:
    run = KgRun("0123456789abcdef", "k=1", "net", "", None, "wordnet", method="MILAN")
    assert rule_sentence(run) == "MILAN says what each filter responds to."


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from([0.001, 0.01, 0.05, 0.1]))
def test_a_smaller_probability_is_never_said_to_be_less_sure(a: float, b: float, level: float) -> None:
    words = ["very unlikely to be chance", "unlikely to be chance", "may well be chance"]
    lower, higher = sorted((a, b))
    assert words.index(sureness(lower, level)) <= words.index(sureness(higher, level))
    assert (sureness(a, level) == words[2]) == (a >= level)


def test_numbers_agree_with_their_nouns() -> None:
    assert clear_filters(1, 12_048) == "1 filter clearly responds to one kind of thing"
    assert clear_filters(2_205, 12_048) == "2,205 filters clearly respond to one kind of thing"
    assert clear_filters(0, 12_048) == "none of the 12,048 filters clearly responds to one kind of thing"
    assert share_sentence(2, 3, "its classes", "are") == "2 of its 3 classes are"
    pictures = "the pictures that activate it most"
    assert share_sentence(9, 9, pictures, "show") == "all of the 9 pictures that activate it most show"


def test_a_reason_is_the_way_up() -> None:
    way = [Step(f"http://example.org/{name}", name) for name in ("convertible", "car", "motor vehicle")]
    assert why_text(way) == "Why: convertible → car → motor vehicle"


def test_small_probabilities_have_no_row_of_zeros() -> None:
    assert [probability_text(p) for p in (0.5, 0.0123, 0.0006, 1e-12)] == ["0.5", "0.012", "6e-4", "1e-12"]
