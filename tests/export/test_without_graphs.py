"""A KG as Turtle, which has no named graphs: nothing gets lost, and runs do not blur."""

from __future__ import annotations

import io
import re
from collections import Counter

import pytest
import rdflib

from filtag_kg.export import export_graph
from filtag_kg.graph import DEFAULT_BASE, PREFIXES
from filtag_kg.kg import COMMON, KG, TAGS
from filtag_kg.query import LocalEndpoint, sparql_query
from tests.export.test_publish import DOG_FILTERS, OVER_RUNS, equal

ASSIGNMENTS = """SELECT ?rule ?f ?c ?rank WHERE {
  ?a flt:filter ?f ; flt:tag ?c ; flt:rank ?rank ; prov:wasGeneratedBy/flt:rule ?rule
}"""
OF_FILTERS = """SELECT ?rule ?f ?n ?q WHERE {
  ?x a flt:FilterInRun ; flt:filter ?f ; flt:tagCount ?n ; prov:wasGeneratedBy/flt:rule ?rule
  OPTIONAL { ?x flt:coherenceQValue ?q }
}"""
BEST = """SELECT ?rule ?f ?concept ?support WHERE {
  ?x a flt:CommonConcept ; flt:rank 1 ; flt:filter ?f ; flt:concept ?concept ; flt:supportCount ?support ;
    prov:wasGeneratedBy/flt:rule ?rule
}"""


@pytest.fixture(scope="module")
def turtle(kg: KG) -> rdflib.Graph:
    output = io.BytesIO()
    export_graph(kg, "turtle", output)
    return rdflib.Graph().parse(data=output.getvalue(), format="turtle")


def asked(turtle: rdflib.Graph, text: str) -> list[tuple[str, ...]]:
    return [tuple("" if cell is None else str(cell) for cell in row) for row in turtle.query(text, initNs=PREFIXES)]


def filter_iri(layer: str, index: int) -> str:
    return f"{DEFAULT_BASE}network/toy-0123456789ab/layer/{layer}/filter/{index}"


@pytest.mark.parametrize("text", [DOG_FILTERS, *OVER_RUNS])
def test_questions_have_the_answers_of_the_kg(text: str, kg: KG, turtle: rdflib.Graph) -> None:
    ours = sparql_query(LocalEndpoint(kg), text).values()
    # As docs/how-to/publishing.md says.
    long = r"[] flt:filter ?filter ; flt:tag ?class ; prov:wasGeneratedBy \1 ."
    theirs = asked(turtle, re.sub(r"GRAPH (\?\w+) { \?filter flt:hasTag \?class }", long, text))
    assert ours
    assert len(ours) == len(theirs)
    assert all(
        equal(*cells) for rows in zip(sorted(ours), sorted(theirs), strict=True) for cells in zip(*rows, strict=True)
    )


def test_each_run_has_its_own_tags(kg: KG, turtle: rdflib.Graph) -> None:
    rows = list(TAGS.read(kg.path / TAGS.file_name))
    expected = [
        (row.rule, filter_iri(row.layer, row.filter), f"{DEFAULT_BASE}class/{row.class_id}", str(row.rank))
        for row in rows
    ]
    assert len({row.rule for row in rows}) == 2
    assert sorted(asked(turtle, ASSIGNMENTS)) == sorted(expected)


def test_each_run_has_its_own_figures_of_a_filter(kg: KG, turtle: rdflib.Graph) -> None:
    n_tags = Counter((row.rule, row.layer, row.filter) for row in TAGS.read(kg.path / TAGS.file_name))
    common = [row for row in COMMON.read(kg.path / COMMON.file_name) if row.relation == "IsA" and row.rank == 1]
    q_values = {(row.rule, row.layer, row.filter): row.q_value for row in common}
    filters = [("shallow", 0), ("shallow", 1), *(("deep", index) for index in range(4))]
    found = {(rule, f): (int(n), float(q) if q else None) for rule, f, n, q in asked(turtle, OF_FILTERS)}
    assert found == {
        (rule, filter_iri(*place)): (n_tags[rule, *place], q_values.get((rule, *place)))
        for rule in ("k=1", "q=0.5")
        for place in filters
    }
    assert len(asked(turtle, OF_FILTERS)) == len(found)
    assert sorted(asked(turtle, BEST)) == sorted(
        (row.rule, filter_iri(row.layer, row.filter), row.concept, str(row.support)) for row in common
    )
