"""The static report of a KG whose names hold anything: every link leads to a file, and every file is well-formed."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from filtag_kg import Profile, Provenance, Rule, tag_filters
from filtag_kg.concepts import concept_source
from filtag_kg.kg import build_kg
from filtag_kg.report import FileUrls, semantic_report
from filtag_kg.report.pages import Pages
from filtag_kg.views import load_kg
from tests.odd_names import ODD_NAMES, odd_kg
from tests.report.test_site import Links, pages, written_report

LAYERS = ("first", "a/b <x>\x0b?#", "..", "filter", "line\nfeed")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    kg = odd_kg(folder, ODD_NAMES, [f"dog {name}" for name in ODD_NAMES], LAYERS)
    return written_report([kg], folder / "report")


def test_every_link_leads_to_a_file_and_no_name_becomes_markup(report: Path) -> None:
    reached = set()
    for path, text in pages(report):
        links = Links()
        links.feed(text)
        assert "script" not in links.tags
        assert not [c for c in text if (c < " " and c not in "\t\n\r") or c in "\ufffe\uffff"], path
        for _, link in links.urls:
            url = urlsplit(link)
            if not url.scheme and url.path:
                target = (path.parent / unquote(url.path)).resolve()
                assert target.is_relative_to(report.resolve())
                assert target.exists(), f"{path.name}: {link}"
                reached.add(target)
    for name in ODD_NAMES:
        assert (report / unquote(FileUrls().class_(name))).resolve() in reached, repr(name)
    for layer in LAYERS:
        assert (report / unquote(FileUrls().filter("odd", layer, 2))).resolve() in reached, repr(layer)


def test_files_are_read_by_parsers_and_have_names_that_every_system_takes(report: Path) -> None:
    for path in report.rglob("*"):
        assert len(path.name.encode()) <= 255
        assert not set(path.name) & set('<>:"\\|?*')
        assert path.name.rstrip(". ") == path.name
        assert path.name.partition(".")[0].lower() not in ("con", "nul", "aux")
        if path.suffix == ".csv":
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.reader(file, strict=True))
            assert {len(row) for row in rows} == {len(rows[0])}
        elif path.suffix == ".svg":
            ET.parse(path)
        elif path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".md":
            assert not [c for c in path.read_text(encoding="utf-8") if c < " " and c != "\n"]


def test_what_sources_say_of_odd_labels_is_text(profile: Profile, tmp_path: Path) -> None:
    """Labels among the classes behind a feature; the ids link the classes, so that ConceptNet has something to say."""
    odd = "<b>|*x*`"
    labels = tuple(f"{odd} {label}" for label in profile.class_labels)
    tags = tag_filters(replace(profile, class_labels=labels), [Rule("k", 1)], network="toy-0123456789ab")
    kg = build_kg(tmp_path / "kg", tags, concept_source("wordnet,conceptnet"), Provenance("toy"))
    loaded = load_kg(kg, q=1)
    report = semantic_report([loaded])
    text = report.files["semantic.md"]
    stated = text[text.index("### What ConceptNet says") :]
    assert "&lt;b&gt;\\|\\*x\\*\\` " in stated
    page = Pages(loaded, FileUrls()).groups(report.grouped)
    stated_on_page = page[page.index("What ConceptNet says") :]
    assert "&lt;b&gt;|*x*` " in stated_on_page
    filter_ = Pages(loaded, FileUrls()).filter(report.grouped[0].network, "deep", 2)
    assert "&lt;b&gt;" in filter_
    assert ">ConceptNet</span>" in filter_
    for shown in (text, page, filter_):
        assert "<b>|" not in shown
