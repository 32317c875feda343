from __future__ import annotations

import filecmp
import gzip
import io
import json
import re
import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from typer.testing import CliRunner

from filtag_kg import FiltagError, Profile, Provenance, Rule, load_profile, tag_filters, wordnet
from filtag_kg.cli import app
from filtag_kg.concepts import (
    CuratedLink,
    concept_source,
    import_dump,
)
from filtag_kg.export import export_graph
from filtag_kg.graph import PREFIXES
from filtag_kg.kg import (
    COMMON,
    CONCEPTS,
    KG,
    BuildParameters,
    build_kg,
    check_output,
    open_kg,
    read_common_concepts,
    runs_of,
    validate_kg,
)
from filtag_kg.query import LocalEndpoint, find_query, named_query
from filtag_kg.tags import read_filtag_labels
from tests.concepts.conceptnet.conftest import SAID, line


def built(output: Path, profile: Profile, **options: object) -> KG:
    tags = tag_filters(profile, [Rule("k", 1), Rule("q", 0.5)], network="toy-0123456789ab")
    return build_kg(output, tags, wordnet(), Provenance.of_profile(profile), profile=profile, **options)  # type: ignore[arg-type]


def exported(kg: KG, format_: str) -> bytes:
    output = io.BytesIO()
    export_graph(kg, format_, output)
    return output.getvalue()


def test_the_same_inputs_give_the_same_bytes(kg: KG, profile: Profile, tmp_path: Path) -> None:
    again = built(tmp_path / "another name", profile)
    for name in ("graph.nq.gz", "tags.csv", "common.csv", "concepts.csv", "links.sssom.tsv", "profile.npz"):
        assert (again.path / name).read_bytes() == (kg.path / name).read_bytes(), name
    assert again.manifest["runs"] == kg.manifest["runs"]


def test_graph_is_sorted_and_holds_no_blank_nodes(kg: KG) -> None:
    lines = gzip.decompress(kg.graph_path.read_bytes()).decode().splitlines()
    assert lines == sorted(set(lines))
    assert not any("_:" in line.partition('"')[0] for line in lines)
    assert len(lines) == len(kg.store()) == kg.manifest["counts"]["quads"]


def test_rdflib_finds_the_stores_triples_in_the_turtle(kg: KG) -> None:
    parsed = rdflib.Graph().parse(data=exported(kg, "turtle"), format="turtle")
    stored = {tuple(map(str, quad.triple)) for quad in kg.store()}
    assert {tuple(node.n3() for node in triple) for triple in parsed} == {
        tuple(rdflib.util.from_n3(term).n3() for term in triple) for triple in stored
    }


@pytest.mark.parametrize(("format_", "parser"), [("ntriples", "nt"), ("turtle", "turtle")])
def test_exports_of_triples_agree(kg: KG, format_: str, parser: str) -> None:
    parsed = rdflib.Graph().parse(data=exported(kg, format_), format=parser)
    assert len(parsed) == len({quad.triple for quad in kg.store()})


def test_turtle_begins_with_sorted_prefixes(kg: KG) -> None:
    lines = exported(kg, "turtle").decode().splitlines()
    prefixes = [line for line in lines if line.startswith("@prefix")]
    assert prefixes == lines[: len(prefixes)] == sorted(prefixes)
    assert len(prefixes) == len(PREFIXES)


def test_quads_are_exported_as_they_are_stored(kg: KG) -> None:
    parsed = set(ox.parse(input=exported(kg, "nquads"), format=ox.RdfFormat.N_QUADS))
    assert parsed == set(kg.store())


def test_an_unknown_export_format_is_refused(kg: KG) -> None:
    with pytest.raises(
        FiltagError, match="no export format 'rdf': choose one of turtle, ntriples, nquads, trig, jsonld"
    ):
        exported(kg, "rdf")


def test_the_profile_and_the_common_concepts_can_be_read_back(kg: KG, profile: Profile) -> None:
    assert (load_profile(kg.path / "profile.npz").mean == profile.mean).all()
    assert COMMON.text(read_common_concepts(kg.common_path)) == kg.common_path.read_text()
    assert CONCEPTS.text(list(CONCEPTS.read(kg.concepts_path))) == kg.concepts_path.read_text()


