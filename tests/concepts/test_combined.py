from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filtag_kg.concepts import concept_source, wordnet
from filtag_kg.concepts.combined import CombinedSource
from filtag_kg.concepts.conceptnet import ConceptNetIndex, import_dump
from filtag_kg.errors import FiltagError
from tests.concepts.conceptnet.conftest import SAID, line

if TYPE_CHECKING:
    from pathlib import Path

WN = "http://wordnet-rdf.princeton.edu/pwn30/"
CN = "http://api.conceptnet.io/c/en/"
DOG, ANIMAL, TAIL, KENNEL = (f"{WN}{offset}-n" for offset in ("02084071", "00015388", "02157557", "03610524"))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> ConceptNetIndex:
    folder: Path = tmp_path_factory.mktemp("conceptnet")
    dump = folder / "conceptnet-assertions-5.7.0.csv"
    dump.write_text("".join(line(*said) for said in SAID), encoding="utf-8")
    import_dump(dump, folder / "index.sqlite")
    return ConceptNetIndex(folder / "index.sqlite")


@pytest.fixture(scope="module")
def combined(index: ConceptNetIndex) -> CombinedSource:
    return CombinedSource([wordnet(), index])


def test_what_another_source_says_is_said_of_the_first_ones_concepts(combined: CombinedSource) -> None:
    said = [(edge.end, edge.source, edge.weight) for edge in combined.edges(DOG, "IsA")]
    by_wordnet = [(edge.end, "wordnet", 2.0) for edge in wordnet().edges(DOG, "IsA")]
    assert said[: len(by_wordnet)] == by_wordnet
    # /c/en/dog is dog's first sense; of the ends, "animal" is WordNet's, "loyal friend" nobody's but ConceptNet's.
    assert said[len(by_wordnet) :] == [
        (ANIMAL, "conceptnet", 6.5),
        (ANIMAL, "conceptnet", 1.0),
        (f"{CN}loyal_friend", "conceptnet", 1.0),
    ]
    assert [edge.end for edge in combined.edges(DOG, "AtLocation")] == [KENNEL]
    assert TAIL in {edge.end for edge in combined.edges(DOG, "HasA")}


def test_uses_and_properties_are_no_things(combined: CombinedSource) -> None:
    assert [edge.end for edge in combined.edges(DOG, "HasProperty")] == [f"{CN}cold"]
    assert [edge.end for edge in combined.edges(DOG, "UsedFor")] == [f"{CN}guarding_house"]


def test_a_term_of_a_sense_is_that_sense(combined: CombinedSource) -> None:
    (hound,) = (
        sense.concept for sense in combined.senses("hound") if "n/wn/animal" in str(combined.concept(sense.concept))
    )
    assert ("conceptnet", DOG) not in {(edge.source, edge.end) for edge in combined.edges(hound, "HasA")}
    assert (DOG, "conceptnet") in {(edge.end, edge.source) for edge in combined.edges(hound, "IsA")}
    # The frankfurter is a dog, too, but not the first one.
    frank = next(s.concept for s in combined.senses("dog") if combined.concept(s.concept).label == "frank")
    assert {edge.source for relation in ("IsA", "HasA") for edge in combined.edges(frank, relation)} == {"wordnet"}


def test_edges_that_come_in(combined: CombinedSource) -> None:
    below = {(edge.start, edge.source) for edge in combined.edges(DOG, "IsA", incoming=True)}
    puppy = wordnet().senses("puppy")[0].concept
    assert (puppy, "wordnet") in below
    assert (puppy, "conceptnet") in below
    assert all(edge.end == DOG for edge in combined.edges(DOG, "IsA", incoming=True))


def test_the_first_source_decides_what_concepts_are(combined: CombinedSource, index: ConceptNetIndex) -> None:
    assert combined.senses("dog") == wordnet().senses("dog")
    assert combined.of_class("n02084071") == combined.of_class("/c/en/dog") == DOG
    assert combined.concept(f"{CN}loyal_friend").source == "conceptnet"
    assert combined.size(DOG) == wordnet().size(DOG)
    assert [member.name for member in combined.members] == ["wordnet", "conceptnet"]
    other = CombinedSource([index, wordnet()])
    assert other.of_class("n02084071") == f"{CN}dog"
    assert other.senses("dog") == index.senses("dog")
    assert (f"{CN}animal", "conceptnet") in {(edge.end, edge.source) for edge in other.edges(f"{CN}dog", "IsA")}
    assert "wordnet" in {edge.source for edge in other.edges(f"{CN}dog", "IsA")}
    with pytest.raises(KeyError):
        combined.concept("http://example.org/nothing")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("dbpedia", r"no concept source 'dbpedia': choose wordnet, conceptnet\[:INDEX\] or conceptnet-api\[:URL\]"),
        ("wordnet:3.1", "no concept source 'wordnet:3.1'"),
        ("wordnet,wordnet", "concept source wordnet is named twice: name each once"),
        ("wordnet,", "no concept source ''"),
        ("conceptnet:nowhere.sqlite", "no index of ConceptNet at nowhere.sqlite"),
    ],
)
def test_wrong_names(names: str, message: str) -> None:
    with pytest.raises(FiltagError, match=message):
        concept_source(names)
