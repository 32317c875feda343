"""``filtag ablate`` as people start it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from filtag_kg.kg import KG, open_kg, read_ablations
from filtag_kg.network import Network
from tests.cli.terminal import filtag
from tests.explain.kinds_network import CLASSES, kinds_kg, kinds_network, pixels
from tests.keras_network import model_of

pytest.importorskip("keras", reason="the cpu extra is not installed")


@pytest.fixture(scope="module")
def network() -> Network:
    return kinds_network("keras")


@pytest.fixture(scope="module")
def kinds(network: Network, tmp_path_factory: pytest.TempPathFactory) -> KG:
    return kinds_kg(network, tmp_path_factory.mktemp("kinds") / "kg")


@pytest.fixture
def asked(network: Network, kinds: KG, tmp_path: Path) -> list[object]:
    """The command on a copy of the KG, with the network and images in files."""
    shutil.copytree(kinds.path, tmp_path / "kg")
    model_of(network).save(tmp_path / "kinds.keras")
    images, labels = pixels()
    np.savez(tmp_path / "test.npz", images=images, labels=np.array([CLASSES[label] for label in labels]))
    network_options = ["--network", tmp_path / "kinds.keras", "--preprocess", "0..1"]
    return ["ablate", tmp_path / "kg", "--concept", "dog", "--images", tmp_path / "test.npz", *network_options]


def test_a_sentence_and_tables(asked: list[object]) -> None:
    done = filtag(*asked)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert " ".join(" ".join(lines[:6]).split()).startswith(
        "Setting the filter that stands for dog beyond chance to zero hits the classes at or below dog and spares the "
        "others. For the 5 classes at or below dog, mean confidence in the true class goes from 80.0% to 1.4% (−78.6 "
    )
    assert "Change in points, with its 95 % interval" in map(str.rstrip, lines)
    assert any(line.split()[:6] == ["accuracy", "at", "or", "below", "dog", "100.0"] for line in lines)
    assert any(line.split()[:3] == ["Yorkshire", "terrier", "6"] for line in lines)
    assert [line.split()[0] for line in lines if line.startswith("other: ")] == ["other:"] * 5
    assert "the first 5 of 15 other classes; the KG has all" in done.stdout
    assert done.stderr.splitlines()[-1] == (
        f"note: added to {asked[1]}: see the page of dog, or ask filtag query {asked[1]} ablation-effects concept=dog "
        "rule=k=1"
    )
    shown = filtag("query", asked[1], "ablation-effects", "concept=dog", "--format", "csv")
    assert shown.stdout.count("\n") == 21


def test_json_on_stdout(asked: list[object]) -> None:
    done = filtag(*asked, "--format", "json", "--filter", "filters/1", "--by", "mean", "--random", 3, "--seed", 2, "-q")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    (recorded,) = read_ablations(open_kg(Path(str(asked[1]))))
    assert found["ablation_id"] == recorded.ablation_id
    assert found["conclusion"] == "unclear"  # three sets cannot tell
    assert found["text"].startswith("Setting the chosen filter to its mean: too little to tell")
    assert (found["replacement"], found["random_sets"], found["seed"]) == ("mean", 3, 2)
    assert found["filters"] == [["filters", 1]]
    assert [set(row) for row in found["classes"]] == [set(found["classes"][0])] * 20


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--layer", "stem"], "name another rule, or the filters (--rule, --filter)"),
        (
            ["--filter", "filters"],
            "--filter 'filters' names no filter: write its layer and index, such as head_conv/992",
        ),
        (["--by", "noise"], "filters cannot be set to 'noise': choose zero or mean (--by)"),
        (["--format", "xml"], "no format 'xml': choose one of text, json"),
    ],
)
def test_mistakes_are_one_line(asked: list[object], options: list[object], error: str) -> None:
    done = filtag(*asked, *options, "-q")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert line.endswith(error)
