"""Whose a KG's own data is, in the graph and in the manifest, however the KG is changed afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from filtag_kg import BuildParameters, Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.graph import SPDX
from filtag_kg.kg import KG, add_experiments, add_runs, build_kg, remove_run, runs_of, validate_kg
from filtag_kg.query import LocalEndpoint, sparql_query
from tests.kg.test_experiments import experiment

CC_BY, CC0 = f"{SPDX}CC-BY-4.0", f"{SPDX}CC0-1.0"
ORCID = "https://orcid.org/0000-0002-1825-0097"
ADA = "https://w3id.org/filtag/data/agent/Ada%20Lovelace"
WORDNET = wordnet().licence


def built(path: Path, profile: Profile, rule: Rule, first_rule: int = 0, **attribution: object) -> KG:
    tags = tag_filters(profile, [rule], network="toy-0123456789ab")
    provenance, parameters = Provenance.of_profile(profile), BuildParameters(**attribution)  # type: ignore[arg-type]
    return build_kg(path, tags, wordnet(), provenance, profile=profile, parameters=parameters, first_rule=first_rule)


@pytest.fixture
def attributed(profile: Profile, tmp_path: Path) -> KG:
    return built(
        tmp_path / "kg",
        profile,
        Rule("k", 1),
        title="Filters of a toy",
        creators=("Ada Lovelace", ORCID),
        licence="cc-by-4.0",
    )


def values(kg: KG, pattern: str) -> set[str]:
    """The values of ?x where a pattern holds."""
    answer = sparql_query(LocalEndpoint(kg), f"SELECT ?x WHERE {{ {pattern} }}")
    return {row["x"] for row in answer.records()}


def file_licences(kg: KG) -> dict[str, set[str]]:
    names = values(kg, "?file a dcat:Distribution ; dcterms:identifier ?x")
    return {name: values(kg, f"?file dcterms:identifier '{name}' ; dcterms:license ?x") for name in names}


def run_licences(kg: KG, run_id: str) -> set[str]:
    return values(kg, f"<https://w3id.org/filtag/data/run/{run_id}> dcterms:license ?x")


TITLE, CREATOR = "?kg a dcat:Dataset ; dcterms:title ?x", "?kg a dcat:Dataset ; dcterms:creator ?x . ?x a foaf:Agent"
OF_USER, OF_SOURCES = ("tags.csv", "profile.npz"), ("common.csv", "concepts.csv", "links.sssom.tsv", "mixed.csv")


def test_each_file_says_its_own_licences(attributed: KG) -> None:
    licences = file_licences(attributed)
    assert {name: licences[name] for name in OF_USER} == {name: {CC_BY} for name in OF_USER}
    assert {name: licences[name] for name in OF_SOURCES} == {name: {WORDNET} for name in OF_SOURCES}
    assert licences["graph.nq.gz"] == {CC_BY, WORDNET}
    assert values(attributed, "?kg a dcat:Dataset ; dcterms:license ?x") == {CC_BY, WORDNET}
    assert run_licences(attributed, runs_of(attributed)[0].run_id) == {CC_BY}


def test_without_a_licence_none_is_claimed_for_the_users_data(kg: KG) -> None:
    licences = file_licences(kg)
    assert {name: licences[name] for name in OF_USER} == {name: set() for name in OF_USER}
    assert licences["common.csv"] == licences["graph.nq.gz"] == {WORDNET}
    assert "attribution" not in kg.manifest


def test_title_and_creators_are_of_the_dataset(attributed: KG) -> None:
    assert values(attributed, f"{TITLE} FILTER (LANG(?x) = '')") == values(attributed, TITLE) == {"Filters of a toy"}
    assert values(attributed, CREATOR) == {ADA, ORCID}
    assert values(attributed, f"<{ADA}> foaf:name ?x") == {"Ada Lovelace"}
    assert validate_kg(attributed).findings == ()


def test_whose_data_it_is_changes_no_result(attributed: KG, profile: Profile, tmp_path: Path) -> None:
    plain = built(tmp_path / "plain", profile, Rule("k", 1))
    assert plain.manifest["id"] == attributed.manifest["id"]
    assert plain.manifest["parameters"] == attributed.manifest["parameters"]
    assert plain.tags_path.read_bytes() == attributed.tags_path.read_bytes()


def test_it_stays_when_runs_and_experiments_come_and_go(attributed: KG, profile: Profile, tmp_path: Path) -> None:
    before = file_licences(attributed)
    attributed = add_experiments(attributed, [experiment(attributed)])
    assert file_licences(attributed) == before
    assert run_licences(attributed, 16 * "a") == {CC_BY}
    added = built(tmp_path / "added", profile, Rule("q", 0.5), 1, title="Both", creators=("Bob",), licence="CC0-1.0")
    both = add_runs(attributed, added)
    assert validate_kg(both).findings == ()
    assert [run_licences(both, run.run_id) for run in runs_of(both)] == [{CC_BY}, {CC0}]
    assert values(both, TITLE) == {"Both"}
    assert len(values(both, CREATOR)) == 3
    assert file_licences(both)["graph.nq.gz"] == {CC_BY, CC0, WORDNET}
    left = remove_run(both, "q=0.5")
    assert file_licences(left) == before
    assert values(left, TITLE) == {"Filters of a toy"}
    assert values(left, CREATOR) == {ADA, ORCID}
    assert validate_kg(left).findings == ()
