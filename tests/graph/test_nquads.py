from __future__ import annotations

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.graph.nquads import double, integer, iri, literal, quads

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def object_of(term: str) -> ox.Literal:
    line = f"<http://s> <http://p> {term} <http://g> ."
    (quad,) = ox.parse(input=line, format=ox.RdfFormat.N_QUADS)
    return quad.object


@given(TEXT)
def test_any_text_comes_back_from_a_parser(text: str) -> None:
    assert object_of(literal(text)) == ox.Literal(text)
    assert object_of(literal(text, language="en")) == ox.Literal(text, language="en")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_comes_back_to_the_last_bit(value: float) -> None:
    assert float(object_of(double(value)).value) == value


dyadic = st.builds(lambda n, bits: n / 2**bits, st.integers(-(2**52), 2**52), st.integers(0, 52))


@given(st.one_of(st.floats(allow_nan=False, allow_infinity=False), dyadic))
def test_the_store_keeps_a_number_as_it_is_written(value: float) -> None:
    store = ox.Store()
    store.add(ox.Quad(ox.NamedNode("http://s"), ox.NamedNode("http://p"), object_of(double(value))))
    (quad,) = store
    assert quad.object == object_of(double(value))


def test_integers() -> None:
    assert object_of(integer(7)) == ox.Literal(7)


@pytest.mark.parametrize("text", ["http://a b", "http://a>", "x\n", 'a"b'])
def test_no_iri_breaks_out_of_its_brackets(text: str) -> None:
    with pytest.raises(ValueError, match="is not an IRI"):
        iri(text)


def test_a_graph_is_a_set_of_lines() -> None:
    triple = (iri("http://s"), iri("http://p"), literal("o"))
    assert quads([triple, triple], "http://g") == {'<http://s> <http://p> "o" <http://g> .'}
