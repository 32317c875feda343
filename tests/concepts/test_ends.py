"""What people wrote, as it is read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filtag_kg.concepts.ends import NOUN_RELATIONS, End, Refusal, read_end
from filtag_kg.concepts.source import FEATURES
from filtag_kg.concepts.wordnet import wordnet

PARTS = dict.fromkeys(FEATURES, "v") | dict.fromkeys(NOUN_RELATIONS, "n") | {"HasProperty": "a"}


@pytest.mark.parametrize(
    ("relation", "text", "base", "as_text"),
    [
        ("HasA", "two_wings", "wing", "wing"),
        ("HasA", "a long neck", "neck", "neck"),
        ("HasA", "four legs", "leg", "leg"),
        ("HasA", "FEATHERS", "feather", "feather"),
        ("HasA", "steering_wheel", "steering wheel", "steering wheel"),
        ("AtLocation", "in the sky", "sky", "sky"),
        ("AtLocation", "at the zoo", "zoo", "zoo"),
        ("AtLocation", "parking_lot", "parking lot", "parking lot"),
        ("MadeOf", "metals", "metal", "metal"),
        ("UsedFor", "catching mice", "catch mouse", "catch mice"),
        ("UsedFor", "to cut", "cut", "cut"),
        ("UsedFor", "cutting", "cut", "cut"),
        ("UsedFor", "sitting on", "sit", "sit"),
        ("UsedFor", "play the music", "play music", "play music"),
        ("UsedFor", "sawing", "saw", "saw"),
        ("CapableOf", "bark", "bark", "bark"),
        ("CapableOf", "can_fly", "fly", "fly"),
        ("CapableOf", "climb trees", "climb tree", "climb trees"),
        ("HasProperty", "very big", "big", "big"),
        ("HasProperty", "is heavy", "heavy", "heavy"),
        ("HasProperty", "red", "red", "red"),
    ],
)
def test_what_ends_are_read_as(relation: str, text: str, base: str, as_text: str) -> None:
    assert read_end(relation, text) == End(base, as_text, PARTS[relation])


@pytest.mark.parametrize(
    ("relation", "text", "reason"),
    [
        ("HasA", "eyes that see in the dark", Refusal.PHRASE),
        ("HasA", "no wings", Refusal.PHRASE),
        ("HasA", "", Refusal.PHRASE),
        ("HasA", "the", Refusal.PHRASE),
        ("UsedFor", "drive to work", Refusal.PHRASE),
        ("UsedFor", "_", Refusal.PHRASE),
        ("CapableOf", "not fly", Refusal.PHRASE),
        ("CapableOf", "cannot swim", Refusal.PHRASE),
        ("HasProperty", "bigger than a house", Refusal.PHRASE),
        ("HasProperty", "not blue", Refusal.PHRASE),
        ("HasA", "London", Refusal.TYPE),
        ("HasA", "beautiful", Refusal.TYPE),
        ("AtLocation", "France", Refusal.TYPE),
        # A public place is not any place.
        ("AtLocation", "public place", Refusal.TYPE),
        ("UsedFor", "dog", Refusal.TYPE),
        ("CapableOf", "table", Refusal.TYPE),
        ("CapableOf", "glasses", Refusal.TYPE),
        ("HasProperty", "dog", Refusal.TYPE),
        ("HasProperty", "running quickly", Refusal.TYPE),
        ("HasProperty", "out of cage", Refusal.PHRASE),
        ("HasA", "parts", Refusal.EVERYTHING),
        ("MadeOf", "stuff", Refusal.EVERYTHING),
        ("AtLocation", "at home", Refusal.EVERYTHING),
        ("UsedFor", "having fun", Refusal.EVERYTHING),
        ("UsedFor", "to be used", Refusal.PHRASE),
        ("CapableOf", "live", Refusal.EVERYTHING),
        ("HasProperty", "very good", Refusal.EVERYTHING),
    ],
)
def test_what_is_refused_and_why(relation: str, text: str, reason: Refusal) -> None:
    assert read_end(relation, text) == reason


# Words of all parts of speech and of none, with what people put around them.
words = st.sampled_from(
    [
        "wing",
        "wings",
        "dog",
        "dogs",
        "mice",
        "mouse",
        "catching",
        "catch",
        "catches",
        "saw",
        "see",
        "sees",
        "big",
        "bigger",
        "red",
        "running",
        "run",
        "house",
        "in",
        "the",
        "a",
        "two",
        "of",
        "very",
        "not",
        "can",
        "to",
        "be",
        "used",
        "fun",
        "good",
        "bark",
        "fly",
        "London",
        "New",
        "York",
        "over",
        "'",
        "-",
        "don't",
        "leaves",
        "left",
        "better",
        "lying",
        "flies",
        "glasses",
        "men",
        "teeth",
        "fishing",
        "fish",
        "fuel",
        "barks",
        "3",
        "3.5",
        "café",
        "naïve",
    ]
)
phrases = st.one_of(st.lists(words, max_size=5).map(" ".join), st.lists(words, max_size=5).map("_".join), st.text())


@settings(max_examples=1000)
@given(st.sampled_from(FEATURES), phrases)
def test_any_text_is_read_or_refused(relation: str, text: str) -> None:
    read = read_end.__wrapped__(relation, text)
    assert read_end.__wrapped__(relation, text) == read
    assert read_end.__wrapped__(relation, f"  {text.upper().lower()} ") == read_end.__wrapped__(relation, text.upper())
    if isinstance(read, Refusal):
        return
    assert read.part == PARTS[relation]
    assert 1 <= len(read.base.split()) <= 2
    assert len(read.text.split()) == len(read.base.split())
    if relation in NOUN_RELATIONS:
        assert wordnet().senses(read.base)
    # What is in base forms stays as it is, and so does what is shown. What ends in -ing is a verb, its base may not be.
    for again in (read.base, read.text):
        reread = read_end(relation, again)
        if isinstance(reread, Refusal):
            assert relation in ("UsedFor", "CapableOf")
            assert reread == Refusal.TYPE
            assert "ing" in text.lower()
        else:
            assert reread.base == read.base
