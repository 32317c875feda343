from __future__ import annotations

import random
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from filtag_kg.concepts import Concept, Edge
from filtag_kg.concepts.conceptnet import ConceptNetIndex
from filtag_kg.errors import FiltagError

BASE = "http://api.conceptnet.io/c/en/"


def test_concepts_are_terms(index: ConceptNetIndex) -> None:
    iri = f"{BASE}hound/n/wn/animal"
    assert index.concept(iri) == Concept(iri, "hound", (), ("/c/en/hound/n/wn/animal",), "conceptnet-dump")
    assert index.concept(f"{BASE}loyal_friend").label == "loyal friend"
    for unknown in (f"{BASE}unicorn", "http://elsewhere/c/en/dog", "dog"):
        with pytest.raises(KeyError):
            index.concept(unknown)
    assert index.of_class("/c/en/dog") == index.of_class(f"{BASE}dog") == f"{BASE}dog"
    assert index.of_class("dog") is index.of_class("/c/en/unicorn") is None
    assert index.version.startswith("5.7.0 (SHA-256 ")


def test_senses_are_nouns_of_the_word_alone(index: ConceptNetIndex) -> None:
    assert [(sense.concept, sense.count) for sense in index.senses("Dog")] == [
        (f"{BASE}dog", 8),
        (f"{BASE}dog/n", 1),
        (f"{BASE}dog/n/wn/animal", 1),
    ]
    assert [sense.concept for sense in index.senses("loyal_friend")] == [f"{BASE}loyal_friend"]
    assert index.senses("do") == index.senses("unicorn") == ()


def test_edges_have_weight_data_set_and_licence(index: ConceptNetIndex) -> None:
    by = "https://creativecommons.org/licenses/by/4.0/"
    by_sa = "https://creativecommons.org/licenses/by-sa/4.0/"
    dog = f"{BASE}dog"
    assert list(index.edges(dog, "IsA")) == [
        Edge("IsA", dog, f"{BASE}animal", 6.5, "conceptnet-dump", "/d/conceptnet/4/en", by),
        Edge("IsA", dog, f"{BASE}animal", 1.0, "conceptnet-dump", "/d/verbosity", by_sa),
        Edge("IsA", dog, f"{BASE}loyal_friend", 1.0, "conceptnet-dump", "/d/verbosity", by_sa),
    ]
    assert [edge.start for edge in index.edges(dog, "IsA", incoming=True)] == [f"{BASE}puppy"]
    assert list(index.edges(dog, "PartOf")) == []


def test_sizes_count_what_lies_below(index: ConceptNetIndex) -> None:
    assert index.size(f"{BASE}puppy") == 1
    assert index.size(f"{BASE}dog") == 2
    assert 2 <= index.size(f"{BASE}animal") <= 5
    with pytest.raises(KeyError):
        index.size(f"{BASE}unicorn")


def test_hostile_words_find_nothing(index: ConceptNetIndex) -> None:
    for word in ("' OR 1=1 --", "%", "", "/", "dog/v", "\x00"):
        index.senses(word)
        assert index.of_class(f"/c/en/{word}") is None


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE node SET size = 0", "it holds '0' where something else belongs"),
        ("UPDATE node SET size = 'many'", "it holds 'many' where something else belongs"),
        ("UPDATE edge SET weight = 9e999", "it holds 'inf' where something else belongs"),
        ("UPDATE edge SET weight = -1", "it holds '-1.0' where something else belongs"),
        ("UPDATE OR IGNORE node SET path = '/c/en' WHERE path = '/c/en/animal'", "it holds '/c/en' where something"),
        (
            "UPDATE node SET path = x'2f63' WHERE path = '/c/en/animal'",
            "it holds \"b'/c'\" where something",
        ),
        ("UPDATE dataset SET licence = 3 WHERE 0; DROP TABLE dataset", "no such table: dataset"),
    ],
)
def test_a_damaged_index_is_one_line(index: ConceptNetIndex, tmp_path: Path, change: str, what: str) -> None:
    copy = tmp_path / "index.sqlite"
    with closing(sqlite3.connect(copy)) as database:
        index._database.backup(database)
        database.executescript(change)
    with pytest.raises(FiltagError) as error:
        ask_everything(ConceptNetIndex(copy))
    said = str(error.value)
    assert said.startswith(f"the index of ConceptNet {copy} is damaged ({what}")
    assert said.endswith("): index the dump again")
    assert "\n" not in said


def ask_everything(index: ConceptNetIndex) -> None:
    for sense in index.senses("dog"):
        index.size(sense.concept)
        for edge in (*index.edges(sense.concept, "IsA"), *index.edges(sense.concept, "IsA", incoming=True)):
            index.size(edge.end)


def test_flipped_bits_are_one_line_or_harmless(index: ConceptNetIndex, tmp_path: Path) -> None:
    copy = tmp_path / "index.sqlite"
    with closing(sqlite3.connect(copy)) as database:
        index._database.backup(database)
    content = copy.read_bytes()
    rng = random.Random(0)
    for _ in range(100):
        changed = bytearray(content)
        for _ in range(4):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        copy.write_bytes(changed)
        with suppress(FiltagError):
            ask_everything(ConceptNetIndex(copy))
