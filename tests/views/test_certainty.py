"""What is said of concepts that are not the first, and where classes are too few: on paper, screen and in notebooks."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from filtag_kg import KnowledgeGraph, Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.cli import app
from filtag_kg.demo import demo_profile
from filtag_kg.export import export_graph, to_networkx
from filtag_kg.kg import KG, build_kg, open_kg, read_common_concepts, validate_kg
from filtag_kg.profile import save_profile
from filtag_kg.query import LocalEndpoint, find_query, named_query
from filtag_kg.report import Site, compare_runs, semantic_report, write_report
from filtag_kg.views import chance_text

CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
VEHICLES = np.isin(CIFAR, ("airplane", "automobile", "ship", "truck"))
NEEDED = "too few classes to tell: at least 14 are needed"


def built(profile: Profile, rules: list[Rule], folder: Path) -> KG:
    tags = tag_filters(profile, rules, network="net-0123456789ab")
    return build_kg(folder, tags, wordnet(), Provenance.of_profile(profile), profile=profile)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> KG:
    """The 200 classes of the demo on 60 filters: with enough classes to tell."""
    whole = demo_profile()
    profile = Profile(
        mean=whole.mean[:, -60:],
        variance=None if whole.variance is None else whole.variance[:, -60:],
        count=whole.count,
        class_ids=whole.class_ids,
        class_labels=whole.class_labels,
        layer_names=("head",),
        layer_offsets=np.array([0, 60]),
    )
    return built(profile, [Rule("q", 0.1)], tmp_path_factory.mktemp("many") / "kg")


@pytest.fixture(scope="module")
def cifar() -> Profile:
    """Ten classes: filter 0 of the first layer is for animals, 1 for vehicles, all others for nothing."""
    random = np.random.default_rng(0)
    mean = 0.15 + random.normal(0, 0.1 / np.sqrt(500), size=(10, 40))
    mean[:, 0] += 0.1 * ~VEHICLES
    mean[:, 1] += 0.1 * VEHICLES
    return Profile(
        mean=mean,
        variance=np.full((10, 40), 0.01),
        count=np.full(10, 500, dtype=np.int64),
        class_ids=CIFAR,
        class_labels=CIFAR,
        layer_names=("first", "second"),
        layer_offsets=np.array([0, 30, 40]),
        metadata={"network": "cifar", "identifier": "cifar-0"},
    )


@pytest.fixture(scope="module")
def few(cifar: Profile, tmp_path_factory: pytest.TempPathFactory) -> KG:
    return built(cifar, [Rule("k", 1), Rule("q", 0.1)], tmp_path_factory.mktemp("few") / "kg")


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


def test_only_the_first_concept_has_a_q_value(many: KG) -> None:
    rows = read_common_concepts(many.common_path)
    assert any(row.rank > 1 for row in rows)
    assert all((row.q_value is None) == (row.rank > 1) for row in rows)
    # The first concept's adjusted p is the filter's smallest, of which its q-value is made.
    first = {(row.relation, row.filter): row for row in rows if row.rank == 1}
    assert all(row.p_adjusted >= first[row.relation, row.filter].p_adjusted for row in rows)
    assert not validate_kg(many).findings


def test_a_concept_that_is_not_the_first_is_said_to_be_chance(many: KG, tmp_path: Path) -> None:
    loaded = KnowledgeGraph(many.path).loaded
    (run_table,) = loaded.runs.values()
    column, row = next(
        (column, row)
        for column, rows in run_table.common.items()
        for row in rows
        if row.rank == 2 and row.relation == "IsA" and row.p_adjusted > 0.05 and rows[0].coherent()
    )
    first = run_table.common[column][0]
    assert chance_text(row) == f"may well be chance (adjusted p {row.p_adjusted:.2g})"
    assert re.fullmatch(r"(very )?unlikely to be chance \(q .*\)", chance_text(first))
    found = loaded.filter(loaded.network_named(), "head", column)
    assert f"{chance_text(row)}" in text_of(found._repr_html_())
    assert chance_text(row) in run("show", many.path, "head", column)
    assert chance_text(row) in run("show", many.path, "--concept", row.concept, "--most", 99)
    report = semantic_report([loaded])
    write_report(report, tmp_path / "report", sites=[Site(loaded, report.grouped)])
    pages = tmp_path / "report" / "network"
    (page,) = (path for path in pages.rglob(f"{column}.html") if path.parent.name == "filter" or "filter" in str(path))
    text = text_of(page.read_text(encoding="utf-8"))
    # The figure is one click away.
    for each in (row, first):
        words, _, figure = chance_text(each).partition(" (")
        assert f"{each.label} {words}" in text
        assert figure.removesuffix(")") in text


def test_exports_have_no_q_value_of_another_concept(many: KG) -> None:
    edges = [data for *_, data in to_networkx(many).edges(data=True) if data["kind"] == "common concept"]
    rows = read_common_concepts(many.common_path, kinds_of="wordnet")
    assert len(edges) == len(rows)
    assert sum("q_value" in edge for edge in edges) == sum(row.rank == 1 for row in rows)
    assert all(0 < edge["p_adjusted"] <= 1 for edge in edges)
    parquet = pytest.importorskip("pyarrow.parquet")
    output = io.BytesIO()
    export_graph(many, "parquet", output, table="common")
    table = parquet.read_table(io.BytesIO(output.getvalue())).to_pydict()
    assert all((q is None) == (rank > 1) for q, rank in zip(table["q_value"], table["rank"], strict=True))


def test_build_says_that_classes_are_too_few(cifar: Profile, tmp_path: Path) -> None:
    save_profile(cifar, tmp_path / "p.npz")
    told = run("build", tmp_path / "p.npz", "-o", tmp_path / "kg")
    assert f"rule k=1: {NEEDED}" in told
    (run_of_kg,) = open_kg(tmp_path / "kg").manifest["runs"]
    assert run_of_kg["classes_needed"]["IsA"] == 14


@pytest.mark.parametrize("name", ["coherent-filters", "concept-emergence", "layers-by-purity"])
def test_queries_of_coherent_filters_say_so(name: str, few: KG, many: KG, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "filtag_kg"):
        named_query(LocalEndpoint(few), find_query(name), {})
        assert caplog.messages == [NEEDED]
        named_query(LocalEndpoint(many), find_query(name), {})
        named_query(LocalEndpoint(few), find_query("hub-filters"), {})
        assert caplog.messages == [NEEDED]


def test_the_report_says_so_instead_of_nought(few: KG, tmp_path: Path) -> None:
    loaded = KnowledgeGraph(few.path).loaded
    report = semantic_report([loaded])
    write_report(report, tmp_path / "report", sites=[Site(loaded, report.grouped)])
    markdown = report.files["semantic.md"]
    assert f"How many have a clear theme: **{NEEDED}**." in markdown
    assert "### Pictures that activate filters more than others do" in markdown
    assert "vehicle (" in markdown
    for line in csv.DictReader(io.StringIO(report.files["layers.csv"])):
        assert (line["coherent"], line["share"], line["low"], line["high"]) == ("", "", "", "")
        assert line["classes_needed"] == "14"
    overview = text_of((tmp_path / "report" / "index.html").read_text(encoding="utf-8"))
    assert NEEDED in overview
    for text in (markdown, overview):
        assert " 0 %" not in text
        assert "none of the" not in text
    # No plot of nothing: tagged filters are shown, and that none could be coherent is said.
    plots = {path.name.split("-", 1)[1]: path.read_text() for path in (tmp_path / "report" / "plots").iterdir()}
    assert plots.keys() == {
        f"{name}{size}.svg" for name in ("tags-a-filter", "coherent-by-layer", "separation") for size in ("", "-narrow")
    }
    assert f"With a clear theme: {NEEDED}." in plots["coherent-by-layer.svg"]
    assert "have a clear theme, 0.0 %" not in plots["coherent-by-layer.svg"]
    for page in (tmp_path / "report").rglob("*.html"):
        text = text_of(page.read_text(encoding="utf-8"))
        assert "nothing in common beyond chance" not in text
        assert "0 coherent filters" not in text
        assert "0 of 2 filters" not in text


def test_the_terminal_and_notebooks_say_so(few: KG) -> None:
    assert f"Which of them have a clear theme: {NEEDED}." in run("show", few.path)
    assert f"by several classes: {NEEDED}" in run("show", few.path, "first")
    assert f"filters with this theme: {NEEDED}" in run("show", few.path, "--concept", "vehicle")
    for layer, filter_ in (("first", 0), ("first", 1)):
        shown = run("show", few.path, layer, filter_)
        assert NEEDED in shown
        assert "pictures that activate it more than others do" in shown
        assert NEEDED in text_of(KnowledgeGraph(few.path).filter(layer, filter_)._repr_html_())
    assert json.loads(run("show", few.path, "first", 1, "--format", "json"))["higher"][0]["label"] == "vehicle"


def test_runs_compared_say_so(few: KG) -> None:
    loaded = KnowledgeGraph(few.path).loaded
    found = compare_runs(loaded, loaded)
    assert (found.a.too_few(), found.concepts) == (NEEDED, ())
    assert f"filters of a with a clear theme: {NEEDED}" in run("compare", few.path, few.path)


def test_animals_and_vehicles_are_told_apart(few: KG) -> None:
    kg = KnowledgeGraph(few.path)
    animal, vehicle, nothing = (kg.filter("first", filter_).higher for filter_ in (0, 1, 5))
    assert (animal[0].label, "animal" in animal[0].same) == ("vertebrate", True)
    assert (vehicle[0].label, vehicle[0].classes, vehicle[0].images) == ("vehicle", 4, 2000)
    assert vehicle[0].effect == pytest.approx(1, abs=0.05)
    assert (vehicle[0].mean, vehicle[0].others) == pytest.approx((0.25, 0.15), abs=0.01)
    assert vehicle[0].q_value < 1e-100
    assert nothing == ()
    assert {name.split(" ")[0] for _, name, _ in kg.layer("first").higher} == {"vertebrate", "vehicle"}
    assert kg.layer("second").higher == ()


def test_with_enough_classes_activations_are_not_looked_at(many: KG) -> None:
    assert KnowledgeGraph(many.path).filter("head", 0).higher == ()
