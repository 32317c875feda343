from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from filtag_kg import FiltagError, Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.kg import KG, BuildParameters, build_kg, read_common_concepts
from filtag_kg.report import Proportion, check_report_folder, semantic_report, write_report
from filtag_kg.views import load_kg


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def other(profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> KG:
    tags = tag_filters(profile, [Rule("k", 1)], network="other-0123456789ab")
    return build_kg(
        tmp_path_factory.mktemp("kg") / "other",
        tags,
        wordnet(),
        Provenance.of_profile(profile),
        parameters=BuildParameters(seed=1),
    )


def test_groups_of_vgg16_are_those_of_common_csv(vgg: KG) -> None:
    report = semantic_report([load_kg(vgg)])
    (grouped,) = report.grouped
    assert (grouped.coherent.count, grouped.coherent.total) == (129, 219)
    first = {row.filter: row for row in read_common_concepts(vgg.common_path) if row.coherent()}
    groups = [row for row in rows(report.files["groups.csv"]) if row["relation"] == "IsA"]
    label_of = {int(index): row["label"] for row in groups for index in row["filter_indices"].split()}
    assert label_of == {filter_: row.label for filter_, row in first.items()}
    assert sum(int(row["filters"]) for row in groups) == 129
    assert groups[0]["label"] == "dog"
    assert {row["relation"] for row in rows(report.files["groups.csv"])} == {"IsA", "HasA", "MadeOf"}
    (layer,) = rows(report.files["layers.csv"])
    assert (layer["tagged"], layer["several_tags"], layer["coherent"], layer["depth"]) == ("342", "219", "129", "")
    assert "**129 are coherent**: 58.9 % (95 % interval 52.3 to 65.2 %)" in report.files["semantic.md"]
    assert "networks.csv" not in report.files


def test_a_level_that_lets_all_pass(kg: KG) -> None:
    report = semantic_report([load_kg(kg, "q=0.5", q=1)])
    (grouped,) = report.grouped
    assert [row.layer for row in grouped.layers] == ["shallow", "deep"]
    assert [row.depth for row in grouped.layers] == [0, 1]
    assert all(row.coherent.count <= row.coherent.total <= row.tagged <= row.filters for row in grouped.layers)


def test_networks_are_compared_by_rule(kg: KG, other: KG) -> None:
    report = semantic_report([load_kg(kg, q=1), load_kg(other, q=1)])
    (comparison,) = report.comparisons
    assert comparison.rule == "k=1"
    table = rows(report.files["networks.csv"])
    assert {row["kg"] for row in table} == {kg.manifest["id"], other.manifest["id"]}
    # Both are made of the same profile, so both have each concept as often.
    by_concept: dict[str, set[str]] = {}
    for row in table:
        by_concept.setdefault(row["concept"], set()).add(row["filters"])
    assert by_concept
    assert all(len(counts) == 1 for counts in by_concept.values())
    assert "## Networks compared, rule k=1" in report.files["semantic.md"]
    assert semantic_report([load_kg(kg, q=1), load_kg(other, q=1)]).files == report.files


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"q": 0}, "0 is no level for q-values: give a number above 0 and at most 1"),
        ({"rule": "k=7"}, "no rule 'k=7' in .*: it has k=1, q=0.5"),
    ],
)
def test_wrong_options(kg: KG, options: dict[str, object], message: str) -> None:
    with pytest.raises(FiltagError, match=message):
        semantic_report([load_kg(kg, **options)])  # type: ignore[arg-type]


def test_a_kg_given_twice(kg: KG) -> None:
    with pytest.raises(FiltagError, match="are the same KG: give it once"):
        semantic_report([load_kg(kg), load_kg(kg)])


def test_what_is_no_report_is_never_replaced(kg: KG, tmp_path: Path) -> None:
    report = semantic_report([load_kg(kg)])
    write_report(report, tmp_path / "report")
    assert {path.name for path in (tmp_path / "report").iterdir()} == {*report.files, "filtag-report.json"}
    with pytest.raises(FiltagError, match="already holds a report: choose another output, or replace it"):
        write_report(report, tmp_path / "report")
    write_report(report, tmp_path / "report", force=True)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").touch()
    with pytest.raises(FiltagError, match="exists and is no report, so it is not replaced"):
        check_report_folder(tmp_path / "thesis", force=True)
    (tmp_path / "empty").mkdir()
    write_report(report, tmp_path / "empty")
    # Somebody's notes in a report, and a file that is called as one of ours.
    (tmp_path / "report" / "notes.txt").write_text("mine")
    (tmp_path / "thesis" / "semantic.md").touch()
    for folder in ("report", "thesis"):
        with pytest.raises(FiltagError, match="exists and is no report, so it is not replaced"):
            write_report(report, tmp_path / folder, force=True)
    assert (tmp_path / "report" / "notes.txt").read_text() == "mine"


def test_wilsons_interval() -> None:
    # Newcombe 1998, Two-sided confidence intervals for the single proportion, table I.
    for count, of, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        share = Proportion(count, of)
        assert share.low == pytest.approx(low, abs=1e-4)
        assert share.high == pytest.approx(high, abs=1e-4)
    assert (Proportion(0, 0).value, Proportion(0, 0).low) == (None, None)
    with pytest.raises(ValueError, match="3 of 2 is no proportion"):
        Proportion(3, 2)
