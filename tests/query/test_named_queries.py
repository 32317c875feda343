from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyoxigraph as ox
import pytest
from rdflib.plugins.sparql import prepareQuery
from typer.testing import CliRunner

from filtag_kg import FiltagError, KnowledgeGraph, Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.cli import app
from filtag_kg.concepts import COHERENT_Q, build_hierarchy, link_classes
from filtag_kg.kg import KG, MIXED, TAGS, build_kg, open_kg, read_label_checks
from filtag_kg.kg.store import graph_lines, write_graph
from filtag_kg.query import (
    PARAMETERS,
    LocalEndpoint,
    NamedQuery,
    RemoteEndpoint,
    catalogue,
    explanation,
    find_query,
    format_result,
    named_query,
    open_endpoint,
    sparql_query,
)
from filtag_kg.query.parameters import bind
from filtag_kg.query.result import Value
from filtag_kg.tags import TagTable, read_filtag_labels
from tests.label_checks import checked_copy
from tests.query.sparql_server import sparql_server

GOLDEN = Path(__file__).with_name("golden")

# What is asked of each query; its answer, read and found right by a person, is in golden/.
ASKED = {
    "ablation-effects": {},
    "best-filters-for-concept": {"concept": "dog"},
    "co-tagged-classes": {"class": "tabby", "rule": "q=0.5"},
    "coherent-filters": {"max_q": "1"},
    "common-concept-paths": {"layer": "deep", "filter": "0", "rule": "q=0.5"},
    "common-concepts": {"layer": "deep", "rule": "q=0.5"},
    "common-features": {"layer": "deep"},
    "concept-by-layer": {"concept": "dog"},
    "concept-emergence": {"max_q": "1"},
    "concepts-of-no-filter": {},
    "confusing-filters": {"class_a": "n02087394", "class_b": "bloodhound", "rule": "q=0.5"},
    "confirmed-filters": {"concept": "dog", "rule": "q=0.5"},
    "doubtful-labels": {"layer": "deep", "rule": "q=0.5"},
    "doubtful-links": {"max_confidence": "1"},
    "duplicate-filters": {},
    "filters-by-concept": {"concept": "dog", "layer": "deep", "rule": "q=0.5"},
    "filters-of-class": {"class": "tabby", "rule": "q=0.5"},
    "filters-with-but-without": {"concept_a": "dog", "concept_b": "cat"},
    "filters-with-part": {"concept": "tailgate"},
    "hub-filters": {"min_tags": "4"},
    "inactive-filters": {},
    "layer-summary": {"rule": "q=0.5"},
    "layers-by-purity": {"max_q": "1"},
    "mixed-filters": {},
    "parts-of-filter": {"layer": "deep", "filter": "2"},
    "rule-overlap": {"layer": "deep", "rule_a": "k=1", "rule_b": "q=0.5"},
    "run-provenance": {},
    "selective-filters": {"concept": "dog", "rule": "q=0.5"},
    "shared-filters": {"class_a": "n02087394", "class_b": "bloodhound", "rule": "q=0.5"},
    "similar-filters": {"layer": "deep", "filter": "0", "rule": "q=0.5"},
    "single-class-filters": {"rule": "q=0.5"},
    "tags-of-filter": {"layer": "deep", "filter": "0"},
    "unexplained-filters": {"max_share": "0.5"},
    "untagged-filters": {"rule": "k=1"},
}
COLUMNS = {
    "ablation-effects": "concept, class_id, label, scope, images, accuracy_before, accuracy_after, confidence_before, "
    "confidence_after, confidence_random, replacement, ablation",
    "best-filters-for-concept": "rule, layer, filter, kind, label, correlation, auc, auprc, q_value, confirmed",
    "co-tagged-classes": "class_id, label, filters",
    "coherent-filters": "layer, filter, concept, label, coverage, support, q_value",
    "common-concept-paths": "concept, tag, narrower, broader, source",
    "common-concepts": "layer, filter, concept, label, coverage, support, q_value, p_adjusted",
    "common-features": "layer, filter, relation, concept, label, coverage, support, q_value, p_adjusted, source",
    "concept-by-layer": "layer, filters, separation, low, high, concentration, concept",
    "concept-emergence": "concept, label, layer, filters",
    "concepts-of-no-filter": "concept, label, classes",
    "confusing-filters": "layer, filter, responds_to, rank_a, rank_b, contrast_a, contrast_b",
    "confirmed-filters": "layer, filter, kind, label, correlation, auc, auprc, q_value",
    "doubtful-labels": "layer, filter, kind, label, correlation, auc, auprc, q_value",
    "doubtful-links": "class_id, label, concept, concept_label, confidence",
    "duplicate-filters": "layer, filter, duplicate, mean, duplicate_mean",
    "filters-by-concept": "layer, filter, matching, tags, share, labels",
    "filters-of-class": "layer, filter, rank, activation",
    "filters-with-but-without": "layer, filter, matching, tags, labels",
    "filters-with-part": "layer, filter, relation, coverage, support, q_value, p_adjusted, source",
    "hub-filters": "layer, filter, tags",
    "inactive-filters": "layer, filter, mean, tags",
    "layer-summary": "layer, filters, tagged, tags, tags_per_filter",
    "layers-by-purity": "layer, several_tags, coherent, share",
    "mixed-filters": "layer, filter, first, second, mixedness, q_value, first_classes, second_classes, first_concept, "
    "second_concept",
    "parts-of-filter": "part, label, tags",
    "rule-overlap": "layer, filter, tags_a, tags_b, both",
    "run-provenance": "property, value",
    "selective-filters": "layer, filter, share, matching, tags, recall",
    "shared-filters": "layer, filter, rank_a, rank_b",
    "similar-filters": "other_layer, other_filter, shared, similarity",
    "single-class-filters": "layer, filter, tags",
    "tags-of-filter": "class_id, label, rank, activation, contrast, concept, score",
    "unexplained-filters": "layer, filter, class_share, mean, tags",
    "untagged-filters": "layer, filter, tags",
}


