"""An ONNX network through the commands: no other framework is needed, and the KG finds it again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli.terminal import answer, filtag, refusal

pytest.importorskip("onnx", reason="the onnx extra is not installed")
pytest.importorskip("onnxruntime", reason="the onnx extra is not installed")
Image = pytest.importorskip("PIL.Image", reason="the onnx extra is not installed")

COLOURS = {"n02087394": (200, 20, 20), "n02123045": (20, 200, 20), "n03770679": (20, 20, 200)}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with one filter each for red, green and blue; images; a KG of them."""
    from tests.network.onnx.graphs import Graph

    folder = tmp_path_factory.mktemp("room")
    graph = Graph()
    maps = graph.conv("image", 3, 3, 1, name="colour", bias=False)
    graph.initialisers["colour.weight"] = np.eye(3, dtype=np.float32)[:, :, None, None]
    pooled = graph.op("Flatten", graph.op("GlobalAveragePool", maps))
    graph.save(folder / "colours.onnx", graph.op("Softmax", graph.op("Mul", pooled, 10.0)))
    for class_id, colour in COLOURS.items():
        (folder / "images" / class_id).mkdir(parents=True)
        for place in range(2):
            Image.new("RGB", (16 + place, 16), colour).save(folder / "images" / class_id / f"{place}.png")
    (folder / "classes.txt").write_text("\n".join(COLOURS), "utf-8")
    network = ["--network", folder / "colours.onnx", "--preprocess", "0..1", "--classes", folder / "classes.txt"]
    done = filtag("run", *network, "--images", folder / "images", "-o", folder / "kg")
    assert done.returncode == 0, done.stderr
    return folder


def test_a_kg_that_answers(room: Path) -> None:
    rows = answer("query", room / "kg", "filters-by-concept", "concept=dog", "--format", "csv", "-q")
    assert rows.splitlines()[1:] == ["colour,0,1,1,1,Rhodesian ridgeback"]


def test_every_command_finds_the_network(room: Path) -> None:
    assert "Rhodesian ridgeback" in answer("explain", room / "kg", room / "images" / "n02087394" / "0.png", "-q")
    for command in ("errors", "evaluate"):
        more = ["--k", 1, "--n", 1, "--permutations", 0] if command == "evaluate" else []
        done = filtag(command, room / "kg", "--images", room / "images", *more)
        assert done.returncode == 0, done.stderr


def test_pictures_of_what_a_filter_looks_for_need_gradients(room: Path) -> None:
    said = refusal("visualize", room / "kg", "--layer", "colour", "--filter", 0)
    assert " runs in onnxruntime, which computes no gradients" in said


def test_neither_tensorflow_nor_torch_is_imported(room: Path) -> None:
    code = (
        "import sys; from filtag_kg.network import load_network; import numpy as np;"
        f"n = load_network({str(room / 'colours.onnx')!r}, quiet=True); n.compute(np.zeros((1, 8, 8, 3), np.uint8));"
        "assert not {'keras', 'tensorflow', 'torch'} & set(sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
