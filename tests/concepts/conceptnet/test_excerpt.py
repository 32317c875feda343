"""The embedded excerpt of ConceptNet, and the script that makes it."""

from __future__ import annotations

import gzip
import lzma
import runpy
import tomllib
from importlib import resources
from itertools import islice
from pathlib import Path

import pytest

from filtag_kg.concepts import Concept, Edge, Sense, concept_source
from filtag_kg.concepts.conceptnet.excerpt import DATASETS, ConceptNetExcerpt, conceptnet_excerpt
from filtag_kg.concepts.source import FEATURES, RELATIONS
from filtag_kg.concepts.terms import CONCEPTNET, standard_text

REPOSITORY = Path(__file__).parents[3]
MOST_BYTES = 1_500_000
C = f"{CONCEPTNET}/c/en/"
LINES = ["dog\tHasA\ttail:ac", "dog\tIsA\tanimal:c pet:ab", "guide_dog\tIsA\tdog:a", "tail\tPartOf\tdog:b"]


@pytest.fixture
def small() -> ConceptNetExcerpt:
    return ConceptNetExcerpt(LINES, "1")


def test_what_a_source_answers(small: ConceptNetExcerpt) -> None:
    assert (small.name, small.version, small.climbs, small.members) == ("conceptnet", "1", False, (small,))
    guide_dog = Concept(f"{C}guide_dog", "guide dog", (), ("/c/en/guide_dog",), "conceptnet")
    assert small.concept(f"{C}guide_dog") == guide_dog
    assert small.of_class("/c/en/guide_dog") == small.of_class(f"{C}guide_dog") == guide_dog.id
    assert small.senses(" Guide-Dog ") == (Sense(guide_dog.id, "guide dog", 1),)
    assert [sense.count for sense in small.senses("dog")] == [5]
    assert (small.size(f"{C}dog"), small.size(f"{C}animal"), small.size(f"{C}tail")) == (2, 2, 1)
    # Words that statements only lead to are concepts, too.
    assert small.concept(f"{C}pet").label == "pet"


def test_edges_are_sorted_and_one_for_each_data_set(small: ConceptNetExcerpt) -> None:
    def edge(relation: str, start: str, end: str, letter: str) -> Edge:
        return Edge(relation, C + start, C + end, 1.0, "conceptnet", DATASETS[letter], small.licence)

    assert list(small.edges(f"{C}dog", "IsA")) == [
        edge("IsA", "dog", "animal", "c"),
        edge("IsA", "dog", "pet", "a"),
        edge("IsA", "dog", "pet", "b"),
    ]
    assert list(small.edges(f"{C}dog", "IsA", incoming=True)) == [edge("IsA", "guide_dog", "dog", "a")]
    assert list(small.edges(f"{C}dog", "PartOf", incoming=True)) == [edge("PartOf", "tail", "dog", "b")]
    assert list(small.edges(f"{C}dog", "HasA", incoming=True)) == []
    assert "by-sa/4.0" in small.licence


def test_what_it_does_not_have(small: ConceptNetExcerpt) -> None:
    for iri in (f"{C}unicorn", C, "http://elsewhere/c/en/dog", "dog", "", f"{CONCEPTNET}/c/de/dog", f"{C}dog/n"):
        for ask in (small.concept, small.size):
            with pytest.raises(KeyError):
                ask(iri)
        assert list(small.edges(iri, "IsA")) == []
    for class_id in ("dog", "/c/en/unicorn", "/c/en/", "/c/de/dog", "/c/en/dog/n", "n02084071", ""):
        assert small.of_class(class_id) is None
    for word in ("unicorn", "", "?", "\x00", "dog\tIsA"):
        assert small.senses(word) == ()


def test_the_embedded_file() -> None:
    excerpt = conceptnet_excerpt()
    assert concept_source("conceptnet") is excerpt
    packed = resources.files("filtag_kg.concepts").joinpath("data/conceptnet-english.tsv.xz").read_bytes()
    assert len(packed) <= MOST_BYTES
    lines = lzma.decompress(packed).decode("utf-8").splitlines()
    keys = [tuple(line.split("\t")[:2]) for line in lines]
    assert keys == sorted(set(keys))
    assert {relation for _, relation in keys} == set(RELATIONS)
    letters = set()
    for line in lines:
        word, _, ends = line.split("\t")
        stated = [text.rpartition(":")[::2] for text in ends.split(" ")]
        assert [end for end, _ in stated] == sorted({end for end, _ in stated})
        letters |= {letter for _, of in stated for letter in of}
        # Terms as ConceptNet writes them, so that a word finds its own.
        for text in (word, stated[0][0]):
            assert standard_text(text) == text
    assert letters == set(DATASETS)