@pytest.fixture(scope="module")
def remote(kg: KG) -> Iterator[RemoteEndpoint]:
    with sparql_server(kg.store()) as url:
        yield RemoteEndpoint(url)


@pytest.fixture(scope="module")
def checked(kg: KG, tmp_path_factory: pytest.TempPathFactory) -> KG:
    return checked_copy(kg, tmp_path_factory.mktemp("checked") / "kg")


@pytest.fixture(scope="module")
def remote_checked(checked: KG) -> Iterator[RemoteEndpoint]:
    with sparql_server(checked.store()) as url:
        yield RemoteEndpoint(url)


def test_the_catalogue_is_the_contract() -> None:
    assert {query.name: ", ".join(query.columns) for query in catalogue()} == COLUMNS
    assert all(query.summary for query in catalogue())
    # The overlap of rules names both. Where a query is about all runs of a KG, the rule says of which KG.
    assert {query.name for query in catalogue() if "rule" not in query.optional} == {"rule-overlap"}


@pytest.mark.parametrize("name", COLUMNS)
def test_each_query_has_the_columns_that_it_says_and_is_standard_sparql(name: str) -> None:
    query = find_query(name)
    assert tuple(map(str, prepareQuery(query.text).algebra["PV"])) == query.columns


@pytest.mark.parametrize("name", ASKED)
def test_each_query_gives_its_golden_answer(name: str, checked: KG) -> None:
    answer = format_result(named_query(LocalEndpoint(checked), find_query(name), ASKED[name]), "csv")
    assert answer == (GOLDEN / f"{name}.csv").read_text()


@pytest.mark.parametrize("name", ASKED)
def test_a_remote_endpoint_gives_the_same_answer(name: str, checked: KG, remote_checked: RemoteEndpoint) -> None:
    query = find_query(name)
    for format_ in ("csv", "json"):
        local = format_result(named_query(LocalEndpoint(checked), query, ASKED[name]), format_)
        assert format_result(named_query(remote_checked, query, ASKED[name]), format_) == local


