"""What is drawn without a seed of its own is the same in every run, in whatever order the tests come."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent


def drawn() -> tuple[float, float]:
    return random.random(), np.random.random()  # noqa: NPY002


@pytest.fixture(scope="module")
def drawn_in_a_fixture() -> tuple[float, float]:
    return drawn()


@pytest.mark.parametrize("time", [1, 2])
def test_each_fixture_and_each_test_is_seeded(drawn_in_a_fixture: tuple[float, float], time: int) -> None:
    seeded = (random.Random(0).random(), np.random.RandomState(0).random())
    assert drawn() == drawn_in_a_fixture == seeded


def test_weights_of_keras_are_seeded_by_that() -> None:
    keras = pytest.importorskip("keras", reason="the cpu extra is not installed")
    kernels = []
    for _ in range(2):
        random.seed(0)
        model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 1), keras.layers.Conv2D(2, 1)])
        kernels.append([np.asarray(layer.kernel) for layer in model.layers])
    assert all(np.array_equal(one, other) for one, other in zip(*kernels, strict=True))


def test_nothing_draws_from_the_system() -> None:
    unseeded = re.compile(r"default_rng\(\)|RandomState\(\)|\bRandom\(\)|SystemRandom")
    folders = ("filtag_kg", "tests", "benchmarks", "scripts")
    files = {path for folder in folders for path in (ROOT / folder).rglob("*.py")} - {Path(__file__)}
    assert sorted(path.name for path in files if unseeded.search(path.read_text("utf-8"))) == []
