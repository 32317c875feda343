"""Paths of terms, with Oxigraph as the judge of what is an IRI."""

from __future__ import annotations

import unicodedata

import pyoxigraph as ox
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from filtag_kg.concepts.conceptnet.term_paths import (
    encoded_path,
    is_path,
    is_term_path,
    part_of_speech,
    term_of,
    term_path,
    text_of,
)
from filtag_kg.concepts.terms import CONCEPTNET, term_uri

# On both sides of every border of what RFC 3987 allows in a path.
BORDERS = [
    0x9F,
    0xA0,
    0xD7FF,
    0xE000,
    0xF8FF,
    0xF900,
    0xFDCF,
    0xFDD0,
    0xFDEF,
    0xFDF0,
    0xFEFF,
    0xFFEF,
    0xFFF0,
    0xE0FFF,
    0xE1000,
]
BORDERS += [plane * 0x10000 + at for plane in range(1, 17) for at in (0, 0xFFFD, 0xFFFE, 0xFFFF)]
MARKS = [0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(lambda text: text[0] != "/"))
@example("%25")
@example("../..")
@example("".join(map(chr, BORDERS)))
def test_every_term_has_an_iri_that_leads_back(text: str) -> None:
    term = f"/c/en/{text}"
    path = term_path(term)
    assert ox.NamedNode(CONCEPTNET + path).value == CONCEPTNET + path
    assert is_term_path(path)
    assert is_path(path)
    assert term_of(path) == unicodedata.normalize("NFC", term)
    assert not {".", ".."} & set(path.split("/"))
    label = text_of(path)
    assert label == label.strip() != ""
    assert not any(unicodedata.category(c) in ("Cc", "Co", "Zl", "Zp") for c in label)


@pytest.mark.parametrize("code", [*range(0x100), *BORDERS, *MARKS])
def test_a_character_is_encoded_exactly_where_it_has_to_be(code: int) -> None:
    character = chr(code)
    path = encoded_path(f"/{character}x")
    try:
        ox.NamedNode(f"{CONCEPTNET}/{character}x")
        is_allowed = True
    except ValueError:
        is_allowed = False
    needs_encoding = not is_allowed or character in "%?#" or character.isspace() or code in (0xFEFF, *MARKS)
    assert (path != f"/{character}x") == needs_encoding


@pytest.mark.parametrize("word", ["dog", "Golden Retriever", "naïve", "o'clock", "犬", "3.5 inch", "كلب", "हिन्दी"])
def test_words_need_no_encoding(word: str) -> None:
    assert term_path(term_uri(word)) == term_uri(word)


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ("/c/en", "an end is not a term such as /c/en/dog"),
        ("/c/en/", "an end is not a term such as /c/en/dog"),
        ("/c/en//n", "an end is not a term such as /c/en/dog"),
        ("/c/EN/dog", "an end is not a term such as /c/en/dog"),
        ("dog", "an end is not a term such as /c/en/dog"),
        ("http://api.conceptnet.io/c/en/dog", "an end is not a term such as /c/en/dog"),
        ("", "an end is not a term such as /c/en/dog"),
        ("/c/en/" + "x" * 995, "a term has more than 1,000 characters"),
        ("/c/en/\ud83d", "a term is not Unicode"),
    ],
)
def test_what_is_not_a_term(term: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        term_path(term)
    assert not is_term_path(term)


@pytest.mark.parametrize(
    "path", ["/c/en/a b", "/c/en/..", "/c/en/%64og", "/c/en/%5c", "/c/en/%", "/c/en/%ff", "/c/en/cafe\u0301", 3]
)
def test_other_spellings_of_an_iri_are_not_its_path(path: object) -> None:
    assert not is_term_path(path)


def test_labels_and_parts_of_speech() -> None:
    assert text_of(term_path("/c/en/dog[1]_<b>/n")) == "dog[1] <b>"
    assert text_of(term_path("/c/en/\x1b[31mred\x00\tand\u202eblue")) == "\ufffd[31mred\ufffd and\ufffdblue"
    assert text_of(term_path("/c/en/_\x00\n")) == "\ufffd"
    assert text_of(term_path("/c/en/\n")) == "%0A"
    assert part_of_speech(term_path("/c/en/a|b/n/wn")) == "n"