def test_labels_that_were_not_checked_are_neither_confirmed_nor_doubtful(
    kg: KG, checked: KG, caplog: pytest.LogCaptureFixture
) -> None:
    of_checks = [query for query in catalogue() if "flt:checkQValue" in query.text]
    assert [query.name for query in of_checks] == ["best-filters-for-concept", "confirmed-filters", "doubtful-labels"]
    for query in of_checks:
        caplog.clear()
        assert named_query(LocalEndpoint(kg), query, {"concept": "dog"} if query.required else {}).rows == ()
        whose = "" if "rule" in query.columns else " of this run"
        assert caplog.messages == [f"the labels{whose} are not checked: check them on images first"]
        caplog.clear()
        assert named_query(LocalEndpoint(checked), query, {"concept": "dog"} if query.required else {}).rows
        assert caplog.messages == []


def test_what_the_first_run_does_not_know_another_may(kg: KG, vgg: KG, caplog: pytest.LogCaptureFixture) -> None:
    effects = find_query("ablation-effects")
    assert named_query(LocalEndpoint(kg), effects, {}).rows == ()
    assert caplog.messages == ["nothing by k=1, the first rule; the KG also has q=0.5"]
    caplog.clear()
    assert named_query(LocalEndpoint(kg), effects, {"rule": "q=0.5"}).rows == ()
    # One run only: no other would know more.
    assert named_query(LocalEndpoint(vgg), effects, {}).rows == ()
    assert caplog.messages == []


@pytest.mark.parametrize("name", ["inactive-filters", "duplicate-filters", "unexplained-filters"])
def test_labels_without_a_profile_do_not_tell_how_active_filters_are(
    name: str, kg: KG, vgg: KG, caplog: pytest.LogCaptureFixture
) -> None:
    named_query(LocalEndpoint(kg), find_query(name), {"rule": "k=1"})
    assert caplog.messages == []
    assert named_query(LocalEndpoint(vgg), find_query(name), {}).rows == ()
    assert caplog.messages == ["this run was not made from a profile, which would tell how active filters are"]


def test_labels_without_a_profile_do_not_tell_which_filters_are_mixed(
    kg: KG, vgg: KG, caplog: pytest.LogCaptureFixture
) -> None:
    assert named_query(LocalEndpoint(kg), find_query("mixed-filters"), {}).rows == ()
    assert caplog.messages == []
    assert named_query(LocalEndpoint(vgg), find_query("mixed-filters"), {}).rows == ()
    assert caplog.messages == ["this run was not made from a profile, which would tell which filters are mixed"]


