"""Endpoints that answer with what was not asked for."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.query import Result, find_query, named_query, table_of

XSD = "http://www.w3.org/2001/XMLSchema#"


class Odd:
    """Gives one answer to everything."""

    def __init__(self, result: Result) -> None:
        self.result = result

    def ask(self, _text: str) -> Result:
        return self.result


@pytest.mark.parametrize(
    "result",
    [
        Result((), ()),
        Result(("answer",), ((ox.Literal(True),),)),
        Result(("run", "rule"), ((ox.Literal("x"), ox.Literal("k=1")),)),
        Result(("run", "rule"), ((None, None),)),
        Result(("subject", "predicate", "object"), (), is_graph=True),
    ],
)
def test_another_answer_than_was_asked_for_is_one_line(result: Result) -> None:
    with pytest.raises(FiltagError) as error:
        named_query(Odd(result), find_query("hub-filters"), {"rule": "k=1"})
    said = "the endpoint answers a different question: check that it is a SPARQL endpoint"
    assert str(error.value) == said


def test_a_number_that_is_none_stays_as_it_is() -> None:
    cell = ox.Literal("many", datatype=ox.NamedNode(f"{XSD}double"))
    result = Result(("n",), ((cell,),))
    assert result.records() == [{"n": "many"}]
    assert list(table_of(result).columns[0].cells) == ["many"]
