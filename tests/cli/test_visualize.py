"""``filtag visualize`` as people start it."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from filtag_kg.cli.visualize import _filters
from filtag_kg.errors import FiltagError
from filtag_kg.kg import KG
from filtag_kg.network import Network
from tests.cli.terminal import filtag
from tests.explain.conftest import colours, network  # noqa: F401
from tests.keras_network import model_of


@pytest.fixture(scope="module")
def saved(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """The network in a file of its own name."""
    path = tmp_path_factory.mktemp("saved") / "colours.keras"
    model_of(network).save(path)
    return path


def notes(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line.removeprefix("note: ") for line in done.stderr.splitlines() if line.startswith("note: ")]


def errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    return [line.removeprefix("error: ") for line in done.stderr.splitlines() if line.startswith("error: ")]


def test_pictures_are_made_and_made_again(colours: KG, saved: Path) -> None:  # noqa: F811
    asked = ["visualize", colours.path, "--network", saved, "--preprocess", "0..1", "--layer", "last", "--steps", 6]
    done = filtag(*asked, "--filter", "0-1", "--filter", 1)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert notes(done)[-1] == (
        f"4 pictures of last are in {colours.path / 'visualizations'}; filtag report {colours.path} -o DIR shows them"
    )
    first = table(colours)
    assert [(row["filter"], row["method"], row["seed"], row["steps"]) for row in first] == [
        (filter_, method, "0", "6")
        for filter_ in "01"
        for method in ("activation-maximisation", "feature-visualisation")
    ]
    for row, line in zip(first, notes(done)[-5:-1], strict=True):
        assert line.startswith(
            f"{colours.path / 'visualizations' / row['file']}: mean of the feature map {float(row['activation']):.3g}, "
        )
    again = filtag(*asked, "--filter", "all", "--method", "feature-visualisation", "--seed", 3, "-q")
    assert (again.returncode, again.stdout) == (0, ""), again.stderr
    assert notes(again) == []
    second = table(colours)
    assert [(row["filter"], row["seed"]) for row in second] == [
        ("0", "0"),
        ("0", "3"),
        ("1", "0"),
        ("1", "3"),
        ("2", "3"),
    ]
    files = sorted(path.name for path in (colours.path / "visualizations").glob("*.png"))
    assert files == sorted(row["file"] for row in second)
    assert all((colours.path / "visualizations" / name).read_bytes().startswith(b"\x89PNG") for name in files)


def test_mistakes(colours: KG, saved: Path, tmp_path: Path) -> None:  # noqa: F811
    asked = ["visualize", colours.path, "--network", saved, "--preprocess", "0..1"]
    assert errors(filtag(*asked, "--layer", "lost", "--filter", 0)) == [
        "colours has no layer 'lost': choose from first, last"
    ]
    assert errors(filtag(*asked, "--layer", "last", "--filter", 3)) == [
        "--filter '3' is not in the layer: it has filters 0 to 2"
    ]
    assert errors(filtag(*asked, "--layer", "last", "--filter", 0, "--method", "dreaming")) == [
        "no method 'dreaming': choose one of activation-maximisation, feature-visualisation"
    ]
    assert errors(filtag("visualize", tmp_path, "--layer", "last", "--filter", 0)) == [
        f"no KG at {tmp_path}: check the path, or make one (filtag run, build or import)"
    ]
    assert filtag(*asked, "--layer", "last").returncode == 2


def test_without_the_extra_it_says_what_to_install(colours: KG) -> None:  # noqa: F811
    code = "import sys; sys.modules['keras'] = None\nfrom filtag_kg.cli import main; main()"
    command = [
        sys.executable,
        "-c",
        code,
        "visualize",
        colours.path,
        "--network",
        "vgg16",
        "--layer",
        "x",
        "--filter",
        "0",
    ]
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True, check=False)
    assert errors(done) == ["this needs TensorFlow, which is not installed: pip install 'filtag-kg[cpu]'"]


def test_filters_are_named_by_index_range_or_all() -> None:
    assert _filters(["3", "0-2", "2"], 5) == [0, 1, 2, 3]
    assert _filters(["all", "1"], 3) == [0, 1, 2]
    for text in ("-1", "x", "1-", "1-x", "²", ""):
        with pytest.raises(FiltagError) as error:
            _filters([text], 5)
        assert str(error.value) == f"--filter {text!r} is not a filter: give an index, a range such as 0-15, or all"
    for text in ("5", "3-9", "3-2"):
        with pytest.raises(FiltagError) as error:
            _filters([text], 5)
        assert str(error.value) == f"--filter {text!r} is not in the layer: it has filters 0 to 4"


def table(kg: KG) -> list[dict[str, str]]:
    with (kg.path / "visualizations" / "visualizations.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
