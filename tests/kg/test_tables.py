"""The tables of a KG: one reader and one writer each, whatever way the numbers take."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filtag_kg import FiltagError, Profile, Provenance, Rule, TagTable, tag_filters, wordnet
from filtag_kg.kg import KG, SCORES, TABLES, TAGS, build_kg, read_tags, remove_run, runs_of, validate_kg
from filtag_kg.kg import tables as module
from filtag_kg.names import nfc
from filtag_kg.query import LocalEndpoint, find_query, named_query
from filtag_kg.tags import tag_assignments, tag_scores
from filtag_kg.views import load_kg

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6)


@pytest.mark.parametrize("name", TABLES)
def test_cells_are_those_of_the_row(name: str) -> None:
    table = TABLES[name]
    assert tuple(table.cells) == table.columns == tuple(field.name for field in fields(table.row))


def test_columns_have_the_types_of_the_row() -> None:
    assert TAGS.types == {
        "network": str,
        "layer_index": int,
        "layer": str,
        "filter": int,
        "class_id": str,
        "label": str,
        "rank": int,
        "activation": float,
        "contrast": float,
        "rule": str,
    }


def test_csv_header_is_the_contract() -> None:
    header = "network,layer_index,layer,filter,class_id,label,rank,activation,contrast,rule\n"
    assert TAGS.text([]) == header


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_written_as_it_was_read(name: str, kg: KG) -> None:
    table = TABLES[name]
    text = (kg.path / table.file_name).read_text(encoding="utf-8")
    assert table.text(table.read(kg.path / table.file_name)) == text


def as_rows(tags: TagTable) -> list[Any]:
    return list(tag_assignments(tags))


def test_tags_are_read_back(profile: Profile, tmp_path: Path) -> None:
    rules = [Rule("k", 2, "contrast"), Rule("q", 0.5)]
    tags = tag_filters(profile, rules, network='a "quoted", name')
    path = tmp_path / "tags.csv"
    path.write_text(TAGS.text(tag_assignments(tags)), encoding="utf-8", newline="")
    assert list(TAGS.read(path)) == as_rows(tags)
    layers = dict(zip(tags.layer_names, tags.n_filters, strict=True))
    classes = dict(zip(tags.class_ids, tags.class_labels, strict=True))
    again = read_tags(path, network=tags.network, rules=tags.rules, layers=layers, classes=classes)
    assert as_rows(again) == as_rows(tags)
    assert (again.n_filters, again.class_ids) == (tags.n_filters, tags.class_ids)
    found = read_tags(path, network=tags.network, rules=tags.rules)
    assert as_rows(found) == [replace(row, layer_index=found.layer_names.index(row.layer)) for row in as_rows(tags)]


@st.composite
def tag_tables(draw: st.DrawFn) -> TagTable:
    layers = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    class_ids = draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=nfc))
    n = draw(st.integers(0, 12))
    random = np.random.default_rng(draw(st.integers(0, 2**31)))
    activation, contrast = random.random(n), random.normal(size=n)
    rank = random.integers(1, 9, n)
    for column in (activation, contrast):
        if draw(st.booleans()):
            column[random.random(n) < draw(st.sampled_from([0.5, 1.0]))] = np.nan
    if draw(st.booleans()):
        rank[random.random(n) < draw(st.sampled_from([0.5, 1.0]))] = 0
    return TagTable(
        network=draw(NAMES),
        layer_names=tuple(layers),
        n_filters=tuple(5 for _ in layers),
        class_ids=tuple(class_ids),
        class_labels=tuple(draw(NAMES) for _ in class_ids),
        rules=("k=1", "q=0.5"),
        rule=random.integers(0, 2, n),
        layer=random.integers(0, len(layers), n),
        filter=random.integers(0, 5, n),
        class_=random.integers(0, len(class_ids), n),
        rank=rank,
        activation=activation,
        contrast=contrast,
    )


@given(tag_tables())
@settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_ways_of_reading_tags_agree(tmp_path: Path, tags: TagTable) -> None:
    path = tmp_path / "tags.csv"
    path.write_text(TAGS.text(tag_assignments(tags)), encoding="utf-8", newline="")
    layers = dict(zip(tags.layer_names, tags.n_filters, strict=True))
    classes = dict(zip(tags.class_ids, tags.class_labels, strict=True))
    read = [read_tags(path, network=tags.network, rules=tags.rules, layers=layers, classes=classes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_load_columns", lambda _: None)
        read.append(read_tags(path, network=tags.network, rules=tags.rules, layers=layers, classes=classes))
    assert [as_rows(each) for each in read] == [as_rows(tags)] * 2


def scored(profile: Profile) -> TagTable:
    """Tags by two rules, some of them with a score."""
    tags = tag_filters(profile, [Rule("k", 1), Rule("q", 0.5)], network="net")
    score = np.random.default_rng(0).normal(size=len(tags))
    score[::3] = np.nan
    return replace(tags, score=score)


def test_scores_are_read_back_from_the_file_beside_the_tags(profile: Profile, tmp_path: Path) -> None:
    tags = scored(profile)
    (tmp_path / "tags.csv").write_text(TAGS.text(tag_assignments(tags)), encoding="utf-8")
    (tmp_path / "scores.csv").write_text(SCORES.text(tag_scores(tags)), encoding="utf-8")
    again = read_tags(tmp_path / "tags.csv", network=tags.network, rules=tags.rules)
    assert as_rows(again) == [replace(row, layer_index=again.layer_names.index(row.layer)) for row in as_rows(tags)]
    assert list(tag_scores(again)) == list(tag_scores(tags))
    assert len(list(tag_scores(again))) == np.count_nonzero(~np.isnan(tags.score)) < len(tags)
    (tmp_path / "scores.csv").write_text("layer,filter,class_id,score,rule\ndeep,0,x,0.5,k=1\n")
    with pytest.raises(FiltagError) as error:
        read_tags(tmp_path / "tags.csv", network=tags.network, rules=tags.rules)
    assert str(error.value) == (
        f"{tmp_path / 'scores.csv'} has a score of 'x' on filter 0 of deep, which it does not tag by k=1: "
        "build the KG anew"
    )


def test_a_kg_keeps_scores_with_their_meaning(profile: Profile, tmp_path: Path) -> None:
    tags = scored(profile)
    labels = Provenance("net", method="netdissect", score_meaning="overlap of regions")
    kg = build_kg(tmp_path / "kg", tags, wordnet(), labels)
    assert validate_kg(kg).findings == ()
    assert [(run.method, run.score_meaning) for run in runs_of(kg)] == [("netdissect", "overlap of regions")] * 2
    run = load_kg(kg).runs[runs_of(kg)[1].run_id]
    assert sorted(run.score[~np.isnan(run.score)]) == sorted(row.score for row in tag_scores(tags.of_rule("q=0.5")))
    asked = {"layer": "deep", "filter": "0", "rule": "q=0.5"}
    answer = named_query(LocalEndpoint(kg), find_query("tags-of-filter"), asked)
    of_filter = {
        row.class_id: row.score for row in tag_scores(tags) if (row.layer, row.filter, row.rule[0]) == ("deep", 0, "q")
    }
    assert {row[0]: float(row[-1]) for row in answer.values() if row[-1]} == of_filter
    told = named_query(LocalEndpoint(kg), find_query("run-provenance"), {})
    assert {"netdissect", "overlap of regions"} <= {value for _, value in told.values()}
    (tmp_path / "kg" / "scores.csv").write_text(SCORES.text(list(tag_scores(tags))[1:]), encoding="utf-8")
    assert ("table differs from the graph", "scores.csv") in {(x.check, x.where) for x in validate_kg(kg).findings}
    left = remove_run(build_kg(tmp_path / "other", tags, wordnet(), labels), "k=1")
    assert {row.rule for row in SCORES.read(left.path / "scores.csv")} == {"q=0.5"}
    assert validate_kg(left).findings == ()


ROW = "n,0,a,1,x,label,2,0.5,1.5,k=1"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("n,0,a,9,x,label,2,0.5,1.5,k=1", "line 3: there is no filter 9 in a layer 'a'"),
        ("n,0,b,1,x,label,2,0.5,1.5,k=1", "line 3: there is no filter 1 in a layer 'b'"),
        ("n,0,a,1,y,label,2,0.5,1.5,k=1", "line 3: there is no class 'y'"),
        ("n,0,a,71,x,label,2,0.5,1.5,k=2", "line 3: there is no run by the rule 'k=2'"),
        ("n,0,a,1,x,label,0,0.5,1.5,k=1", "line 3, column rank: '0' is not a whole number from 1"),
        ("n,0,a,1,x,label,2,nan,1.5,k=1", "line 3, column activation: 'nan' is not a number"),
        ("n,0,a,1,x,label,2,0.5,inf,k=1", "line 3, column contrast: 'inf' is not a number"),
        ("n,0,a,1,x,label,2,1.5,1.5,k=1", "line 3, column activation: '1.5' is not a number"),
        ("n,0,a,1.5,x,label,2,0.5,1.5,k=1", "line 3, column filter: '1.5' is not a whole number"),
        ("n,0,a,1,x,label,2,0.5,1.5,k=1,k=1", "line 3: 11 cells, where the header has 10"),
        ("n,0,a,1,x,label,2,0.5,1.5", "line 3: 9 cells, where the header has 10"),
        ('n,0,a,1,x,"label,2,0.5,1.5,k=1', "is not CSV"),
    ],
)
def test_damaged_tags_are_refused_with_their_line(row: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "tags.csv"
    path.write_text(TAGS.text([]) + f"{ROW}\n{row}\n", encoding="utf-8")
    with pytest.raises(FiltagError) as error:
        read_tags(path, network="n", rules=["k=1"], layers={"a": 5}, classes={"x": "label"})
    assert problem in str(error.value)
    assert str(error.value).endswith(": build the KG anew")
