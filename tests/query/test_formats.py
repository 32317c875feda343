from __future__ import annotations

import csv
import io
import json

import pyoxigraph as ox
import pytest
import rdflib
from rich.console import Console

from filtag_kg import FiltagError
from filtag_kg.query import Result, format_result, table_of

RESULT = Result(
    ("label", "n", "link"),
    (
        (
            ox.Literal('a, "b"\n[red]'),
            ox.Literal(0.123456789),
            ox.NamedNode("http://www.w3.org/2004/02/skos/core#broader"),
        ),
        (ox.Literal("chien", language="fr"), None, None),
    ),
)


def test_csv_keeps_every_character() -> None:
    rows = list(csv.reader(io.StringIO(format_result(RESULT, "csv"))))
    assert rows == [list(RESULT.columns), *map(list, RESULT.values())]


def test_tsv_is_the_standards_and_keeps_every_term() -> None:
    rows = (*RESULT.rows, (ox.Literal("tab\there"), ox.Literal(7), ox.Literal(True)))
    result = Result(RESULT.columns, rows)
    found = ox.parse_query_results(format_result(result, "tsv"), format=ox.QueryResultsFormat.TSV)
    assert isinstance(found, ox.QuerySolutions)
    assert [variable.value for variable in found.variables] == list(RESULT.columns)
    assert tuple(tuple(row) for row in found) == rows


@pytest.mark.parametrize("format_", ["json", "csv"])
def test_rdflib_reads_results(format_: str) -> None:
    read = rdflib.query.Result.parse(io.BytesIO(format_result(RESULT, format_).encode()), format=format_)
    assert [str(name) for name in read.vars or ()] == list(RESULT.columns)
    assert [tuple("" if cell is None else str(cell) for cell in row) for row in read] == [
        row if format_ == "csv" else tuple(row) for row in RESULT.values()
    ]


def test_rows_are_pythons_values_or_a_frame() -> None:
    first, second = RESULT.records()
    assert first == {
        "label": 'a, "b"\n[red]', "n": 0.123456789, "link": "http://www.w3.org/2004/02/skos/core#broader"
    }  # fmt: skip
    assert second == {"label": "chien", "n": None, "link": None}
    frame = RESULT.to_pandas()
    assert list(frame.columns) == list(RESULT.columns)
    assert frame["n"].iloc[0] == 0.123456789


def test_json_is_the_standards() -> None:
    found = list(ox.parse_query_results(format_result(RESULT, "json"), format=ox.QueryResultsFormat.JSON))
    assert [tuple(row) for row in found] == list(RESULT.rows)
    assert json.loads(format_result(Result(("answer",), ((ox.Literal(True),),)), "json")) == {
        "head": {},
        "boolean": True,
    }


def test_turtle_is_for_graphs_alone() -> None:
    node = ox.NamedNode("http://x")
    graph = Result.of_triples([ox.Triple(node, node, ox.Literal("a"))])
    assert '<http://x> <http://x> "a" .' in format_result(graph, "turtle")
    with pytest.raises(FiltagError, match="turtle is for the graphs of CONSTRUCT and DESCRIBE"):
        format_result(RESULT, "turtle")


def test_the_table_shortens_iris_and_prints_markup_as_it_is() -> None:
    console = Console(width=100, file=io.StringIO())
    console.print(table_of(RESULT))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "skos:broader" in text
    assert "0.123 " in text
    assert "[red]" in text


def test_a_result_prints_as_a_table() -> None:
    first, *_, size = str(RESULT).splitlines()
    assert first.split() == list(RESULT.columns)
    assert size == f"{len(RESULT.rows)} rows"
    assert "skos:broader" in str(RESULT)
    assert "\x1b" not in str(RESULT)
    long = Result(("n",), tuple((ox.Literal(number),) for number in range(60)))
    assert str(long).splitlines()[-2:] == ["49", "50 of 60 rows"]
