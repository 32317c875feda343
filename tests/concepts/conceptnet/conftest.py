"""A small ConceptNet: lines of the dump's format, of English, German and other relations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filtag_kg.concepts.conceptnet import ConceptNetIndex, import_dump

if TYPE_CHECKING:
    from pathlib import Path

SAID = [
    ("IsA", "en/beagle/n/wn/animal", "en/hound/n/wn/animal", 2.0, "/d/wordnet/3.1", "cc:by/4.0"),
    ("IsA", "en/hound/n/wn/animal", "en/dog/n/wn/animal", 2.0, "/d/wordnet/3.1", "cc:by/4.0"),
    ("IsA", "en/dog", "en/animal", 6.5, "/d/conceptnet/4/en", "cc:by/4.0"),
    ("IsA", "en/dog", "en/animal", 1.0, "/d/verbosity", "cc:by-sa/4.0"),
    ("IsA", "en/dog", "en/loyal_friend", 1.0, "/d/verbosity", "cc:by-sa/4.0"),
    ("IsA", "en/puppy", "en/dog", 2.0, "/d/conceptnet/4/en", "cc:by/4.0"),
    ("IsA", "de/hund", "de/tier", 1.0, "/d/conceptnet/4/de", "cc:by/4.0"),
    ("IsA", "fr/chien", "en/animal", 1.0, "/d/dbpedia/fr", "cc:by-sa/4.0"),
    ("HasA", "en/dog", "en/tail", 3.0, "/d/conceptnet/4/en", "cc:by/4.0"),
    ("HasProperty", "en/dog", "en/cold", 1.0, "/d/conceptnet/4/en", "cc:by/4.0"),
    ("AtLocation", "en/dog", "en/kennel", 4.9, "/d/conceptnet/4/en", "cc:by/4.0"),
    ("UsedFor", "en/dog", "en/guarding_house", 1.0, "/d/conceptnet/4/en", "cc:by/4.0"),
    ("CapableOf", "en/dog/n", "en/bark", 5.0, "/d/conceptnet/4/en", "cc:by/4.0"),
    ("IsA", "en/dog/v/wn/motion", "en/chase/v/wn/motion", 2.0, "/d/wordnet/3.1", "cc:by/4.0"),
    ("IsA", "en/dogma", "en/belief", 2.0, "/d/conceptnet/4/en", "cc:by/4.0"),
    ("RelatedTo", "en/dog", "en/cat", 2.0, "/d/conceptnet/4/en", "cc:by/4.0"),
]


def line(relation: str, start: str, end: str, weight: float, dataset: str, licence: str) -> str:
    more = {
        "dataset": dataset,
        "license": licence,
        "sources": [{"contributor": "/s/x"}],
        "surfaceText": "[[a\tdog]]",
        "weight": weight,
    }
    return f"/a/[/r/{relation}/,/c/{start}/,/c/{end}/]\t/r/{relation}\t/c/{start}\t/c/{end}\t{json.dumps(more)}\n"


@pytest.fixture(scope="session")
def dump_text() -> str:
    return "".join(line(*said) for said in SAID)


@pytest.fixture(scope="session")
def index(dump_text: str, tmp_path_factory: pytest.TempPathFactory) -> ConceptNetIndex:
    folder: Path = tmp_path_factory.mktemp("conceptnet")
    dump = folder / "conceptnet-assertions-5.7.0.csv"
    dump.write_text(dump_text, encoding="utf-8")
    import_dump(dump, folder / "index.sqlite")
    return ConceptNetIndex(folder / "index.sqlite")
