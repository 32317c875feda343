# ruff: noqa: F811
"""A KG of one's own network finds it: nothing is said twice, and nothing else is taken for it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filtag_kg import load_profile, save_profile
from filtag_kg.kg import open_kg
from filtag_kg.network import load_network
from filtag_kg.server import NetworkChoice
from filtag_kg.server.explorer.image_explainer import ImageExplainer
from tests.cli.terminal import answer, filtag, refusal
from tests.cli.test_explain import COLOURS, network, room  # noqa: F401

keras = pytest.importorskip("keras", reason="the cpu extra is not installed")
Image = pytest.importorskip("PIL.Image", reason="the cpu extra is not installed")


@pytest.fixture
def own(room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the KG, beside its network, images and classes; the working directory is another."""
    kg = tmp_path / "own" / "kg"
    shutil.copytree(room / "kg", kg)
    for name in ("colours.keras", "classes.txt"):
        shutil.copy(room / name, kg.parent)
    shutil.copytree(room / "images", kg.parent / "images")
    path = str(kg.parent / "colours.keras")
    file = {"given": path, "absolute": path}
    manifest = json.loads((kg / "filtag.json").read_text("utf-8"))
    manifest["inputs"]["profile"]["network_file"] = file
    (kg / "filtag.json").write_text(json.dumps(manifest), "utf-8")
    profile = load_profile(kg / "profile.npz")
    save_profile(replace(profile, metadata={**profile.metadata, "network_file": file}), kg / "profile.npz")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return kg


def picture(own: Path) -> Path:
    return own.parent / "images" / "n02123045" / "0.png"


def asked(own: Path) -> list[list[object]]:
    """Every command that takes a KG and needs its network."""
    return [
        ["explain", own, picture(own)],
        ["errors", own, "--images", own.parent / "images"],
        ["evaluate", own, "--images", own.parent / "images", "--k", 1, "--n", 1, "--permutations", 0],
        ["visualize", own, "--layer", "colour", "--filter", 0, "--steps", 1, "--method", "activation-maximisation"],
    ]


def test_the_profile_remembers_file_preparation_and_classes(room: Path) -> None:
    made_of = open_kg(room / "kg").manifest["inputs"]["profile"]
    path = str(room / "colours.keras")
    assert made_of["network_file"] == {"given": path, "absolute": path}
    assert (made_of["preprocess"], made_of["outputs"]) == ("0..1", list(COLOURS))
    np.testing.assert_allclose(made_of["scaling"], np.hstack([np.eye(3) / 255, np.zeros((3, 1))]), rtol=1e-5)
    assert "colours.keras" not in (room / "kg" / "tags.csv").read_text("utf-8")


def test_nothing_need_be_said_again(own: Path) -> None:
    explained, mistakes, hits, _ = (answer(*arguments) for arguments in asked(own))
    assert explained.startswith("predicted: tabby ")
    assert "accuracy 90.0%: 1 of 10 images are misclassified" in mistakes
    assert "the network's top-1 accuracy is 90.0%" in hits
    assert len(list((own / "visualizations").rglob("*.png"))) == 1
    assert ImageExplainer(own, NetworkChoice()).missing(open_kg(own)) is None


def test_a_file_that_moved_is_asked_for_and_may_have_another_name(own: Path) -> None:
    path = own.parent / "colours.keras"
    path.rename(own.parent / "moved.keras")
    message = f"the network {path} is not at {path} any more: name it"
    for arguments in asked(own):
        assert refusal(*arguments) == f"{message} (--network)"
        answer(*arguments, "--network", own.parent / "moved.keras")
    assert ImageExplainer(own, NetworkChoice()).missing(open_kg(own)) == message
    assert ImageExplainer(own, NetworkChoice(str(own.parent / "moved.keras"))).missing(open_kg(own)) is None


def test_other_weights_and_another_preparation_are_refused(own: Path) -> None:
    for arguments in asked(own):
        said = refusal(*arguments, "--preprocess", "-1..1")
        assert said.endswith("was made with preprocessing 0..1, not -1..1: leave it out (--preprocess)")
    model = keras.saving.load_model(own.parent / "colours.keras")
    model.get_layer("colour").set_weights([np.ones((1, 1, 3, 3), np.float32)])
    model.save(own.parent / "colours.keras")
    for arguments in asked(own):
        said = refusal(*arguments)
        assert f"was made with colours of weights {weights(own)}, and {own.parent / 'colours.keras'} has " in said


