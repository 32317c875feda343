from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import Path

import pytest

from filtag_kg import FiltagError, Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.kg import KG, BuildParameters, build_kg, read_common_concepts
from filtag_kg.report import Proportion, check_report_folder, semantic_report, write_report
from filtag_kg.report.pages import Pages
from filtag_kg.report.stated import stated_by_source
from filtag_kg.report.urls import FileUrls
from filtag_kg.views import Feature, load_kg


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
    first = {row.filter: row for row in read_common_concepts(vgg.common_path, kinds_of="wordnet") if row.coherent()}
    groups = [row for row in rows(report.files["groups.csv"]) if row["relation"] == "IsA"]
    label_of = {int(index): row["label"] for row in groups for index in row["filter_indices"].split()}
    assert label_of == {filter_: row.label for filter_, row in first.items()}
    assert sum(int(row["filters"]) for row in groups) == 129
    assert groups[0]["label"] == "dog"
    assert {row["relation"] for row in rows(report.files["groups.csv"])} == {"IsA", "HasA", "MadeOf"}
    (layer,) = rows(report.files["layers.csv"])
    assert (layer["tagged"], layer["several_tags"], layer["coherent"], layer["depth"]) == ("342", "219", "129", "")
    assert (
        "**129 filters clearly respond to one kind of thing**: 58.9 % (95 % interval 52.3 to 65.2 %)"
        in report.files["semantic.md"]
    )
    assert "networks.csv" not in report.files


def test_what_conceptnet_says_of_vgg16(stated_vgg: KG) -> None:
    """Read whole by a person; the texts are those of the filters that stand for themselves."""
    report = semantic_report([load_kg(stated_vgg)])
    (grouped,) = report.grouped
    assert (grouped.coherent.count, grouped.coherent.total) == (129, 219)
    text = report.files["semantic.md"]
    kinds = text.index("### Filters by kind of thing and layer: what WordNet says")
    conceptnet = text.index("### What ConceptNet says")
    assert kinds < conceptnet < text.index("### What else WordNet says")
    assert re.search(r"- \d+ filters share \*dog\*: Afghan hound, .+, … conv5_3 268, ", text)
    assert re.search(r"- \d+ filters share \*can fly\*: .+ \(bird\)\. conv5_3 41, ", text)
    assert "- *has brim*: cowboy hat, sombrero (hat). conv5_3 66\n" in text
    assert "- *is dangerous*: assault rifle, rifle (gun). conv5_3 203\n" in text
    assert "- *used to make music*" in text or "filters share *used to make music*" in text


def test_classes_behind_a_group_have_what_it_is_about(stated_vgg: KG) -> None:
    loaded = load_kg(stated_vgg)
    (grouped,) = semantic_report([loaded]).grouped
    graph = loaded.concepts
    class_of = {class_id: index for index, class_id in enumerate(graph.class_ids)}
    for (relation, source), groups in grouped.groups.items():
        for group in groups:
            tags = Counter(
                tag.class_id
                for index in group.filters
                for of_run in loaded.filter(grouped.network, group.layer, index).runs
                for tag in of_run.tags
            )
            # Independently of the ways that pages show.
            if (relation, source) == ("IsA", "wordnet"):
                below = {graph.class_ids[index] for index in graph.classes_below[group.concept]}
                has = {class_id: class_id in below for class_id in tags}
            else:
                feature = Feature(relation, group.concept, group.label, source)
                concepts = {class_id: next(iter(graph.class_concepts[class_of[class_id]]), None) for class_id in tags}
                has = {
                    class_id: concept is not None and feature in graph.features_above(concept)
                    for class_id, concept in concepts.items()
                }
                for row in group.classes:
                    bearer = row.through.concept if row.through is not None else concepts[row.class_id]
                    assert feature in graph.features[bearer]
                    assert bearer in graph.above[concepts[row.class_id]]
            assert {row.class_id: row.filters for row in group.classes} == {
                class_id: count for class_id, count in tags.items() if has[class_id]
            }
            assert len(group.classes) >= 2


def test_each_source_counts_its_filters(stated_vgg: KG) -> None:
    report = semantic_report([load_kg(stated_vgg)])
    (grouped,) = report.grouped
    table = rows(report.files["groups.csv"])
    stated = stated_by_source(grouped)
    assert [of_source.source for of_source in stated] == ["conceptnet", "wordnet"]
    coherent = {index for row in table if row["relation"] == "IsA" and row["source"] == "wordnet" for index in _of(row)}
    for of_source in stated:
        lines = [row for row in table if row["source"] == of_source.source]
        lines = [row for row in lines if (row["relation"], row["source"]) != ("IsA", "wordnet")]
        filters = {index for row in lines for index in _of(row)}
        assert (of_source.n_filters, of_source.n_new) == (len(filters), len(filters - coherent))
        for relation in of_source.relations:
            of_relation = [row for row in lines if row["relation"] == relation.relation]
            assert relation.n_filters == sum(int(row["filters"]) for row in of_relation)
            sizes = [feature.n_filters for feature in relation.features]
            assert sizes == sorted(sizes, reverse=True)
    feather = next(row for row in table if (row["relation"], row["label"]) == ("HasA", "feather"))
    assert "bird" in feather["through"].split("; ")
    assert "brambling (1)" in feather["classes"].split("; ")


def _of(row: dict[str, str]) -> set[int]:
    return set(map(int, row["filter_indices"].split()))


def test_pages_show_the_way_and_the_source_and_its_licence(stated_vgg: KG) -> None:
    loaded = load_kg(stated_vgg)
    (grouped,) = semantic_report([loaded]).grouped
    pages = Pages(loaded, FileUrls())
    groups, filter_ = pages.groups([grouped]), pages.filter(grouped.network, "conv5_3", 501)
    assert "What ConceptNet says" in groups
    assert re.search(r">has feather</a>", groups)
    assert re.search(r">has feather</a></b>.*?<span class=\"relation\">ConceptNet</span>", filter_)
    text = " ".join(re.sub(r"<[^>]+>", "", filter_).split())
    assert "→, then bird →, then has feather" in text
    for page in (groups, filter_):
        assert (
            'ConceptNet: <a href="https://creativecommons.org/licenses/by-sa/4.0/" rel="license">CC BY-SA 4.0' in page
        )


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
    for folder, message in (
        ("report", "also holds notes.txt, which was not written with the rest, so it is not replaced: move notes.txt"),
        ("thesis", "exists and is no report, so it is not replaced"),
    ):
        with pytest.raises(FiltagError, match=message):
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
