"""SPARQL Query Results XML Format, read back by others."""

from __future__ import annotations

import io

import pyoxigraph as ox
import rdflib
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.query import Result, format_result

XML = ox.QueryResultsFormat.XML


def test_every_kind_of_term_comes_back() -> None:
    node, blank = ox.NamedNode("http://x/?a=1&b=<2>".replace("<2>", "2")), ox.BlankNode("b1")
    rows = (
        (node, ox.Literal('a & "b" <c>\r\n\td')),
        (blank, ox.Literal("chien", language="fr")),
        (None, ox.Literal(7)),
        (ox.Literal(""), ox.Triple(node, node, ox.Literal(True))),
    )
    found = ox.parse_query_results(format_result(Result(("s", "o"), rows), "xml"), format=XML)
    assert isinstance(found, ox.QuerySolutions)
    assert [variable.value for variable in found.variables] == ["s", "o"]
    assert tuple(tuple(row) for row in found) == rows
    read = rdflib.query.Result.parse(
        io.BytesIO(format_result(Result(("s", "o"), rows[:3]), "xml").encode()), format="xml"
    )
    assert [str(row[1]) for row in read] == ['a & "b" <c>\r\n\td', "chien", "7"]


def test_a_truth_value_comes_back() -> None:
    for answer in (True, False):
        xml = format_result(Result(("answer",), ((ox.Literal(answer),),)), "xml")
        assert bool(ox.parse_query_results(xml, format=XML)) is answer
        assert rdflib.query.Result.parse(io.BytesIO(xml.encode()), format="xml").askAnswer is answer


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=30))
def test_any_text_comes_back(text: str) -> None:
    found = ox.parse_query_results(format_result(Result(("x",), ((ox.Literal(text),),)), "xml"), format=XML)
    assert [row["x"].value for row in found] == [text]  # type: ignore[union-attr, index]


def test_what_xml_cannot_write_is_marked() -> None:
    found = ox.parse_query_results(format_result(Result(("x",), ((ox.Literal("a\x00\x0bb"),),)), "xml"), format=XML)
    assert [row["x"].value for row in found] == ["a\ufffd\ufffdb"]  # type: ignore[union-attr, index]