def test_a_kg_of_an_earlier_version_does_not_tell_which_filters_are_mixed(
    kg: KG, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = [line for line in graph_lines(kg.path / "graph.nq.gz") if "/file/mixed.csv>" not in line]
    (tmp_path / "kg").mkdir()
    shutil.copy(kg.path / "filtag.json", tmp_path / "kg")
    write_graph(lines, tmp_path / "kg" / "graph.nq.gz", tmp_path / "kg" / "store")
    assert named_query(LocalEndpoint(open_kg(tmp_path / "kg")), find_query("mixed-filters"), {}).rows == ()
    assert caplog.messages == ["an earlier version built the KG, and did not look for mixed filters: build it anew"]


def test_mixed_filters_are_those_of_the_table(mixed_kg: KG) -> None:
    endpoint, query = LocalEndpoint(mixed_kg), find_query("mixed-filters")
    rows = list(MIXED.read(mixed_kg.path / MIXED.file_name))
    pairs = list(zip(rows[::2], rows[1::2], strict=True))
    for max_q in (None, "1"):
        for rule in ("k=1", "q=0.1"):
            given = {"rule": rule} | ({} if max_q is None else {"max_q": max_q})
            found = named_query(endpoint, query, given).records()
            expected = {
                (a.layer, a.filter, a.label, b.label, len(a.classes), len(b.classes), a.concept, b.concept)
                for a, b in pairs
                if b.q_value < float(max_q or COHERENT_Q)
            }
            names = ("layer", "filter", "first", "second", "first_classes", "second_classes", "first_concept")
            assert {(*(row[name] for name in names), row["second_concept"]) for row in found} == expected
            assert [row["q_value"] for row in found] == sorted(row["q_value"] for row in found)
    assert named_query(endpoint, query, {"layer": "shallow"}).rows == ()
    assert len(named_query(endpoint, query, {"layer": "deep"}).rows) == 2


def test_a_profile_without_variances_does_not_tell_what_classes_explain(
    profile: Profile, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plain = replace(profile, variance=None)
    tags = tag_filters(plain, [Rule("k", 1)], network="toy")
    made = build_kg(tmp_path / "kg", tags, wordnet(), Provenance.of_profile(plain), profile=plain)
    caplog.clear()
    assert named_query(LocalEndpoint(made), find_query("unexplained-filters"), {"max_share": "1"}).rows == ()
    assert caplog.messages == ["the profile has no variances, so it does not tell how much classes explain of a filter"]


def test_queries_and_tables_of_a_check_agree(checked: KG) -> None:
    endpoint = LocalEndpoint(checked)
    for run_id, check in read_label_checks(checked).items():
        for name, status in (("confirmed-filters", "confirmed"), ("doubtful-labels", "not confirmed")):
            rows = named_query(endpoint, find_query(name), {"rule": run_id}).records()
            expected = [row for row in check.labels if row.status == status]
            found = {(row["layer"], row["filter"], row["label"], row["correlation"]) for row in rows}
            assert found == {(row.layer, row.filter, row.label, row.correlation) for row in expected}
            assert len(rows) == len(expected)
    dogs = named_query(endpoint, find_query("best-filters-for-concept"), {"concept": "dog"}).records()
    assert [row["correlation"] for row in dogs] == sorted((row["correlation"] for row in dogs), reverse=True)
    assert {row["rule"] for row in dogs} == {"k=1", "q=0.5"}
    assert {row["label"] for row in dogs} == {"Rhodesian ridgeback", "bloodhound", "redbone", "hound"}
    confirmed = named_query(endpoint, find_query("confirmed-filters"), {"concept": "dog", "rule": "q=0.5"}).records()
    of_rule = [row for row in dogs if row["confirmed"] and row["rule"] == "q=0.5"]
    assert len(confirmed) == len(of_rule) > 0


def test_coherent_is_below_its_level_in_every_query(kg: KG) -> None:
    """One definition in code and queries: a q-value that equals the level is not below it."""
    of_level = [query for query in catalogue() if "max_q" in query.optional]
    assert {query.name for query in of_level} == {
        "coherent-filters",
        "concept-emergence",
        "layers-by-purity",
        "mixed-filters",
    }
    assert all(f"COALESCE(?max_q, {COHERENT_Q})" in query.text for query in of_level)
    for command in (["report"], ["compare"], ["conformance", "rate"]):
        shown = CliRunner().invoke(app, [*command, "--help"]).stdout
        assert f"[default: {COHERENT_Q}]" in " ".join(shown.split())
    endpoint = LocalEndpoint(kg)
    q = min(row["q_value"] for row in named_query(endpoint, find_query("coherent-filters"), {"max_q": "1"}).records())
    at, above = {"max_q": repr(q)}, {"max_q": repr(math.nextafter(q, 1))}
    # None of these few filters is mixed: that query has a test of its own.
    for query in [each for each in of_level if each.name != "mixed-filters"]:
        rows, more = (named_query(endpoint, query, asked).records() for asked in (at, above))
        if query.name == "layers-by-purity":
            assert sum(row["coherent"] for row in rows) == 0 < sum(row["coherent"] for row in more)
        else:
            assert rows == [] != more


def test_a_concept_that_is_not_the_first_has_no_q_value_in_any_query(kg: KG) -> None:
    endpoint = LocalEndpoint(kg)
    rows = named_query(endpoint, find_query("common-concepts"), {"rule": "q=0.5"}).records()
    seen: set[tuple[Value, Value]] = set()
    for row in rows:
        first = (row["layer"], row["filter"]) not in seen
        seen.add((row["layer"], row["filter"]))
        assert (row["q_value"] is not None) == first
        assert isinstance(row["p_adjusted"], float)
    assert len(rows) > len(seen)
    assert (
        sparql_query(endpoint, "SELECT ?c { ?c flt:rank ?rank ; flt:coherenceQValue ?q FILTER (?rank > 1) }").rows == ()
    )


def filters(kg: KG, concept: str) -> str:
    return format_result(named_query(LocalEndpoint(kg), find_query("filters-by-concept"), {"concept": concept}), "csv")


@pytest.mark.parametrize(
    "concept",
    [
        "Dog",
        "domestic_dog",
        "http://wordnet-rdf.princeton.edu/pwn30/02084071-n",
        "/c/en/dog",
        "/c/en/dog/n",
        "/c/en/dog/n/wn/animal",
        "http://api.conceptnet.io/c/en/dog",
        "http://api.conceptnet.io/c/en/dog/n/wn/animal",
    ],
)
def test_a_concept_is_found_by_label_iri_and_conceptnet_term(kg: KG, concept: str) -> None:
    assert filters(kg, concept) == filters(kg, "dog")
    assert filters(kg, concept).count("\n") > 1


@pytest.mark.parametrize(
    "concept", ["unicorn", "/c/en/do", "http://api.conceptnet.io/c/en/do", 'dog" } #', "dog\\", "?x"]
)
def test_a_concept_that_is_not_there_gives_no_rows_and_a_note(
    kg: KG, concept: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="filtag_kg"):
        assert filters(kg, concept) == "layer,filter,matching,tags,share,labels\n"
    assert f"no concept above a class is called {concept!r}" in caplog.text


def test_values_are_bound_as_terms() -> None:
    hostile = ox.Literal('x" } DROP ALL # \\g<0> \\')
    bound = bind("ASK { VALUES ?word { UNDEF } ?s ?p ?word }", {"word": [hostile]})
    store = ox.Store()
    store.add(ox.Quad(ox.NamedNode("http://s"), ox.NamedNode("http://p"), hostile))
    assert bool(store.query(bound))


def test_a_word_with_several_senses_means_all_of_them_and_says_so(vgg: KG, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="filtag_kg"):
        answer = named_query(LocalEndpoint(vgg), find_query("filters-by-concept"), {"concept": "ball"})
    assert "'ball' has 2 senses in the graph; the query asks for all: ball <" in caplog.text
    assert {row[5] for row in answer.values()} >= {"baseball, golf ball", "bubble"}
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="filtag_kg"):
        answer = named_query(LocalEndpoint(vgg), find_query("filters-by-concept"), {"concept": "dog"})
    # No class is a frank, which is a hot dog's part: it is not asked for.
    assert not caplog.text
    rows = answer.values()
    assert (len(rows), sum(int(row[2]) for row in rows)) == (33, 118)
    assert [row[1:4] for row in rows[:3]] == [("268", "17", "17"), ("318", "15", "15"), ("437", "10", "10")]


@pytest.mark.parametrize("word", ["fish", "dog", "fly", "coat", "bounce", "paw", "/c/en/fish"])
def test_what_things_do_and_have_is_no_sense_of_a_kind(
    vgg: KG, stated_vgg: KG, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("filters-by-concept", "concept-by-layer", "selective-filters"):
        answers = []
        for kg in (vgg, stated_vgg):
            caplog.clear()
            with caplog.at_level(logging.WARNING, logger="filtag_kg"):
                rows = named_query(LocalEndpoint(kg), find_query(name), {"concept": word}).values()
            answers.append((rows, caplog.messages[:]))
        assert answers[0] == answers[1]


def test_a_word_means_what_classes_are_before_what_they_do(stated_vgg: KG) -> None:
    graph = KnowledgeGraph(stated_vgg.path)
    assert graph.concept("fish").iri == "http://wordnet-rdf.princeton.edu/pwn30/02512053-n"
    assert graph.concept("bounce").iri == "http://api.conceptnet.io/c/en/bounce"
    assert graph.concept("bounce").classes == ()
    with pytest.raises(FiltagError, match="'ball' has 2 senses here"):
        graph.concept("ball")


def test_what_things_do_and_have_is_found_by_queries_about_it(stated_vgg: KG, caplog: pytest.LogCaptureFixture) -> None:
    query = find_query("filters-with-part")
    with caplog.at_level(logging.WARNING, logger="filtag_kg"):
        rows = named_query(LocalEndpoint(stated_vgg), query, {"concept": "fly"}).records()
    assert "'fly' has 3 senses in the graph" in caplog.text
    flying = {row["filter"] for row in rows if row["relation"] == "CapableOf" and row["source"] == "conceptnet"}
    assert 501 in flying
    rows = named_query(LocalEndpoint(stated_vgg), query, {"concept": "paw"}).records()
    assert {row["source"] for row in rows} >= {"wordnet"}


def test_each_sense_of_a_word_has_its_own_separation_and_without_a_profile_it_has_none(vgg: KG) -> None:
    rows = named_query(LocalEndpoint(vgg), find_query("concept-by-layer"), {"concept": "ball"}).records()
    assert [row["layer"] for row in rows] == ["conv5_3", "conv5_3"]
    toy, globule = sorted(rows, key=lambda row: str(row["concept"]))
    assert str(toy["concept"]).endswith("/02778669-n")
    assert (toy["filters"], toy["separation"], toy["low"]) == (2, None, None)
    assert toy["concentration"] == pytest.approx(10.0, abs=0.01)
    # One class is a bubble: there is no pair to compare.
    assert list(globule.values())[1:6] == [0, None, None, None, None]
    (dog,) = named_query(LocalEndpoint(vgg), find_query("concept-by-layer"), {"concept": "dog"}).records()
    assert (dog["filters"], dog["concentration"]) == (12, pytest.approx(12.74, abs=0.01))


def test_vehicles_but_no_animal(vgg: KG) -> None:
    asked = {"concept_a": "vehicle", "concept_b": "animal", "layer": "conv5_3"}
    rows = named_query(LocalEndpoint(vgg), find_query("filters-with-but-without"), asked).values()
    tags: dict[str, set[str]] = {}
    for row in TAGS.read(vgg.tags_path):
        tags.setdefault(str(row.filter), set()).add(row.class_id)
    links = link_classes(*zip(*{(r.class_id, r.label) for r in TAGS.read(vgg.tags_path)}, strict=True), wordnet())
    isa = build_hierarchy(links, wordnet())

    def below(name: str) -> set[str]:
        column = next(i for i, c in enumerate(isa.concepts) if c.id == wordnet().senses(name)[0].concept)
        return {class_id for class_id, yes in zip(isa.class_ids, isa.below[:, column], strict=True) if yes}

    vehicles, animals = below("vehicle"), below("animal")
    assert {row[1]: int(row[2]) for row in rows} == {
        filter_: len(of & vehicles) for filter_, of in tags.items() if of & vehicles and not of & animals
    }


def test_similar_and_selective_filters_of_vgg16(vgg: KG) -> None:
    endpoint = LocalEndpoint(vgg)
    (first, *_) = named_query(endpoint, find_query("selective-filters"), {"concept": "spider"}).values()
    assert first[1:4] == ("60", "1", "3")
    coherent = named_query(endpoint, find_query("coherent-filters"), {}).values()
    assert len(coherent) == 129
    ((_, several, found, _),) = named_query(endpoint, find_query("layers-by-purity"), {}).values()
    assert (several, found) == ("219", "129")
    parts = named_query(endpoint, find_query("filters-with-part"), {"concept": "beak"}).values()
    assert ("501", "HasA") in {(row[1], row[2]) for row in parts}


def test_a_class_label_is_matched_with_its_case_first(vgg: KG) -> None:
    query = find_query("filters-of-class")
    dog, garment = (
        named_query(LocalEndpoint(vgg), query, {"class": name}).values() for name in ("Cardigan", "cardigan")
    )
    assert len(dog) == len(garment) == 1
    assert dog != garment


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        (
            "tags-of-filter",
            {"layer": "deep"},
            "query tags-of-filter needs filter=…: use tags-of-filter layer=… filter=… [rule=…]",
        ),
        (
            "hub-filters",
            {"min": "3"},
            "query hub-filters has no parameter 'min': use hub-filters [min_tags=…] [rule=…]",
        ),
        ("hub-filters", {"min_tags": "-1"}, "min_tags=-1 is not a whole number: give one from 0"),
        ("coherent-filters", {"max_q": "2"}, "max_q=2 is not a number from 0 to 1"),
        ("coherent-filters", {"max_q": "few"}, "max_q=few is not a number from 0 to 1"),
        ("hub-filters", {"rule": "k=9"}, "no rule 'k=9' in the KG: it has k=1, q=0.5"),
    ],
)
def test_wrong_parameters_are_named(kg: KG, name: str, parameters: dict[str, str], message: str) -> None:
    with pytest.raises(FiltagError) as error:
        named_query(LocalEndpoint(kg), find_query(name), parameters)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("name", "advice"),
    [("filter-by-concept", "did you mean filters-by-concept?"), ("x", "choose one from the catalogue")],
)
def test_an_unknown_query_suggests_the_nearest(name: str, advice: str) -> None:
    with pytest.raises(FiltagError) as error:
        find_query(name)
    assert str(error.value) == f"no query is named {name!r}: {advice}"
    assert error.value.commands == ("query --list",)


