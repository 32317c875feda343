from __future__ import annotations

import gzip
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from filtag_kg import FiltagError, Profile, Provenance, Rule, save_profile, tag_filters, wordnet
from filtag_kg.cli import app
from filtag_kg.concepts import CuratedLink, read_curated_links
from filtag_kg.files import only_writer
from filtag_kg.kg import KG, add_runs, build_into, build_kg, open_kg, remove_run, runs_of, validate_kg
from filtag_kg.query import LocalEndpoint, find_query, named_query
from filtag_kg.report import compare_runs
from filtag_kg.views import load_kg
from tests.cli.terminal import filtag, refusal


def built(path: Path, profile: Profile, *rules: Rule, network: str = "toy-0123456789ab", first_rule: int = 0) -> KG:
    tags = tag_filters(profile, list(rules), network=network)
    provenance = Provenance.of_profile(profile)
    return build_kg(path, tags, wordnet(), provenance, profile=profile, first_rule=first_rule)


@pytest.fixture
def two(profile: Profile, tmp_path: Path) -> KG:
    """A KG of one rule that another was added to."""
    kg = built(tmp_path / "kg", profile, Rule("k", 1))
    return add_runs(kg, built(tmp_path / "added", profile, Rule("q", 0.5), first_rule=1))


def lines(kg: KG) -> list[str]:
    return gzip.decompress(kg.graph_path.read_bytes()).decode().splitlines()


def own(kg: KG) -> set[str]:
    """The lines of all graphs but that of the description."""
    return {line for line in lines(kg) if "/dataset/" not in line.rpartition(" <")[2]}


def test_added_runs_make_the_graph_that_one_build_makes(two: KG, kg: KG) -> None:
    assert lines(two) == sorted(set(lines(two)))
    assert own(two) == own(kg)
    assert two.manifest["counts"]["quads"] == len(lines(two)) == len(two.store())
    assert [(run.rule, bool(run.folder)) for run in runs_of(two)] == [("k=1", False), ("q=0.5", True)]
    assert validate_kg(two).findings == ()
    for name in ("filters-of-class", "hub-filters"):
        asked = {"rule": "q=0.5"} | ({"class": "tabby"} if name == "filters-of-class" else {})
        query = find_query(name)
        assert named_query(LocalEndpoint(two), query, asked) == named_query(LocalEndpoint(kg), query, asked)


def test_a_linking_of_more_classes_is_another(profile: Profile, tmp_path: Path) -> None:
    """In a store, another KG may have the linking that this KG had before."""
    more_classes = replace(profile, class_ids=(*profile.class_ids[:-1], "n02099601"), class_labels=(
        *profile.class_labels[:-1], "golden retriever"
    ))  # fmt: skip
    kg = built(tmp_path / "kg", profile, Rule("k", 1))
    added = built(tmp_path / "added", more_classes, Rule("k", 1), first_rule=1)
    both = add_runs(kg, added)
    linkings = {one.manifest["linking"] for one in (kg, added, both)}
    assert len(linkings) == 3
    assert {line.rpartition("/linking/")[2][:16] for line in lines(both) if "/linking/" in line} == {
        both.manifest["linking"]
    }
    assert both.manifest["counts"]["classes"] == 9
    assert validate_kg(both).findings == ()
    assert lines(both) == sorted(set(lines(both)))
    asked = {"class": "golden retriever", "rule": runs_of(both)[1].run_id}
    answers = [named_query(LocalEndpoint(one), find_query("filters-of-class"), asked) for one in (added, both)]
    assert answers[0] == answers[1]
    assert answers[0].rows


