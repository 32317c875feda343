"""Labels of other methods become a KG, or join one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import filtag_kg as flt
from filtag_kg.errors import FiltagError
from filtag_kg.jobs import import_labels
from filtag_kg.kg import KG, open_kg, runs_of, validate_kg
from filtag_kg.views import load_kg

NETDISSECT = "unit,category,label,score\n1,object,tabby,0.25\n4,color,red-c,0.125\n2,object,dog,0.0625\n"


def file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refusal(*arguments: object, **options: object) -> str:
    with pytest.raises(FiltagError) as error:
        import_labels(*arguments, **options)  # type: ignore[arg-type]
    return str(error.value)


@pytest.fixture
def mine(kg: KG, tmp_path: Path) -> Path:
    """A KG of two layers, of 2 and 4 filters, to change."""
    return Path(shutil.copytree(kg.path, tmp_path / "kg"))


def test_labels_join_the_kg_of_the_network(mine: Path, tmp_path: Path) -> None:
    tally = file(tmp_path, "tally.csv", NETDISSECT)
    graph = flt.import_labels(tally, into=mine, layer="deep")
    kg = open_kg(mine)
    assert validate_kg(kg).findings == ()
    (*before, run) = runs_of(kg)
    assert ([each.rule for each in before], run.rule, run.method) == (["k=1", "q=0.5"], "netdissect", "netdissect")
    assert "intersection over union" in str(run.score_meaning)
    rows = [graph.query("tags-of-filter", layer="deep", filter=i, rule="netdissect").records() for i in range(4)]
    assert [[(row["class_id"], row["label"], row["score"]) for row in each] for each in rows] == [
        [("n02123045", "tabby", 0.25)],
        [("dog", "dog", 0.0625)],
        [],
        [("red-c", "red (color)", 0.125)],
    ], "a label that is a class of the KG is that class"
    assert graph.query("filters-by-concept", concept="dog", rule="netdissect").records()[0]["filter"] == 1
    (network,) = load_kg(kg).networks.values()
    assert network.filters_of_layers == {"shallow": 2, "deep": 4}
    assert len(kg.manifest["added"]) == 1
    assert kg.manifest["added"][0]["inputs"]["layers"] == ["deep"]


def test_the_same_labels_do_not_join_twice(mine: Path, tmp_path: Path) -> None:
    tally = file(tmp_path, "tally.csv", NETDISSECT)
    import_labels(tally, into=mine, layer="deep")
    already = f"{mine} has the labels of {tally} already, as netdissect: nothing was added"
    assert refusal(tally, into=mine, layer="deep") == already
    assert refusal(tally, into=mine, layer="deep", name="again") == already
    other = file(tmp_path, "other.csv", NETDISSECT.replace("tabby", "dog"))
    assert refusal(other, into=mine, layer="deep") == (
        f"{mine} has a run netdissect of other labels: give this one another name; import the layers of one method "
        "together"
    )
    import_labels(other, into=mine, layer="deep", name="netdissect-2")
    assert [run.rule for run in runs_of(open_kg(mine))][2:] == ["netdissect", "netdissect-2"]
    assert validate_kg(open_kg(mine)).findings == ()


def test_what_does_not_fit_the_kg_changes_nothing(mine: Path, tmp_path: Path) -> None:
    before = (mine / "filtag.json").read_bytes()
    tally = file(tmp_path, "tally.csv", NETDISSECT)
    assert refusal(tally, into=mine) == (
        f"{tally} does not say which layer it is of: name one of the layers of {mine}, shallow, deep"
    )
    assert refusal(tally, into=mine, layer="shallow") == (
        f"{tally}, line 3: there is no filter 3 in shallow of {mine}, which has 2: name the layer that the labels are "
        "of"
    )
    assert refusal(tally, into=mine, layer="deep", network="other") == (
        f"{mine} has no network 'other': name the one that the labels are about, toy-0123456789ab"
    )
    assert (mine / "filtag.json").read_bytes() == before
    with pytest.raises(ValueError, match="give either an output or a KG to import into"):
        import_labels(tally)


def test_methods_join_an_imported_kg_and_links_stay(tmp_path: Path) -> None:
    """A class that both methods name has one link, though its company and so its confidence are others."""
    dissect = file(
        tmp_path, "clip.csv", "layer,unit,description,similarity\na,0,pink,0.5\na,1,stripes,0.25\nb,2,crane,1\n"
    )
    milan = file(tmp_path, "milan.csv", "layer,unit,description\na,0,pink\na,0,A bird\nb,0,crane\nb,1,qwxz\n")
    import_labels(dissect, tmp_path / "kg", network="resnet")
    import_labels(milan, into=tmp_path / "kg")
    kg = open_kg(tmp_path / "kg")
    assert validate_kg(kg).findings == ()
    assert [run.method for run in runs_of(kg)] == ["clip-dissect", "milan"]
    assert [run.score_meaning is None for run in runs_of(kg)] == [False, True]


def test_layers_of_a_method_are_one_run(mine: Path, tmp_path: Path) -> None:
    header = "neuron,concept,concept_id,metric\n"
    files = [
        file(tmp_path, "a", f"{header}0,dog,n02084071,0.75\n"),
        file(tmp_path, "b", f"{header}3,n02121808,n02121808,1\n"),
    ]
    import_labels(files, into=mine, layer=["shallow", "deep"], name="invert")
    loaded = load_kg(open_kg(mine), "invert")
    (run,) = loaded.runs.values()
    assert (run.column.tolist(), run.score.tolist()) == ([0, 5], [0.75, 1.0])
    labels = [loaded.concepts.class_labels[class_] for class_ in run.class_]
    assert labels == ["dog", "domestic cat"], "WordNet names what the file does not"


def test_a_kg_of_labels_alone_says_where_they_come_from(tmp_path: Path) -> None:
    path = file(tmp_path, "labels.csv", "layer,filter,label,score\nconv1,0,dog,0.5\n")
    graph = import_labels(str(path), str(tmp_path / "kg"), network="mine", name="by-hand")
    told = {row["property"]: row["value"] for row in graph.query("run-provenance").records()}
    told = {name.rpartition("#")[2]: value for name, value in told.items()}
    assert (told["method"], told["rule"]) == ("csv", "by-hand")
    assert told["scoreMeaning"] == "what the file says: the higher, the surer"
    assert "tagsSha256" in told
    inputs = open_kg(tmp_path / "kg").manifest["inputs"]
    assert (inputs["tags"], inputs["format"], inputs["layers"]) == ("labels.csv", "csv", ["conv1"])
    assert (
        refusal(path, tmp_path / "kg") == f"{tmp_path / 'kg'} already holds a KG: choose another output, or replace it"
    )
