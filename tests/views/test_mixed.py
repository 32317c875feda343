"""Mixed filters in words, and on pages of report and explorer."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from filtag_kg import Provenance, Rule, tag_filters, wordnet
from filtag_kg.cli import app
from filtag_kg.kg import KG, build_kg
from filtag_kg.report import Pages
from filtag_kg.report.urls import FileUrls
from filtag_kg.views import LoadedKg, load_kg
from tests.mixed_filters import MIXED, mixed_profile


@pytest.fixture(scope="module")
def loaded(mixed_kg: KG) -> LoadedKg:
    return load_kg(mixed_kg)


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def test_a_mixed_filter_has_both_things_in_its_name(loaded: LoadedKg) -> None:
    network = loaded.network_named()
    for column, themes in MIXED.items():
        mixed = loaded.filter(network, "deep", column).mixed
        assert mixed is not None
        assert set(mixed.name.split(" / ")) == set(themes)
        assert mixed.sentence.startswith("Responds to two unrelated things: ")
        assert all(theme in mixed.sentence for theme in themes)
        assert mixed.others == mixed.clear - sum(len(part.classes) for part in mixed.parts) >= 0
        assert all(label for part in mixed.parts for _, label in part.classes)
    assert loaded.filter(network, "deep", 9).mixed is None
    results = loaded.mixed[network.network]
    assert list(results.filters) == sorted(results.filters, key=lambda key: results.filters[key].q_value)


def test_the_level_decides(mixed_kg: KG) -> None:
    none = load_kg(mixed_kg, q=1e-12)
    assert not none.mixed[none.network_named().network].filters


def test_the_page_names_each_part_and_its_classes(loaded: LoadedKg) -> None:
    network = loaded.network_named()
    text = words(Pages(loaded, FileUrls()).mixed())
    assert f"2 filters of {network.n_filters} respond to two things" in text
    for mixed in loaded.mixed[network.network].filters.values():
        assert mixed.name in text
        assert all(label in text for part in mixed.parts for _, label in part.classes)


def test_the_filters_own_page_says_it(loaded: LoadedKg) -> None:
    pages, network = Pages(loaded, FileUrls()), loaded.network_named()
    assert "Responds to two unrelated things" in words(pages.filter(network, "deep", 40))
    assert "Responds to two unrelated things" not in words(pages.filter(network, "deep", 9))


def test_what_is_not_known_has_a_reason(loaded: LoadedKg, kg: KG, tmp_path: Path) -> None:
    tags = tag_filters(mixed_profile(), [Rule("k", 1)], network="mixed-0123456789ab")
    provenance = replace(Provenance("mixed"), method="somebody")
    imported = load_kg(build_kg(tmp_path / "imported", tags, wordnet(), provenance))
    assert "labels of another method do not say" in words(Pages(imported, FileUrls()).mixed())
    earlier = replace(loaded, mixed={})
    assert "an earlier version built the KG" in words(Pages(earlier, FileUrls()).mixed())
    assert "Too few classes to tell: at least 10 are needed." in words(Pages(load_kg(kg), FileUrls()).mixed())
    network = loaded.network_named().network
    none = {network: replace(loaded.mixed[network], filters={})}
    text = words(Pages(replace(loaded, mixed=none), FileUrls()).mixed())
    assert f"None was found among {loaded.mixed[network].tested} filters with a theme." in text


def test_show_says_it(mixed_kg: KG) -> None:
    result = CliRunner().invoke(app, ["show", str(mixed_kg.path), "deep", "40"])
    assert result.exit_code == 0, result.exception
    said = " ".join(result.stdout.split())
    assert "mixed: Responds to two unrelated things: " in said
    assert "mixed:" not in CliRunner().invoke(app, ["show", str(mixed_kg.path), "deep", "9"]).stdout
