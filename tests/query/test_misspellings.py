"""A query that is wrong in its names alone: what the log says of it."""

from __future__ import annotations

import logging

import pytest

from filtag_kg import KnowledgeGraph
from filtag_kg.kg import KG
from filtag_kg.query import LocalEndpoint
from filtag_kg.query.misspellings import unknown_names, unknown_terms


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("SELECT ?f { ?f flt:hasTags ?c }", ["the vocabulary has no flt:hasTags: did you mean flt:hasTag?"]),
        ("SELECT ?f { ?f flt:xyz ?c ; flt:xyz ?d }", ["the vocabulary has no flt:xyz"]),
        ("SELECT ?f { ?f flt:hasTag/flt:atOrBelow ?c }", []),
        ("SELECT ?f { ?f rdfs:label 'flt:hasTags' } # flt:hasTags", []),
        ("SELECT ?f { ?f <https://example.org/flt:hasTags> ?c }", []),
        ("PREFIX flt: <https://example.org/#> SELECT ?f { ?f flt:hasTags ?c }", []),
        ("PREFIX flt: <https://w3id.org/filtag/ns#> SELECT ?f { ?f flt:tags ?c }", None),
    ],
)
def test_a_term_that_the_vocabulary_lacks(text: str, notes: list[str] | None) -> None:
    found = unknown_terms(text)
    assert found == notes if notes is not None else found[0].startswith("the vocabulary has no flt:tags: did you mean")


@pytest.mark.parametrize(
    ("pattern", "note"),
    [
        ('?c skos:prefLabel "dog"', 'nothing in the graph is called "dog": did you mean "dog"@en?'),
        ("?c skos:prefLabel 'dog'", 'nothing in the graph is called "dog": did you mean "dog"@en?'),
        ('?c skos:prefLabel "Dog"@en', 'nothing in the graph is called "Dog"@en: did you mean "dog"@en?'),
        ('?c skos:prefLabel "tabbi"', 'nothing in the graph is called "tabbi": did you mean "tabby"?'),
        ('?c skos:prefLabel "tabby"@en ; a flt:ClassLabel', None),
        ('?l rdfs:label "dep"', 'nothing in the graph is called "dep": did you mean "deep"?'),
        ('?r flt:rule "k=11"', 'nothing in the graph is called "k=11": did you mean "k=1"?'),
        ('?c skos:prefLabel "zzzzzz"', 'nothing in the graph is called "zzzzzz"'),
        ('?c skos:prefLabel ?l FILTER(?l = "dog")', 'nothing in the graph is called "dog": did you mean "dog"@en?'),
        ('?c skos:prefLabel ?l FILTER(CONTAINS(?l, "zzz"))', None),
        ('?c flt:rank "9999"^^xsd:integer', None),
        ('?c skos:prefLabel "tabby", "minivan"', None),
        ('?c skos:prefLabel ?l # "zzz"', None),
    ],
)
def test_a_name_that_nothing_has(kg: KG, pattern: str, note: str | None) -> None:
    notes = unknown_names(LocalEndpoint(kg), f"SELECT * WHERE {{ {pattern}\n}}")
    assert notes == ([] if note is None else [note])


@pytest.mark.parametrize("form", ["SELECT ?c WHERE", "SELECT (COUNT(?c) AS ?n) WHERE", "ASK"])
def test_the_log_names_it_where_there_is_no_answer(kg: KG, caplog: pytest.LogCaptureFixture, form: str) -> None:
    opened = KnowledgeGraph(kg.path)
    with caplog.at_level(logging.WARNING):
        opened.query(f'{form} {{ ?c skos:prefLabel "Tabby" }}')
    assert caplog.messages == ['nothing in the graph is called "Tabby": did you mean "tabby" or "tabby"@en?']
    caplog.clear()
    opened.query('SELECT ?c WHERE { ?c skos:prefLabel "tabby" }')
    assert caplog.messages == []


def test_the_log_says_which_type_is_not_stated(kg: KG, caplog: pytest.LogCaptureFixture) -> None:
    opened = KnowledgeGraph(kg.path)
    assert opened.query("SELECT ?a { ?a a flt:TagAssignment }").rows == ()
    assert caplog.messages == [
        "the graph does not state the type flt:TagAssignment: "
        "what has a flt:tag is one, so ask ?assignment flt:tag ?class"
    ]
