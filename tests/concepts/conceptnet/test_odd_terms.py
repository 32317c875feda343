"""Terms as people and programs write them: from a dump or a service into a whole KG, and out again."""

from __future__ import annotations

import io
import json
import logging
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyoxigraph as ox
import pytest
import rdflib

from filtag_kg import Profile, Provenance, Rule, tag_filters
from filtag_kg.concepts.conceptnet import ConceptNetIndex, import_dump
from filtag_kg.concepts.conceptnet.api import ConceptNetApi
from filtag_kg.concepts.conceptnet.rate_limit import RateLimit
from filtag_kg.concepts.conceptnet.term_paths import term_of, term_path
from filtag_kg.concepts.terms import CONCEPTNET
from filtag_kg.errors import FiltagError
from filtag_kg.export import EXPORT_FORMATS, export_graph
from filtag_kg.kg import KG, build_kg, validate_kg
from filtag_kg.report import semantic_report, write_report
from filtag_kg.views import load_kg
from tests.concepts.conceptnet.conftest import line
from tests.concepts.conceptnet.service import edge_of, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filtag_kg.concepts import ConceptSource

# What may follow ``/c/en/`` in a line of the dump.
ODD_TEXTS = (
    "back\\slash",
    "dog[1]",
    "[",
    "]",
    "<b>dog</b>",
    "a{b}c",
    "a|b",
    "a^b",
    "a`b",
    'the_"dog"',
    "it's",
    "a b",
    " ",
    " led_and_trailed ",
    "\x00",
    "a\x01b\x1fc\x7fd",
    "a\rb",
    "\x1b[31mred",
    "a\x85b",
    "a\xa0b",
    "a\u2028b\u2029c",
    "a\u3000b",
    "\ufeffdog",
    "\u200e\u200f",
    "\u202eright_to_left\u202c",
    "\u2066isolated\u2069",
    "zero\u200bwidth\u200djoined",
    "\ufffe\uffff",
    "\ufdd0\U0001ffff\U0010fffe",
    "\ue000\U000f0000",
    "\U000e0041\U000e007f",
    "\ufffd",
    "50%",
    "%",
    "%zz",
    "%41",
    "%00",
    "a%2Fb",
    "%ff",
    "c#",
    "#",
    "why?",
    "?a=b&c=d;e",
    ".",
    "..",
    "...",
    ".net",
    "dog/..",
    "dog/./n",
    "dog//n",
    "dog/",
    "dog/n/wn/odd[1]",
    "_",
    "__a__b__",
    "=1+1",
    "@dog",
    "-",
    "a:b",
    "http://dog",
    "café",
    "İI",
    "犬",
    "كلب",
    "😀👩‍🚀",
    "'); DROP TABLE node; --",
    "</script><script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "long_" * 190,
)
# What no line of the dump can hold, but JSON can.
ONLY_IN_JSON = ("a\tb", "a\nb", "\t", "\n", "\r\n")
NOT_TERMS = ("", "/", "//n", "long_" * 500, "half\ud800", "\udfff")
WHATEVER = ("IsA", "en/whatever", "en/thing", 2.0, "/d/x", "cc:by/4.0")


def rows(texts: tuple[str, ...]) -> Iterator[tuple[str, str, str, float, str, str]]:
    """Yield edges with every text at both ends: three of a kind that is odd itself, then uses and places."""
    for i, text in enumerate(texts):
        kind = f"{texts[i - i % 3].replace('/', '_')}_kind"
        yield "IsA", f"en/{text}", f"en/{kind}", 2.0, "/d/odd data/\\", "cc:by/4.0"
        yield (
            "UsedFor",
            f"en/{text}",
            f"en/{texts[i - 1]}",
            3.0,
            "/d/wordnet/3.1",
            "https://example.org/licence?a=%20#b",
        )
        yield "AtLocation", f"en/{texts[i - 1]}", f"en/{text}", 1.0, "/d/x", "cc:by-sa/4.0"
    yield "IsA", "en/thing_kind", "en/thing", 2.0, "/d/x", "cc:by/4.0"


def index_of(folder: Path, texts: tuple[str, ...]) -> ConceptNetIndex:
    dump = folder / "dump.csv"
    dump.write_text("".join(line(*row) for row in rows(texts)), encoding="utf-8", newline="")
    assert import_dump(dump, folder / "index.sqlite").skipped == {}
    return ConceptNetIndex(folder / "index.sqlite")


@pytest.fixture(scope="module", params=["dump", "service"])
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConceptSource]:
    folder = tmp_path_factory.mktemp("odd")
    if request.param == "dump":
        yield index_of(folder, ODD_TEXTS)
        return
    with serving("") as service:
        texts = (*ODD_TEXTS, *ONLY_IN_JSON)
        # A tab would be a border between fields of a line.
        service.edges = [edge_of(["/a/x", f"/r/{r}", f"/c/{s}", f"/c/{e}", more(*of)]) for r, s, e, *of in rows(texts)]
        yield ConceptNetApi(service.url, cache=folder / "cache.sqlite", limit=RateLimit(((100_000, 1.0),)))


