"""``filtag mcp URL``: named queries and SPARQL over an endpoint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from filtag_kg.kg import KG
from tests.cli.terminal import refusal
from tests.server.assistant.assistants import Assistant, assistant_of
from tests.server.servers import Server, serving


@pytest.fixture(scope="module")
def server(kg: KG) -> Iterator[Server]:
    with serving(kg.path) as running:
        yield running


@pytest.fixture(scope="module")
def assistant(server: Server) -> Iterator[Assistant]:
    with assistant_of(f"{server.url}/sparql") as running:
        yield running


def test_there_are_no_tools_that_need_the_tables(assistant: Assistant) -> None:
    names = {tool.name for tool in assistant.tools()}
    assert {"sparql", "vocabulary", "filters-by-concept"} <= names
    assert not {"overview", "search", "describe-filter", "filter-pictures"} & names
    assert "6 filters in 2 layers, 8 classes" in assistant.client.instructions


def test_it_answers(assistant: Assistant) -> None:
    (row,) = assistant.rows("filters-by-concept", concept="dog", layer="deep", rule="k=1")
    assert (row["filter"], row["matching"]) == (0, 3)
    answer = assistant.call("sparql", query="SELECT ?c WHERE { ?c a flt:ClassLabel }", limit=2)
    assert (answer.structured_content["total"], answer.structured_content["next_offset"]) == (8, 2)
    (note,) = assistant.call("common-concepts").structured_content["notes"]
    assert note.startswith("too few classes to tell")


def test_it_says_what_is_wrong(assistant: Assistant) -> None:
    assert assistant.mistake("filters-of-class", **{"class": "tabbi"}).endswith(
        "has the id or label 'tabbi': ask for names with sparql"
    )
    assert assistant.mistake("sparql", query="DELETE WHERE { ?s ?p ?o }").startswith("this endpoint is read-only")
    assert "malformed in line 1" in assistant.mistake("sparql", query="SELECT * {")


def test_an_endpoint_that_does_not_answer_is_said_at_the_start() -> None:
    assert "cannot be reached" in refusal("mcp", "http://127.0.0.1:9/sparql")
    assert "memory of an endpoint" in refusal("mcp", "http://127.0.0.1:9/sparql", "--max-memory", "300")
