"""``filtag explain`` and ``filtag errors`` as people start them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from rdflib import Graph

from filtag_kg import load_profile
from filtag_kg.cli.explain import print_explanation
from filtag_kg.explain import Explanation
from filtag_kg.explain.classification import Prediction
from tests.cli.terminal import answer, filtag, refusal

keras = pytest.importorskip("keras", reason="the cpu extra is not installed")
COLOURS = {"n02087394": (200, 20, 20), "n02123045": (20, 200, 20), "n03770679": (20, 20, 200)}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that tells colours apart, images of three colours with one in a wrong folder, and a KG of both."""
    from PIL import Image

    room = tmp_path_factory.mktemp("room")
    image = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(3, 1, name="colour", use_bias=False)(image)
    model = keras.Model(image, keras.layers.Rescaling(9.0)(keras.layers.GlobalAveragePooling2D()(maps)))
    model.get_layer("colour").set_weights([np.eye(3, dtype=np.float32)[None, None]])
    model.save(room / "colours.keras")
    (room / "classes.txt").write_text("\n".join(COLOURS))
    for class_id, colour in COLOURS.items():
        (room / "images" / class_id).mkdir(parents=True)
        for place in range(3):
            Image.new("RGB", (16 + place, 16), colour).save(room / "images" / class_id / f"{place}.png")
    Image.new("RGB", (9, 9), COLOURS["n02123045"]).save(room / "images" / "n02087394" / "green.png")
    answer("run", *network(room), "--images", room / "images", "-o", room / "kg", "-q")
    return room


def network(room: Path) -> list[object]:
    return ["--network", room / "colours.keras", "--preprocess", "0..1", "--classes", room / "classes.txt"]


def test_an_image_is_explained_as_text_json_and_turtle(room: Path) -> None:
    asked = ["explain", room / "kg", room / "images" / "n02123045" / "0.png", *network(room)]
    text = answer(*asked, "--why", "minivan")
    first, second = text.splitlines()[:2]
    assert first.startswith("predicted: tabby ")
    assert second == "The filters agree: tabby comes first of 3 classes."
    assert "why minivan and not tabby?\nThe filters say tabby: the difference is " in text
    too_few = "the profile has 10 reference images, too few to tell how often such evidence is right: keep at least 100"
    assert filtag(*asked).stderr == f"note: {too_few}\n"
    text = answer(*asked, "--why", "minivan", "--by", "tags")
    assert text.startswith("predicted: tabby ")
    assert text == answer(*asked, "--why", "minivan", "--rule", "k=1"), "to name a rule is to ask for its tags"
    assert (
        "The tags do not support tabby: 1 of 1 active filters have its tag, rank 1 of 3 classes. As many by chance: "
        "p = 0.33 if filters were active at random, p = 0.33 for a class drawn at random."
    ) in " ".join(text.split())
    assert "why minivan and not tabby?" in text
    found = json.loads(answer(*asked, "--format", "json"))
    assert (found["predictions"][0]["class_id"], found["why_not"], found["by"]) == ("n02123045", None, "evidence")
    assert found["support"]["p_filters"] == pytest.approx(1 / 3)
    assert len(Graph().parse(data=answer(*asked, "--format", "turtle"))) > 10