def test_every_edge_is_found_from_both_ends() -> None:
    excerpt = conceptnet_excerpt()
    packed = resources.files("filtag_kg.concepts").joinpath("data/conceptnet-english.tsv.xz").read_bytes()
    words = dict.fromkeys(line.partition("\t")[0] for line in lzma.decompress(packed).decode("utf-8").splitlines())
    n_edges = 0
    for word in islice(words, 0, None, 97):
        iri = C + word
        assert excerpt.concept(iri).id == excerpt.of_class(f"/c/en/{word}") == iri
        assert [sense.concept for sense in excerpt.senses(word)] == [iri]
        for relation in RELATIONS:
            edges = list(excerpt.edges(iri, relation))
            assert edges == sorted(edges, key=lambda edge: edge.end) == list(excerpt.edges(iri, relation))
            for edge in edges:
                assert edge in excerpt.edges(edge.end, relation, incoming=True)
            for edge in excerpt.edges(iri, relation, incoming=True):
                assert edge in excerpt.edges(edge.start, relation)
            n_edges += len(edges)
    assert n_edges > 100


def test_common_words_have_statements_of_every_relation() -> None:
    excerpt = conceptnet_excerpt()
    for relation, word in zip(FEATURES, ("bird", "window", "knife", "ball", "fish", "dog"), strict=True):
        assert list(excerpt.edges(C + word, relation)), (relation, word)


def test_the_licence_goes_where_the_data_goes() -> None:
    licence = "filtag_kg/concepts/data/LICENSE-CONCEPTNET"
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert licence in project["license-files"]
    text = (REPOSITORY / licence).read_text(encoding="utf-8")
    assert "CC BY-SA 4.0" in text or "Attribution-ShareAlike 4.0" in text
    assert "ConceptNet" in text


def test_the_script_makes_a_file_that_the_source_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        ("start", "relation", "end", "sets"),
        ("dog", "IsA", "animal", "omcs"),
        ("dog", "IsA", "pet", "cn5|cn57"),
        ("a dog", "HasA", "tail", "cn57"),
        ("dog", "HasA", "Tail", "omcs"),
        ("tail", "PartOf", "dog", "cn5"),
        ("bird", "HasA", "beak", "omcs"),
        ("dog", "AtLocation", "a kennel", "omcs"),
        # Left out: another relation, nothing but an article, a long phrase, a word about itself.
        ("dog", "ReceivesAction", "walk", "cn57"),
        ("?", "IsA", "animal", "cn57"),
        ("a dog that likes to bark loudly", "IsA", "animal", "cn57"),
        ("dog", "UsedFor", "guard house of a friend who is out", "cn57"),
        ("dog", "IsA", "the dog", "cn57"),
    ]
    edges = tmp_path / "edges.tsv.gz"
    text = "".join("\t".join(row) + "\n" for row in rows)
    script = runpy.run_path(str(REPOSITORY / "scripts" / "make_conceptnet_data.py"))
    made = []
    for name, order in (("one", text), ("two", "".join([*text.splitlines(True)[:1], *text.splitlines(True)[:0:-1]]))):
        edges.write_bytes(gzip.compress(order.encode()))
        (tmp_path / name).mkdir()
        monkeypatch.setitem(script["main"].__globals__, "OUTPUT", tmp_path / name)
        monkeypatch.setattr("sys.argv", ["make_conceptnet_data.py", str(edges)])
        script["main"]()
        made.append([path.read_bytes() for path in sorted((tmp_path / name).iterdir())])
    # The same statements give the same bytes, in whatever order.
    assert made[0] == made[1]
    source = ConceptNetExcerpt(lzma.decompress(made[0][0]).decode().splitlines(), "1")
    stated = {
        (edge.start.removeprefix(C), relation, edge.end.removeprefix(C), edge.dataset)
        for word in ("dog", "tail", "bird")
        for relation in RELATIONS
        for edge in source.edges(C + word, relation)
    }
    assert stated == {
        ("dog", "IsA", "animal", DATASETS["c"]),
        ("dog", "IsA", "pet", DATASETS["a"]),
        ("dog", "IsA", "pet", DATASETS["b"]),
        ("dog", "HasA", "tail", DATASETS["a"]),
        ("dog", "HasA", "tail", DATASETS["c"]),
        ("tail", "PartOf", "dog", DATASETS["b"]),
        ("bird", "HasA", "beak", DATASETS["c"]),
        ("dog", "AtLocation", "kennel", DATASETS["c"]),
    }
    # Of the ends, a kennel alone has one meaning.
    assert made[0][1] == b"AtLocation\tanimal\tartifact\t1\n"
