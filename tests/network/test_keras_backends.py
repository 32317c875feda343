"""Networks without some filters, and single feature maps, on Keras's other backends: both in one process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import filtag_kg as flt
from tests.keras_network import QUICK_XLA
from tests.network.test_ablation import random_sets, smooth_pixels
from tests.network.test_frameworks import toy
from tests.network.test_map_reader import expected_maps, some_maps

ON_BACKEND = """
import sys
import numpy as np
from tests.network.test_keras_backends import ablated, check_maps

check_maps()
scores, means = ablated()
np.savez(sys.argv[1], scores=scores, means=means)
"""


def check_maps() -> None:
    model = toy()
    network = flt.from_keras(model, preprocess="0..1", layers="all")
    pixels = smooth_pixels(5, 34, 26)
    wanted = some_maps(network, 5)
    found = network.map_reader(5).maps(pixels, wanted)
    for maps, each, of_layer in zip(found, wanted, expected_maps(model, network, pixels), strict=True):
        np.testing.assert_allclose(maps, of_layer[each.images, each.filters], atol=1e-5)


def ablated() -> tuple[np.ndarray, np.ndarray]:
    network = flt.from_keras(toy(), preprocess="0..1", layers="all")
    chosen, kept, values, _ = random_sets(network, ["stem", "left", "last"], 4)
    ablatable = network.ablatable(chosen, 4)
    pixels = smooth_pixels(3, 34, 26)
    return ablatable.ablated(pixels, kept, values), ablatable.measured(pixels)[1]


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_numbers_are_tensorflow_s(backend: str, tmp_path: Path) -> None:
    pytest.importorskip(backend)
    done = subprocess.run(
        [sys.executable, "-c", ON_BACKEND, tmp_path / "found.npz"],
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "CUDA_VISIBLE_DEVICES": "",
            "XLA_FLAGS": QUICK_XLA,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    scores, means = ablated()
    with np.load(tmp_path / "found.npz") as found:
        np.testing.assert_allclose(found["scores"], scores, atol=1e-5)
        np.testing.assert_allclose(found["means"], means, atol=1e-4)
