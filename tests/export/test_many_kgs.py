"""Several KGs in one store: what each says there is what it says alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import requests
from requests.auth import HTTPDigestAuth

from filtag_kg import FiltagError, Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.concepts import concept_source
from filtag_kg.export import Credentials, publish_kg
from filtag_kg.kg import KG, BuildParameters, build_kg
from filtag_kg.query import LocalEndpoint, RemoteEndpoint, find_query, named_query, sparql_query
from tests.export.stores import Store, oxigraph, virtuoso
from tests.export.test_publish import as_published, equal, is_own
from tests.label_checks import checked_copy
from tests.query.test_docs import section
from tests.query.test_named_queries import ASKED

ELSEWHERE = "https://example.org/filters/"
COUNTS = "SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
OVER_KGS = section("how-to/publishing.md", "Several KGs in one store")


@pytest.fixture(scope="module")
def kgs(kg: KG, mixed_kg: KG, profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, KG]:
    """Four KGs that share classes, a network, all but the base, or little more than the vocabulary."""
    folder = tmp_path_factory.mktemp("many")
    rules = [Rule("k", 1), Rule("q", 0.25)]
    # With other images, the filters respond to other classes.
    images = {**profile.metadata, "images": {"sha256": 64 * "e"}}
    other = replace(profile, mean=np.roll(profile.mean, 1, axis=0), metadata=images)
    of_other_images = build_kg(
        folder / "images",
        tag_filters(other, rules, network="toy-0123456789ab"),
        concept_source("wordnet,conceptnet"),
        Provenance.of_profile(other),
        profile=other,
    )
    elsewhere = build_kg(
        folder / "elsewhere",
        tag_filters(profile, rules, network="toy-0123456789ab"),
        wordnet(),
        Provenance.of_profile(profile),
        profile=profile,
        parameters=BuildParameters(base=ELSEWHERE),
    )
    return {
        "toy": checked_copy(kg, folder / "toy"),
        "another network": mixed_kg,
        "the same network": of_other_images,
        "another base": checked_copy(elsewhere, folder / "base"),
    }


@pytest.fixture(scope="module", params=[oxigraph, virtuoso], ids=["oxigraph", "virtuoso"])
def store(
    request: pytest.FixtureRequest, kgs: Mapping[str, KG], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    with request.param(tmp_path_factory.mktemp("store")) as running:
        for kg in kgs.values():
            publish_kg(kg, running.graphs, secrets=Credentials(user=running.user, password=running.password))
        yield running


@pytest.fixture
def as_before(store: Store) -> Iterator[None]:
    """Take out what the test publishes besides: the other tests count what is there."""
    there = RemoteEndpoint(store.sparql)
    before = dict(sparql_query(there, COUNTS).values())
    yield
    login = (store.user, store.password) if store.user else None
    auth = HTTPDigestAuth(*login) if login else None
    for graph, *_ in sparql_query(there, COUNTS).values():
        if graph not in before:
            requests.delete(store.graphs, params={"graph": graph}, auth=auth, timeout=60).raise_for_status()
    assert dict(sparql_query(there, COUNTS).values()) == before


def test_each_graph_holds_what_its_kgs_say(store: Store, kgs: Mapping[str, KG]) -> None:
    expected: dict[str, set[str]] = {}
    for kg in kgs.values():
        for graph, lines in as_published(kg).items():
            assert not expected.get(graph) or not is_own(graph) or "/linking/" in graph
            expected.setdefault(graph, set()).update(lines)
    there = dict(sparql_query(RemoteEndpoint(store.sparql), COUNTS).values())
    assert {graph: int(there[graph]) for graph in expected} == {graph: len(lines) for graph, lines in expected.items()}


@pytest.mark.parametrize("name", ASKED)
def test_each_kg_answers_as_if_it_were_alone(name: str, store: Store, kgs: Mapping[str, KG]) -> None:
    query = find_query(name)
    for which, kg in kgs.items():
        run_ids = [run["id"] for run in kg.manifest["runs"]]
        runs = {"rule": run_ids[-1]} if "rule" in query.optional else {"rule_a": run_ids[0], "rule_b": run_ids[1]}
        asked = {**ASKED[name], **runs}
        ours, theirs = (
            named_query(endpoint, query, asked).values()
            for endpoint in (LocalEndpoint(kg), RemoteEndpoint(store.sparql))
        )
        # IRIs and literals have no order among each other that SPARQL rules, and Virtuoso takes correlations for equal
        # that differ in their last digit.
        order = sorted if name in ("run-provenance", "best-filters-for-concept") else list
        for rows in zip(order(ours), order(theirs), strict=True):
            assert all(same(*cells) for cells in zip(*rows, strict=True)), (which, rows)


def test_the_first_run_is_named_where_other_kgs_are(
    store: Store, kgs: Mapping[str, KG], caplog: pytest.LogCaptureFixture
) -> None:
    there = RemoteEndpoint(store.sparql)
    named_query(there, find_query("hub-filters"), {})
    runs = [(run["id"], run["rule"], kg.manifest["network"]) for kg in kgs.values() for run in kg.manifest["runs"]]
    # One base comes before the other.
    first = min(run["id"] for run in kgs["another base"].manifest["runs"] if run["rule"] == "k=1")
    assert caplog.messages == [
        f"4 KGs are here: this is about the run {first} (k=1, toy-0123456789ab), rule= names another"
    ]
    with pytest.raises(FiltagError) as error:
        named_query(there, find_query("hub-filters"), {"rule": "k=1"})
    message, _, ids = str(error.value).partition(" one of ")
    assert message == "4 runs of the KGs here have the rule 'k=1': say which, rule="
    assert sorted(ids.split(", ")[::2]) == sorted(f"{run} (k=1" for run, rule, _ in runs if rule == "k=1")
    assert ids.count("mixed-0123456789ab)") == 1
    caplog.clear()
    named_query(there, find_query("hub-filters"), {"rule": "q=0.1"})
    assert caplog.messages == []


@pytest.mark.parametrize("text", OVER_KGS, ids=[text.split(maxsplit=4)[1] for text in OVER_KGS])
def test_questions_over_kgs_are_answered_for_each(text: str, store: Store, kgs: Mapping[str, KG]) -> None:
    """An answer whose rows are each about one run is that of all KGs together."""
    there = sparql_query(RemoteEndpoint(store.sparql), text)
    assert there.rows
    if "run" in there.columns:
        of_each = [row for kg in kgs.values() for row in sparql_query(LocalEndpoint(kg), text).values()]
        assert sorted(there.values()) == sorted(of_each)


def test_replacing_one_kg_leaves_the_others(store: Store, kgs: Mapping[str, KG]) -> None:
    there = RemoteEndpoint(store.sparql)
    before = dict(sparql_query(there, COUNTS).values())
    secrets = Credentials(user=store.user, password=store.password)
    for kg in kgs.values():
        publish_kg(kg, store.graphs, secrets=secrets, replace=True)
        assert dict(sparql_query(there, COUNTS).values()) == before
    for name in ("filters-by-concept", "tags-of-filter", "concepts-of-no-filter", "doubtful-links"):
        test_each_kg_answers_as_if_it_were_alone(name, store, kgs)


@pytest.mark.usefixtures("as_before")
def test_a_kg_that_shares_only_its_classes_is_no_obstacle(
    store: Store, kgs: Mapping[str, KG], profile: Profile, tmp_path: Path
) -> None:
    """Its linking is there already, and says the same."""
    tags = tag_filters(profile, [Rule("k", 2)], network="toy-0123456789ab")
    more = build_kg(tmp_path / "kg", tags, wordnet(), Provenance.of_profile(profile), profile=profile)
    assert more.manifest["linking"] == kgs["toy"].manifest["linking"]
    publish_kg(more, store.graphs, secrets=Credentials(user=store.user, password=store.password))
    test_replacing_one_kg_leaves_the_others(store, {"more": more})
    test_each_kg_answers_as_if_it_were_alone("concepts-of-no-filter", store, kgs)


@pytest.mark.usefixtures("as_before")
def test_layers_that_a_run_is_not_about_are_not_its(
    store: Store, kgs: Mapping[str, KG], profile: Profile, tmp_path: Path
) -> None:
    shallow = replace(
        profile, mean=profile.mean[:, :2], variance=None, layer_names=("shallow",), layer_offsets=np.array([0, 2])
    )
    tags = tag_filters(shallow, [Rule("k", 3)], network="toy-0123456789ab")
    first = build_kg(tmp_path / "kg", tags, wordnet(), Provenance.of_profile(shallow), profile=shallow)
    publish_kg(first, store.graphs, secrets=Credentials(user=store.user, password=store.password))
    asked = {"concept": "dog", "rule": first.manifest["runs"][0]["id"]}
    answer = named_query(RemoteEndpoint(store.sparql), find_query("concept-by-layer"), asked)
    assert [row["layer"] for row in answer.records()] == ["shallow"]
    test_each_kg_answers_as_if_it_were_alone("concept-by-layer", store, kgs)


def test_a_default_graph_that_is_no_union_is_said_to_be_none(kg: KG, tmp_path: Path) -> None:
    with oxigraph(tmp_path, union=False) as store:
        publish_kg(kg, store.graphs)
        with pytest.raises(FiltagError) as error:
            named_query(RemoteEndpoint(store.sparql), find_query("hub-filters"), {})
    assert str(error.value) == (
        "the store's default graph is not the union of its named graphs, which hold a KG: configure it to be"
    )


def same(one: str, other: str) -> bool:
    """Stores sort labels in different ways before they join them, and Virtuoso writes 1 for true."""
    if equal(one, other) or (one, other) in (("true", "1"), ("false", "0")):
        return True
    return sorted(one.split(", ")) == sorted(other.split(", "))
