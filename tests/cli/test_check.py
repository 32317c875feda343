"""``filtag check`` as people start it, and the same from Python."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from filtag_kg.jobs import check
from filtag_kg.kg import CheckedLabel, open_kg, read_label_checks
from tests.cli.terminal import answer, filtag, refusal

keras = pytest.importorskip("keras", reason="the cpu extra is not installed")
COLOURS = {"n02087394": (200, 20, 20), "n02123045": (20, 200, 20), "n03770679": (20, 20, 200)}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that tells colours apart, two sets of images of three colours, and a KG made with the first."""
    from PIL import Image

    room = tmp_path_factory.mktemp("room")
    image = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(3, 1, name="colour", use_bias=False)(image)
    model = keras.Model(image, keras.layers.Rescaling(9.0)(keras.layers.GlobalAveragePooling2D()(maps)))
    model.get_layer("colour").set_weights([np.eye(3, dtype=np.float32)[None, None]])
    model.save(room / "colours.keras")
    (room / "classes.txt").write_text("\n".join(COLOURS))
    for images, dark in (("train", 0), ("test", 15)):
        for class_id, colour in COLOURS.items():
            (room / images / class_id).mkdir(parents=True)
            for number in range(3):
                shade = tuple(max(0, each - dark - 3 * number) for each in colour)
                Image.new("RGB", (16, 16), shade).save(room / images / class_id / f"{number}.png")
    answer("run", *network(room), "--images", room / "train", "-o", room / "kg", "-q")
    return room


def network(room: Path) -> list[str | Path]:
    return ["--network", room / "colours.keras", "--preprocess", "0..1", "--classes", room / "classes.txt"]


def test_a_check_is_printed_written_and_kept(room: Path, tmp_path: Path) -> None:
    shutil.copytree(room / "kg", tmp_path / "kg")
    done = filtag("check", tmp_path / "kg", "--images", room / "test", "-o", tmp_path / "labels.csv")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        "9 images of 3 classes; a label is confirmed if its q-value is below 0.05, and testable"
    )
    assert "rule k=1" in done.stdout
    assert "3 classes are few" in done.stderr
    checked = read_label_checks(open_kg(tmp_path / "kg"))
    rows = (tmp_path / "labels.csv").read_text().splitlines()
    assert rows[0].startswith(
        "rule,layer,filter,kind,label_id,label,relation,source,rank,classes,positives,status,reason"
    )
    assert len(rows) - 1 == sum(len(of_run.labels) for of_run in checked.values()) == 3
    as_json = json.loads(answer("check", tmp_path / "kg", "--images", room / "test", "--format", "json", "-q"))
    (run,) = as_json["runs"]
    assert (run["rule"], run["labels"], run["testable"], run["auc"]) == ("k=1", 3, 3, 1.0)
    assert [layer["layer"] for layer in run["layers"]] == ["colour"]
    assert as_json["images"] == 9
    assert len(read_label_checks(open_kg(tmp_path / "kg"))) == 1
    answer("validate", tmp_path / "kg")


def test_the_same_from_python(room: Path, tmp_path: Path) -> None:
    shutil.copytree(room / "kg", tmp_path / "kg")
    checked = check(tmp_path / "kg", room / "test", keep=False)
    (rows,) = checked.runs.values()
    assert [row.auc for row in rows] == [1, 1, 1]
    assert all(isinstance(row, CheckedLabel) for row in rows)
    assert read_label_checks(open_kg(tmp_path / "kg")) == {}
    check(open_kg(tmp_path / "kg"), room / "test")
    assert len(read_label_checks(open_kg(tmp_path / "kg"))) == 1


def test_mistakes(room: Path, tmp_path: Path) -> None:
    asked = ["check", room / "kg", "--images"]
    assert refusal(*asked, room / "train").startswith("the labels were made from the images of train, which cannot")
    assert refusal(*asked, room / "test", "--rule", "k=9") == f"no rule 'k=9' for {_identifier(room)}: it has k=1"
    assert refusal(*asked, room / "test", "--format", "xml") == "no format 'xml': choose one of text, json"
    assert "is a directory: give the name of a file" in refusal(*asked, room / "test", "-o", tmp_path)


def _identifier(room: Path) -> str:
    return str(open_kg(room / "kg").manifest["network"])
