"""The Python of the how-to pages, run on a small network with files of the names that they use."""

from __future__ import annotations

import re
import shutil
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import filtag_kg as flt

torch = pytest.importorskip("torch", reason="the torch extra is not installed")
pytest.importorskip("tensorflow", reason="the cpu extra is not installed")

DOCS = Path(__file__).resolve().parents[2] / "docs" / "how-to"
CLASSES = ("beagle", "bullfrog", "cat", "dog", "pug", "tabby")
SHOWN = [
    (page.name, block)
    for page in sorted(DOCS.glob("*.md"))
    for block in re.findall(r"^```py(?:thon)?\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    if not block.startswith(">>>")
]


def small_module() -> Any:
    """A network with a layer of the name that a page uses."""
    torch.manual_seed(0)

    def block(channels: int) -> Any:
        named = {"conv1": torch.nn.Conv2d(channels, 8, 3), "conv2": torch.nn.Conv2d(8, 8, 3), "relu": torch.nn.ReLU()}
        module = torch.nn.Sequential()
        for name, layer in named.items():
            module.add_module(name, layer)
        return module

    end = (torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, len(CLASSES)))
    module = torch.nn.Sequential()
    module.add_module("layer4", torch.nn.Sequential(block(3), block(8)))
    module.add_module("head", torch.nn.Sequential(*end))
    return module.eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images, a network as a file, its KG, and labels."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("docs")
    rng = np.random.default_rng(0)
    for part, n in (("train", 6), ("test", 4)):
        for number, name in enumerate(CLASSES):
            (folder / part / name).mkdir(parents=True)
            for i in range(n):
                pixels = rng.integers(0, 90, (32, 32, 3), np.uint8) + np.uint8(25 * number)
                Image.fromarray(pixels).save(folder / part / name / f"{i}.png")
    for name in ("frog", "cat", "a", "b", "c"):
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(folder / f"{name}.jpg")
    with tarfile.open(folder / "test.tar", "w") as archive:
        archive.add(folder / "test", ".")
    rows = [f"train/{name}/{i}.png,{name}" for name in CLASSES for i in range(6)]
    (folder / "train.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    (folder / "tally.csv").write_text("unit,label,category,score\n1,dog,object,0.5\n2,grass,material,0.2\n")
    torch.export.save(torch.export.export(small_module(), (torch.zeros(1, 3, 32, 32),)), folder / "network.pt2")
    (folder / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    rules = [flt.Rule("k", 1), flt.Rule("k", 2, "contrast"), flt.Rule("k", 1, "contrast")]
    network = str(folder / "network.pt2")
    flt.run(network, folder / "train", folder / "built", rules=rules, classes=folder / "classes.txt", preprocess="0..1")
    return folder


@pytest.fixture
def names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the pages take as given."""
    import tensorflow as tf
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import PILToTensor

    monkeypatch.chdir(folder)
    shutil.rmtree("my-kg", ignore_errors=True)
    shutil.copytree("built", "my-kg")
    module = small_module()
    pixels = np.random.default_rng(1).integers(0, 256, (8, 32, 32, 3), np.uint8)
    given = {"preprocess": "0..1", "class_ids": CLASSES}
    network = flt.from_torch(module, 32, name="network", **given)
    return {
        "flt": flt,
        "filtag_kg": flt,
        "Path": Path,
        "network": network,
        "module": module,
        "pixels": pixels[0],
        "x_train": pixels,
        "y_train": ["cat", "dog"] * 4,
        "test_set": (pixels, ["cat", "dog"] * 4),
        "profile": flt.profile(network, "train"),
        "kg": flt.KnowledgeGraph("my-kg"),
        "names": CLASSES,
        "DataLoader": DataLoader,
        "ImageFolder": ImageFolder,
        "transform": PILToTensor(),
        # What TensorFlow Datasets returns, without a download.
        "tfds": SimpleNamespace(load=lambda *_, **__: tf.data.Dataset.from_tensor_slices((pixels, [0, 1] * 4))),
    }


@pytest.mark.parametrize(("page", "block"), SHOWN, ids=[f"{page}-{n}" for n, (page, _) in enumerate(SHOWN)])
def test_it_runs(page: str, block: str, names: dict[str, Any]) -> None:
    # So few filters stand for nothing beyond chance; and there is a my-kg already.
    exec(
        block.replace("random_sets=99", 'random_sets=9, choice="tagged"').replace('"train", "my-kg"', '"train", "new"'),
        names,
    )


def test_there_is_python_to_run() -> None:
    assert len(SHOWN) >= 6
