"""The whole job as people start it: images and a network's file in, a KG out, and every mistake in one line."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import fields
from inspect import signature
from pathlib import Path

import numpy as np
import pytest

from filtag_kg import FiltagError, load_profile
from filtag_kg.cli.build import run
from filtag_kg.cli.profile import profile
from filtag_kg.profile import PassOptions
from tests.cli.terminal import answer, filtag, process, refusal

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
    done = process("run", *options(network, images, tmp_path / "kg"))
    assert done.returncode == 0, done.stderr
    *_, counts, too_few, opened = done.stderr.splitlines()
    assert counts.startswith(f"note: {tmp_path / 'kg'}: 3 tags of 3 classes on 3 filters of 1 layer,")
    assert too_few.startswith("note: rule k=1: too few classes to tell: at least 8 are needed ")
    assert opened == f"note: {tmp_path / 'kg-report'}: open index.html in a browser"
    assert (tmp_path / "kg-report" / "index.html").is_file()
    rows = answer("query", tmp_path / "kg", "filters-by-concept", "concept=dog", "--format", "csv", "-q")
    assert rows.splitlines()[1:] == ["colour,0,1,1,1,Rhodesian ridgeback"]
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["images", "kg", "kg-report"], "no profile is left beside the KG"


def test_a_run_keeps_thumbnails_of_each_filter_s_best_images(network: Path, images: Path, tmp_path: Path) -> None:
    import csv

    from PIL import Image

    done = filtag("run", *options(network, images, tmp_path / "kg"))
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "kg" / "exemplars"
    with (folder / "exemplars.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["layer_index", "layer", "filter", "rank", "image", "class_id", "activation", "thumbnail"]
    for filter_, class_id in enumerate(COLOURS):
        best = [row for row in rows if row["filter"] == str(filter_)][:3]
        assert [row["class_id"] for row in best] == [class_id] * 3
        assert [row["rank"] for row in best] == ["1", "2", "3"]
        with Image.open(folder / best[0]["thumbnail"]) as thumbnail:
            assert max(thumbnail.size) <= 96
            colour = np.asarray(thumbnail).mean(axis=(0, 1))
        np.testing.assert_allclose(colour, COLOURS[class_id], atol=6)
    thumbnails = {row["thumbnail"] for row in rows}
    assert {path.name for path in folder.iterdir()} == {"exemplars.csv", "where.csv", "maps.npy", *thumbnails}


def test_a_profile_s_thumbnails_come_later_from_its_images(network: Path, images: Path, tmp_path: Path) -> None:
    assert filtag("profile", *options(network, images, tmp_path / "p.npz"), "-q").returncode == 0
    kg = tmp_path / "kg"
    assert filtag("build", tmp_path / "p.npz", "-o", kg, "--images", images, "-q").returncode == 0
    assert (kg / "exemplars" / "exemplars.csv").is_file()
    (images / "n02123045" / "1.png").unlink()
    assert "n02123045/1.png is not in" in refusal(
        "build", tmp_path / "p.npz", "-o", tmp_path / "other", "--images", images
    )
    assert not (tmp_path / "other").exists()


def test_a_build_says_where_filters_respond_if_it_finds_the_network(
    network: Path, images: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved.keras"
    given = shutil.copy(network, tmp_path / "given.keras")
    assert filtag("profile", *options(given, images, tmp_path / "p.npz"), "-q").returncode == 0

    def built(name: str, *more: object) -> tuple[bool, str]:
        done = filtag("build", tmp_path / "p.npz", "-o", tmp_path / name, "--images", images, *more)
        assert done.returncode == 0, done.stderr
        return (tmp_path / name / "exemplars" / "where.csv").exists(), done.stderr

    assert built("there") == (True, built("again")[1].replace("again", "there"))
    assert not built("none", "--no-maps")[0]
    given.rename(moved)
    has_maps, notes = built("gone")
    assert not has_maps
    assert "the KG will not say where in its exemplars a filter responds: the network" in notes
    assert "name the network with --network, or leave the maps out with --no-maps" in notes
    assert built("named", "--network", moved)[0]
    assert (tmp_path / "there" / "exemplars" / "maps.npy").read_bytes() == (
        tmp_path / "named" / "exemplars" / "maps.npy"
    ).read_bytes()
    wrong = filtag("build", tmp_path / "p.npz", "-o", tmp_path / "x", "--network", moved)
    assert wrong.returncode == 2
    assert "--network is for the maps" in wrong.stderr


def test_shards_pass_alone_and_merge_from_the_command_line(network: Path, images: Path, tmp_path: Path) -> None:
    for shard in "ab":
        for class_id in COLOURS:
            (tmp_path / "shards" / shard / class_id).mkdir(parents=True)
    for path in sorted(images.rglob("*.png")):
        shard = "b" if path.stem == "2" else "a"
        shutil.copy(path, tmp_path / "shards" / shard / path.parent.name)
    both = tmp_path / "shards" / "{a,b}"
    assert filtag("profile", *options(network, both, tmp_path / "whole.npz"), "-q").returncode == 0
    for shard in "ab":
        done = filtag(
            "profile", *options(network, tmp_path / "shards" / shard, tmp_path / f"{shard}.npz"), "--keep-going", "-q"
        )
        assert done.returncode == 0, done.stderr
    merged = tmp_path / "merged.npz"
    done = filtag("profile", "--merge", tmp_path / "a.npz", tmp_path / "b.npz", "-o", merged)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(load_profile(merged).mean, load_profile(tmp_path / "whole.npz").mean, atol=1e-9)
    assert "in two of the profiles" in refusal(
        "profile", "--merge", tmp_path / "a.npz", tmp_path / "a.npz", "-o", tmp_path / "twice.npz"
    )
    assert filtag("profile", "--merge", "-o", tmp_path / "none.npz").returncode == 2
    assert filtag("profile", "-o", tmp_path / "none.npz").returncode == 2


def test_a_split_holds_images_out_and_remembers_them(network: Path, images: Path, tmp_path: Path) -> None:
    arguments = [*options(network, images, tmp_path / "p.npz"), "--split", 0.67, "--seed", 3]
    assert filtag("profile", *arguments, "-q").returncode == 0
    profile = load_profile(tmp_path / "p.npz")
    assert profile.count.tolist() == [2, 2, 2]
    assert [name.partition("/")[0] for name in profile.held_out] == list(COLOURS)
    assert (profile.metadata["split"], profile.metadata["seed"]) == (0.67, 3)
    assert "split=1.5 is no share" in refusal("profile", *options(network, images, tmp_path / "q.npz"), "--split", 1.5)


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
    assert "vgg16? (a .keras, .h5, .onnx or .pt2 file is given by its path)" in refusal(
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
    assert "is not a base for IRIs" in refusal("run", *options(network, images, kg), "--base", "nonsense")
    assert "exists and is no KG" in refusal("run", *options(network, images, empty.parent))
    assert not kg.exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith((".", "kg"))]


def test_a_full_disk_ends_in_one_line_and_leaves_nothing(network: Path, images: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the system refuses what goes beyond it."""
    room = tmp_path / "room"
    room.mkdir()
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); "
        "from filtag_kg.cli import main; main()"
    )
    for command, output in (("profile", "p.npz"), ("run", "kg")):
        arguments = [command, *map(str, options(network, images, room / output)), "-q"]
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert "File too large" in done.stderr
        assert not (room / output).exists()
        assert not list(room.iterdir()), "a pass that wrote no checkpoint leaves none"


