"""Pictures beside the graph: stored, replaced, added by two at once, damaged, carried along."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import pytest

from filtag_kg import FiltagError, Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.files import only_writer
from filtag_kg.kg import (
    KG,
    Visualization,
    add_runs,
    build_kg,
    describe_visualizations,
    open_kg,
    read_visualizations,
    remove_run,
    runs_of,
    validate_kg,
    write_visualizations,
)
from filtag_kg.query import LocalEndpoint, sparql_query
from tests.kg.test_runs import lines

MAXIMISED, VISUALISED = "activation-maximisation", "feature-visualisation"
TOY = "toy-0123456789ab"


def row(layer: str = "deep", filter_: int = 0, method: str = VISUALISED, network: str = TOY) -> Visualization:
    return Visualization(network, layer, filter_, method, seed=7, steps=16, activation=0.125)


def built(path: Path, profile: Profile, rule: Rule, *, network: str = TOY, first_rule: int = 0) -> KG:
    tags = tag_filters(profile, [rule], network=network)
    return build_kg(path, tags, wordnet(), Provenance.of_profile(profile), profile=profile, first_rule=first_rule)


@pytest.fixture
def empty(profile: Profile, tmp_path: Path) -> KG:
    return built(tmp_path / "kg", profile, Rule("k", 1))


def test_a_kg_without_pictures_has_none(empty: KG) -> None:
    assert read_visualizations(empty) == ()


def test_what_is_written_is_read(empty: KG) -> None:
    rows = [row("deep", 10), row("deep", 2, MAXIMISED), row("a/b,\n../é", 2)]
    written = write_visualizations(empty, rows, [b"one", b"two", b"three"])
    assert [replace(one, file="") for one in written] == rows
    assert [(empty.path / one.file).read_bytes() for one in written] == [b"one", b"two", b"three"]
    assert read_visualizations(empty) == tuple(sorted(written, key=lambda one: one.key))
    table = (empty.path / "visualizations" / "visualizations.csv").read_text(encoding="utf-8")
    assert table.splitlines()[0] == ",".join(field.name for field in fields(Visualization))
    assert f"{TOY},deep,10,{VISUALISED},7,16,0.125,deep-10-{VISUALISED}-" in table


def test_names_stay_in_the_folder_and_need_no_escape(empty: KG) -> None:
    layers = ["../../up", "a/b", "a-b", "A-b", "", "ç" * 300, "x" * 300]
    written = write_visualizations(empty, [row(layer) for layer in layers], [b"same"] * len(layers))
    names = [one.file.removeprefix("visualizations/") for one in written]
    assert len({name.lower() for name in names}) == len(layers)
    assert all(name.replace("-", "").replace(".", "").isalnum() and name.isascii() for name in names)
    assert sorted(path.name for path in (empty.path / "visualizations").iterdir()) == sorted(
        [*names, "visualizations.csv"]
    )


def test_a_picture_of_the_same_key_replaces_row_and_file(empty: KG) -> None:
    old, other = write_visualizations(empty, [row(), row(filter_=1)], [b"old", b"other"])
    (new,) = write_visualizations(empty, [replace(row(), seed=8)], [b"new"])
    assert read_visualizations(empty) == (new, other)
    assert not (empty.path / old.file).exists()
    assert (empty.path / new.file).read_bytes() == b"new"


def test_what_an_interrupted_run_left_goes_and_what_it_finished_stays(empty: KG) -> None:
    (kept,) = write_visualizations(empty, [row()], [b"kept"])
    orphan = empty.path / "visualizations" / "deep-9-feature-visualisation-0000000000000000.png"
    orphan.write_bytes(b"half")
    (added,) = write_visualizations(empty, [row(filter_=1)], [b"added"])
    assert read_visualizations(empty) == (kept, added)
    assert not orphan.exists()


WRITE = """
import sys
from pathlib import Path
from filtag_kg.kg import Visualization, open_kg, write_visualizations
kg, layer = open_kg(Path(sys.argv[1])), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for filter_ in range(25):
    row = Visualization("toy-0123456789ab", layer, filter_, "feature-visualisation", 0, 1, 0.5)
    write_visualizations(kg, [row], [f"{layer} {filter_}".encode()])