def test_raw_sparql_of_all_forms(kg: KG, remote: RemoteEndpoint) -> None:
    for text in (
        "SELECT (COUNT(*) AS ?n) WHERE { ?f a flt:Filter }",
        "ASK { ?f a flt:Filter }",
        "CONSTRUCT { ?f a flt:Filter } WHERE { ?f a flt:Filter }",
    ):
        local = sparql_query(LocalEndpoint(kg), text)
        assert local == sparql_query(remote, text)
        assert local.rows
    assert format_result(sparql_query(remote, "ASK { ?f a flt:Nothing }"), "csv") == "answer\nfalse\n"


def test_examples_are_complete_and_explained(kg: KG) -> None:
    for query in catalogue():
        assert set(query.required) <= set(query.example) <= {*query.required, *query.optional}
        text = explanation(query)
        assert query.summary in text
        assert all(f"  {name}: {PARAMETERS[name].kind}" in text for name in (*query.required, *query.optional))
        assert not any(line.startswith("#+") for line in text.splitlines())


def test_python_asks_by_name_and_by_text(kg: KG) -> None:
    graph = KnowledgeGraph(kg.path)
    by_name = graph.query("filters-of-class", class_="tabby", rule="q=0.5")
    assert by_name == named_query(LocalEndpoint(kg), find_query("filters-of-class"), ASKED["filters-of-class"])
    assert by_name.records()[0]["rank"] == 1
    assert len(graph.query("SELECT ?f WHERE { ?f a flt:Filter }").to_pandas()) == 6
    assert len(graph.query("hub-filters", min_tags=4).rows) == len(graph.query("hub-filters", min_tags="4").rows)
    assert repr(graph) == f"KnowledgeGraph({str(kg.path)!r})"
    assert any(usage.startswith("tags-of-filter layer=… filter=…") for usage in graph.queries)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("SELECT ?x\nWHERE {{ ?x }", "in line 2, column 14: expected one of BIND"),
        ("SELECT ?x WHERE { ?x a no:such }", "in line 1, column 31: prefix not found"),
    ],
)
def test_errors_point_at_line_and_column(kg: KG, remote: RemoteEndpoint, text: str, complaint: str) -> None:
    for endpoint in (LocalEndpoint(kg), remote):
        with pytest.raises(FiltagError) as error:
            sparql_query(endpoint, text)
        assert f"malformed {complaint}" in str(error.value)