def more(weight: float, dataset: str, licence: str) -> str:
    return json.dumps({"weight": weight, "dataset": dataset, "license": licence})


def texts_of(source: ConceptSource) -> tuple[str, ...]:
    return ODD_TEXTS if source.name != "conceptnet-api" else (*ODD_TEXTS, *ONLY_IN_JSON)


def iri_of(text: str) -> str:
    return CONCEPTNET + term_path(f"/c/en/{text}")


def test_an_iri_leads_back_to_its_term(source: ConceptSource) -> None:
    texts = texts_of(source)
    iris = [iri_of(text) for text in texts]
    assert len(set(iris)) == len(texts)
    for i, (text, iri) in enumerate(zip(texts, iris, strict=True)):
        assert term_of(iri.removeprefix(CONCEPTNET)) == f"/c/en/{text}"
        assert source.concept(iri).id == source.of_class(iri) == ox.NamedNode(iri).value == iri
        # The text %00 is also the path of another term, which comes first.
        assert source.of_class(f"/c/en/{text}") == (iri if text != "%00" else iri_of("\x00"))
        assert {edge.end for edge in source.edges(iri, "UsedFor")} == {iris[i - 1]}
        assert {edge.start for edge in source.edges(iri, "UsedFor", incoming=True)} == {iris[(i + 1) % len(texts)]}
        assert source.size(iri) == 1
        for edge in source.edges(iri, "IsA"):
            assert edge.dataset == "/d/odd%20data/%5C"
            assert iri in {below.start for below in source.edges(edge.end, "IsA", incoming=True)}