"""


def test_two_processes_at_once_lose_nothing(empty: KG) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, str(empty.path), layer],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for layer in ("one", "two")
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        _, said = writer.communicate(timeout=60)
        assert writer.returncode == 0, said
    found = read_visualizations(empty)
    assert [(one.layer, one.filter) for one in found] == [(x, i) for x in ("one", "two") for i in range(25)]
    assert all((empty.path / one.file).read_bytes() == f"{one.layer} {one.filter}".encode() for one in found)


def test_a_writer_waits_as_long_as_it_is_told(empty: KG) -> None:
    def second() -> None:
        with only_writer(empty.path, wait_s=0.05):
            pass

    with only_writer(empty.path), ThreadPoolExecutor(1) as thread, pytest.raises(FiltagError) as error:
        thread.submit(second).result()
    assert str(error.value) == f"another process is changing {empty.path}: try again when it is done"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", " has no column network"),
        ("a,b\n", " has no column network"),
        ("n,l,zero,feature-visualisation,0,1,0.5,x.png\n", "column filter: 'zero' is not a whole number from 0"),
        ("n,l,-1,feature-visualisation,0,1,0.5,x.png\n", "column filter: '-1' is not a whole number from 0"),
        ("n,l,0,feature-visualisation,0,1,inf,x.png\n", "column activation: 'inf' is not a number"),
        ("n,l,0,feature-visualisation,0,1,0.5,../x.png\n", "column file: '../x.png' is not a PNG beside the table"),
        (
            "n,l,0,dreaming,0,1,0.5,x.png\n",
            "column method: 'dreaming' is not one of activation-maximisation, feature-visualisation",
        ),
        ("n,l,0\n", ": 3 cells, where the header has 8"),
    ],
)
def test_a_damaged_table_is_refused(empty: KG, text: str, what: str) -> None:
    write_visualizations(empty, [row()], [b"png"])
    path = empty.path / "visualizations" / "visualizations.csv"
    header = path.read_text().splitlines()[0]
    path.write_text(f"{header}\n{text}" if text.startswith("n,") else text, encoding="utf-8")
    with pytest.raises(FiltagError) as error:
        read_visualizations(empty)
    place = what if not what.startswith(("column", ":")) else f", line 2{', ' if what[0] == 'c' else ''}{what}"
    assert str(error.value) == f"{path}{place}: delete its folder and make the pictures again"


def test_pictures_stay_when_runs_come_and_go(empty: KG, profile: Profile, tmp_path: Path) -> None:
    (here,) = write_visualizations(empty, [row()], [b"here"])
    other = built(tmp_path / "added", profile, Rule("q", 0.5), first_rule=1)
    write_visualizations(other, [row(), row(filter_=1)], [b"there", b"there too"])
    both = add_runs(empty, other)
    found = read_visualizations(both)
    assert [(one.filter, (both.path / one.file).read_bytes()) for one in found] == [(0, b"here"), (1, b"there too")]
    left = remove_run(both, runs_of(other)[0].run_id)
    assert read_visualizations(open_kg(left.path)) == (here,)


def test_pictures_go_with_the_last_run_of_their_network(empty: KG, profile: Profile, tmp_path: Path) -> None:
    added = add_runs(empty, built(tmp_path / "added", profile, Rule("q", 0.5), network="other-1", first_rule=1))
    write_visualizations(added, [row(), row(network="other-1")], [b"toy", b"other"])
    gone = next(run for run in runs_of(added) if run.network == "other-1")
    left = remove_run(added, gone.run_id)
    assert [one.network for one in read_visualizations(left)] == [TOY]


DEPICTED = """SELECT ?layer ?index ?picture ?format ?title WHERE {
  ?f foaf:depiction ?picture ; flt:filterIndex ?index ; flt:inLayer/rdfs:label ?layer .
  ?picture a foaf:Image ; dcterms:format ?format ; dcterms:title ?title
} ORDER BY ?picture"""


def depicted(kg: KG) -> list[dict[str, object]]:
    return list(sparql_query(LocalEndpoint(kg), DEPICTED).records())


def test_the_graph_names_the_pictures_once_they_are_described(empty: KG) -> None:
    before = lines(empty)
    rows = [row("deep", 2), row("deep", 2, MAXIMISED), row("a layer that the KG leaves out")]
    written = write_visualizations(empty, rows, [b"one", b"two", b"three"])
    kg = describe_visualizations(empty)
    assert validate_kg(kg).findings == ()
    found = depicted(kg)
    base = f"https://w3id.org/filtag/data/network/{TOY}/visualization/"
    assert {each["picture"] for each in found} == {base + Path(one.file).name for one in written[:2]}
    assert {each["title"] for each in found} == {"deep 2: activation maximisation", "deep 2: feature visualisation"}
    assert {(each["layer"], each["index"]) for each in found} == {("deep", 2)}
    assert {each["format"] for each in found} == {"https://www.iana.org/assignments/media-types/image/png"}
    assert read_visualizations(kg) == tuple(sorted(written, key=lambda one: one.key))
    # One that replaces another does so in the graph; without pictures, the graph is as it was.
    write_visualizations(kg, [row("deep", 2)], [b"other"])
    assert len(depicted(describe_visualizations(kg))) == 2
    for file in (kg.path / "visualizations").iterdir():
        file.unlink()
    assert lines(describe_visualizations(kg)) == before


def test_pictures_leave_the_graph_with_their_network(empty: KG, profile: Profile, tmp_path: Path) -> None:
    other = replace(profile, metadata={**profile.metadata, "network": "other", "weights_sha256": 64 * "a"})
    added = built(tmp_path / "added", other, Rule("k", 1), network="other-aaaa", first_rule=1)
    write_visualizations(added, [row(network="other-aaaa")], [b"theirs"])
    both = add_runs(empty, describe_visualizations(added))
    assert [each["layer"] for each in depicted(both)] == ["deep"]
    assert validate_kg(both).findings == ()
    assert depicted(describe_visualizations(both)) == depicted(both)
    left = remove_run(both, runs_of(both)[1].run_id)
    assert depicted(left) == []
    assert validate_kg(left).findings == ()
