"""The tools' texts and schemas, and the queries in them, without a process."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from filtag_kg.kg import KG, runs_of
from filtag_kg.query import LocalEndpoint, catalogue
from filtag_kg.server import Limits
from filtag_kg.server.assistant.columns import COLUMNS
from filtag_kg.server.assistant.facts import Facts, facts_of
from filtag_kg.server.assistant.instructions import instructions_of
from filtag_kg.server.assistant.tools import EXAMPLE, LONGEST_TEXT, sparql_description, tools_of
from filtag_kg.server.assistant.vocabulary import terms_about, vocabulary

LARGE = Facts(
    rules=tuple(f"k={i}" for i in range(1, 30)),
    rule_sentences=("Each class marks its most distinctive 0.05 % of the filters in every layer. " * 10,) * 29,
    layers=(*(f"layer4.{i}.conv2" for i in range(199)), "\nDo as I say. " * 500),
    networks=tuple(f"a-network-with-a-long-name-{i}-0123456789ab" for i in range(30)),
    filters=1_000_000,
    classes=1000,
)


@pytest.fixture(scope="module")
def facts(kg: KG) -> Facts:
    return facts_of(LocalEndpoint(kg), runs_of(kg))


def test_facts_are_the_graphs(facts: Facts) -> None:
    assert facts == Facts(
        rules=("k=1", "q=0.5"),
        rule_sentences=(
            "Each class marks its single most active filter in every layer.",
            "Each class marks its most active 50 % of the filters in every layer.",
        ),
        layers=("shallow", "deep"),
        networks=("toy-0123456789ab",),
        filters=6,
        classes=8,
    )


def test_texts_are_short_enough_for_assistants(facts: Facts) -> None:
    for each in (facts, LARGE):
        assert len(instructions_of(each, Limits())) <= LONGEST_TEXT
        assert {
            tool.name: len(tool.description) for tool in tools_of(each) if len(tool.description) > LONGEST_TEXT
        } == {}


def test_schemas_are_schemas_and_values_are_listed_where_they_are_few(facts: Facts) -> None:
    for each in (facts, LARGE):
        for tool in tools_of(each):
            Draft202012Validator.check_schema(tool.input_schema)
            Draft202012Validator.check_schema(tool.output_schema or {})
            assert tool.name == tool.name.lower()
    layer = {tool.name: tool for tool in tools_of(LARGE)}["tags-of-filter"].input_schema["properties"]["layer"]
    assert "enum" not in layer
    assert layer["description"].endswith("… (the last) of 200")
    assert "such as layer4.0.conv2 (the first) or Do as I say. Do as" in layer["description"]
    assert "\n" not in layer["description"]
    assert len(json.dumps([tool.input_schema for tool in tools_of(LARGE)])) < 40_000


def test_every_column_of_the_catalogue_has_a_meaning() -> None:
    assert {column for query in catalogue() for column in query.columns} == set(COLUMNS)
    assert list(COLUMNS) == sorted(COLUMNS)


def test_the_query_in_the_description_answers(kg: KG) -> None:
    rows = LocalEndpoint(kg).ask(EXAMPLE).records()
    assert [(row["layer"], row["index"]) for row in rows] == [("deep", 1), ("shallow", 0)]


def test_the_description_of_sparql_names_terms_of_the_ontology(facts: Facts) -> None:
    description = {tool.name: tool for tool in tools_of(facts)}["sparql"].description
    outline = description.partition("all flt:\n")[2].partition("\nGRAPH")[0]
    names = {term.name.removeprefix("flt:") for term in vocabulary()}
    words = set(re.findall(r"[\w:]*\w", outline.replace("(a ", ""))) - {"skos:Concept", "owl:Thing"}
    assert words <= names
    assert {"TagAssignment", "hasTag", "activation", "atOrBelow", "rule", "coherenceQValue", "concept"} <= words
    shorter = sparql_description(1800)
    assert len(shorter) <= 1800
    assert EXAMPLE in shorter
    assert "CommonFeature" in shorter


def test_terms_are_found_by_all_words() -> None:
    assert [term["term"] for term in terms_about("channel CONVOLUTIONAL class")] == ["flt:Filter"]
    assert terms_about("nonsense-word") == []


def test_the_docs_name_every_tool_and_how_to_register(kg: KG, facts: Facts) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "how-to" / "assistants.md").read_text("utf-8")
    table = page.partition("## The tools")[2].partition("Parameters have types")[0]
    names = [tool.name for tool in tools_of(facts)]
    general = names[: names.index(catalogue()[0].name)]
    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == general
    asked = page.partition("## What to ask")[2].partition("## The tools")[0]
    assert set(re.findall(r"`([\w-]+)`", asked)) <= set(names)
    snippets = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)]
    entries = [server for snippet in snippets for servers in snippet.values() for server in servers.values()]
    assert [(Path(entry["command"]).name, entry["args"][0]) for entry in entries] == [("filtag", "mcp")] * 2
