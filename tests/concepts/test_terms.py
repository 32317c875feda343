"""ConceptNet's terms, by its own examples and by its own reference build."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from filtag_kg.concepts import noun_term, standard_text, term_uri, wordnet

REFERENCE = Path(__file__).parents[3] / "shared" / "data" / "conceptnet" / "assertions-reference.csv"


@pytest.mark.parametrize(
    ("text", "standard"),
    [
        # the examples in the docstrings of conceptnet5/nodes.py
        (" cat", "cat"),
        ("Italian supercat", "italian_supercat"),
        ("Test?!", "test"),
        ("TEST.", "test"),
        ("test/test", "test_test"),
        ("   u\N{COMBINING DIAERESIS}ber\n", "über"),
        ("embedded\ttab", "embedded_tab"),
        ("_", ""),
        (",", ""),
        ("this is a test", "this_is_test"),
        # and the corners of ImageNet's labels
        ("hen-of-the-woods", "hen_of_woods"),
        ("ice__cream", "ice_cream"),
        ("jack-o'-lantern", "jack_o_lantern"),
        ("carpenter's kit", "carpenter's_kit"),
        ("Wilms' tumor", "wilms_tumor"),
        ("L'Enfant", "l_enfant"),
        ("U.S. House", "u.s_house"),
        ("4.5 m", "4.5_m"),
        ("to the dog", "dog"),
        ("the", "the"),
        ("", ""),
    ],
)
def test_standard_text(text: str, standard: str) -> None:
    assert standard_text(text) == standard
    assert standard_text(standard) == standard


def test_terms_of_senses() -> None:
    assert term_uri("ice cream") == "/c/en/ice_cream"
    assert term_uri("Hund", language="de") == "/c/de/hund"
    assert noun_term("Canis_familiaris", "animal") == "/c/en/canis_familiaris/n/wn/animal"
    assert noun_term("atom", "natural science") == "/c/en/atom/n/wn/natural_science"
    assert noun_term("entity", "Tops") == "/c/en/entity/n/wn"


def test_conceptnets_own_noun_terms_are_ours() -> None:
    if not REFERENCE.exists():
        pytest.skip("needs ConceptNet's reference build in ../shared")
    with REFERENCE.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        theirs = {term for row in rows for term in row[2:4] if term.startswith("/c/en/") and "/n/wn" in term}
    source = wordnet()
    # The reference build's own input leaves out the lexicographer file of this one word.
    theirs = {term + "/act" if term == "/c/en/assay/n/wn" else term for term in theirs}
    assert len(theirs) == 4
    for term in theirs:
        word = term.split("/")[3]
        assert any(term in source.concept(sense.concept).terms for sense in source.senses(word))
