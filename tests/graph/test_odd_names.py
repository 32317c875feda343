"""Exports and results of a KG whose class ids, labels and layers hold anything, read by independent parsers."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET

import pytest
import rdflib
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from filtag_kg.export import export_graph
from filtag_kg.graph import PREFIXES, xml_text
from filtag_kg.kg import KG, validate_kg
from filtag_kg.query import LocalEndpoint, format_result, sparql_query
from tests.odd_names import ODD_NAMES, odd_kg

RDF = {"turtle": "turtle", "ntriples": "nt", "jsonld": "json-ld", "rdfxml": "xml"}
CLASSES = "SELECT ?id ?label WHERE { ?c a flt:ClassLabel ; skos:notation ?id ; skos:prefLabel ?label } ORDER BY ?c"
NOTATION, LABEL = (rdflib.URIRef(PREFIXES["skos"] + name) for name in ("notation", "prefLabel"))


def exported(kg: KG, format_: str, **options: str) -> bytes:
    output = io.BytesIO()
    export_graph(kg, format_, output, **options)
    return output.getvalue()


def as_xml(text: str) -> str:
    """What a parser of XML gives back of a text: characters that XML has not, and ends of lines, are others."""
    return re.sub("\r\n?", "\n", xml_text(text))


def check(kg: KG, named: dict[str, str]) -> None:
    """Read a KG in every format, and find each class id and label in it."""
    assert validate_kg(kg).findings == ()
    for format_, parser in RDF.items():
        graph = rdflib.Graph().parse(data=exported(kg, format_), format=parser)
        found = {
            str(graph.value(class_, NOTATION)): str(graph.value(class_, LABEL)) for class_ in graph.subjects(NOTATION)
        }
        if format_ == "rdfxml":
            plain = {as_xml(class_id): as_xml(label) for class_id, label in found.items()}
            assert plain == {as_xml(class_id): as_xml(label) for class_id, label in named.items()}
        else:
            assert found == named, format_
    assert len(rdflib.Dataset().parse(data=exported(kg, "nquads"), format="nquads")) > len(named)
    json.loads(exported(kg, "jsonld"))
    rows = list(csv.DictReader(io.StringIO(exported(kg, "csv").decode(), newline=""), strict=True))
    assert {row["class_id"]: row["label"] for row in rows} == named
    header, table = sssom(exported(kg, "sssom").decode())
    assert header["license"]
    # A label of several lines is one here: a line that begins with # would be a comment.
    assert {row["subject_label"] for row in table} <= {" ".join(label.splitlines()) for label in named.values()}
    labels = [data.text or "" for data in graphml(exported(kg, "graphml"))]
    assert {as_xml(label) for label in named.values()} <= set(map(as_xml, labels))
    check_results(kg, named)


def sssom(text: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    lines = text.split("\n")
    comments = [line[1:] for line in lines if line.startswith("#")]
    table = csv.DictReader(io.StringIO("\n".join(lines[len(comments) :]), newline=""), delimiter="\t", strict=True)
    return yaml.safe_load("\n".join(comments)), list(table)


def graphml(content: bytes) -> list[ET.Element]:
    name = "{http://graphml.graphdrawing.org/xmlns}"
    return [data for node in ET.fromstring(content).iter(f"{name}node") for data in node.findall(f"{name}data")]


def check_results(kg: KG, named: dict[str, str]) -> None:
    """Read the answer to a query in every format."""
    result = sparql_query(LocalEndpoint(kg), CLASSES)
    table = list(csv.reader(io.StringIO(format_result(result, "csv"), newline=""), strict=True))
    assert table[0] == ["id", "label"]
    assert dict(map(tuple, table[1:])) == named
    bindings = json.loads(format_result(result, "json"))["results"]["bindings"]
    assert {row["id"]["value"]: row["label"]["value"] for row in bindings} == named
    tsv = format_result(result, "tsv").split("\n")
    assert (tsv[0], tsv[-1]) == ("?id\t?label", "")
    terms = [[rdflib.util.from_n3(cell) for cell in line.split("\t")] for line in tsv[1:-1]]
    assert {str(class_id): str(label) for class_id, label in terms} == named
    literal = "{http://www.w3.org/2005/sparql-results#}literal"
    cells = [cell.text or "" for cell in ET.fromstring(format_result(result, "xml")).iter(literal)]
    assert dict(zip(cells[::2], cells[1::2], strict=True)) == {
        xml_text(class_id): xml_text(label) for class_id, label in named.items()
    }


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> KG:
    labels = [f"dog {name}" for name in ODD_NAMES]
    return odd_kg(tmp_path_factory.mktemp("odd"), ODD_NAMES, labels, ("first", "a/b <x>\x0b?#", "..", "filter"))


def test_every_format_holds_the_names_that_people_think_of(odd: KG) -> None:
    check(odd, {name: f"dog {name}" for name in ODD_NAMES})


def test_parquet_holds_them_too(odd: KG) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(io.BytesIO(exported(odd, "parquet"))).to_pydict()
    assert dict(zip(table["class_id"], table["label"], strict=True)) == {name: f"dog {name}" for name in ODD_NAMES}


# Every kind of character but halves of them, and the ones that formats have a use for more often.
SPECIAL = "<>&\"'\\/%?#.=\t\n\r\0\x85\u2028\ufeff\ufffe,;|`{}"
TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(SPECIAL))


@settings(max_examples=6, deadline=None)
@given(st.dictionaries(TEXT.filter(bool), TEXT, min_size=2, max_size=6))
def test_every_format_holds_any_names(tmp_path_factory: pytest.TempPathFactory, named: dict[str, str]) -> None:
    check(odd_kg(tmp_path_factory.mktemp("odd"), list(named), list(named.values())), named)
