"""Hits@n as people ask for it: a profile, its network and test images in, tables and a plot out."""

from __future__ import annotations

import csv
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from filtag_kg.cli import main
from tests.cli.terminal import filtag

keras = pytest.importorskip("keras", reason="the cpu extra is not installed")
COLOURS = {"n02087394": (200, 20, 20), "n02123045": (20, 200, 20), "n03770679": (20, 20, 200)}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One filter each for red, green and blue, and what they see as the scores."""
    path = tmp_path_factory.mktemp("network") / "colours.keras"
    image = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(3, 1, name="colour", use_bias=False)(image)
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(maps))
    model.get_layer("colour").set_weights([np.eye(3, dtype=np.float32)[None, None]])
    model.save(path)
    path.with_name("classes.txt").write_text("\n".join(COLOURS) + "\n")
    return path


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from PIL import Image

    folder = tmp_path_factory.mktemp("images")
    for class_id, colour in COLOURS.items():
        (folder / class_id).mkdir()
        for place in range(2):
            Image.new("RGB", (8 + place, 8), colour).save(folder / class_id / f"{place}.png")
    return folder


@pytest.fixture(scope="module")
def made(network: Path, images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("profile") / "p.npz"
    done = filtag("profile", "--network", network, "--images", images, "--preprocess", "0..1", "-o", path, "-q")
    assert done.returncode == 0, done.stderr
    return path


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Run a command in this process, where TensorFlow is loaded already: exit code, stdout, stderr."""
    log = logging.getLogger("filtag_kg")
    before = (log.handlers[:], log.level, log.propagate)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["filtag", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "120")
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as leave:
            code = int(leave.code or 0)
        return code, *capfd.readouterr()

    yield run
    log.handlers[:], log.level, log.propagate = before


def refused(done: tuple[int, str, str]) -> str:
    code, stdout, stderr = done
    assert (code, stdout) == (1, ""), stderr
    assert stderr.count("\n") == 1, stderr
    return stderr.removeprefix("error: ").rstrip("\n")


def options(made: Path, network: Path, images: Path) -> list[object]:
    return [made, "--network", network, "--preprocess", "0..1", "--images", images]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_tables_and_plot_of_the_whole_grid(made: Path, network: Path, images: Path, tmp_path: Path) -> None:
    output = tmp_path / "hits"
    classes = ("--classes", network.with_name("classes.txt"))
    done = filtag("evaluate", *options(made, network, images), *classes, "--score", "both", "-o", output)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "note: the tags were made from these very images, so the hits are better than they would be on others",
        f"note: {output}: hits.csv, classes.csv, distribution.csv, evaluation.json, hits.svg, hits.pdf",
    ]
    assert done.stdout.startswith("6 images of 3 classes; the network's top-1 accuracy is 100.0%\n")
    for said in ("Hits@n, %", "Spearman's ρ", "Tags on the 3 filters of the last layer, colour", "q=0.25:contrast"):
        assert said in done.stdout
    assert sorted(path.name for path in output.iterdir()) == [
        *("classes.csv", "distribution.csv", "evaluation.json", "hits.csv", "hits.pdf", "hits.svg")
    ]
    found = rows(output / "hits.csv")
    assert list(dict.fromkeys(row["rule"] for row in found)) == [
        f"{rule}{score}"
        for score in ("", ":contrast")
        for rule in ("k=1", "k=2", "k=5", "k=10", "k=25", "q=0.05", "q=0.1", "q=0.25")
    ]
    assert [row["n"] for row in found[:12]] == ["1", "5", *map(str, range(10, 101, 10))]
    assert (found[0]["hits"], found[0]["images"], found[0]["classes"]) == ("1.0", "6", "3")
    assert {row["tagged"] for row in rows(output / "distribution.csv")} == {"3"}
    assert len(rows(output / "classes.csv")) == 3 * len(found)


def test_what_was_asked_for_and_nothing_else(made: Path, network: Path, images: Path, command: Command) -> None:
    asked = ("--k", 1, "--n", 2, "--n", 1, "--permutations", 0, "-q")
    code, text, notes = command("evaluate", *options(made, network, images), *asked)
    assert (code, notes) == (0, "")
    assert text.startswith("6 images of 3 classes\n"), "no accuracy where the outputs have no names"
    assert "null" not in text.partition("Tags on")[0]
    assert "Spearman" not in text
    assert [line.split() for line in text.splitlines() if " hits " in line] == [
        ["k=1", "all", "hits", "100.0", "100.0"],
        ["k=1", "last", "hits", "100.0", "100.0"],
    ]


def test_the_same_seed_gives_the_same_files(
    made: Path, network: Path, images: Path, tmp_path: Path, command: Command
) -> None:
    for name, size in (("a", 1), ("b", 32)):
        few = ("--k", 1, "--k", 2, "--seed", 7, "--batch-size", size, "-q")
        assert command("evaluate", *options(made, network, images), *few, "-o", tmp_path / name)[0] == 0
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_mistakes_end_in_one_line_and_leave_nothing(
    made: Path, network: Path, images: Path, tmp_path: Path, command: Command
) -> None:
    def refusal(*arguments: object) -> str:
        return refused(command(*arguments))

    output = tmp_path / "out"
    asked = [*options(made, network, images), "-q"]
    (tmp_path / "there").mkdir()
    assert refusal("evaluate", *asked, "-o", tmp_path / "there") == (
        f"{tmp_path / 'there'} exists and is not replaced: choose another output (-o)"
    )
    assert refusal("evaluate", *asked, "--score", "x") == "no score 'x': choose activation, contrast or both"
    assert refusal("evaluate", *asked, "--k", 0, "-o", output) == (
        "k=0 is not a number of filters: give a whole number from 1 (--k)"
    )
    assert refusal("evaluate", *asked, "--n", 0, "-o", output) == "n=0: give whole numbers from 1, each once (--n)"
    assert refusal("evaluate", *asked, "--k", 1, "--k", 1).startswith("rules k=1, k=1: give at least one rule")
    assert refusal("evaluate", tmp_path / "none.npz", *asked[1:]).startswith("no profile at")
    assert refusal("evaluate", *options(made, network, tmp_path / "none")).startswith("no images at")
    folder = tmp_path / "new" / "n09999999"
    folder.mkdir(parents=True)
    (folder / "0.png").write_bytes(next((images / "n02087394").iterdir()).read_bytes())
    assert refusal("evaluate", *options(made, network, tmp_path / "new"), "-o", output).startswith(
        f"class n09999999 in {tmp_path / 'new'} is not in the profile, so nothing is tagged with it"
    )
    assert re.fullmatch(
        rf"{made} was made with colours of weights [0-9a-f]{{12}}, and {tmp_path}/other.keras has [0-9a-f]{{12}}: "
        r"name the right one \(--network\)",
        refusal("evaluate", *options(made, other(tmp_path), images), "-o", output),
    )
    (tmp_path / "file").write_text("mine")
    assert "cannot write" in refusal("evaluate", *asked, "--k", 1, "-o", tmp_path / "file" / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "new", "other.keras", "there"]


def other(folder: Path) -> Path:
    image = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(3, 1, name="colour")(image)
    keras.Model(image, keras.layers.GlobalAveragePooling2D()(maps)).save(folder / "other.keras")
    return folder / "other.keras"