def test_malformed_sparql_is_one_line_from_both(kg: KG, remote: RemoteEndpoint) -> None:
    for endpoint in (LocalEndpoint(kg), remote):
        with pytest.raises(FiltagError, match=r"malformed in line 2, column 14: expected") as error:
            sparql_query(endpoint, "SELECT ?x\nWHERE {{ ?x }")
        assert "\n" not in str(error.value)


def test_updates_are_no_queries(kg: KG) -> None:
    with pytest.raises(FiltagError, match="malformed"):
        sparql_query(LocalEndpoint(kg), "DELETE WHERE { ?s ?p ?o }")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nothing", "no SPARQL endpoint at"),
        ("failing", "failed to answer"),
        ("page", "did not answer with SPARQL results"),
    ],
)
def test_what_is_no_endpoint_is_said_in_one_line(remote: RemoteEndpoint, path: str, message: str) -> None:
    with pytest.raises(FiltagError, match=message) as error:
        sparql_query(open_endpoint(remote.url.replace("sparql", path)), "ASK {}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("path", "message"),
    [("truncated", "did not answer with SPARQL results"), ("truncated-and-counted", "broke off its answer")],
)
def test_a_truncated_answer_is_an_error_though_it_says_200(remote: RemoteEndpoint, path: str, message: str) -> None:
    with pytest.raises(FiltagError, match=message):
        sparql_query(open_endpoint(remote.url.replace("sparql", path)), "SELECT ?f WHERE { ?f a flt:Filter }")


