"""Labels of other methods: which format a file is of, and what becomes of its rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filtag_kg.errors import FiltagError
from filtag_kg.tags import LABEL_FORMATS, Known, TagTable, matching_layer, read_labels, tag_assignments

SAMPLES = {
    "filtag": "filter tags k=1\n0:[' crane ', ' dog ']\n1:[]\n",
    "netdissect": "unit,category,label,score\r\n1,object,dog,0.2\r\n",
    "clip-dissect": 'layer,unit,description,similarity\nlayer2,0,"dog, hound",0.25\n',
    "milan": "layer,unit,description\nlayer2,0,Dogs and birds\n",
    "invert": "neuron,concept,concept_id,metric\n0,dog,n02084071,0.9\n",
    "falcon": "group,Unnamed: 0,concept_set_words\n48,48,\"[('key', 0.05), ('piano', 0.04)]\"\n",
    "summit": json.dumps([{"synset": "n02119789", "name": "kit_fox", "topChannels": {"mixed3a": [{"c": 5, "i": 12}]}}]),
    "csv": "layer,filter,label,class_id,score\nconv1,0,dog,n02084071,0.5\n",
}


def rows(tags: TagTable) -> list[tuple[str, int, str, str, float | None]]:
    """The rows of a table: layer, filter, class id, label and score."""
    scores = (None if np.isnan(score) else score for score in tags.score.tolist())
    return [
        (row.layer, row.filter, row.class_id, row.label, score)
        for row, score in zip(tag_assignments(tags), scores, strict=True)
    ]


def read(folder: Path, text: str | bytes, **options: Any) -> TagTable:
    path = folder / "labels.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_labels(path, **options).tags


def refusal(folder: Path, text: str, **options: Any) -> str:
    with pytest.raises(FiltagError) as error:
        read(folder, text, **options)
    return str(error.value).replace(f"{folder}/", "")


@pytest.mark.parametrize("method", LABEL_FORMATS)
def test_a_file_tells_its_format(method: str, tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_text(SAMPLES[method])
    labels = read_labels(path)
    assert labels.method == method
    assert labels.tags.rules == ("k=1" if method == "filtag" else method,)
    assert read_labels(path, method, name="mine").tags.rules == ("mine",)
    assert (labels.score_meaning is None) == (method in ("filtag", "milan"))
    others = [other for other in LABEL_FORMATS if LABEL_FORMATS[other].recognises(SAMPLES[method])]
    assert others == [method]


def test_what_is_of_no_format_or_of_several_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a,b\n1,2\n").startswith("labels.csv is of no format of labels: filtag has the first line")
    both = "unit,description,filter,label\n0,dog,0,dog\n"
    assert refusal(tmp_path, both) == (
        "labels.csv may be of several formats: milan has the columns unit, description; csv has the columns filter, "
        "label; name its format"
    )
    assert rows(read(tmp_path, both, format_="milan")) == [("labels", 0, "dog", "dog", None)]
    assert refusal(tmp_path, "unit,label\n0,dog\n", format_="csv") == (
        "labels.csv has no labels as csv writes them: it needs the columns filter, label, and rows"
    )
    assert refusal(tmp_path, "", format_="xml") == f"no label format 'xml': choose one of {', '.join(LABEL_FORMATS)}"


def test_files_of_two_methods_are_not_one(tmp_path: Path) -> None:
    for method in ("milan", "invert"):
        (tmp_path / method).write_text(SAMPLES[method])
    with pytest.raises(FiltagError, match="the files are of several methods"):
        read_labels([tmp_path / "milan", tmp_path / "invert"])


@pytest.mark.parametrize("names", [{"network": ""}, {"layers": [""]}, {"name": ""}])
def test_empty_names_are_refused(names: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(FiltagError, match=r"^the name of the network, layer or run is empty: give one"):
        read_labels(tmp_path / "tags.txt", "filtag", **names)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_spreadsheets_write_tables_their_way(delimiter: str, encoding: str, newline: str, tmp_path: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=newline)
    writer.writerow(["Similarity", "DESCRIPTION", "unit", "other", "layer"])
    writer.writerows([["0,5" if delimiter == ";" else "0.5", "dog, hound;\n fox", "3", "", "a"], [""] * 5])
    tags = read(tmp_path, text.getvalue().encode(encoding))
    assert rows(tags) == [("a", 3, "dog, hound; fox", "dog, hound; fox", 0.5)]


def test_rows_that_cannot_be_read_are_left_out_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = (
        "layer,unit,description,similarity\n"
        "a,0,dog,0.5\n"
        "a,x,cat,0.5\n"
        "a,-1,cat,0.5\n"
        "a,1,cat,high\n"
        "a,2,cats, dogs,0.5\n"
        'a,3,"cat,0.5\n'
        "a,4,fox,0.25\n"
        "a,5,fox,inf\n"
        "a,6.0,fox,nan\n"
        "a,7,,\n"
        "a,100000,fox,0.1\n"
    )
    assert rows(read(tmp_path, text)) == [
        ("a", 0, "dog", "dog", 0.5),
        ("a", 4, "fox", "fox", 0.25),
        ("a", 6, "fox", "fox", None),
    ]
    assert read(tmp_path, text).n_filters == (8,), "filter 7 has no label, and is there"
    (message, *_) = [record.getMessage() for record in caplog.records]
    assert message.replace(f"{tmp_path}/", "") == (
        "labels.csv: left out 7 rows that cannot be read: line 3: unit 'x' is not a whole number from 0 below 100,000; "
        "line 4: unit '-1' is not a whole number from 0 below 100,000; line 5: similarity 'high' is not a number; "
        "line 6: 5 cells, where the header has 4; line 7: the row is not CSV (unexpected end of data); …"
    )
    assert refusal(tmp_path, text, strict=True) == (
        "labels.csv, line 3: unit 'x' is not a whole number from 0 below 100,000"
    )
    assert refusal(tmp_path, "unit,description\nx,dog\n") == (
        "labels.csv: none of 1 row can be read; line 2: unit 'x' is not a whole number from 0 below 100,000"
    )
    assert refusal(tmp_path, "unit,description\n0,\n") == "labels.csv gives no filter a label: give a file with labels"


def test_of_two_rows_that_say_the_same_the_better_counts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = "layer,filter,label,score\na,0,dog,0.5\na,0,dog,0.75\na,0,dog,\na,0,cat,\na,0,cat,0.1\nb,0,dog,0.1\n"
    assert rows(read(tmp_path, text)) == [
        ("a", 0, "cat", "cat", 0.1),
        ("a", 0, "dog", "dog", 0.75),
        ("b", 0, "dog", "dog", 0.1),
    ]
    assert "3 rows say what another one says" in caplog.text


def test_layers_of_several_files(tmp_path: Path) -> None:
    paths = [tmp_path / "z.csv", tmp_path / "a.csv"]
    paths[0].write_text("neuron,concept,metric\n2,dog,0.9\n")
    paths[1].write_text("neuron,concept,metric\n0,cat,0.9\n")
    assert (read_labels(paths).tags.layer_names, read_labels(paths).tags.n_filters) == (("z", "a"), (3, 1))
    named = read_labels(paths, layers=["conv1", "conv2"]).tags
    assert [(row.layer, row.filter) for row in tag_assignments(named)] == [("conv1", 2), ("conv2", 0)]
    assert read_labels(paths, layers=["conv1"]).tags.layer_names == ("conv1",)
    with pytest.raises(FiltagError, match="3 layers are named for 2 files: name one for each"):
        read_labels(paths, layers=["a", "b", "c"])


KNOWN = Known({"net.conv1": 4, "net.block.conv2": 2}, {"n1": "dog", "n2": "crane", "n3": "crane", "7": "fox"}, "kg")


def test_labels_find_the_layers_that_are_known(tmp_path: Path) -> None:
    tags = read(tmp_path, "layer,filter,label\nconv2,1,dog\n", known=KNOWN)
    assert (tags.layer_names, tags.n_filters) == (tuple(KNOWN.layers), (4, 2)), "all of them, in full"
    assert rows(tags) == [("net.block.conv2", 1, "n1", "dog", None)]
    assert refusal(tmp_path, "layer,filter,label\nconv2,2,dog\n", known=KNOWN) == (
        "labels.csv, line 2: there is no filter 2 in net.block.conv2 of kg, which has 2: name the layer that the "
        "labels are of"
    )
    assert refusal(tmp_path, "layer,filter,label\nfc,0,dog\n", known=KNOWN) == (
        "labels.csv is about a layer 'fc': name one of the layers of kg, net.conv1, net.block.conv2"
    )
    assert refusal(tmp_path, "filter,label\n0,dog\n", known=KNOWN) == (
        "labels.csv does not say which layer it is of: name one of the layers of kg, net.conv1, net.block.conv2"
    )
    tags = read(tmp_path, "layer,filter,label\nfc,0,dog\n", known=KNOWN, layers=["block.conv2"])
    assert rows(tags) == [("net.block.conv2", 0, "n1", "dog", None)]
    assert refusal(tmp_path, "layer,filter,label\na,0,dog\nb,0,dog\n", layers=["conv1"]) == (
        "labels.csv has labels of 2 layers, 'a', 'b', which cannot all be of conv1: name no layer"
    )
    only = Known({"net.conv1": 4})
    assert rows(read(tmp_path, "filter,label\n0,dog\n", known=only)) == [("net.conv1", 0, "dog", "dog", None)]


@pytest.mark.parametrize(
    ("name", "layers", "layer"),
    [
        ("layer2", ["layer1", "layer2"], "layer2"),
        ("layer2", ["model.layer2", "model.layer1"], "model.layer2"),
        ("model.layer2", ["layer2"], "layer2"),
        ("conv1", ["layer1.0.conv1", "layer2.0.conv1"], None),
        ("conv1", ["conv1", "layer1.0.conv1"], "conv1"),
        ("1", ["layer11", "conv_1"], None),
        ("block/conv", ["net/block/conv"], "net/block/conv"),
    ],
)
def test_a_layer_is_found_by_its_name_or_the_end_of_it(name: str, layers: list[str], layer: str | None) -> None:
    assert matching_layer(name, layers) == layer


def test_labels_become_classes(tmp_path: Path) -> None:
    text = (
        "layer,filter,label,class_id\n"
        "conv1,0,dog,\n"
        "conv1,0,Fox,\n"
        "conv1,0,crane,\n"
        "conv1,1,hound,n02084071\n"
        "conv1,1,a nursery,7\n"
        "conv1,1,jet,8\n"
        "conv1,2,rocking_chair,\n"
    )
    assert [
        (filter_, class_id, label) for _, filter_, class_id, label, _ in rows(read(tmp_path, text, known=KNOWN))
    ] == [
        (0, "7", "fox"),
        (0, "crane", "crane"),
        (0, "n1", "dog"),
        (1, "8", "jet"),
        (1, "a nursery", "a nursery"),
        (1, "n02084071", "hound"),
        (2, "rocking chair", "rocking chair"),
    ]
    tags = read(tmp_path, "filter,label\n0,dog\n", class_names={"n1": "dog", "n2": "cat"})
    assert (tags.class_ids, rows(tags)) == (("n1", "n2"), [("labels", 0, "n1", "dog", None)])


def test_a_missing_or_binary_file(tmp_path: Path) -> None:
    with pytest.raises(FiltagError, match=f"^no label file at {tmp_path}/none: check the path$"):
        read_labels(tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff\xff\x00")
    with pytest.raises(FiltagError, match="cannot be read as text"):
        read_labels(tmp_path / "binary")


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="_"), min_size=1, max_size=9
)


@given(
    st.dictionaries(st.tuples(TEXTS, st.integers(0, 40)), st.tuples(TEXTS, st.floats(-9, 9)), min_size=1, max_size=9),
    st.sampled_from(",;\t"),
)
@settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read(
    tmp_path: Path, labels: dict[tuple[str, int], tuple[str, float]], delimiter: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["layer", "filter", "label", "score"])
    writer.writerows([layer, filter_, label, repr(score)] for (layer, filter_), (label, score) in labels.items())
    tags = read(tmp_path, text.getvalue(), format_="csv")
    written = {(layer, filter_): (label, score) for (layer, filter_), (label, score) in labels.items()}
    again = {(layer, filter_): score for layer, filter_, _, _, score in rows(tags)}
    assert again == {key: score for key, (_, score) in written.items() if not key[0].startswith("#")}


def test_the_real_files(shared_data: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What each file holds was counted with the csv module alone."""
    folder = shared_data / "labels"
    if not folder.exists():
        pytest.skip(f"no label files in {folder}")
    expected = {
        "clip-dissect-resnet18-layer2.csv": ("clip-dissect", (128,), 128, 87),
        "clip-dissect-resnet18-places.csv": ("clip-dissect", (64, 64, 128, 3), 259, 92),
        "falcon-resnet18-layer2.csv": ("falcon", (127,), 184, 177),
        "invert-resnet18-layer2.csv": ("invert", (128,), 128, 83),
        "milan-resnet18-layer2.csv": ("milan", (128,), 128, 45),
        "milan-resnet18-places.csv": ("milan", (64, 64, 128, 3), 259, 102),
        "netdissect-caffe_reference_imagenet.csv": ("netdissect", (256,), 256, 98),
    }
    for name, (method, n_filters, n_tags, n_classes) in expected.items():
        labels = read_labels(folder / name, strict=True)
        tags = labels.tags
        assert (labels.method, tags.n_filters, len(tags), len(tags.class_ids)) == (method, n_filters, n_tags, n_classes)
    assert [record.message for record in caplog.records if "left out" in record.message] == []