def test_labels_can_be_read(source: ConceptSource) -> None:
    for text in texts_of(source):
        label = source.concept(iri_of(text)).label
        assert label == label.strip() != ""
        assert {unicodedata.category(c) for c in label}.isdisjoint({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
        assert not set(label) & set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
        plain = text.split("/")[0].replace("_", " ")
        if plain.isprintable() and plain.strip():
            assert label == " ".join(plain.split())


def class_ids(source: ConceptSource) -> tuple[str, ...]:
    """Return the terms; where a term is also the path of another, or no file name could be it, its IRI."""
    return tuple(
        iri_of(text) if text == "%00" or text.endswith("\x00") else f"/c/en/{text}" for text in texts_of(source)
    )


@pytest.fixture(scope="module")
def kg(source: ConceptSource, tmp_path_factory: pytest.TempPathFactory) -> KG:
    """Return a KG whose classes are the terms themselves."""
    ids = class_ids(source)
    mean = np.random.default_rng(0).random((len(ids), 12))
    profile = Profile(
        mean=mean,
        variance=np.full(mean.shape, 0.01),
        count=np.full(len(ids), 2),
        class_ids=ids,
        class_labels=tuple(f"class {i}" for i in range(len(ids))),
        layer_names=("first", "second"),
        layer_offsets=np.array([0, 6, 12]),
        metadata={"network": "odd", "identifier": "odd"},
    )
    tags = tag_filters(profile, [Rule("k", 1)], network="odd")
    folder = tmp_path_factory.mktemp("kg")
    return build_kg(folder / "kg", tags, source, Provenance.of_profile(profile), profile=profile)


def test_a_whole_kg_is_built_of_them(kg: KG, source: ConceptSource, tmp_path: Path) -> None:
    assert validate_kg(kg).findings == ()
    terms = {f"<{iri_of(text)}>" for text in texts_of(source)}
    store = kg.store_process()
    solutions = store.query("SELECT ?c ?label WHERE { ?x flt:concept ?c . ?c skos:prefLabel ?label }")
    assert isinstance(solutions, ox.QuerySolutions)
    assert {str(row["c"]) for row in solutions} >= terms
    write_report(semantic_report([load_kg(kg)]), tmp_path / "report")


def test_every_parser_reads_its_exports(kg: KG, source: ConceptSource, caplog: pytest.LogCaptureFixture) -> None:
    terms = {iri_of(text) for text in texts_of(source)}
    formats = {
        "turtle": ox.RdfFormat.TURTLE,
        "nquads": ox.RdfFormat.N_QUADS,
        "ntriples": ox.RdfFormat.N_TRIPLES,
        "rdfxml": ox.RdfFormat.RDF_XML,
    }
    names = {"turtle": "turtle", "nquads": "nquads", "ntriples": "nt", "rdfxml": "xml", "jsonld": "json-ld"}
    for format_ in EXPORT_FORMATS:
        output = io.BytesIO()
        export_graph(kg, format_, output)
        if format_ in formats:
            quads = ox.parse(output.getvalue(), format=formats[format_])
            assert terms <= {getattr(quad.subject, "value", "") for quad in quads}
        if format_ in names:
            graph = rdflib.Dataset().parse(data=output.getvalue(), format=names[format_])
            assert terms <= {str(subject) for subject, *_ in graph.quads()}
    assert "valid" not in caplog.text  # rdflib warns of IRIs that are not


def test_lines_that_are_not_assertions_are_skipped_and_counted(tmp_path: Path) -> None:
    dump = tmp_path / "dump.csv"
    odd = [line("IsA", f"en/{text}", "en/thing", *WHATEVER[3:]) for text in NOT_TERMS]
    odd += [line("IsA", "en/thing", f"en/{text}", *WHATEVER[3:]) for text in NOT_TERMS]
    odd += [
        line("IsA", "en/a\tb", "en/thing", *WHATEVER[3:]),
        line("IsA", "en/a\nb", "en/thing", *WHATEVER[3:]),
        line(*WHATEVER[:4], "d/x", "cc:by/4.0"),
        line(*WHATEVER[:4], "/d/x\ud800", "cc:by/4.0"),
        line(*WHATEVER[:5], "whatever you like"),
        line(*WHATEVER[:5], "https://example.org/<>"),
        line(*WHATEVER[:3], float("inf"), *WHATEVER[4:]),
    ]
    content = "".join([*odd, line(*WHATEVER), *odd]).encode("utf-8", "surrogatepass")
    dump.write_bytes(content)
    summary = import_dump(dump, tmp_path / "index")
    assert (summary.edges, summary.nodes) == (1, 2)
    assert summary.skipped == {
        "3 fields between tabs where an assertion has 5": 2,
        "7 fields between tabs where an assertion has 5": 2,
        "a term has more than 1,000 characters": 4,
        "an end is not a term such as /c/en/dog": 12,
        "not UTF-8": 8,
        "the data set is not Unicode": 2,
        "the data set is not a path such as /d/wordnet/3.1": 2,
        "the fifth field is not a JSON object with weight, dataset and license": 2,
        "the licence is neither a name such as cc:by/4.0 nor an address": 4,
    }
    assert summary.skipped_note.startswith(
        "38 lines skipped: 3 fields between tabs where an assertion has 5 (2), 7 fields"
    )
    dump.write_text(line(*WHATEVER), encoding="utf-8")
    assert import_dump(dump, tmp_path / "index").skipped_note == ""


def test_one_term_in_two_forms_of_unicode(tmp_path: Path) -> None:
    dump = tmp_path / "dump.csv"
    written = (line("IsA", f"en/{text}", "en/thing", *WHATEVER[3:]) for text in ("cafe\u0301", "caf\u00e9"))
    dump.write_text("".join(written), encoding="utf-8")
    assert import_dump(dump, tmp_path / "index").edges == 1
    index = ConceptNetIndex(tmp_path / "index")
    assert index.of_class("/c/en/cafe\u0301") == index.senses("cafe\u0301")[0].concept == f"{CONCEPTNET}/c/en/caf\u00e9"


def test_a_dump_of_nothing_else_is_no_dump(tmp_path: Path) -> None:
    dump = tmp_path / "dump.csv"
    dump.write_text(line("IsA", "en/", "en/thing", *WHATEVER[3:]), encoding="utf-8")
    with pytest.raises(FiltagError) as error:
        import_dump(dump, tmp_path / "index")
    assert str(error.value) == (
        f"line 1 of {dump} is not an assertion (an end is not a term such as /c/en/dog): download the file again"
    )
    assert not (tmp_path / "index").exists()


def test_a_service_s_edges_that_are_not_assertions_are_skipped_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "filtag_kg")
    with serving("") as service:
        ends = [f"/c/en/{text}" for text in NOT_TERMS] + ["http://elsewhere.example/dog", "dog"]
        service.edges = [
            edge_of(["/a/x", "/r/IsA", "/c/en/whatever", end, more(*WHATEVER[3:])]) for end in ["/c/en/thing", *ends]
        ]
        api = ConceptNetApi(service.url, cache=tmp_path / "cache.sqlite", backoff=0.01)
        (sense,) = api.senses("whatever")
        assert [edge.end for edge in api.edges(sense.concept, "IsA")] == [f"{CONCEPTNET}/c/en/thing"]
        assert api.senses("?!") == ()
        for word in NOT_TERMS:
            assert api.of_class(f"/c/en/{word}") is None
            with pytest.raises(KeyError):
                api.concept(f"{CONCEPTNET}/c/en/{word}")
    assert [record.getMessage() for record in caplog.records] == [
        "ConceptNet's service: 7 edges skipped: a term has more than 1,000 characters (1), a term is not Unicode (2), "
        "an end is not a term such as /c/en/dog (4)"
    ]
