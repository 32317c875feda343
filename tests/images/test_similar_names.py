from __future__ import annotations

import unicodedata

import pytest

from filtag_kg.images import plain_name, similar_names, with_similar_names


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Tabby", ["tabby"]),
        ("egyptian-cat", ["Egyptian_cat"]),
        ("Egyptian cat", ["Egyptian_cat"]),
        (unicodedata.normalize("NFD", "Bär"), ["Bär"]),
        ("ta bby", ["tabby"]),
        ("tabi", ["tabby"]),
        ("n02123045", ["tabby"]),
        ("zebra", []),
    ],
)
def test_what_is_spelled_otherwise_is_near(name: str, near: list[str]) -> None:
    assert similar_names(name, ["tabby", "Egyptian_cat", "Bär"], {"n02123045": "tabby"}) == near


def test_a_label_is_near_to_its_id() -> None:
    labels = {"n02123045": "tabby", "n02123159": "tiger cat", "n02124075": "Egyptian cat"}
    assert similar_names("egyptian_cat", labels, labels) == ["n02124075"]
    assert similar_names("tigercat", labels, labels)[0] == "n02123159"


def test_what_is_equal_but_for_case_comes_alone_and_at_most_three_come() -> None:
    assert similar_names("CAT", ["cat", "cats", "bat"]) == ["cat"]
    assert len(similar_names("cat", ["cats", "cata", "catt", "bat", "oat"])) == 3


def test_messages_name_five_and_count_the_rest() -> None:
    assert with_similar_names(list("abcdefg"), ["A", "x"]) == "a (did you mean A?), b, c, d, e and 2 more"
    assert with_similar_names(["cas"], ["cat", "car"]) == "cas (did you mean cat or car?)"


def test_names_without_letters_are_names() -> None:
    assert plain_name("__") == ""
    assert similar_names("--", ["__"]) == ["__"]
