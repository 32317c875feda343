"""What is peculiar to the files of one method."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.tags import read_labels
from filtag_kg.tags.falcon_labels import concept_set
from filtag_kg.tags.invert_labels import formula_label, id_formula
from filtag_kg.tags.netdissect_labels import spoken
from tests.tags.test_label_formats import read, refusal, rows


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("wheel", "wheel"),
        ("black-c", "black (color)"),
        ("park-s", "park"),
        ("ball_pit-s", "ball pit"),
        ("mountain_snowy-s", "snowy mountain"),
        ("building_facade-s", "building facade"),
        ("plastic-opaque", "opaque plastic"),
        ("plastic-clear", "clear plastic"),
        ("casino-indoor-s", "indoor casino"),
        ("field-cultivated-s", "cultivated field"),
        ("bakery-shop-s", "bakery shop"),
        ("car_interior-backseat-s", "car interior backseat"),
        ("polka-dotted", "polka-dotted"),
        ("door frame", "door frame"),
        ("-s", "-s"),
    ],
)
def test_names_of_broden_are_read_as_people_say_them(name: str, label: str) -> None:
    assert spoken(name) == label


def test_network_dissection(tmp_path: Path) -> None:
    lines = ["label,score,unit,x-label,category", "house-s,0.5,1,,scene", ",,,,", "house,0.25,2,,object", ",,3,,"]
    text = "\r\n".join([*lines, "red,1,4,,color", ""])
    tags = read(tmp_path, text)
    assert rows(tags) == [
        ("labels", 0, "house-s", "house", 0.5),
        ("labels", 1, "house", "house", 0.25),
        ("labels", 3, "red", "red (color)", 1.0),
    ]
    assert refusal(tmp_path, text.replace(",1,", ",0,"), strict=True) == (
        "labels.csv, line 2: unit '0' is not a whole number from 1 below 100,001"
    )


@pytest.mark.parametrize(
    ("label", "ids", "read_label", "class_id"),
    [
        ("jaguar", "n02128925", "jaguar", "n02128925"),
        ("tench.n.01", "n01440764", "tench", "n01440764"),
        ("nursery", "240", "nursery", "240"),
        ("black and gold garden spider", "n01773157", "black and gold garden spider", "n01773157"),
        ("dog & ~poodle", "n02084071 & ~n02113335", "dog AND NOT poodle", "(n02084071 AND NOT n02113335)"),
        ("(cat | dog) & ~fox", "", "(cat OR dog) AND NOT fox", "(cat OR dog) AND NOT fox"),
        ("dog or cat", "n02084071 or n02121808", "dog OR cat", "(n02084071 OR n02121808)"),
        ("DOG AND NOT CAT", "n02084071 AND NOT n02121808", "dog AND NOT cat", "(n02084071 AND NOT n02121808)"),
        ("salt & pepper", "", "salt & pepper", "salt & pepper"),
        ("", "n02084071|n02121808", "n02084071 OR n02121808", "(n02084071 OR n02121808)"),
    ],
)
def test_concepts_of_invert(label: str, ids: str, read_label: str, class_id: str, tmp_path: Path) -> None:
    tags = read(tmp_path, f'neuron,concept,concept_id,metric\n0,"{label}",{ids},0.9\n')
    assert rows(tags) == [("labels", 0, class_id, read_label, 0.9)]


def test_formulas_of_invert() -> None:
    assert id_formula("~(n02084071 & n02121808)") == "(NOT (n02084071 AND n02121808))"
    assert id_formula("n02084071 &") is None
    assert id_formula("(n02084071 & n02121808") is None
    names = "black and gold garden spider OR dog"
    assert formula_label(names, "(n01773157 OR n02084071)") == names


def test_falcon(tmp_path: Path) -> None:
    text = (
        "group,concept_set_words,concept_set_noun_phrases\n"
        "\"(48, 57)\",\"[('key', 0.5), ('piano', 0.25)]\",\"[('Key ring', 1)]\"\n"
        "3,\"['key']\",\n"
        "4,\"__import__('os').system('false')\",\n"
        "5,\"[('key', True)]\",\n"
        "6,[],[]\n"
        "x,\"['key']\",\n"
    )
    assert rows(read(tmp_path, text)) == [
        ("labels", 3, "key", "key", None),
        *(
            ("labels", filter_, *row)
            for filter_ in (48, 57)
            for row in [
                ("Key ring", "Key ring", 1.0),
                ("key", "key", 0.5),
                ("piano", "piano", 0.25),
            ]
        ),
    ]
    assert "line 4: \"__import__('os').system('false')\" is not a set of concepts" in refusal(
        tmp_path, text, strict=True
    )


@pytest.mark.parametrize(
    "cell",
    [
        "[" * 5000,
        "9" * 5000,
        "{1}",
        "'text'",
        "[('a', 'b')]",
        "[('\\ud800', 1)]",
        "[('', 1)]",
        "[" + "1," * 20000 + "]",
    ],
)
def test_what_is_no_set_of_concepts(cell: str) -> None:
    with pytest.raises(ValueError, match="is not a set of concepts"):
        concept_set(cell)


def test_sets_of_concepts_in_other_brackets() -> None:
    assert concept_set("{'b', 'a'}") == [("a", None), ("b", None)]
    assert concept_set("{'b': 0.5}") == [("b", 0.5)]
    assert concept_set("") == []


def test_summits_classes_and_graphs(tmp_path: Path) -> None:
    classes = [
        {
            "synset": "n02119789",
            "name": "kit_fox",
            "topChannels": {"mixed3b": [{"c": 5, "i": 12}, {"c": 1}], "mixed4a": 3},
        },
        {"synset": "n02100735", "topChannels": {"mixed3b": [{"c": 5, "i": 3}]}},
        {"name": "nothing"},
    ]
    assert rows(read(tmp_path, json.dumps(classes))) == [
        ("mixed3b", 5, "n02100735", "n02100735", 3.0),
        ("mixed3b", 5, "n02119789", "kit fox", 12.0),
    ]
    assert refusal(tmp_path, json.dumps(classes), strict=True) == (
        "labels.csv, class 1, layer mixed3b, channel 2: \"{'c': 1}\" has not the whole numbers c and i"
    )
    graph = {"mixed5b": [{"channel": 5, "count": 146, "layer": "mixed5b", "prev_channels": []}], "mixed5a": []}
    path = tmp_path / "ag-270.json"
    path.write_text(json.dumps(graph))
    labels = read_labels(path)
    assert (labels.method, rows(labels.tags)) == ("summit", [("mixed5b", 5, "n02114548", "n02114548", 146.0)])
    path.rename(tmp_path / "ag-1000.json")
    with pytest.raises(FiltagError, match=r"ag-270\.json for instance: give the file its name back"):
        read_labels(tmp_path / "ag-1000.json")
    assert "is not JSON" in refusal(tmp_path, json.dumps(classes)[:-1])
    huge = [{"synset": "n02119789", "topChannels": {"mixed3b": [{"c": 5, "i": 10**400}]}}]
    assert "count '1000000" in refusal(tmp_path, json.dumps(huge))
