"""What is read of a KG: imported tags, several builds and networks, pictures, and what is damaged."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filtag_kg import FiltagError, Profile, Provenance, Rule, TagTable, tag_filters, wordnet
from filtag_kg.kg import KG, Visualization, add_runs, build_kg, open_kg, write_visualizations
from filtag_kg.views import load_kg

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a4944415478da6364f8cf0001050101"
    "2b3a56170000000049454e44ae426082"
)


def built(path: Path, profile: Profile, *rules: Rule, network: str = "toy-0123456789ab", first_rule: int = 0) -> KG:
    tags = tag_filters(profile, list(rules), network=network)
    provenance = Provenance.of_profile(profile)
    return build_kg(path, tags, wordnet(), provenance, profile=profile, first_rule=first_rule)


@pytest.fixture
def copy(kg: KG, tmp_path: Path) -> KG:
    """A KG that may be damaged."""
    shutil.copytree(kg.path, tmp_path / "copy")
    return open_kg(tmp_path / "copy")


Given = tuple[int, str, int, float]
"""Filter, class id, rank (0: unknown) and activation (NaN: unknown)."""


def imported(*rows: Given) -> TagTable:
    """Tags that another method made, of one layer."""
    labels = {"n02088466": "bloodhound", "n02090379": "redbone", "x": "???"}
    places = list(labels)
    return TagTable(
        network="mine",
        layer_names=("conv",),
        n_filters=(3,),
        class_ids=tuple(labels),
        class_labels=tuple(labels.values()),
        rules=("imported",),
        rule=np.zeros(len(rows), dtype=np.int64),
        layer=np.zeros(len(rows), dtype=np.int64),
        filter=np.array([row[0] for row in rows]),
        class_=np.array([places.index(row[1]) for row in rows]),
        rank=np.array([row[2] for row in rows]),
        activation=np.array([row[3] for row in rows]),
        contrast=np.full(len(rows), np.nan),
    )


def test_imported_tags_may_know_no_rank_and_no_activation(tmp_path: Path) -> None:
    tags = imported((0, "n02090379", 0, np.nan), (0, "n02088466", 0, np.nan), (2, "x", 0, np.nan))
    loaded = load_kg(build_kg(tmp_path / "kg", tags, wordnet(), Provenance("mine")))
    network = loaded.network_named()
    (run,) = loaded.filter(network, "conv", 0).runs
    assert [(tag.label, tag.rank, tag.activation, tag.contrast) for tag in run.tags] == [
        ("bloodhound", None, None, None),
        ("redbone", None, None, None),
    ]
    (of_unlinked,) = loaded.filter(network, "conv", 2).runs
    assert [(tag.label, tag.concept, tag.concept_label) for tag in of_unlinked.tags] == [("???", None, None)]
    assert (of_unlinked.kinds, of_unlinked.parts, of_unlinked.neighbours) == ((), (), ())
    assert loaded.class_("x").above == ()
    assert loaded.filter(network, "conv", 1).runs[0].tags == ()
    (rows,) = loaded.class_("n02090379").filters.values()
    assert [(row.line.filter, row.rank) for row in rows] == [(0, None)]


def test_a_class_given_twice_is_one_tag_of_the_better_rank(tmp_path: Path) -> None:
    tags = imported((0, "n02090379", 7, 0.25), (0, "n02088466", 3, 0.5), (0, "n02090379", 1, 0.75))
    loaded = load_kg(build_kg(tmp_path / "kg", tags, wordnet(), Provenance("mine")))
    (run,) = loaded.filter(loaded.network_named(), "conv", 0).runs
    assert [(tag.label, tag.rank, tag.activation) for tag in run.tags] == [("redbone", 1, 0.75), ("bloodhound", 3, 0.5)]
    ((only,),) = loaded.class_("n02090379").filters.values()
    assert (only.rank, only.line.tags) == (1, 2)


def test_builds_that_call_a_network_differently_do_not_double_its_layers(profile: Profile, tmp_path: Path) -> None:
    other = replace(profile, metadata={**profile.metadata, "network": "again", "layer_kinds": ["Conv1D", "Conv2D"]})
    kg = add_runs(
        built(tmp_path / "kg", profile, Rule("k", 1)), built(tmp_path / "b", other, Rule("q", 0.5), first_rule=1)
    )
    network = load_kg(kg).network_named()
    assert network.label == "again"
    assert network.layer_names == ("shallow", "deep")
    assert network.layer_kinds == ("Conv1D", "Conv2D")
    assert network.offsets.tolist() == [0, 2, 6]


def test_networks_are_told_apart(profile: Profile, tmp_path: Path) -> None:
    other = replace(profile, metadata={**profile.metadata, "network": "other", "weights_sha256": 64 * "a"})
    kg = add_runs(
        built(tmp_path / "kg", profile, Rule("k", 1)),
        built(tmp_path / "added", other, Rule("q", 0.5), network="other-aaaa", first_rule=1),
    )
    loaded = load_kg(kg)
    assert [(table.network, table.label) for table in loaded.networks.values()] == [
        ("toy-0123456789ab", "toy"),
        ("other-aaaa", "other"),
    ]
    assert loaded.network_named("other") is loaded.network_named("other-aaaa")
    assert loaded.network_named().label == "toy"
    for name, rule in (("toy", "k=1"), ("other", "q=0.5")):
        assert [run.run.rule for run in loaded.layer(loaded.network_named(name), "deep").runs] == [rule]
    with pytest.raises(FiltagError) as caught:
        loaded.network_named("vgg16")
    assert str(caught.value) == "no network 'vgg16' in the KG: it has toy-0123456789ab, other-aaaa"
    with pytest.raises(FiltagError) as caught:
        loaded.run_named("k=1", "other-aaaa")
    assert str(caught.value) == "no rule 'k=1' for other-aaaa: it has q=0.5"


def test_what_is_not_there_is_refused_in_one_line(kg: KG) -> None:
    loaded = load_kg(kg)
    network = loaded.network_named()

    def refusal(ask: Callable[[], object]) -> str:
        with pytest.raises(FiltagError) as caught:
            ask()
        return str(caught.value)

    assert refusal(lambda: loaded.layer(network, "deeper")) == "no layer 'deeper' in toy: it has shallow, deep"
    assert refusal(lambda: loaded.filter(network, "deep", 4)) == "no filter 4 in deep: it has 0 to 3"
    assert refusal(lambda: loaded.filter(network, "deep", -1)) == "no filter -1 in deep: it has 0 to 3"
    assert refusal(lambda: loaded.class_("n0")) == "no class 'n0' in the KG"
    assert refusal(lambda: loaded.concept("urn:x")) == "no concept urn:x in the KG"
    assert refusal(lambda: loaded.run_named("k=2", network.network)) == (
        "no rule 'k=2' for toy-0123456789ab: it has k=1, q=0.5"
    )
    assert refusal(lambda: load_kg(kg, rule="k=2")) == "no rule 'k=2' in the KG: it has k=1, q=0.5"


def test_two_runs_of_a_rule_are_named_by_their_ids(profile: Profile, tmp_path: Path) -> None:
    again = replace(profile, metadata={**profile.metadata, "images": {"sha256": 64 * "e"}})
    kg = add_runs(
        built(tmp_path / "kg", profile, Rule("k", 1)), built(tmp_path / "b", again, Rule("k", 1), first_rule=1)
    )
    loaded = load_kg(kg)
    ids = ", ".join(loaded.runs)
    with pytest.raises(FiltagError) as caught:
        loaded.run_named("k=1", "toy-0123456789ab")
    assert str(caught.value) == f"2 runs have the rule 'k=1': name one by its id, {ids}"
    last = list(loaded.runs)[-1]
    assert loaded.run_named(last, "toy-0123456789ab").run.run_id == last


NOT = "column {}: {!r} is not {}{}"


@pytest.mark.parametrize(
    ("table", "damage", "what"),
    [
        ("tags.csv", lambda text: "", " has no column network"),
        ("tags.csv", lambda text: text.replace(",contrast,", ",contrasts,"), " has no column contrast"),
        ("tags.csv", lambda text: text.replace(",deep,0,", ",deep,4,", 1), ": there is no filter 4 in a layer 'deep'"),
        # The first layer has two filters: its third is not the first of the next.
        (
            "tags.csv",
            lambda text: text.replace(",shallow,0,", ",shallow,2,", 1),
            ": there is no filter 2 in a layer 'shallow'",
        ),
        ("tags.csv", lambda text: text.replace(",deep,", ",deeper,", 1), ": there is no filter 0 in a layer 'deeper'"),
        ("tags.csv", lambda text: text.replace(",n02087394,", ",n0,", 1), ": there is no class 'n0'"),
        ("tags.csv", lambda text: text[: text.index("k=1") - 9] + "\n", ": 9 cells, where the header has 10"),
        ("tags.csv", lambda text: text.replace(",0.9,", ",much,", 1), NOT.format("activation", "much", "a number", "")),
        ("tags.csv", lambda text: text.replace(",0.9,", ",nan,", 1), NOT.format("activation", "nan", "a number", "")),
        ("tags.csv", lambda text: text.replace(",0.9,", ",1.5,", 1), NOT.format("activation", "1.5", "a number", "")),
        (
            "tags.csv",
            lambda text: text.replace("ridgeback,1,", "ridgeback,0,", 1),
            NOT.format("rank", "0", "a whole number from 1", ""),
        ),
        ("common.csv", lambda text: "", " has no column rule"),
        (
            "common.csv",
            lambda text: text.replace(",deep,0,", ",deep,4,", 1),
            ": there is no filter 4 in a layer 'deep'",
        ),
        ("common.csv", lambda text: text + "q=0.5,deep\n", ": 2 cells, where the header has 15"),
        ("concepts.csv", lambda text: "", " has no column rule"),
        ("concepts.csv", lambda text: text.replace(",separation,", ",separated,"), " has no column separation"),
        ("concepts.csv", lambda text: text.replace(",deep,", ",deeper,", 1), " has not one row of http"),
        ("concepts.csv", lambda text: text.replace("k=1,deep,", "k=1,shallow,", 1), " for each layer, in their order"),
        ("concepts.csv", lambda text: text.replace("\nk=1,shallow,", "\nk=2,shallow,", 1), " has not one row of"),
        ("concepts.csv", lambda text: text + "q=0.5,deep\n", ": 2 cells, where the header has 10"),
        (
            "concepts.csv",
            lambda text: text.replace(",0.5,,", ",1.5,,", 1),
            ": '1.5' is not a number",
        ),
        (
            "concepts.csv",
            lambda text: text.replace(",0.5,,", ",,0.5,", 1),
            ": the interval 0.5 to None does not",
        ),
    ],
)
def test_a_damaged_table_is_refused(copy: KG, table: str, damage: Callable[[str], str], what: str) -> None:
    path = copy.path / table
    text = path.read_text()
    assert damage(text) != text
    path.write_text(damage(text))
    with pytest.raises(FiltagError) as caught:
        load_kg(copy)
    said = str(caught.value)
    assert said.startswith(str(path))
    assert what in said
    assert said.endswith(": build the KG anew")


def test_a_missing_table_is_refused(copy: KG) -> None:
    (copy.path / "common.csv").unlink()
    with pytest.raises(FiltagError) as caught:
        load_kg(copy)
    path = copy.path / "common.csv"
    assert str(caught.value) == f"{path} cannot be read (No such file or directory): build the KG anew"


EXEMPLAR = ["layer_index", "layer", "filter", "rank", "image", "class_id", "activation", "thumbnail"]


def write_exemplars(kg: KG, *rows: list[str]) -> Path:
    folder = kg.path / "exemplars"
    folder.mkdir()
    with (folder / "exemplars.csv").open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        csv.writer(file, lineterminator="\n").writerows([EXEMPLAR, *rows])
    (folder / "a.jpg").write_bytes(PNG)
    return folder / "exemplars.csv"


def test_exemplars_come_with_their_class_and_the_way_to_their_file(copy: KG) -> None:
    odd = b"n02087394/\xff.jpg".decode("utf-8", "surrogateescape")
    write_exemplars(
        copy,
        ["1", "deep", "0", "1", odd, "n02087394", "0.75", "a.jpg"],
        ["1", "deep", "0", "2", "elsewhere/b.jpg", "n0", "0.5", "a.jpg"],
    )
    loaded = load_kg(copy)
    network = loaded.network_named()
    first, second = loaded.filter(network, "deep", 0).exemplars
    assert (first.label, first.activation, first.thumbnail) == ("Rhodesian ridgeback", 0.75, "exemplars/a.jpg")
    assert first.image == "n02087394/�.jpg"
    assert second.label == "n0", "what is no class of the KG goes by its id"
    assert loaded.filter(network, "deep", 1).exemplars == ()


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (
            ["1", "deep", "0", "1", "a.jpg", "n0", "much", "a.jpg"],
            ", column activation: 'much' is not a number from 0 to 1",
        ),
        (
            ["1", "deep", "0", "1", "a.jpg", "n0", "nan", "a.jpg"],
            ", column activation: 'nan' is not a number from 0 to 1",
        ),
        (["1", "deep", "9", "1", "a.jpg", "n0", "0.5", "a.jpg"], ": there is no filter 9 in a layer 'deep'"),
        (["1", "deep", "0", "1"], ": 4 cells, where the header has 8"),
        # A picture must not be taken from elsewhere.
        (
            ["1", "deep", "0", "1", "a.jpg", "n0", "0.5", "../../secret.jpg"],
            ", column thumbnail: '../../secret.jpg' is not a file beside the table",
        ),
        (
            ["1", "deep", "0", "1", "a.jpg", "n0", "0.5", "/etc/passwd"],
            ", column thumbnail: '/etc/passwd' is not a file beside the table",
        ),
    ],
)
def test_damaged_exemplars_are_refused(copy: KG, row: list[str], what: str) -> None:
    path = write_exemplars(copy, row)
    with pytest.raises(FiltagError) as caught:
        load_kg(copy)
    assert str(caught.value) == f"{path}, line 2{what}: build the KG anew"


def test_pictures_of_what_a_filter_looks_for(copy: KG) -> None:
    row = Visualization("toy-0123456789ab", "deep", 2, "feature-visualisation", 0, 9, 1.5)
    stored = write_visualizations(copy, [row], [PNG])
    loaded = load_kg(copy)
    assert loaded.filter(loaded.network_named(), "deep", 2).visualizations == stored
    assert loaded.filter(loaded.network_named(), "deep", 0).visualizations == ()
    assert (copy.path / stored[0].file).read_bytes() == PNG


def test_two_filters_beside_each_other(kg: KG) -> None:
    loaded = load_kg(kg)
    network = loaded.network_named()
    run = loaded.run_named("q=0.5", network.network)
    dogs, cats, small = (loaded.filter(network, "deep", filter_) for filter_ in (0, 1, 3))
    pair = loaded.pair(dogs, cats, run, run)
    assert {tag.class_id for tag in pair.run_a.tags} == {id_ for id_, _ in (*pair.both, *pair.only_a)}
    assert {tag.class_id for tag in pair.run_b.tags} == {id_ for id_, _ in (*pair.both, *pair.only_b)}
    assert pair.similarity == len(pair.both) / (len(pair.both) + len(pair.only_a) + len(pair.only_b))
    same = loaded.pair(dogs, dogs, run, run)
    assert (same.similarity, same.only_a, same.only_b) == (1.0, (), ())
    first = loaded.run_named("k=1", network.network)
    assert loaded.pair(small, small, first, first).similarity in (0.0, 1.0)
