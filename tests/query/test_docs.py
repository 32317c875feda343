"""The SPARQL that the documentation shows, asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from filtag_kg.kg import KG
from filtag_kg.query import LocalEndpoint, find_query, named_query, sparql_query

DOCS = Path(__file__).resolve().parents[2] / "docs"
QUERY = re.compile(r"^```sparql\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SHOWN = [
    (page.relative_to(DOCS).as_posix(), text)
    for page in sorted(DOCS.rglob("*.md"))
    for text in QUERY.findall(page.read_text(encoding="utf-8"))
]


def section(page: str, heading: str) -> list[str]:
    """Return the queries of a section of a page."""
    _, found, after = (DOCS / page).read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    assert found, heading
    return QUERY.findall(after.partition("\n## ")[0])


def test_the_docs_show_queries() -> None:
    assert len(SHOWN) >= 3


@pytest.mark.parametrize(("page", "text"), SHOWN, ids=[f"{page}-{n}" for n, (page, _) in enumerate(SHOWN)])
def test_each_finds_something(page: str, text: str, kg: KG, request: pytest.FixtureRequest) -> None:
    of = "vgg" if "conv5_3" in text else "kg"
    assert sparql_query(LocalEndpoint(request.getfixturevalue(of)), text).rows


def test_vehicles_but_no_animal_is_what_the_named_query_says(vgg: KG) -> None:
    (text,) = (text for page, text in SHOWN if page == "how-to/sparql.md" and '"animal"' in text)
    shown = {row[0]: row[1] for row in sparql_query(LocalEndpoint(vgg), text).values()}
    asked = {"concept_a": "vehicle", "concept_b": "animal", "layer": "conv5_3"}
    named = named_query(LocalEndpoint(vgg), find_query("filters-with-but-without"), asked).values()
    assert shown == {row[1]: row[2] for row in named}
    assert len(shown) > 20
