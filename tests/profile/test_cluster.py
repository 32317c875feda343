"""The pass on a local Ray cluster, one of whose workers is killed half-way."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.images import open_images
from filtag_kg.network import load_network
from filtag_kg.profile import PassOptions, collect, collect_on_ray
from tests.keras_network import model_of
from tests.profile.test_collect import archive, files, network, write_tar  # noqa: F401

ray = pytest.importorskip("ray", reason="the ray extra is not installed")


@pytest.fixture(scope="module")
def shards(files, tmp_path_factory):  # noqa: F811
    """Six tars, and where they lie as a pattern."""
    folder = tmp_path_factory.mktemp("shards")
    for shard in range(6):
        write_tar(folder / f"s-{shard}.tar", {name: files[name] for name in sorted(files)[shard::6]})
    return folder / "s-{0..5}.tar"


@pytest.fixture(scope="module")
def saved_network(network, tmp_path_factory):  # noqa: F811
    path = tmp_path_factory.mktemp("saved") / "toy.keras"
    model_of(network).save(path)
    return path


@pytest.fixture(scope="module")
def cluster():
    # Workers import this module to find `slow_network`.
    root = str(Path(__file__).resolve().parents[2])
    environment = {"PYTHONPATH": root, "KERAS_BACKEND": os.environ.get("KERAS_BACKEND", "tensorflow")}
    ray.init(
        num_cpus=4,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        runtime_env={"env_vars": environment},
    )
    yield
    ray.shutdown()


def slow_network(path, note):
    """Load the network, note in which process, and leave time to kill it."""
    Path(note, str(os.getpid())).touch()
    time.sleep(1)
    return load_network(path, preprocess="-1..1", layers="all")


def whole(saved_network, shards):
    with open_images(shards) as images:
        network = load_network(str(saved_network), preprocess="-1..1", layers="all")
        return collect(network, images, PassOptions(batch_size=2))


def assert_equal(found, expected):
    assert found.class_ids == expected.class_ids
    np.testing.assert_array_equal(found.count, expected.count)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.variance, expected.variance, rtol=0, atol=1e-9)
    assert found.exemplars.names == expected.exemplars.names
    np.testing.assert_array_equal(found.exemplars.activation, expected.exemplars.activation)
    assert found.references.names == expected.references.names
    np.testing.assert_array_equal(found.references.classes, expected.references.classes)
    assert found.metadata["images"]["sha256"] == expected.metadata["images"]["sha256"]


@pytest.mark.slow
def test_a_killed_worker_s_shards_are_done_again(cluster, saved_network, shards, tmp_path):
    killed = []

    def kill_one():
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.05)
        # The second has its network loaded by now, and is at work or about to be.
        time.sleep(2.5)
        killed.append(int(sorted(path.name for path in tmp_path.iterdir())[0]))
        os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill_one)
    thread.start()
    load = partial(slow_network, str(saved_network), str(tmp_path))
    found = collect_on_ray(load, shards, "local", PassOptions(batch_size=2), replicas=2)
    thread.join()
    assert killed
    assert_equal(found, whole(saved_network, shards))


def test_a_shard_that_cannot_be_read_ends_in_one_line(cluster, saved_network, shards, tmp_path):
    missing = shards.with_name("s-{0..6}.tar")
    with pytest.raises(FiltagError) as error:
        collect_on_ray(partial(slow_network, str(saved_network), str(tmp_path)), missing, "local", replicas=1)
    assert str(error.value) == f"no images at {shards.with_name('s-6.tar')}: check the path"


def test_without_a_cluster_the_address_is_told():
    if ray.is_initialized():
        ray.shutdown()
    with pytest.raises(FiltagError, match=r"^no Ray cluster at 127.0.0.1:1 \("):
        collect_on_ray(lambda: None, Path("x-{1..2}.tar"), "127.0.0.1:1")
