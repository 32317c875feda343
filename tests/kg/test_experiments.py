from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from filtag_kg import FiltagError, Profile, Rule
from filtag_kg.graph import DataIris, boolean, iri, t
from filtag_kg.kg import (
    KG,
    Experiment,
    add_experiments,
    add_runs,
    experiments_of,
    open_kg,
    remove_run,
    runs_of,
    validate_kg,
)
from tests.kg.test_runs import built, own


@pytest.fixture
def plain(profile: Profile, tmp_path: Path) -> KG:
    return built(tmp_path / "plain", profile, Rule("k", 1), Rule("q", 0.5))


def experiment(kg: KG, *, run: int = 0, id_: str = 16 * "a", holds: bool = True) -> Experiment:
    iris = DataIris()
    run_id = runs_of(kg)[run].run_id
    node = iri(iris.run(id_))
    triples = [
        (node, t("prov:used"), iri(iris.run(run_id))),
        (node, t("rdf:type"), t("prov:Activity")),
        (node, t("prov:value"), boolean(holds)),
    ]
    return Experiment("check", id_, run_id, f"holds\n{holds}\n", triples, {"images": "test.tar", "seed": 0})


def test_an_experiment_joins_graph_store_tables_and_manifest(plain: KG) -> None:
    before = own(plain)
    kg = add_experiments(plain, [experiment(plain), experiment(plain, run=1, id_=16 * "b")])
    assert validate_kg(kg).findings == ()
    assert len(own(kg) - before) == 6
    assert before <= own(kg)
    first, second = experiments_of(kg, "check")
    assert (first.experiment_id, first.run_id) == (16 * "a", runs_of(kg)[0].run_id)
    assert second.run_id == runs_of(kg)[1].run_id
    assert first.path.read_text() == "holds\nTrue\n"
    assert first.about == {"images": "test.tar", "seed": 0}
    assert experiments_of(kg, "ablation") == []


def test_the_same_id_replaces(plain: KG) -> None:
    once = add_experiments(plain, [experiment(plain, holds=False)])
    again = add_experiments(once, [experiment(plain)])
    alone = own(again)
    assert [each.path.read_text() for each in experiments_of(again, "check")] == ["holds\nTrue\n"]
    assert len(alone - own(open_kg(plain.path))) == 0
    assert not any('"false"' in line for line in alone if "/run/aaaa" in line)
    assert validate_kg(again).findings == ()


def test_a_removed_run_takes_its_experiments_along(plain: KG) -> None:
    before = own(plain)
    kg = add_experiments(plain, [experiment(plain, run=1), experiment(plain, id_=16 * "b")])
    left = remove_run(kg, "q=0.5")
    assert [each.experiment_id for each in experiments_of(left, "check")] == [16 * "b"]
    assert [path.name for path in (left.path / "checks").iterdir()] == [f"{16 * 'b'}.csv"]
    assert not any("/run/aaaa" in line for line in own(left) - before)
    assert validate_kg(left).findings == ()


def test_experiments_of_an_added_kg_come_along(profile: Profile, tmp_path: Path) -> None:
    kg = built(tmp_path / "kg", profile, Rule("k", 1))
    added = built(tmp_path / "added", profile, Rule("q", 0.5), first_rule=1)
    added = add_experiments(added, [experiment(added)])
    both = add_runs(kg, added)
    (record,) = experiments_of(both, "check")
    assert record.path.read_text() == "holds\nTrue\n"
    assert record.run_id == runs_of(both)[1].run_id
    assert validate_kg(both).findings == ()
    more = add_experiments(both, [experiment(both, id_=16 * "c")])
    assert len(experiments_of(more, "check")) == 2
    assert experiments_of(remove_run(more, "q=0.5"), "check")[0].experiment_id == 16 * "c"


def test_an_experiment_about_a_run_that_is_gone_changes_nothing(plain: KG) -> None:
    before = plain.graph_path.read_bytes()
    with pytest.raises(FiltagError, match="has no run gone"):
        add_experiments(plain, [replace(experiment(plain), run_id="gone")])
    assert plain.graph_path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"id": "../../etc/passwd"}, "is not 16 hexadecimal digits"),
        ({"kind": "guess"}, "is neither check nor ablation"),
        ({"run": "gone"}, "about a run that is not there"),
        ({"folder": "added/x"}, "an experiment is in added/x"),
    ],
)
def test_a_damaged_record_is_refused(plain: KG, change: dict[str, str], mistake: str) -> None:
    from filtag_kg.kg.manifest_shape import manifest_mistake

    manifest = add_experiments(plain, [experiment(plain)]).manifest
    (record,) = manifest["experiments"]
    assert manifest_mistake(manifest) is None
    assert mistake in str(manifest_mistake({**manifest, "experiments": [{**record, **change}]}))