def test_a_picture_shows_where_the_support_comes_from(room: Path, tmp_path: Path) -> None:
    from PIL import Image

    asked = ["explain", room / "kg", room / "images" / "n02123045" / "0.png", *network(room)]
    for name, format_ in (("overlay.png", "PNG"), ("overlay.jpg", "JPEG")):
        done = filtag(*asked, "--overlay", tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert f"note: {tmp_path / name}: where the filters respond that support " in done.stderr
        with Image.open(tmp_path / name) as picture:
            assert picture.format == format_
            assert picture.width > 3 * 160
    written = (tmp_path / "overlay.png").read_bytes()
    assert "overlay.png exists: choose another file, or replace it (--overlay, --force)" in refusal(
        *asked, "--overlay", tmp_path / "overlay.png"
    )
    assert filtag(*asked, "--overlay", tmp_path / "overlay.png", "--force", "-q").returncode == 0
    assert (tmp_path / "overlay.png").read_bytes() == written
    assert "overlay.gif names no format for a picture" in refusal(*asked, "--overlay", tmp_path / "overlay.gif")


def test_how_many_reference_images_are_kept_is_chosen(room: Path, tmp_path: Path) -> None:
    for number in (0, 3):
        output = tmp_path / f"{number}.npz"
        answer("profile", *network(room), "--images", room / "images", "-o", output, "--references", number, "-q")
        references = load_profile(output).references
        assert (0 if references is None else len(references.names)) == number


def test_outputs_without_names_say_how_to_name_them(capsys: pytest.CaptureFixture[str]) -> None:
    best = (Prediction(None, "output 5", 0.75),)
    print_explanation(Explanation("cat.jpg", "", "toy", "k=1", "", best, (), (), (), None))
    assert "The network's outputs have no names to compare with the tags: --classes FILE gives them." in " ".join(
        capsys.readouterr().out.split()
    )


def test_mistakes_of_explaining(room: Path, tmp_path: Path) -> None:
    image = room / "images" / "n02123045" / "0.png"
    kg = room / "kg"
    assert refusal("explain", kg, image, *network(room), "--format", "xml") == (
        "no format 'xml': choose one of text, json, turtle"
    )
    assert refusal("explain", kg, image, *network(room), "--by", "magic") == (
        "an image cannot be explained by 'magic': choose evidence or tags (--by)"
    )
    assert refusal("explain", kg, image, *network(room), "--why", "tigr") == (
        "no class 'tigr' in the KG: check the spelling, or name it by its id"
    )
    assert refusal("explain", kg, image, *network(room), "--not", "tabby").endswith(
        "but not the class to explain: name both (--why, --not)"
    )
    assert refusal("explain", kg, tmp_path, *network(room)) == (
        f"cannot read {tmp_path} (Is a directory): check the path"
    )
    assert refusal("explain", tmp_path, image).startswith(f"no KG at {tmp_path}")


def test_errors_are_written_into_a_new_directory(room: Path, tmp_path: Path) -> None:
    asked = ["errors", room / "kg", "--images", room / "images", *network(room)]
    done = filtag(*asked, "-o", tmp_path / "errors")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == (
        f"note: {tmp_path / 'errors'}: 1 of 10 images are misclassified (accuracy 90.0%): errors.csv, "
        "confusions.csv and errors.html"
    )
    assert sorted(path.name for path in (tmp_path / "errors").iterdir()) == [
        "confusions.csv",
        "errors.csv",
        "errors.html",
        "errors.json",
    ]
    with (tmp_path / "errors" / "errors.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["image"], row["true_label"], row["predicted_label"]) == (
        "n02087394/green.png",
        "Rhodesian ridgeback",
        "tabby",
    )
    assert refusal(*asked, "-o", tmp_path / "errors") == (
        f"{tmp_path / 'errors'} exists and is not replaced: choose another output (-o)"
    )
    assert "accuracy 90.0%: 1 of 10 images are misclassified (rule k=1)." in answer(*asked, "-q")


def test_folders_that_the_network_does_not_know(room: Path, tmp_path: Path) -> None:
    from PIL import Image

    for class_id, colour in {"n02123045": (20, 200, 20), "zebra": (9, 9, 9)}.items():
        (tmp_path / "images" / class_id).mkdir(parents=True)
        Image.new("RGB", (8, 8), colour).save(tmp_path / "images" / class_id / "0.png")
    asked = ["errors", room / "kg", "--images", tmp_path / "images", *network(room)]
    what = f"colours has no class zebra, the name of a folder in {tmp_path / 'images'}"
    assert refusal(*asked) == (f"{what}: name folders by the network's class ids, or leave those out (--keep-going)")
    done = filtag(*asked, "--keep-going")
    assert done.returncode == 0, done.stderr
    assert f"note: {what}: 1 images left out" in done.stderr.splitlines()
    assert done.stdout == "accuracy 100.0%: 0 of 1 images are misclassified (rule k=1).\n"