def test_an_endpoint_that_is_not_there() -> None:
    with pytest.raises(FiltagError, match=r"cannot be reached \(Failed to establish .*refused\): check"):
        sparql_query(open_endpoint("http://127.0.0.1:9/sparql"), "ASK {}")


def test_similar_filters_are_ranked_before_they_are_cut(tmp_path: Path) -> None:
    """Filter 1 has one of filter 0's two tags and no other; 250 filters have both, and eight besides."""
    ids = tuple(f"c{i}" for i in range(10))
    places = [(0, 0), (0, 1), (1, 0), *((2 + i, class_) for i in range(250) for class_ in range(10))]
    filters, classes = np.array(places).T
    n_tags = len(places)
    tags = TagTable(
        "net",
        ("deep",),
        (252,),
        ids,
        ids,
        ("k=1",),
        *(np.zeros(n_tags, dtype=np.int64) for _ in range(2)),
        filters,
        classes,
        np.ones(n_tags, dtype=np.int64),
        *(np.full(n_tags, np.nan) for _ in range(2)),
    )
    made = build_kg(tmp_path / "kg", tags, wordnet(), Provenance("net"))
    asked = named_query(LocalEndpoint(made), find_query("similar-filters"), {"layer": "deep", "filter": "0"})
    rows = format_result(asked, "csv").split()[1:]
    assert rows[:2] == ["deep,1,1,0.5", "deep,2,2,0.2"]
    assert len(rows) == 200