def test_licences_go_where_the_facts_go(kg: KG) -> None:
    query = (
        """SELECT ?licence WHERE { ?graph dcterms:license ?licence FILTER STRENDS(STR(?graph), "/concepts/wordnet") }"""
    )
    prefixes = {"dcterms": "http://purl.org/dc/terms/"}
    (row,) = kg.store().query(query, prefixes=prefixes, use_default_graph_as_union=True)
    assert row["licence"].value == wordnet().licence


def test_each_source_has_a_graph_with_its_licence(profile: Profile, tmp_path: Path) -> None:
    dump = tmp_path / "conceptnet-assertions-5.7.0.csv"
    stated = [
        (relation, f"en/{start}", f"en/{end}", 6.0, "/d/verbosity", "cc:by-sa/4.0")
        for relation, start, end in (
            ("IsA", "sports_car", "car"),
            ("HasA", "dog", "long_tail"),
            ("UsedFor", "minivan", "carrying_family"),
            ("HasProperty", "bloodhound", "brown"),
            ("CapableOf", "bloodhound", "track_scent"),
            ("AtLocation", "bloodhound", "kennel"),
            ("MadeOf", "minivan", "metal"),
        )
    ]
    dump.write_text("".join(line(*each) for each in (*SAID, *stated)), encoding="utf-8")
    import_dump(dump, tmp_path / "index")
    source = concept_source(f"wordnet,conceptnet-dump:{tmp_path / 'index'}")
    tags = tag_filters(profile, [Rule("q", 0.5)], network="toy")
    kgs = [build_kg(tmp_path / name, tags, source, Provenance.of_profile(profile)) for name in ("one", "two")]
    assert kgs[0].graph_path.read_bytes() == kgs[1].graph_path.read_bytes()
    store = kgs[0].store()
    synset = {
        word: wordnet().senses(word)[0].concept for word in ("dog", "bloodhound", "car", "kennel", "minivan", "tail")
    }
    said = {
        (str(quad.predicate).rpartition("#")[2].rstrip(">"), quad.subject.value, quad.object.value)
        for quad in store.quads_for_pattern(None, None, None, ox.NamedNode(source_graph("conceptnet-dump")))
    }
    # The ends that are things are WordNet's, the others terms.
    assert said >= {
        ("isA", "http://wordnet-rdf.princeton.edu/pwn30/04285008-n", synset["car"]),
        ("partOf", synset["tail"], synset["dog"]),
        ("usedFor", synset["minivan"], "http://api.conceptnet.io/c/en/carry_family"),
        ("hasProperty", synset["bloodhound"], "http://api.conceptnet.io/c/en/brown"),
        ("capableOf", synset["bloodhound"], "http://api.conceptnet.io/c/en/track_scent"),
        ("atLocation", synset["bloodhound"], synset["kennel"]),
    }
    assert {predicate for predicate, *_ in said} >= {"isA", "madeOf"}
    for member in source.members:
        graph = ox.NamedNode(source_graph(member.name))
        citation = ox.NamedNode("http://purl.org/dc/terms/bibliographicCitation")
        (named,) = store.quads_for_pattern(graph, citation, None, graph)
        assert isinstance(named.object, ox.Literal)
        assert {"wordnet": "Princeton University", "conceptnet-dump": "Commonsense Computing Initiative"}[
            member.name
        ] in named.object.value
    # What a synset is called is WordNet's to say, and what is above it.
    named = {subject for predicate, subject, _ in said if predicate.endswith("prefLabel")}
    assert all(subject.startswith("http://api.conceptnet.io/c/en/") for subject in named)
    assert named
    assert not any(predicate.endswith("broader") for predicate, *_ in said)
    text = exported(kgs[0], "nquads").decode()
    for name, licence in (("wordnet", wordnet().licence), ("conceptnet-dump", source.members[1].licence)):
        assert f"<{source_graph(name)}> <http://purl.org/dc/terms/license> <{licence}>" in text
    assert (
        "<http://api.conceptnet.io/d/verbosity> <http://purl.org/dc/terms/license> <https://creativecommons.org/"
        in text
    )
    # Every statement of a source's graph comes from a data set of which the graph says so.
    graphs = {quad.graph_name.value for quad in store if quad.predicate.value.endswith("/broader")}
    sourced = {quad.subject.value for quad in store if quad.predicate.value.endswith("terms/source")}
    assert graphs <= sourced


def source_graph(name: str) -> str:
    return f"https://w3id.org/filtag/data/graph/concepts/{name}"


