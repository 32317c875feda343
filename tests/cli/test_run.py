"""The whole job as people start it: images and a network's file in, a KG out, and every mistake in one line."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from filtag_kg import FiltagError, load_profile
from filtag_kg.cli.build import run
from tests.cli.test_cli import answer, filtag, refusal

keras = pytest.importorskip("keras", reason="the cpu extra is not installed")
COLOURS = {"n02087394": (200, 20, 20), "n02123045": (20, 200, 20), "n03770679": (20, 20, 200)}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One filter each for red, green and blue."""
    path = tmp_path_factory.mktemp("network") / "colours.keras"
    image = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(3, 1, name="colour", use_bias=False)(image)
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(maps))
    model.get_layer("colour").set_weights([np.eye(3, dtype=np.float32)[None, None]])
    model.save(path)
    return path


@pytest.fixture
def images(tmp_path: Path) -> Path:
    from PIL import Image

    folder = tmp_path / "images"
    for class_id, colour in COLOURS.items():
        (folder / class_id).mkdir(parents=True)
        for place in range(3):
            Image.new("RGB", (16 + place, 16), colour).save(folder / class_id / f"{place}.png")
    return folder


def options(network: Path, images: Path, output: Path) -> list[object]:
    return ["--network", network, "--preprocess", "0..1", "--images", images, "-o", output]


def test_a_run_makes_a_kg_that_answers(network: Path, images: Path, tmp_path: Path) -> None:
    done = filtag("run", *options(network, images, tmp_path / "kg"))
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1].startswith(
        f"note: {tmp_path / 'kg'}: 3 tags of 3 classes on 3 filters of 1 layers"
    )
    rows = answer("query", tmp_path / "kg", "filters-by-concept", "concept=dog", "--format", "csv", "-q")
    assert rows.splitlines()[1:] == ["colour,0,1,1,1,Rhodesian ridgeback"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "kg"], "no profile is left beside the KG"


def test_folder_tar_and_zip_give_the_same_profile(network: Path, images: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "images.tar", "w") as tar:
        tar.add(images, "images")
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for path in sorted(images.rglob("*.png")):
            archive.write(path, path.relative_to(images))
    means = []
    for place in (images, tmp_path / "images.tar", tmp_path / "images.zip"):
        output = tmp_path / f"{place.name}.npz"
        assert filtag("profile", *options(network, place, output), "-q").returncode == 0
        means.append(load_profile(output).mean)
    np.testing.assert_array_equal(means[0], means[1])
    np.testing.assert_array_equal(means[0], means[2])


def test_mistakes_end_in_one_line_and_leave_nothing(network: Path, images: Path, tmp_path: Path) -> None:
    kg = tmp_path / "kg"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert str(tmp_path / "none") in refusal("run", *options(network, tmp_path / "none", kg))
    assert str(empty) in refusal("run", *options(network, empty, kg))
    assert "vgg16? (a .keras or .h5 file is given by its path)" in refusal(
        "run", "--network", "vgg61", "--images", images, "-o", kg
    )
    assert "none.keras" in refusal("run", *options(tmp_path / "none.keras", images, kg))
    for path in sorted((images / "n02123045").iterdir())[1:]:
        path.rename(tmp_path / path.name)
    assert "class n02123045" in refusal("run", *options(network, images, kg))
    for path in tmp_path.glob("*.png"):
        path.rename(images / "n02123045" / path.name)
    (images / "n02123045" / "text.png").write_text("hello")
    assert "are unreadable, first n02123045/text.png" in refusal("run", *options(network, images, kg))
    (tmp_path / "broken.tar").write_bytes(b"no tar")
    assert "broken.tar" in refusal("run", *options(network, tmp_path / "broken.tar", kg))
    assert "is no base for IRIs" in refusal("run", *options(network, images, kg), "--base", "nonsense")
    assert "exists and is no KG" in refusal("run", *options(network, images, empty.parent))
    assert not kg.exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith((".", "kg"))]


def test_going_on_with_an_unreadable_image_names_it(network: Path, images: Path, tmp_path: Path) -> None:
    (images / "n02123045" / "text.png").write_text("hello")
    done = filtag("profile", *options(network, images, tmp_path / "p.npz"), "--keep-going")
    assert done.returncode == 0, done.stderr
    assert "note: unreadable: n02123045/text.png" in done.stderr
    metadata = load_profile(tmp_path / "p.npz").metadata
    assert metadata["images"]["unreadable"] == 1


def test_a_build_that_fails_after_the_pass_keeps_the_profile(
    network: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_full(*_: object, **__: object) -> None:
        raise FiltagError("cannot write kg (No space left on device): nothing was changed")

    monkeypatch.setattr("filtag_kg.cli.build.build_from_profile", disk_full)
    kept = tmp_path / "kg.profile.npz"
    with pytest.raises(FiltagError) as error:
        run(str(network), images, tmp_path / "kg", preprocess="0..1", quiet=True)
    assert str(error.value).endswith(f"nothing was changed (the profile is kept in {kept}: go on with filtag build)")
    assert load_profile(kept).mean.shape == (3, 3)


def test_an_existing_profile_is_refused(network: Path, images: Path, tmp_path: Path) -> None:
    (tmp_path / "p.npz").write_text("mine")
    assert "exists: choose another -o, or replace it with --force" in refusal(
        "profile", *options(network, images, tmp_path / "p.npz")
    )
    assert (tmp_path / "p.npz").read_text() == "mine"


def test_two_runs_at_once_leave_one_whole_kg(network: Path, images: Path, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(filtag, "run", *options(network, images, tmp_path / "kg"), "-q") for _ in range(2)]
        codes = sorted(job.result().returncode for job in jobs)
    assert codes in ([0, 0], [0, 1])
    assert answer("query", tmp_path / "kg", "untagged-filters", "--format", "csv") == "layer,filter,tags\n"


def test_explain_from_the_command_line(network: Path, images: Path, tmp_path: Path) -> None:
    filtag("run", *options(network, images, tmp_path / "kg"), "-q")
    shutil.copy(images / "n02087394" / "0.png", tmp_path / "red.png")
    text = answer("explain", tmp_path / "kg", tmp_path / "red.png", "--network", network, "--preprocess", "0..1")
    assert "1 of the 1 filters that red.png activates most have tags (rule k=1)." in text
    assert "Rhodesian ridgeback" in text
