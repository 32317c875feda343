"""The same pass on TensorFlow, JAX and PyTorch, and on several devices: each in a process of its own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from filtag_kg.profile import load_profile
from tests.keras_network import QUICK_XLA, model_of
from tests.profile.test_collect import archive, files, network  # noqa: F401

COLLECT = """
import sys
from pathlib import Path
from filtag_kg.images import open_images
from filtag_kg.network import load_network
from filtag_kg.profile import PassOptions, collect, save_profile

network, images, output = sys.argv[1:4]
with open_images(Path(images)) as opened:
    loaded = load_network(network, preprocess="-1..1", layers="all")
    save_profile(collect(loaded, opened, PassOptions(batch_size=4)), Path(output))
"""
DEVICES = """
import sys
import numpy as np
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
from filtag_kg.network import load_network
from filtag_kg.network.keras.compiled_pass import compile_pass
from tests.keras_network import computation_of

network = load_network(sys.argv[1], preprocess="-1..1", layers="all")
pixels = np.random.default_rng(3).integers(0, 256, (6, *network.input_size, 3), np.uint8)
one = network.compile(6, scores=True)(pixels)
two = compile_pass(computation_of(network, scores=True), 6, devices=["CPU:0", "CPU:1"])(pixels)
np.testing.assert_allclose(two.activations, one.activations, atol=1e-6)
np.testing.assert_allclose(two.scores, one.scores, atol=1e-5)
np.testing.assert_array_equal(two.constant, one.constant)
print("equal")
"""


def run(script, *arguments, backend, flags=""):
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "CUDA_VISIBLE_DEVICES": "",
            "XLA_FLAGS": f"{QUICK_XLA} {flags}" if backend == "jax" else "",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def saved_network(network, tmp_path_factory):  # noqa: F811
    path = tmp_path_factory.mktemp("saved") / "toy.keras"
    model_of(network).save(path)
    return path


@pytest.fixture(scope="module")
def reference(saved_network, archive, tmp_path_factory):  # noqa: F811
    output = tmp_path_factory.mktemp("profiles") / "tensorflow.npz"
    run(COLLECT, saved_network, archive, output, backend="tensorflow")
    return load_profile(output)


@pytest.mark.parametrize(
    ("backend", "flags"),
    [
        pytest.param("jax", "", marks=pytest.mark.slow),
        ("jax", "--xla_force_host_platform_device_count=2"),
        pytest.param("torch", "", marks=pytest.mark.slow),
    ],
    ids=["jax", "jax-on-two-devices", "torch"],
)
def test_backends_agree(backend, flags, saved_network, archive, reference, tmp_path):  # noqa: F811
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    run(COLLECT, saved_network, archive, tmp_path / "p.npz", backend=backend, flags=flags)
    profile = load_profile(tmp_path / "p.npz")
    assert profile.metadata["versions"]["backend"] == backend
    assert profile.metadata["identifier"] == reference.metadata["identifier"]
    np.testing.assert_allclose(profile.mean, reference.mean, rtol=0, atol=1e-5)
    np.testing.assert_allclose(profile.variance, reference.variance, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(profile.count, reference.count)


def test_tensorflow_on_two_devices_gives_the_same(saved_network):
    assert run(DEVICES, saved_network, backend="tensorflow") == "equal\n"
