"""``filtag compare`` as people use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from filtag_kg import Profile, Rule
from filtag_kg.cli.compare import _table
from filtag_kg.cli.console import results_console
from filtag_kg.kg import KG, add_runs
from tests.cli.terminal import filtag, refusal
from tests.kg.test_runs import built


@pytest.fixture(scope="module")
def two(profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> KG:
    room = tmp_path_factory.mktemp("two")
    kg = built(room / "kg", profile, Rule("k", 1))
    return add_runs(kg, built(room / "added", profile, Rule("q", 0.5), first_rule=1))


def test_two_rules_filter_by_filter(two: KG) -> None:
    shown = filtag("compare", two.path, two.path)
    assert shown.returncode == 0
    assert "Filters of which both say the same, and in brackets what chance gives" in shown.stdout
    (total,) = [line.split() for line in shown.stdout.splitlines() if line.startswith("all layers")]
    assert total[2] == "4"


def test_the_same_figures_as_json_and_as_a_page(two: KG, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    shown = filtag("compare", two.path, two.path, "--format", "json", "-o", page)
    found = json.loads(shown.stdout)
    assert (found["a"]["rule"], found["b"]["rule"]) == ("k=1", "q=0.5")
    assert [row["layer"] for row in found["labels"]] == [None, "shallow", "deep"]
    assert {row["closeness"] for row in found["filters"]} <= {"equal", "same_kind", "near", "different"}
    assert shown.stderr == f"note: {page}: open it in a browser\n"
    assert "Do they say the same of a filter?" in page.read_text("utf-8")
    assert "http" not in page.read_text("utf-8").replace("http-equiv", "").replace("http://wordnet-rdf", "")


def test_two_layers(two: KG) -> None:
    shown = filtag("compare", two.path, two.path, "--layer", "shallow", "--layer-b", "deep")
    assert shown.returncode == 0
    assert "Filters of which both say the same" not in shown.stdout


def test_mistakes(two: KG, tmp_path: Path) -> None:
    assert refusal("compare", two.path, two.path, "--rule", "k=1", "--rule-b", "k=1").startswith(
        "both runs are the same: name two"
    )
    assert refusal("compare", two.path, two.path, "--layer", "none").startswith("no layer 'none' in toy")
    assert refusal("compare", two.path, two.path, "--q", "7").startswith("7 is no level for q-values")
    assert refusal("compare", two.path, two.path, "--format", "xml") == "no format 'xml': choose table or json"
    assert (
        refusal("compare", two.path, two.path, "-o", tmp_path) == f"{tmp_path} is a directory: give the name of a file"
    )


def test_names_of_layers_are_whole_in_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    layers = [f"block{number}.shortcut" for number in range(1, 4)]
    table = _table("Title", *("layer", "filters", "equal", "same kind", "near", "similarity", "beyond chance", "p"))
    for layer in layers:
        table.add_row(
            layer, "1010", "42% (36%)", "48% (42%)", "86% (84%)", "0.48 (0.46)", "0.03 (0.02 to 0.05)", "0.001"
        )
    console = results_console()
    with console.capture() as capture:
        console.print(table)
    assert all(layer in capture.get() for layer in layers)
    assert "…" not in capture.get()