def test_going_on_with_an_unreadable_image_names_it(network: Path, images: Path, tmp_path: Path) -> None:
    (images / "n02123045" / "text.png").write_text("hello")
    done = filtag("profile", *options(network, images, tmp_path / "p.npz"), "--keep-going")
    assert done.returncode == 0, done.stderr
    assert "note: unreadable: n02123045/text.png" in done.stderr
    metadata = load_profile(tmp_path / "p.npz").metadata
    assert metadata["images"]["unreadable"] == 1


def test_precision_is_kept_in_the_profile(network: Path, images: Path, tmp_path: Path) -> None:
    model = keras.saving.load_model(network)
    model.get_layer("colour").set_weights([np.array([[1, 0.3, 0.1], [0.7, 1, 0.2], [0, 0.6, 1]])[None, None]])
    network = tmp_path / "mixed.keras"
    model.save(network)
    means = {}
    for precision in ("float32", "bfloat16"):
        output = tmp_path / f"{precision}.npz"
        filtag("profile", *options(network, images, output), "--precision", precision, "-q")
        made = load_profile(output)
        assert made.metadata["precision"] == precision
        means[precision] = made.mean
    difference = np.abs(means["bfloat16"] - means["float32"]).max()
    assert 0 < difference < 2**-8
    assert refusal("run", *options(network, images, tmp_path / "kg"), "--precision", "float8") == (
        "no precision 'float8': choose float32, float16 or bfloat16"
    )
    assert refusal("profile", "--merge", *tmp_path.glob("*.npz"), "-o", tmp_path / "m.npz").startswith(
        "profiles of different precision cannot be merged"
    )


