"""Passes that are killed, by a real kill -9 at moments that are not chosen, and gone on with."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.images import open_images
from filtag_kg.network import load_network
from filtag_kg.profile import PassOptions, checkpointing, collect, load_profile
from tests.keras_network import model_of
from tests.profile.test_collect import archive, files, network, write_tar  # noqa: F401

# A checkpoint after every batch; what is read slowly leaves time to be killed in.
SCRIPT = """
import sys, time
from pathlib import Path
from filtag_kg.images import open_images
from filtag_kg.network import load_network
from filtag_kg.profile import PassOptions, checkpointing, collect, save_profile

network, images, output = sys.argv[1:4]
with open_images(Path(images)) as opened, checkpointing(Path(output), seconds=0) as checkpoint:
    read = opened.read
    def slowly(image):
        time.sleep(float(sys.argv[4]))
        return read(image)
    opened.read = slowly
    loaded = load_network(network, preprocess="-1..1", layers="all")
    print("ready", flush=True)
    def told(done, _):
        print(done, flush=True)
    made = collect(loaded, opened, PassOptions(batch_size=2), checkpoint=checkpoint, progress=told)
    save_profile(made, Path(output))
"""


def started(path, archive, output, slowness):  # noqa: F811
    command = [sys.executable, "-c", SCRIPT, path, archive, output, str(slowness)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def saved_network(network, tmp_path_factory):  # noqa: F811
    path = tmp_path_factory.mktemp("saved") / "toy.keras"
    model_of(network).save(path)
    return path


def test_killed_at_any_moment_the_profile_is_the_same_to_the_last_bit(saved_network, archive, tmp_path):  # noqa: F811
    whole = tmp_path / "whole.npz"
    first = started(saved_network, archive, whole, 0)
    assert first.communicate(timeout=120)[1] == ""
    output = tmp_path / "p.npz"
    chance = random.Random(7)
    done_at_kill = []
    for _ in range(3):
        process = started(saved_network, archive, output, 0.15)
        try:
            lines = iter(process.stdout.readline, "")
            assert next(lines) == "ready\n"
            for _ in range(chance.randint(1, 3)):
                line = next(lines, "")
            done_at_kill.append(int(line or 0))
            time.sleep(chance.random() * 0.2)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
            process.stderr.close()
        assert not output.exists()
    assert done_at_kill == sorted(done_at_kill), "each goes on where the last one was killed"
    assert done_at_kill[-1] > done_at_kill[0]
    last = started(saved_network, archive, output, 0)
    text, errors = last.communicate(timeout=120)
    assert last.returncode == 0, errors
    assert int(text.split()[1]) >= done_at_kill[-1], "nothing is done twice but the batch that was cut off"
    expected, found = load_profile(whole), load_profile(output)
    np.testing.assert_array_equal(found.mean, expected.mean)
    np.testing.assert_array_equal(found.variance, expected.variance)
    np.testing.assert_array_equal(found.count, expected.count)
    np.testing.assert_array_equal(found.exemplars.image, expected.exemplars.image)
    np.testing.assert_array_equal(found.exemplars.activation, expected.exemplars.activation)
    times = {"started", "ended"}
    assert {k: v for k, v in found.metadata.items() if k not in times} == {
        k: v for k, v in expected.metadata.items() if k not in times
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.npz", "whole.npz"]


class StopHereError(Exception):
    pass


def interrupted(network, path, output, after=8, **options):  # noqa: F811
    def stop(done, _):
        if done >= after:
            raise StopHereError

    with pytest.raises(StopHereError), open_images(path) as images, checkpointing(output, seconds=0) as checkpoint:
        collect(network, images, PassOptions(batch_size=4, **options), checkpoint=checkpoint, progress=stop)


def resumed(network, path, output, *, restart=False, **options):  # noqa: F811
    ticks = []
    with open_images(path) as images, checkpointing(output, restart=restart) as checkpoint:
        collect(
            network,
            images,
            PassOptions(**({"batch_size": 4} | options)),
            checkpoint=checkpoint,
            progress=lambda done, _: ticks.append(done),
        )
    return ticks


def test_a_checkpoint_goes_on_or_starts_anew(network, archive, tmp_path):  # noqa: F811
    output = tmp_path / "p.npz"
    interrupted(network, archive, output)
    assert [path.name for path in tmp_path.iterdir()] == ["p.npz.partial"]
    assert resumed(network, archive, output)[0] == 8
    interrupted(network, archive, output)
    assert resumed(network, archive, output, restart=True)[0] == 4
    assert list(tmp_path.iterdir()) == []


def test_unreadable_images_keep_their_place(network, files, tmp_path):  # noqa: F811
    damaged = files | {"n00/damaged.png": b"damaged", "n01/empty.png": b""}
    path = write_tar(tmp_path / "x.tar", damaged)
    output = tmp_path / "p.npz"
    interrupted(network, path, output, keep_going=True)
    with open_images(path) as images, checkpointing(output) as checkpoint:
        options = PassOptions(batch_size=4, keep_going=True)
        found = collect(network, images, options, checkpoint=checkpoint)
        expected = collect(network, images, options)
    np.testing.assert_array_equal(found.mean, expected.mean)
    assert found.metadata["unreadable"] == expected.metadata["unreadable"]
    assert found.exemplars.names == expected.exemplars.names


def test_a_checkpoint_of_another_pass_is_not_lost(network, archive, files, tmp_path):  # noqa: F811
    output = tmp_path / "p.npz"
    interrupted(network, archive, output)
    before = (tmp_path / "p.npz.partial").read_bytes()
    fewer = write_tar(tmp_path / "fewer.tar", dict(sorted(files.items())[:-1]))
    for path, options, what in ((archive, {"batch_size": 5}, "batch_size"), (fewer, {}, "images")):
        with pytest.raises(FiltagError) as error:
            resumed(network, path, output, **options)
        assert error.value.options == ("restart",)
        assert str(error.value) == (
            f"{output}.partial is of a pass with another {what}: finish that pass, or start anew"
        )
    otherwise = load_network(str(network.file), preprocess="0..1", layers="all")
    with pytest.raises(FiltagError, match=r"\.partial is of a pass with another preprocess: finish that pass, or"):
        resumed(otherwise, archive, output)
    assert (tmp_path / "p.npz.partial").read_bytes() == before


def test_a_damaged_checkpoint_is_told(network, archive, tmp_path):  # noqa: F811
    output = tmp_path / "p.npz"
    (tmp_path / "p.npz.partial").write_bytes(b"PK nonsense")
    with pytest.raises(FiltagError, match=r"is no readable checkpoint .* start anew$"):
        resumed(network, archive, output)


@pytest.mark.parametrize(
    ("name", "change", "what"),
    [
        ("mean", lambda array: array * np.nan, "its numbers are not those of a pass"),
        ("mean", lambda array: array[:, 1:], "it has no array mean of float64 and shape"),
        ("mean", lambda array: array.astype("f4"), "it has no array mean of float64 and shape"),
        ("squares", lambda array: array - 1, "its numbers are not those of a pass"),
        ("count", lambda array: array + 1, "its numbers are not those of a pass"),
        ("exemplar_image", lambda array: array + 10**6, "its numbers are not those of a pass"),
        ("exemplar_activation", lambda array: array + 2, "its numbers are not those of a pass"),
        ("state", lambda array: np.array("[" * 9999), "it is nested too deeply"),
        ("state", lambda array: np.array("[]"), "it is not an object"),
        ("state", lambda array: changed_state(array, done=-1), "done is not a whole number from 0"),
        ("state", lambda array: changed_state(array, started="x"), "started is not a time in ISO 8601"),
        ("state", lambda array: changed_state(array, unreadable=[1]), "unreadable[0] is not a list of 3"),
        (
            "state",
            lambda array: changed_state(array, constant=[[99, 1]]),
            "it is of more images or layers than there are",
        ),
    ],
)
def test_a_checkpoint_holds_what_a_pass_can_have_found(network, archive, tmp_path, name, change, what):  # noqa: F811
    output = tmp_path / "p.npz"
    interrupted(network, archive, output)
    path = tmp_path / "p.npz.partial"
    with np.load(path) as file:
        arrays = dict(file)
    with path.open("wb") as file:
        np.savez(file, **{**arrays, name: change(arrays[name])})
    with pytest.raises(FiltagError) as error:
        resumed(network, archive, output)
    assert str(error.value).startswith(f"{path} is no readable checkpoint ({what}")
    assert str(error.value).endswith("): start anew")
    assert error.value.options == ("restart",)


def changed_state(array, **changed):
    return np.array(json.dumps({**json.loads(str(array)), **changed}))


def test_two_at_once_do_not_share_a_checkpoint(tmp_path):
    output = tmp_path / "p.npz"

    def second() -> None:
        with checkpointing(output):
            pass

    with checkpointing(output), ThreadPoolExecutor(1) as thread, pytest.raises(FiltagError) as error:
        thread.submit(second).result()
    assert str(error.value) == f"another process is changing {output}: try again when it is done"
    with checkpointing(output):
        pass