def test_a_linking_stays_with_the_classes_that_it_has(profile: Profile, tmp_path: Path) -> None:
    """The added KG has its links from `links.sssom.tsv`, so its linking has another id, but says no more."""
    kg = built(tmp_path / "kg", profile, Rule("k", 1))
    tags = tag_filters(profile, [Rule("q", 0.5)], network="toy-0123456789ab")
    curated = read_curated_links(kg.path / "links.sssom.tsv", profile.class_ids, wordnet())
    provenance = Provenance.of_profile(profile)
    added = build_kg(tmp_path / "added", tags, wordnet(), provenance, profile=profile, curated=curated, first_rule=1)
    assert added.manifest["linking"] != kg.manifest["linking"]
    both = add_runs(kg, added)
    assert both.manifest["linking"] == kg.manifest["linking"]
    of_linking = [[line for line in lines(one) if "/linking/" in line.rpartition(" <")[2]] for one in (kg, both)]
    assert of_linking[0] == of_linking[1]
    assert validate_kg(both).findings == ()


def test_a_removed_run_leaves_what_was_there_before(two: KG, profile: Profile, tmp_path: Path) -> None:
    alone = built(tmp_path / "alone", profile, Rule("k", 1))
    left = remove_run(two, "q=0.5")
    assert lines(left) == lines(alone)
    assert [run.rule for run in runs_of(left)] == ["k=1"]
    assert not list(left.path.glob("added/*"))
    assert validate_kg(left).findings == ()


def test_one_of_a_builds_runs_can_be_removed_with_its_rows(profile: Profile, tmp_path: Path) -> None:
    kg = built(tmp_path / "kg", profile, Rule("k", 1), Rule("q", 0.5))
    left = remove_run(kg, runs_of(kg)[0].run_id)
    assert {line.rpartition(",")[2] for line in left.tags_path.read_text().splitlines()[1:]} == {"q=0.5"}
    for path in (left.common_path, left.concepts_path):
        assert path.read_text().count("k=1") == 0
        assert path.read_text().count("q=0.5") > 0
    assert left.rules == ("q=0.5",)
    assert validate_kg(left).findings == ()


