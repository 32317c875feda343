"""``mixed.csv``: in builds from a profile, in the graph of each run, and checked where it is read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from filtag_kg import FiltagError, Provenance, Rule, tag_filters, wordnet
from filtag_kg.concepts import mixedness
from filtag_kg.graph import DataIris, term
from filtag_kg.kg import KG, MIXED, MixedTest, add_runs, build_kg, open_kg, read_mixed, remove_run, runs_of, validate_kg
from tests.mixed_filters import MIXED as PLANTED
from tests.mixed_filters import mixed_profile


def read(kg: KG, folder: str = "") -> MixedTest | None:
    return read_mixed(kg, folder, layers={"shallow": 6, "deep": 42}, classes=set(mixed_profile().class_ids))


def test_a_build_from_a_profile_finds_mixed_filters(mixed_kg: KG) -> None:
    test = read(mixed_kg)
    assert test is not None
    assert (test.tested, test.classes_needed) == (mixed_kg.manifest["mixed"]["tested"], None)
    assert 30 <= test.tested <= 48
    mixed = {(first.layer, first.filter) for first, second in test.parts if second.q_value < 0.05}
    assert mixed == {("deep", column) for column in PLANTED}
    assert validate_kg(mixed_kg).findings == ()


def test_each_run_states_them(mixed_kg: KG) -> None:
    test = read(mixed_kg)
    assert test is not None
    iris = DataIris()
    for run in runs_of(mixed_kg):
        text = f"""SELECT ?f ?mixedness ?q ?n ?concept ?p (COUNT(?class) AS ?classes) {{
        GRAPH <{iris.run(run.run_id)}> {{
          ?in_run flt:filter ?f .
          ?f flt:hasFilterPart ?part .
        }}
        ?in_run flt:mixedness ?mixedness ; flt:mixedQValue ?q .
        ?part a flt:FilterPart ; flt:filter ?f ; flt:partNumber ?n ; flt:concept ?concept ; flt:adjustedPValue ?p ;
          flt:includesClass ?class ; prov:wasGeneratedBy <{iris.run(run.run_id)}>
        }} GROUP BY ?f ?mixedness ?q ?n ?concept ?p"""
        expected = {
            (iris.filter(run.network, part.layer, part.filter), str(part.part), part.concept, str(len(part.classes)))
            for both in test.parts
            for part in both
        }
        rows = mixed_kg.store_process().rows(text)
        assert {(f, n, concept, classes) for f, _, _, n, concept, _, classes in rows} == expected
        scores = {f: (float(mixed), float(q)) for f, mixed, q, *_ in rows}
        for first, second in test.parts:
            filter_ = iris.filter(run.network, first.layer, first.filter)
            assert scores[filter_] == pytest.approx((mixedness(first, second), second.q_value))


def test_imported_labels_and_earlier_versions_have_none(kg: KG, mixed_kg: KG, tmp_path: Path) -> None:
    few = read_mixed(kg, "", layers={"shallow": 2, "deep": 4}, classes=())
    assert few is not None
    assert (few.parts, few.tested, few.classes_needed) == ((), 0, 10)
    tags = tag_filters(mixed_profile(), [Rule("k", 1)], network="mixed-0123456789ab")
    imported = build_kg(tmp_path / "imported", tags, wordnet(), Provenance("mixed"))
    assert not (imported.path / MIXED.file_name).exists()
    assert read(imported) is None
    earlier = tmp_path / "earlier"
    shutil.copytree(mixed_kg.path, earlier)
    manifest = json.loads((earlier / "filtag.json").read_text())
    del manifest["mixed"]
    (earlier / "filtag.json").write_text(json.dumps(manifest))
    assert read(open_kg(earlier)) is None


def test_added_builds_keep_theirs_and_removed_runs_leave_none(mixed_kg: KG, tmp_path: Path) -> None:
    profile = mixed_profile()
    tags = tag_filters(profile, [Rule("k", 2)], network="mixed-0123456789ab")
    added = build_kg(tmp_path / "added", tags, wordnet(), Provenance.of_profile(profile), profile=profile, first_rule=2)
    shutil.copytree(mixed_kg.path, tmp_path / "kg")
    both = add_runs(open_kg(tmp_path / "kg"), added)
    folder = runs_of(both)[-1].folder
    here, there = read(both), read(both, folder)
    assert here is not None
    assert there is not None
    assert (here.parts, here.tested) == (there.parts, there.tested)
    assert validate_kg(both, quick=True).findings == ()
    one = remove_run(both, "k=1")
    assert validate_kg(one, quick=True).findings == ()
    assert read(one) == here
    alone = remove_run(one, "k=2")
    n_parts = alone.store_process().rows("SELECT (COUNT(?x) AS ?n) { ?x a flt:FilterPart }")
    assert n_parts == [(str(2 * len(here.parts)),)]
    assert term("flt:FilterPart")


def without_last_line(text: str) -> str:
    return "\n".join(text.splitlines()[:-1]) + "\n"


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (without_last_line, "lacks a part of filter 41 of deep: build the KG anew"),
        (lambda text: text.replace("deep,40,1,", "deep,40,2,"), "lacks a part of filter 40 of deep: build the KG anew"),
        (lambda text: text.replace("deep,41,", "deep,42,"), "there is no filter 42 in a layer 'deep'"),
        (lambda text: text.replace("n0", "x0"), "there is no class 'x0"),
        (lambda text: text.replace("deep,40,1,", "deep,40,3,"), "part"),
    ],
)
def test_damage_is_named(mixed_kg: KG, tmp_path: Path, damage: Callable[[str], str], what: str) -> None:
    shutil.copytree(mixed_kg.path, tmp_path / "kg")
    path = tmp_path / "kg" / MIXED.file_name
    text = path.read_text()
    assert damage(text) != text
    path.write_text(damage(text))
    with pytest.raises(FiltagError) as raised:
        read(open_kg(tmp_path / "kg"))
    assert what in str(raised.value)
    assert "\n" not in str(raised.value)
