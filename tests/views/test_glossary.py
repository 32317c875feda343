"""The words that people meet are explained once, wherever they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from filtag_kg.report.jinja import environment
from filtag_kg.views import GLOSSARY, GlossaryEntry, glossary_markdown, glossary_parts

ROOT = Path(__file__).resolve().parent.parent.parent
MET = (
    *("network", "layer", "filter", "class", "tag", "rule", "k", "q-share", "contrast", "activation", "coherent"),
    *("q-value", "p-value", "common-concept", "information-content", "coverage", "support", "exemplar", "heat-map"),
    *("receptive-field", "concept", "link", "separation", "concentration", "ablation", "confirmed", "mixed"),
    *("hits-at-n", "profile", "run"),
)


def test_every_word_that_a_newcomer_meets_has_an_entry() -> None:
    assert set(MET) <= set(GLOSSARY)


@pytest.mark.parametrize("entry", GLOSSARY.values(), ids=lambda entry: entry.anchor)
def test_an_entry_says_what_it_is_in_sentences_with_an_example(entry: GlossaryEntry) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", entry.anchor)
    assert entry.text.endswith(".")
    assert entry.text[0].isupper()
    assert entry.example
    assert set(entry.see) <= set(GLOSSARY) - {entry.anchor}
    # Who has to look up more than three words to understand one gives up.
    assert len(entry.see) <= 3


def test_each_word_is_explained_once() -> None:
    entries = [entry for part in glossary_parts() for entry in part.entries]
    assert len({entry.anchor for entry in entries}) == len({entry.term for entry in entries}) == len(entries)


def test_the_page_of_the_documentation_is_the_same_text() -> None:
    assert (ROOT / "docs" / "glossary.md").read_text("utf-8") == glossary_markdown()


def test_a_word_on_a_page_links_to_its_entry() -> None:
    class Urls:
        def page(self, name: str) -> str:
            return f"{name}.html"

    jinja = environment()
    page = '{{ term("coherent", "a <theme>") }}'
    meaning = GLOSSARY["coherent"].text
    linked = f'<a class="term" href="../glossary.html#coherent" title="{meaning}">a &lt;theme&gt;</a>'
    assert jinja.from_string(page).render(url=Urls(), root="../") == linked
    in_macro = '{% macro m(root) %}{{ term("coherent", "a <theme>", root) }}{% endmacro %}{{ m("../") }}'
    assert jinja.from_string(in_macro).render(url=Urls()) == linked
    assert jinja.from_string(page).render() == f'<span class="term" title="{meaning}">a &lt;theme&gt;</span>'
    assert "coherent" in jinja.from_string('{{ term("coherent") }}').render()


@pytest.mark.parametrize("name", ["report", "server/explorer"])
def test_templates_name_entries_that_there_are(name: str) -> None:
    for path in (ROOT / "filtag_kg" / name / "templates").glob("*.html"):
        for anchor in re.findall(r"""\bterm\(["']([^"']+)["']""", path.read_text("utf-8")):
            assert anchor in GLOSSARY, f"{path.name} links to {anchor}"