SUBCLASSED = """
import sys
import keras

@keras.saving.register_keras_serializable("theirs")
class Theirs(keras.Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.convolution = keras.layers.Conv2D(3, 1)
        self.pool = keras.layers.GlobalAveragePooling2D()

    def call(self, image):
        return self.pool(self.convolution(image))

model = Theirs()
model(keras.ops.zeros((1, 8, 8, 3)))
model.save(sys.argv[1])
"""


def test_a_subclassed_network_from_a_file(images: Path, tmp_path: Path) -> None:
    path = tmp_path / "theirs.keras"
    subprocess.run([sys.executable, "-c", SUBCLASSED, path], capture_output=True, check=True)
    assert refusal("profile", *options(path, images, tmp_path / "p.npz")) == (
        f"{path} needs the class Theirs, which is code and not in the file: rebuild the network of Keras' own layers, "
        "as a functional or Sequential model, and save that"
    )


def test_a_build_that_fails_after_the_pass_keeps_the_profile(
    network: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_full(*_: object, **__: object) -> None:
        raise FiltagError("cannot write kg (No space left on device): nothing was changed")

    monkeypatch.setattr("filtag_kg.jobs.build_from_profile", disk_full)
    kept = tmp_path / "kg.profile.npz"
    with pytest.raises(FiltagError) as error:
        run(str(network), images, tmp_path / "kg", preprocess="0..1", quiet=True)
    assert str(error.value).endswith(f"nothing was changed (the profile is kept in {kept}: go on with filtag build)")
    assert load_profile(kept).mean.shape == (3, 3)


def test_an_existing_profile_is_refused(network: Path, images: Path, tmp_path: Path) -> None:
    (tmp_path / "p.npz").write_text("mine")
    assert "exists: choose another output, or replace it (-o, --force)" in refusal(
        "profile", *options(network, images, tmp_path / "p.npz")
    )
    assert (tmp_path / "p.npz").read_text() == "mine"


def test_two_runs_at_once_leave_one_whole_kg(network: Path, images: Path, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(process, "run", *options(network, images, tmp_path / "kg"), "-q") for _ in range(2)]
        codes = sorted(job.result().returncode for job in jobs)
    assert codes in ([0, 0], [0, 1])
    assert answer("query", tmp_path / "kg", "untagged-filters", "--format", "csv") == "layer,filter,tags\n"


def test_explain_from_the_command_line(network: Path, images: Path, tmp_path: Path) -> None:
    filtag("run", *options(network, images, tmp_path / "kg"), "-q")
    shutil.copy(images / "n02087394" / "0.png", tmp_path / "red.png")
    text = answer("explain", tmp_path / "kg", tmp_path / "red.png", "--network", network, "--preprocess", "0..1")
    assert "filters for Rhodesian ridgeback: colour 0 100%" in text
    by_tags = answer(
        *(
            "explain",
            tmp_path / "kg",
            tmp_path / "red.png",
            "--network",
            network,
            "--preprocess",
            "0..1",
            "--by",
            "tags",
        )
    )
    assert "1 of the 1 filters that red.png activates most have tags (rule k=1)." in by_tags
    assert "Rhodesian ridgeback" in text


def test_every_option_of_a_pass_can_be_given() -> None:
    names = {field.name for field in fields(PassOptions)} - {"exemplars"}
    assert names <= set(signature(profile).parameters)
    assert names - {"part"} <= set(signature(run).parameters)