def _plain_rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def test_network_dissections_units_are_the_filters_before_them(shared_data: Path) -> None:
    path = shared_data / "labels" / "netdissect-caffe_reference_imagenet.csv"
    if not path.exists():
        pytest.skip(f"no {path}")
    scores = {row[1]: row[-1] for row in rows(read_labels(path).tags)}
    assert scores == {int(row["unit"]) - 1: float(row["score"]) for row in _plain_rows(path)}


def test_names_without_end_and_layers_without_name_are_unreadable(tmp_path: Path) -> None:
    cells = {"layer": "a", "label": "dog", "class_id": "1"}
    for column in cells:
        row = ",".join((cells | {column: "x" * 2001}).values())
        problem = refusal(tmp_path, f"filter,layer,label,class_id\n0,{row}\n")
        assert problem == (
            f"labels.csv: none of 1 row can be read; line 2: a {column.replace('_', ' ')} of 2,001 characters, "
            f"{'x' * 40!r}…, is longer than 2,000"
        )
    graph = [{"synset": "n02084071", "name": "dog", "topChannels": {"": [{"c": 0, "i": 1}], "b": [{"c": 0, "i": 1}]}}]
    assert [row[0] for row in rows(read(tmp_path, json.dumps(graph)))] == ["b"]


def test_few_rows_do_not_make_millions_of_filters(tmp_path: Path) -> None:
    text = "layer,filter,label\n" + "".join(f"l{index},99999,dog\n" for index in range(6))
    problem = "labels.csv, line 7: with filter 99999 of 'l5', the layers have more than"
    assert refusal(tmp_path, text).startswith(problem)
    assert sum(read(tmp_path, text.replace("99999", "83332")).n_filters) == 499_998


def test_an_id_with_two_labels_is_noted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tags = read(tmp_path, "filter,label,class_id\n0,dog,1\n1,Dog,1\n2,cat,1\n")
    assert (tags.class_ids, tags.class_labels) == (("1",), ("dog",))
    assert caplog.messages == [
        f"a class id has another label than before, and the first counts, in 1 row: {tmp_path}/labels.csv, line 4"
    ]


def test_spaces_of_any_kind_are_spaces(tmp_path: Path) -> None:
    text = "filter,label\n0,\u00a0dog\u200b\n1,polar\u00a0 bear\n2,\u2009polar_bear\ufeff\n3,\u200b\n"
    tags = read(tmp_path, text)
    assert (tags.class_ids, tags.n_filters) == (("dog", "polar bear"), (4,))


def test_a_header_alone_tells_the_format(tmp_path: Path) -> None:
    for method in ("netdissect", "clip-dissect", "milan", "invert", "falcon", "csv"):
        header = SAMPLES[method].splitlines()[0]
        assert refusal(tmp_path, header).startswith(f"labels.csv has no labels as {method} writes them"), method
    assert "is of no format of labels" in refusal(tmp_path, "group,concept\n")