def weights(own: Path) -> str:
    return str(open_kg(own).manifest["inputs"]["profile"]["weights_sha256"][:12])


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ("n02087394\nn02123045\ncar", "n03770679"),
        ("n02087394\ntabby\nn03770679", "n02123045 (did you mean tabby?)"),
        ("N02087394\nn02123045\nn03770679", "n02087394 (did you mean N02087394?)"),
    ],
)
def test_classes_that_match_no_folder_are_refused_before_the_pass(
    room: Path,
    tmp_path: Path,
    classes: str,
    said: str,
) -> None:
    (tmp_path / "classes.txt").write_text(classes)
    options = ["--network", room / "colours.keras", "--preprocess", "0..1", "--classes", tmp_path / "classes.txt"]
    profiled = ["profile", *options, "--images", room / "images", "-o", tmp_path / "p.npz"]
    assert refusal(*profiled) == (
        f"colours has no class {said}, the name of a folder in {room / 'images'}: name folders and classes alike, or "
        "go on regardless (--classes, --keep-going)"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["classes.txt"]
    answer(*profiled, "--keep-going", "-q")


def test_a_class_without_a_folder_is_noted(room: Path, tmp_path: Path) -> None:
    for class_id in ("n02087394", "n02123045"):
        shutil.copytree(room / "images" / class_id, tmp_path / "images" / class_id)
    done = filtag("profile", *network(room), "--images", tmp_path / "images", "-o", tmp_path / "p.npz")
    assert done.returncode == 0
    assert "note: no image of n03770679, which colours has outputs for" in done.stderr.splitlines()


def test_test_images_and_questions_name_classes_that_are_near(own: Path) -> None:
    images = own.parent / "images"
    (images / "n02123045").rename(images / "Tabby")
    assert refusal("evaluate", own, "--images", images) == (
        f"class Tabby (did you mean n02123045?) in {images} is not in the profile, so nothing is tagged with it: "
        "remove its images, or make a profile with it"
    )
    assert refusal("errors", own, "--images", images) == (
        f"colours has no class Tabby (did you mean n02123045?), the name of a folder in {images}: name folders by the "
        "network's class ids, or leave those out (--keep-going)"
    )
    # Before the network is loaded, which is not there.
    (own.parent / "colours.keras").unlink()
    (image,) = (images / "Tabby").glob("0.png")
    assert refusal("explain", own, image, "--why", "tabbi") == ("no class 'tabbi' in the KG: did you mean tabby?")


def test_profiles_prepared_otherwise_are_neither_merged_nor_gone_on_with(
    room: Path,
    tmp_path: Path,
) -> None:
    profiles = []
    for preprocess, class_id in (("0..1", "n02087394"), ("none", "n02123045")):
        shutil.copytree(room / "images" / class_id, tmp_path / class_id / class_id)
        profiles.append(tmp_path / f"{class_id}.npz")
        options = ["--network", room / "colours.keras", "--preprocess", preprocess, "--images", tmp_path / class_id]
        answer("profile", *options, "--part", "-o", profiles[-1], "-q")
    assert refusal("profile", "--merge", *profiles, "-o", tmp_path / "all.npz") == (
        "profiles of different preprocess cannot be merged, 0..1 and none: merge profiles of one network, "
        "made in the same way"
    )


def test_how_images_are_prepared_is_said_once(room: Path, tmp_path: Path) -> None:
    how = ["--resize", "crop", "--crop-share", "0.5", "--interpolation", "bicubic"]
    how += ["--mean", "0.25,0.5,0.75", "--std", "0.5", "--colours", "bgr"]
    network = ["--network", room / "colours.keras", "--classes", room / "classes.txt"]
    answer("profile", *network, "--images", room / "images", *how, "-o", tmp_path / "p.npz")
    made_of = load_profile(tmp_path / "p.npz").metadata
    assert made_of["preparation"] == {
        "resize": "crop",
        "crop_share": 0.5,
        "interpolation": "bicubic",
        "mean": [0.25 * 255, 0.5 * 255, 0.75 * 255],
        "std": [127.5] * 3,
        "order": [2, 1, 0],
    }
    assert made_of["resizing"] == "bicubic, antialiased, to the network's size, the middle 0.5 of the shorter side"
    answer("build", tmp_path / "p.npz", "-o", tmp_path / "kg", "--k", 1)
    # Left and right of the middle half is another colour, which is cut off.
    size = load_network(str(room / "colours.keras"), preprocess="none").input_size
    half = np.full((4 * size[0], 4 * size[1], 3), (200, 30, 30), np.uint8)
    framed = np.pad(half, ((0, 0), (half.shape[1] // 2,) * 2, (0, 0)), constant_values=255)
    for name, pixels in (("half.png", half), ("framed.png", framed)):
        Image.fromarray(pixels).save(tmp_path / name)
    one, other = (answer("explain", tmp_path / "kg", tmp_path / name) for name in ("half.png", "framed.png"))
    assert one.splitlines()[0] == other.splitlines()[0]
    model = keras.saving.load_model(room / "colours.keras")
    by_hand = ((np.array([30, 30, 200]) / 255 - [0.25, 0.5, 0.75]) / 0.5).astype(np.float32)
    logits = np.asarray(model(np.broadcast_to(by_hand, (1, *size, 3)), training=False))[0].astype(np.float64)
    assert f" {np.exp(logits).max() / np.exp(logits).sum():.1%}," in one.splitlines()[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--crop-share", "0.5"], "images are cropped: choose the resize crop (--crop-share, --resize)"),
        (["--resize", "stretch"], "no resize 'stretch': choose squash, crop or pad (--resize)"),
        (["--mean", "1,2"], "network takes 3 channels: give one for each, or one for all (--mean)"),
        (["--outputs", "nothing"], "sigmoids, independent-logits or none (--outputs)"),
        (["--output-name", "nothing"], "has no output 'nothing': choose from"),
        (["--input-size", "7x9"], "pixels, not 7 × 9 (--input-size)"),
    ],
)
def test_what_no_preparation_or_output_can_be_is_refused(
    room: Path, tmp_path: Path, options: list[str], said: str
) -> None:
    network = ["--network", room / "colours.keras", "--images", room / "images", "-o", tmp_path / "p.npz"]
    assert said in refusal("profile", *network, *options)
    assert not (tmp_path / "p.npz").exists()
