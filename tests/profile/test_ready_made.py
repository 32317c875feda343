# ruff: noqa: F811
"""Arrays through a real network: pixels, and ready-made images, which its own scaling would make of these."""

from __future__ import annotations

import numpy as np
import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.images import images_from
from filtag_kg.kg.exemplar_pass import write_exemplars
from filtag_kg.profile import PassOptions, checkpointing, collect
from tests.profile.test_collect import SIZE, network  # noqa: F401
from tests.profile.test_resume import StopHereError

X = np.random.default_rng(5).integers(0, 256, (20, *SIZE, 3), np.uint8)
Y = np.arange(20) % 2


def test_ready_made_images_give_the_profile_of_their_pixels(network, tmp_path):
    with images_from(X, Y) as images:
        expected = collect(network, images, PassOptions(batch_size=8))
    # The network scales pixels to -1..1.
    taken = X.astype(np.float64) / 127.5 - 1
    for source in ((taken, Y), [(taken[:13], Y[:13]), (taken[13:], Y[13:])], zip(taken, Y, strict=True)):
        with images_from(source) as images:
            found = collect(network, images, PassOptions(batch_size=8))
            np.testing.assert_allclose(found.mean, expected.mean, atol=1e-6)
            np.testing.assert_allclose(found.variance, expected.variance, atol=1e-6)
            assert found.metadata["images"]["source"] == "memory"
            folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            write_exemplars(found, images, folder)
            assert len(list(folder.glob("*.jpg"))) > 1


def test_arrays_of_another_size_are_resized_unless_they_are_ready_made(network):
    small = X[:, ::2, ::2]
    with images_from(small, Y) as images:
        assert collect(network, images).metadata["images"]["read"] == 20
    with images_from(small / 255, Y) as images, pytest.raises(FiltagError) as error:
        collect(network, images)
    assert str(error.value) == (
        "more than 1 % of the images in memory are unreadable, first 00 (its shape is 6 × 8 × 3, and the network takes "
        "12 × 16 × 3): mend, remove or skip them"
    )


def test_a_checkpoint_is_of_these_arrays(network, tmp_path):
    def stop(done, _):
        if done >= 8:
            raise StopHereError

    output = tmp_path / "p.npz"
    options = PassOptions(batch_size=4)
    with images_from(X, Y) as images:
        with pytest.raises(StopHereError), checkpointing(output, seconds=0) as checkpoint:
            collect(network, images, options, checkpoint=checkpoint, progress=stop)
        other = X.copy()
        other[7, 0, 0, 0] ^= 1
        with (
            images_from(other, Y) as others,
            pytest.raises(FiltagError, match="is of a pass with another images"),
            checkpointing(output) as checkpoint,
        ):
            collect(network, others, options, checkpoint=checkpoint)
        ticks = []
        with checkpointing(output) as checkpoint:
            collect(network, images, options, checkpoint=checkpoint, progress=lambda done, _: ticks.append(done))
    assert ticks[0] == 8
