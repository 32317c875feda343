# ruff: noqa: F811
"""``--class-names`` and labels in ``--classes`` name classes wherever a command labels one."""

from __future__ import annotations

import asyncio
import csv
import json
from pathlib import Path

import pytest

from filtag_kg import load_profile
from filtag_kg.server import Limits, NetworkChoice
from filtag_kg.server.explorer.image_explainer import ImageExplainer
from filtag_kg.server.pool import Pool
from tests.cli.terminal import answer, refusal
from tests.cli.test_explain import COLOURS, room  # noqa: F401

NAMES = dict(zip(COLOURS, ["red thing", "green thing", "blue thing"], strict=True))


@pytest.fixture
def names(tmp_path: Path) -> Path:
    path = tmp_path / "names.txt"
    path.write_text("".join(f"{class_id}, {label}\n" for class_id, label in NAMES.items()))
    return path


def network(room: Path, classes: Path | None = None) -> list[object]:
    return ["--network", room / "colours.keras", "--preprocess", "0..1", "--classes", classes or room / "classes.txt"]


def test_a_profile_has_the_labels_of_either_file(room: Path, names: Path, tmp_path: Path) -> None:
    named = [*network(room), "--class-names", names]
    with_labels = network(room, names)
    for number, options in enumerate((named, with_labels)):
        path = tmp_path / f"{number}.npz"
        answer("profile", *options, "--images", room / "images", "-o", path, "-q")
        assert load_profile(path).class_labels == tuple(NAMES.values())


def test_names_of_classes_that_no_image_shows_are_remembered(room: Path, names: Path, tmp_path: Path) -> None:
    some = tmp_path / "list.csv"
    rows = [f"{room}/images/{id_}/{n}.png,{id_}" for id_ in list(COLOURS)[:2] for n in range(3)]
    some.write_text("\n".join(["path,label", *rows]))
    answer("run", *network(room), "--class-names", names, "--images", some, "-o", tmp_path / "kg", "-q", "--no-report")
    blue = room / "images" / "n03770679" / "0.png"
    assert answer("explain", tmp_path / "kg", blue).startswith("predicted: blue thing ")
    answer("errors", tmp_path / "kg", "--images", room / "images", "-o", tmp_path / "errors")
    with (tmp_path / "errors" / "errors.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["true_label"], row["predicted_label"]) == ("red thing", "green thing")


def test_other_commands_replace_the_labels_of_a_kg(room: Path, names: Path, tmp_path: Path) -> None:
    kg, blue = room / "kg", room / "images" / "n03770679" / "0.png"
    given = [*network(room), "--class-names", names]
    assert answer("explain", kg, blue, *given, "--why", "red thing").startswith("predicted: blue thing ")
    found = json.loads(answer("explain", kg, blue, *given, "--format", "json"))
    assert found["support"]["label"] == "blue thing"
    answer("errors", kg, "--images", room / "images", *given, "-o", tmp_path / "errors")
    assert "red thing" in (tmp_path / "errors" / "errors.csv").read_text()
    answer("evaluate", kg, "--images", room / "images", *given, "--k", 1, "--n", 1, "-o", tmp_path / "evaluated")
    assert "green thing" in (tmp_path / "evaluated" / "classes.csv").read_text()
    answer("build", kg / "profile.npz", "--class-names", names, "-o", tmp_path / "named", "-q")
    assert "green thing" in (tmp_path / "named" / "tags.csv").read_text()


def test_names_of_other_classes_are_refused_before_the_pass(room: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("0, red thing\n1, green thing\n")
    options = [*network(room), "--class-names", names, "--images", room / "images"]
    said = refusal("profile", *options, "-o", tmp_path / "p.npz", "-q")
    assert said == (
        f"the class names are of 0 and others, none of them a class of {room / 'images'}, such as n02087394: name each "
        "class by its id, then its label (--class-names)"
    )


def test_the_explorer_explains_with_the_names_given(room: Path) -> None:
    async def explained() -> str:
        explainer = ImageExplainer(room / "kg", NetworkChoice(class_names=NAMES))
        image = (room / "images" / "n03770679" / "0.png").read_bytes()
        async with Pool(room / "kg" / "store", Limits(workers=1)).open() as pool:
            try:
                return (await explainer.explain(pool, image, "blue.png", None)).explanation.predictions[0].label
            finally:
                explainer.close()

    assert asyncio.run(explained()) == "blue thing"