@pytest.mark.parametrize("query", catalogue(), ids=lambda query: query.name)
def test_no_query_cuts_before_it_ranks(query: NamedQuery) -> None:
    """LIMIT stands last, after the order of the whole answer."""
    before, limit, _ = query.text.partition("LIMIT")
    assert not limit or before.rpartition("}")[2].strip().startswith("ORDER BY")


def test_the_query_the_manifest_and_the_links_agree_on_what_is_doubtful(tmp_path: Path) -> None:
    labels = ("cardboard", "glass", "metal", "paper", "plastic", "trash", "NORMAL", "ok", "good", "7")
    path = tmp_path / "tags.txt"
    path.write_text(f"filter tags k=1\n0:{[f' {label} ' for label in labels]}\n")
    tags = read_filtag_labels(path)
    made = build_kg(tmp_path / "kg", tags, wordnet(), Provenance("net", hashes={"flt:tagsSha256": 64 * "0"}))
    links = link_classes(tags.class_ids, tags.class_labels, wordnet())
    rows = LocalEndpoint(made), find_query("doubtful-links")
    asked = [str(row[0].value) for row in named_query(*rows, {}).rows]
    assert asked == [link.class_id for link in links.doubtful]
    assert {"good", "NORMAL", "ok"} <= set(asked)
    assert asked == [link["class_id"] for link in made.manifest["doubtful_links"]]
    assert made.manifest["unlinked_classes"] == ["7"]
    assert len(named_query(*rows, {"max_confidence": "1"}).rows) == len(links) == 9
    sure = [float(str(row[4].value)) for row in named_query(*rows, {"max_confidence": "0.6"}).rows]
    assert sure
    assert max(sure) <= 0.6