def test_a_kg_is_not_replaced_unless_forced(profile: Profile, tmp_path: Path) -> None:
    built(tmp_path / "kg", profile)
    with pytest.raises(FiltagError, match=r"already holds a KG: choose another output, or replace it$"):
        built(tmp_path / "kg", profile)
    rebased = built(tmp_path / "kg", profile, force=True, parameters=BuildParameters(base="http://example.org/"))
    assert rebased.manifest["parameters"]["base"] == "http://example.org/"
    assert [path.name for path in tmp_path.iterdir()] == ["kg"]


def test_what_is_no_kg_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    for path in (tmp_path / "mine", tmp_path / "mine" / "thesis.tex"):
        with pytest.raises(FiltagError, match=r"exists and is no (KG|directory), so it is not replaced"):
            check_output(path, force=True)


def test_a_build_that_fails_leaves_nothing(profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk_full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("filtag_kg.kg.build.save_profile", disk_full)
    with pytest.raises(FiltagError, match=r"cannot write .*kg \(No space left on device\): nothing was changed"):
        built(tmp_path / "kg", profile)
    assert list(tmp_path.iterdir()) == []


def test_a_kg_that_appeared_meanwhile_is_left_alone(
    profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = built(tmp_path / "first", profile)

    def another_appears(*_: object) -> None:
        shutil.copytree(first.path, tmp_path / "kg")

    monkeypatch.setattr("filtag_kg.kg.build.save_profile", another_appears)
    with pytest.raises(FiltagError, match="already holds a KG"):
        built(tmp_path / "kg", profile)
    assert filecmp.cmp(first.graph_path, tmp_path / "kg" / "graph.nq.gz", shallow=False)


def test_only_what_is_nothing_but_a_kg_is_replaced(profile: Profile, tmp_path: Path) -> None:
    kg = built(tmp_path / "kg", profile)
    (kg.path / ".DS_Store").touch()
    built(kg.path, profile, force=True)
    assert not (kg.path / ".DS_Store").exists()
    (kg.path / "thesis.tex").write_text("years of work")
    with pytest.raises(FiltagError) as error:
        built(kg.path, profile, force=True)
    assert str(error.value) == (
        f"{kg.path} holds thesis.tex, which is no part of a KG: move it, or choose another output"
    )
    assert (kg.path / "thesis.tex").read_text() == "years of work"


def test_an_empty_directory_is_filled(profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "kg").mkdir(mode=0o750)
    built(tmp_path / "kg", profile)
    assert (tmp_path / "kg").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (None, "no KG at"),
        ("{", "cannot be read"),
        ("[]", "has KG format None, this filtag reads 5"),
        (json.dumps({"format_version": 99}), "has KG format 99, this filtag reads 5: build the KG anew"),
    ],
)
def test_opening_what_is_no_kg(tmp_path: Path, manifest: str | None, message: str) -> None:
    if manifest is not None:
        (tmp_path / "filtag.json").write_text(manifest)
    with pytest.raises(FiltagError, match=message):
        open_kg(tmp_path)


def said_of_run(kg: KG, run_id: str) -> dict[str, str]:
    """What the graph says of a run, by the property's last word; of several values one."""
    rows = named_query(LocalEndpoint(kg), find_query("run-provenance"), {"rule": run_id}).rows
    return {re.split("[#/]", str(row[0].value))[-1]: str(row[1].value) for row in rows}


def test_what_the_run_says_of_itself_is_what_was_done(profile: Profile, tmp_path: Path) -> None:
    kg = built(tmp_path / "kg", profile, parameters=BuildParameters(min_ic=0.5, draws=99, seed=7))
    assert {name: kg.manifest["parameters"][name] for name in ("min_ic", "draws", "seed")} == {
        "min_ic": 0.5,
        "draws": 99,
        "seed": 7,
    }
    for run in kg.manifest["runs"]:
        said = said_of_run(kg, run["id"])
        assert (said["minimumInformationContent"], said["draws"], said["seed"]) == ("0.5", "99", "7")
        assert said["score"] == run["score"] == "activation"
    common = read_common_concepts(kg.common_path)
    assert min(row.ic for row in common) < 1.38, "concepts above more than a quarter of the classes were tested"
    others = [
        built(tmp_path / name, profile, parameters=BuildParameters(**{name: value}))
        for name, value in (("min_ic", 0.5), ("draws", 99))
    ]
    ids = [[run["id"] for run in each.manifest["runs"]] for each in (kg, *others, built(tmp_path / "as-is", profile))]
    assert len({id_ for of in ids for id_ in of}) == 8, "what decides the results decides the run's id"


