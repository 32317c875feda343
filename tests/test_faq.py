"""docs/faq.md: every command that it shows prints the lines shown, in a folder where the mistakes have been made."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from filtag_kg.export import publish_kg
from filtag_kg.files import only_writer
from filtag_kg.kg import open_kg
from tests.cli.terminal import answer, filtag
from tests.export.stores import oxigraph

pytest.importorskip("onnxruntime", reason="the onnx extra is not installed")
Image = pytest.importorskip("PIL.Image", reason="the onnx extra is not installed")

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "faq.md").read_text(encoding="utf-8")
SHOWN = {
    section.partition("\n")[0]: [
        (command, lines.splitlines())
        for block in re.findall(r"^```console\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
        for command, lines in re.findall(r"^\$ filtag (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]
    for section in PAGE.split("\n### ")[1:]
    if "```console" in section
}
STORE = "http://localhost:7878/query"
COLOURS = {"cat": (200, 120, 60), "dog": (90, 80, 60), "minivan": (60, 90, 200), "sports car": (220, 20, 20)}
CLASSES = tuple(COLOURS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that tells four classes apart by colour, its images and KG; and inputs with a mistake each."""
    folder = tmp_path_factory.mktemp("faq")
    random = np.random.default_rng(0)

    def pictures(*names: str, n: int = 6) -> None:
        for name in names:
            (folder / name).mkdir(parents=True)
            colour = COLOURS.get(Path(name).name, (120, 120, 120))
            for place in range(n):
                pixels = np.clip(random.normal(colour, 20, (20, 20, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / name / f"{place}.png")

    pictures(*(f"photos/{name}" for name in CLASSES))
    pictures(*(f"parts/{part}/{name}" for part in ("train", "test") for name in CLASSES), n=2)
    pictures("only-cats/cat", "few/dog", "capitals/Cat", "capitals/Dogs", "cut/cat", "cut/dog", n=3)
    pictures("few/cat", n=1)
    cut = folder / "cut" / "cat" / "1.png"
    cut.write_bytes(cut.read_bytes()[:300])
    (folder / "classes.txt").write_text("\n".join(CLASSES))
    (folder / "three.txt").write_text("\n".join(CLASSES[:3]))
    (folder / "sorted-otherwise.txt").write_text("\n".join(CLASSES[1:] + CLASSES[:1]))
    (folder / "weights.pth").touch()
    (folder / "question.rq").write_text("SELECT ?f WHERE { ?f ex:hasTag ?c }")
    save_network(folder / "own.onnx")
    own = ("--network", "own.onnx", "--preprocess", "0..1", "--classes", "classes.txt", "--images", "photos")
    answer("run", *own, "-o", "my-kg", "--k", 1, cwd=folder)
    shutil.copytree(folder / "my-kg", folder / "old-kg")
    manifest = json.loads((folder / "old-kg" / "filtag.json").read_text("utf-8"))
    (folder / "old-kg" / "filtag.json").write_text(json.dumps({**manifest, "format_version": 4}))
    return folder


def save_network(path: Path) -> None:
    """Save a network that is right for pixels in [0, 1] and gives the same answer to all in [0, 255]."""
    from tests.network.onnx.graphs import Graph

    colours = np.array(list(COLOURS.values())) / 255
    graph = Graph()
    maps = graph.conv("image", 3, 8, 3, name="conv1")
    maps = graph.conv(graph.op("Relu", maps), 8, 4, 1, name="conv2")
    # conv1 passes red, green and blue on; conv2 has a filter for each class, highest where the colour is nearest.
    kernel = np.zeros((8, 3, 3, 3), np.float32)
    kernel[[0, 1, 2], [0, 1, 2], 1, 1] = 1
    kernel[3:] = np.random.default_rng(0).normal(0, 0.05, (5, 3, 3, 3))
    graph.initialisers["conv1.weight"] = kernel
    graph.initialisers["conv1.bias"] = np.zeros(8, np.float32)
    graph.initialisers["conv2.weight"] = np.hstack([colours, np.zeros((4, 5))]).astype(np.float32)[:, :, None, None]
    graph.initialisers["conv2.bias"] = (1 - (colours**2).sum(axis=1) / 2).astype(np.float32)
    pooled = graph.op("Flatten", graph.op("GlobalAveragePool", graph.op("Clip", maps, np.float32(0), np.float32(9))))
    graph.save(path, graph.op("Softmax", graph.op("Mul", pooled, 30.0)))


@contextmanager
def missing(*packages: str) -> Iterator[None]:
    """Have packages not installed, whatever of them is loaded."""
    loaded = [name for name in sys.modules if name.partition(".")[0] in packages]
    with mock.patch.dict(sys.modules, dict.fromkeys([*packages, *loaded])):
        yield


@contextmanager
def changing(kg: Path) -> Iterator[None]:
    """Have somebody else change a KG."""
    begun, done = threading.Event(), threading.Event()

    def change() -> None:
        with only_writer(kg):
            begun.set()
            done.wait()

    other = threading.Thread(target=change)
    other.start()
    begun.wait()
    try:
        yield
    finally:
        done.set()
        other.join()


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Have a port in use, by this or by whatever uses it already."""
    with socket.socket() as other:
        with suppress(OSError):
            other.bind(("127.0.0.1", port))
            other.listen()
        yield


def printed(command: str, folder: Path, tmp_path: Path) -> list[str]:
    """Run a command where what the page is about has happened."""
    with ExitStack() as stack:
        replaced = STORE
        if command.startswith("run --network vgg16"):
            stack.enter_context(missing("keras", "tensorflow"))
        if command.startswith("mcp"):
            stack.enter_context(missing("mcp"))
        if "--remove" in command:
            stack.enter_context(changing(folder / "my-kg"))
        if command.startswith("serve"):
            stack.enter_context(listening(8000))
        if STORE in command:
            store = stack.enter_context(oxigraph(tmp_path, union=False))
            publish_kg(open_kg(folder / "my-kg"), store.graphs)
            replaced = store.sparql
        done = filtag(*shlex.split(command.replace(STORE, replaced)), cwd=folder)
    text = (done.stdout + done.stderr).replace(str(folder), "/home/me").replace(replaced, STORE)
    return [line.rstrip() for line in text.splitlines()]


def test_the_page_shows_what_commands_print() -> None:
    assert sum(len(lines) for commands in SHOWN.values() for _, lines in commands) > 25


@pytest.mark.parametrize("commands", SHOWN.values(), ids=SHOWN)
def test_the_lines_shown_are_printed_in_this_order(
    commands: list[tuple[str, list[str]]], folder: Path, tmp_path: Path
) -> None:
    for command, lines in commands:
        answered = printed(command, folder, tmp_path)
        rest = iter(answered)
        for line in lines:
            assert line in rest, (command, line, answered)
