"""JSON from outside: what is refused, and how a value that does not fit is told."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.json_values import mismatch, named, parse_json, whole_number

SHAPE = {
    "name": named,
    "sizes": [whole_number(1)],
    "pair?": (str, float),
    "hashes?": {str: str},
    "deep?": {"flag": bool},
}
GOOD = {"name": "a", "sizes": [1, 2], "pair": ["x", 1], "hashes": {"b": "c"}, "deep": {"flag": True}, "more": None}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("NaN", "NaN is not JSON"),
        ('{"a": -Infinity}', "-Infinity is not JSON"),
        ("[1e999]", "1e999 is too large"),
        ("[" * 100_000, "it is nested too deeply"),
        ("[" * 150 + "]" * 150, "it is nested too deeply"),
        ('"\\ud800"', "it holds half a character"),
    ],
)
def test_what_is_no_json_is_a_value_error(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        parse_json(text)


def test_half_characters_may_be_asked_for() -> None:
    assert parse_json('"\\udcff"', surrogates=True) == "\udcff"


@given(st.text() | st.binary())
def test_nothing_else_is_raised(text: str | bytes) -> None:
    with contextlib.suppress(ValueError):
        parse_json(text)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({}, None),
        ({"name": ""}, "name is not a name"),
        ({"name": 1}, "name is not a name"),
        ({"sizes": {}}, "sizes is not a list"),
        ({"sizes": [1, 0]}, "sizes[1] is not a whole number from 1"),
        ({"sizes": [True]}, "sizes[0] is not a whole number from 1"),
        ({"sizes": [10**400]}, "sizes[0] is not a whole number from 1"),
        ({"pair": ["x"]}, "pair is not a list of 2"),
        ({"pair": ["x", "y"]}, "pair[1] is not a number"),
        ({"hashes": {"b": 1}}, "hashes.b is not text"),
        ({"deep": {}}, "deep.flag is missing"),
        ({"deep": {"flag": 1}}, "deep.flag is not true or false"),
        ({"deep": []}, "deep is not an object"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(change: dict[str, Any], what: str | None) -> None:
    assert mismatch({**GOOD, **change}, SHAPE) == what


def test_the_whole_may_not_fit() -> None:
    assert mismatch([], SHAPE) == "it is not an object"
    assert mismatch({}, SHAPE) == "name is missing"