def test_imported_tags_claim_no_score_and_no_pass(tmp_path: Path) -> None:
    path = tmp_path / "tags-conv5_3-k1.txt"
    path.write_text("filter tags k=1\n0:[' dog ', ' cat ']\n")
    command = ["import", str(path), "--format", "filtag", "-o", str(tmp_path / "kg")]
    assert CliRunner().invoke(app, command).exit_code == 0
    # In Python, nobody need give a hash.
    nameless = build_kg(tmp_path / "python", read_filtag_labels(path), wordnet(), Provenance("vgg16"))
    for kg, inputs in ((open_kg(tmp_path / "kg"), {"tagsSha256"}), (nameless, set())):
        (run,) = kg.manifest["runs"]
        assert (run["rule"], run["score"], runs_of(kg)[0].score) == ("k=1", None, None)
        said = said_of_run(kg, run["id"])
        assert {"rule", "seed", *inputs} <= said.keys()
        assert said.keys().isdisjoint({"score", "profileSha256", "weightsSha256", "startedAtTime", "endedAtTime"})
        assert validate_kg(kg).findings == ()


def test_a_link_that_a_person_decided_on_names_no_tool_and_each_concept_its_own_source(
    profile: Profile, tmp_path: Path
) -> None:
    dog = "http://wordnet-rdf.princeton.edu/pwn30/02084071-n"
    kg = built(tmp_path / "kg", profile, curated={"n02087394": (CuratedLink(dog),)})
    tools = LocalEndpoint(kg).ask(
        "SELECT ?id (COUNT(?tool) AS ?tools) WHERE { ?link sssom:subject_id/skos:notation ?id "
        "OPTIONAL { ?link sssom:mapping_tool ?tool } } GROUP BY ?id ORDER BY ?id"
    )
    assert [(row[0].value, row[1].value) for row in tools.rows][:2] == [("n02087394", "0"), ("n02088466", "1")]
    rows = (kg.path / "links.sssom.tsv").read_text().splitlines()
    cells = [dict(zip(rows[8].split("\t"), row.split("\t"), strict=True)) for row in rows[9:]]
    assert [(row["mapping_tool"], row["object_source_version"]) for row in cells][:2] == [
        ("", "wordnet 3.0"),
        ("filtag-kg", "wordnet 3.0"),
    ]
    assert not any(row.startswith("#mapping_tool") for row in rows), "it would be every row's"
    assert validate_kg(kg).findings == ()


def test_conceptnet_changes_no_answer_about_kinds(tmp_path: Path) -> None:
    """What is a fish is WordNet's to say, though people say of a whale, a starfish or a dish that it is one."""
    labels = "tench, great white shark, stingray, killer whale, starfish, axolotl, jellyfish, tabby, minivan, menu"
    path = tmp_path / "tags-conv5_3-k1.txt"
    names = labels.split(", ")
    tagged = [[" tench ", f" {name} "] for name in names[1:]] + [[f" {name} "] for name in names]
    path.write_text("filter tags k=1\n" + "".join(f"{i}:{tags}\n" for i, tags in enumerate(tagged)), encoding="utf-8")
    tags = read_filtag_labels(path)
    alone, both = (
        build_kg(tmp_path / source, tags, concept_source(source), Provenance("vgg16"))
        for source in ("wordnet", "wordnet,conceptnet")
    )
    for query, asked in (
        ("filters-by-concept", {"concept": "fish"}),
        ("filters-by-concept", {"concept": "animal"}),
        ("concept-by-layer", {"concept": "fish"}),
    ):
        answers = [named_query(LocalEndpoint(kg), find_query(query), asked) for kg in (alone, both)]
        assert answers[0] == answers[1]
        assert answers[0].rows
    # The labels of the filters of fish name no whale.
    fish = named_query(LocalEndpoint(both), find_query("filters-by-concept"), {"concept": "fish"})
    named = {label for row in fish.values() for label in str(row[-1]).split(", ")}
    assert named == {"tench", "great white shark", "stingray"}
    # But there is more to say.
    assert [row for row in read_common_concepts(both.common_path) if row.is_kind("wordnet")] == read_common_concepts(
        alone.common_path, kinds_of="wordnet"
    )
    assert both.manifest["counts"]["quads"] > alone.manifest["counts"]["quads"]
    assert validate_kg(both).findings == ()