def test_the_kg_that_is_replaced_does_not_change_meanwhile(
    profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files and those of the new one may be the same on disk."""
    kg = built(tmp_path / "kg", profile, Rule("k", 1), Rule("q", 0.5))
    before = {path: path.read_bytes() for path in kg.path.rglob("*") if path.is_file() and "store" not in path.parts}

    def fails(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("filtag_kg.kg.runs.write_contents", fails)
    with pytest.raises(FiltagError, match="space left"):
        remove_run(kg, "k=1")
    assert {path: path.read_bytes() for path in before} == before


def test_another_network_joins_and_leaves(profile: Profile, tmp_path: Path) -> None:
    other = replace(profile, metadata={**profile.metadata, "network": "other", "weights_sha256": 64 * "a"})
    kg = built(tmp_path / "kg", profile, Rule("k", 1))
    both = add_runs(kg, built(tmp_path / "added", other, Rule("k", 1), network="other-aaaa", first_rule=1))
    assert validate_kg(both).findings == ()
    assert both.manifest["counts"]["filters"] == 2 * kg.manifest["counts"]["filters"]
    first, second = runs_of(both)
    with pytest.raises(FiltagError, match="2 runs of the KG have the rule 'k=1': say which, rule= one of"):
        named_query(LocalEndpoint(both), find_query("hub-filters"), {"rule": "k=1"})
    for run, network in ((first, "toy-0123456789ab"), (second, "other-aaaa")):
        asked = {"layer": "deep", "filter": "0", "rule": run.run_id}
        answer = named_query(LocalEndpoint(both), find_query("tags-of-filter"), asked)
        assert len(answer.rows) == 3
        (used,) = {
            row[1]
            for row in named_query(LocalEndpoint(both), find_query("run-provenance"), {"rule": run.run_id}).values()
            if row[0].endswith("#network")
        }
        assert used.endswith(network)
    loaded = load_kg(both)
    agreed = compare_runs(loaded, loaded, rule_a=first.run_id, rule_b=second.run_id)
    assert agreed.layers == ()
    assert all(row.filters[0] == row.filters[1] for row in agreed.concepts)
    left = remove_run(both, second.run_id)
    assert lines(left) == lines(built(tmp_path / "alone", profile, Rule("k", 1)))


def test_each_build_about_a_network_has_the_separations_of_its_own_images(profile: Profile, tmp_path: Path) -> None:
    images = {**profile.metadata, "images": {"sha256": 64 * "e"}}
    other = replace(profile, mean=profile.mean[::-1].copy(), metadata=images)
    kg = built(tmp_path / "kg", profile, Rule("k", 1))
    both = add_runs(kg, built(tmp_path / "added", other, Rule("k", 1), first_rule=1))
    for run, alone in zip(runs_of(both), (kg, open_kg(tmp_path / "added")), strict=True):
        asked = {"concept": "carnivore", "rule": run.run_id}
        answer = named_query(LocalEndpoint(both), find_query("concept-by-layer"), asked)
        assert answer == named_query(LocalEndpoint(alone), find_query("concept-by-layer"), {"concept": "carnivore"})
        assert [row["layer"] for row in answer.records()] == ["shallow", "deep"]
    values = [row[2] for run in runs_of(both) for row in _carnivores(both, run.run_id)]
    assert values[:2] != values[2:]
    left = remove_run(both, runs_of(both)[1].run_id)
    assert left.manifest["counts"]["concepts_in_layers"] == kg.manifest["counts"]["concepts_in_layers"]
    assert validate_kg(left).findings == ()


def test_a_run_whose_links_were_given_is_the_one_that_chose_them(two: KG, profile: Profile, tmp_path: Path) -> None:
    tags = tag_filters(profile, [Rule("k", 1)], network="toy-0123456789ab")
    chosen = read_curated_links(two.path / "links.sssom.tsv", tags.class_ids, wordnet())
    (first, *_) = tags.class_ids

    def again(name: str, links: dict[str, list[CuratedLink]]) -> KG:
        return build_kg(
            tmp_path / name,
            tags,
            wordnet(),
            Provenance.of_profile(profile),
            profile=profile,
            curated=links,
            first_rule=2,
        )

    same = again("same", dict(chosen))
    assert same.manifest["runs"][0]["id"] != two.manifest["runs"][0]["id"]
    with pytest.raises(FiltagError, match=rf"holds the run {two.manifest['runs'][0]['id']} \(k=1\) already"):
        add_runs(two, same)
    elsewhere = "http://wordnet-rdf.princeton.edu/pwn30/04524313-n"
    other = add_runs(two, again("other", {**chosen, first: [CuratedLink(elsewhere)]}))
    assert [run.rule for run in runs_of(other)] == ["k=1", "q=0.5", "k=1"]


def _carnivores(kg: KG, run: str) -> list[tuple[str, ...]]:
    asked = {"concept": "carnivore", "rule": run}
    return named_query(LocalEndpoint(kg), find_query("concept-by-layer"), asked).values()


def test_what_does_not_fit_is_refused_and_nothing_changes(two: KG, profile: Profile, tmp_path: Path) -> None:
    before = lines(two)
    with pytest.raises(FiltagError, match=r"holds the run \w+ \(k=1\) already: nothing was added"):
        add_runs(two, built(tmp_path / "again", profile, Rule("k", 1)))
    with pytest.raises(FiltagError, match=r"no runs of .* are called 'k=7': name one of"):
        remove_run(two, "k=7")
    with pytest.raises(FiltagError, match=r"is the last run of the build that .* began with"):
        remove_run(two, "k=1")
    with pytest.raises(FiltagError, match="is the only run of"):
        remove_run(built(tmp_path / "one", profile, Rule("k", 1)), "k=1")
    fewer = replace(
        profile,
        mean=profile.mean[:, :2],
        variance=profile.variance[:, :2],
        layer_names=("shallow",),
        layer_offsets=profile.layer_offsets[:2],
    )
    with pytest.raises(FiltagError, match="has other layers of toy-0123456789ab than what is to be added"):
        add_runs(two, built(tmp_path / "fewer", fewer, Rule("k", 2)))
    assert lines(open_kg(two.path)) == before


def test_a_reader_goes_on_while_runs_are_added(profile: Profile, tmp_path: Path) -> None:
    kg = built(tmp_path / "kg", profile, Rule("k", 1))
    reader = LocalEndpoint(kg)
    text = "SELECT (COUNT(*) AS ?n) WHERE { ?a flt:tag ?class }"
    before = reader.ask(text)
    script = f"""
from filtag_kg.query import open_endpoint
endpoint = open_endpoint({str(kg.path)!r})
endpoint.ask("ASK {{ ?s ?p ?o }}")
print("open", flush=True)
input()
print(endpoint.ask({text!r}).values()[0][0])
"""
    other = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    added = add_runs(kg, built(tmp_path / "added", profile, Rule("q", 0.5), first_rule=1))
    assert other.communicate("go on\n", timeout=60)[0] == f"{before.values()[0][0]}\n"
    assert reader.ask(text) == before
    assert int(LocalEndpoint(added).ask(text).values()[0][0]) > int(before.values()[0][0])


def test_two_writers_get_a_clear_error(two: KG) -> None:
    with only_writer(two.path):
        script = f"""
from pathlib import Path
from filtag_kg.kg import build_into
build_into(Path({str(two.path)!r}), None)
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert f"another process is changing {two.path}: try again when it is done" in done.stderr
    with pytest.raises(FiltagError, match="no KG at"):
        build_into(two.path.with_name("none"), lambda kg, room: kg)


def test_the_commands_add_list_compare_and_remove(profile: Profile, tmp_path: Path) -> None:
    def filtag(*words: object) -> str:
        result = CliRunner().invoke(app, [*map(str, words)])
        assert result.exit_code == 0, result.exception or result.output
        return result.stdout

    save_profile(profile, tmp_path / "p.npz")
    filtag("build", tmp_path / "p.npz", "-o", tmp_path / "kg", "--k", 1, "-q")
    filtag("build", tmp_path / "p.npz", "--into", tmp_path / "kg", "--q", 0.5, "-q")
    listed = filtag("runs", tmp_path / "kg")
    assert [line.split()[1] for line in listed.splitlines()] == ["rule", "k=1", "q=0.5"]
    compared = filtag("compare", tmp_path / "kg", tmp_path / "kg")
    assert "a: k=1 of toy-0123456789ab\nb: q=0.5 of toy-0123456789ab" in compared
    assert any(
        line.split() == ["deep", "4", "3", "4", "3", "0.46", "0", "of", "0"] for line in compared.splitlines()
    ), compared
    filtag("runs", tmp_path / "kg", "--remove", "q=0.5")
    assert "q=0.5" not in filtag("runs", tmp_path / "kg")
    assert not list(tmp_path.glob(".kg.*/"))
    for words in (["build", tmp_path / "p.npz"], ["build", tmp_path / "p.npz", "-o", "x", "--into", "y"]):
        assert CliRunner().invoke(app, [*map(str, words)]).exit_code == 2


def test_runs_of_other_concept_sources(profile: Profile, tmp_path: Path) -> None:
    saved, kg, other = tmp_path / "p.npz", tmp_path / "kg", tmp_path / "other"
    save_profile(profile, saved)
    assert filtag("build", saved, "-o", kg, "--k", 1, "-q", "--concepts", "wordnet").returncode == 0
    assert filtag("build", saved, "-o", other, "--k", 1, "-q", "--concepts", "conceptnet").returncode == 0
    assert refusal("build", saved, "--into", kg, "--k", 2, "--concepts", "conceptnet").startswith(
        f"the classes of {kg} are linked to concepts of wordnet, which conceptnet lacks: "
        "choose the concept sources of the KG"
    )
    assert filtag("build", saved, "--into", kg, "--k", 2, "-q", "--concepts", "conceptnet,wordnet").returncode == 0
    apart = "note: the kinds of a are WordNet's, those of b ConceptNet's: only concepts of one IRI are the same\n"
    assert filtag("compare", kg, other).stderr == apart
    assert filtag("compare", kg, kg).stderr == ""
