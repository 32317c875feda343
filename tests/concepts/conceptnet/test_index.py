from __future__ import annotations

import pytest

from filtag_kg.concepts import Concept, Edge
from filtag_kg.concepts.conceptnet import ConceptNetIndex

BASE = "http://api.conceptnet.io/c/en/"


def test_concepts_are_terms(index: ConceptNetIndex) -> None:
    iri = f"{BASE}hound/n/wn/animal"
    assert index.concept(iri) == Concept(iri, "hound", (), ("/c/en/hound/n/wn/animal",), "conceptnet")
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
        (f"{BASE}dog/n/wn/animal", 1),
    ]
    assert [sense.concept for sense in index.senses("loyal_friend")] == [f"{BASE}loyal_friend"]
    assert index.senses("do") == index.senses("unicorn") == ()


def test_edges_have_weight_data_set_and_licence(index: ConceptNetIndex) -> None:
    by = "https://creativecommons.org/licenses/by/4.0/"
    by_sa = "https://creativecommons.org/licenses/by-sa/4.0/"
    dog = f"{BASE}dog"
    assert list(index.edges(dog, "IsA")) == [
        Edge("IsA", dog, f"{BASE}animal", 6.5, "conceptnet", "/d/conceptnet/4/en", by),
        Edge("IsA", dog, f"{BASE}animal", 1.0, "conceptnet", "/d/verbosity", by_sa),
        Edge("IsA", dog, f"{BASE}loyal_friend", 1.0, "conceptnet", "/d/verbosity", by_sa),
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
    for word in ("' OR 1=1 --", "%", "", "/", "dog/n", "\x00"):
        index.senses(word)
        assert index.of_class(f"/c/en/{word}") is None
