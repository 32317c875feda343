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
DOG = f"{WN}02084071-n"
RELATIONS_OF_DOG = ("IsA", "HasA", "AtLocation", "HasProperty", "UsedFor", "CapableOf")


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


def test_edges_are_those_of_the_concepts_own_source(combined: CombinedSource, index: ConceptNetIndex) -> None:
    for relation in RELATIONS_OF_DOG:
        for incoming in (False, True):
            edges = list(combined.edges(DOG, relation, incoming=incoming))
            assert edges == list(wordnet().edges(DOG, relation, incoming=incoming))
            if relation != "IsA" or incoming:
                edges = list(combined.edges(f"{CN}dog", relation, incoming=incoming))
                assert edges == list(index.edges(f"{CN}dog", relation, incoming=incoming))


def test_a_class_that_wordnet_lacks_hangs_below_synsets(combined: CombinedSource, index: ConceptNetIndex) -> None:
    # Of animal and loyal friend, WordNet knows the animal.
    (*edges,) = combined.edges(f"{CN}dog", "IsA")
    assert {edge.start for edge in edges} == {f"{CN}dog"}
    assert [(edge.end, edge.weight, edge.dataset, edge.source) for edge in edges] == [
        (wordnet().senses("animal")[0].concept, edge.weight, edge.dataset, index.name)
        for edge in index.edges(f"{CN}dog", "IsA")
        if edge.end == f"{CN}animal"
    ]
    assert len(edges) == 2


def test_wordnet_comes_first_wherever_it_is_named(combined: CombinedSource, index: ConceptNetIndex) -> None:
    other = CombinedSource([index, wordnet()])
    for source in (combined, other):
        assert [member.name for member in source.members] == ["wordnet", "conceptnet-dump"]
        assert source.name == "wordnet,conceptnet-dump"
        assert source.version == f"wordnet {wordnet().version}, conceptnet-dump {index.version}"
        assert source.licence == wordnet().licence
        assert source.climbs
        assert source.of_class("n02084071") == source.of_class("/c/en/dog") == source.of_class(f"{CN}dog") == DOG
        assert source.senses("dog") == wordnet().senses("dog")
        assert source.size(DOG) == wordnet().size(DOG)


def test_a_term_that_wordnet_knows_is_its_synset(combined: CombinedSource) -> None:
    hound = combined.of_class("/c/en/hound/n/wn/animal")
    assert hound is not None
    assert "/c/en/hound/n/wn/animal" in wordnet().concept(hound).terms
    # The verb is no noun of WordNet.
    assert combined.of_class("/c/en/dog/n") == DOG
    assert combined.of_class("/c/en/dog/v/wn/motion") == f"{CN}dog/v/wn/motion"
    assert combined.of_class("/c/en/unheard_of") is None


def test_sources_of_words_keep_their_order_and_do_not_climb(index: ConceptNetIndex) -> None:
    excerpt = concept_source("conceptnet")
    source = CombinedSource([index, excerpt])
    assert [member.name for member in source.members] == ["conceptnet-dump", "conceptnet"]
    assert not source.climbs


def test_what_only_another_source_knows(combined: CombinedSource, index: ConceptNetIndex) -> None:
    assert combined.senses("loyal friend") == index.senses("loyal friend") != ()
    assert combined.of_class("/c/en/loyal_friend") == f"{CN}loyal_friend"
    assert combined.concept(f"{CN}loyal_friend").source == "conceptnet-dump"
    assert combined.size(f"{CN}animal") == index.size(f"{CN}animal")
    for ask in (combined.concept, combined.size):
        with pytest.raises(KeyError):
            ask("http://example.org/nothing")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            "dbpedia",
            r"no concept source 'dbpedia': choose wordnet, conceptnet, conceptnet-dump\[:INDEX\] or "
            r"conceptnet-api\[:URL\]",
        ),
        ("wordnet:3.1", "no concept source 'wordnet:3.1'"),
        ("conceptnet:index.sqlite", "no concept source 'conceptnet:index.sqlite'"),
        ("wordnet,wordnet", "concept source wordnet is named twice: name each once"),
        ("wordnet,", "no concept source ''"),
        ("conceptnet-dump:nowhere.sqlite", "no index of ConceptNet at nowhere.sqlite"),
    ],
)
def test_wrong_names(names: str, message: str) -> None:
    with pytest.raises(FiltagError, match=message):
        concept_source(names)


def test_by_default_wordnet_and_the_excerpt() -> None:
    assert [member.name for member in concept_source().members] == ["wordnet", "conceptnet"]
