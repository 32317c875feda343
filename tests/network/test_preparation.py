"""How an image becomes what a network takes: the scaling of pixels, what a user may say of it, and what is recorded."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.errors import FiltagError
from filtag_kg.network import Preparation, Scaling, recorded_preparation, scaled
from filtag_kg.network.preparation import PreparationOptions
from filtag_kg.network.scaling import IMAGENET, named_scaling

OWN = Preparation((8, 8), named_scaling("none"))


def families(keras):
    applications = keras.applications
    return [
        name
        for name in dir(applications)
        if name != "imagenet_utils" and hasattr(getattr(applications, name), "preprocess_input")
    ]


def test_the_families_of_keras_are_scaled_as_keras_does(keras):
    pixels = np.random.default_rng(0).integers(0, 256, (1, 5, 7, 3)).astype(np.float32)
    names = families(keras)
    assert len(names) >= 16
    for name in names:
        expected = getattr(keras.applications, name).preprocess_input(pixels.copy(), data_format="channels_last")
        np.testing.assert_allclose(scaled(named_scaling(name), pixels), expected, atol=2e-5, err_msg=name)


@given(
    st.permutations(range(3)),
    st.lists(st.floats(0, 255), min_size=3, max_size=3),
    st.lists(st.floats(0.1, 255), min_size=3, max_size=3),
)
def test_the_inverse_gives_the_pixels_back(order, mean, std):
    scaling = Scaling(tuple(mean), tuple(std), tuple(order))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 3)).astype(np.float32)
    there = (pixels[..., order] - np.array(mean, np.float32)) / np.array(std, np.float32)
    np.testing.assert_allclose(scaling.inverse(there), pixels, atol=1e-3)
    matrix = np.array(scaling.matrix)
    by_matrix = pixels.astype(np.float64) @ matrix[:, :3].T + matrix[:, 3]
    np.testing.assert_allclose(by_matrix, there, rtol=1e-4, atol=1e-2)


def test_mean_and_deviation_are_for_pixels_from_0_to_1_as_torchvision_writes_them():
    options = PreparationOptions(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    scaling = options.applied(OWN).scaling
    np.testing.assert_allclose((scaling.mean, scaling.std), (IMAGENET.mean, IMAGENET.std))
    in_pixels = PreparationOptions(preprocess="none", mean=(103.939, 116.779, 123.68), colours="bgr").applied(OWN)
    assert in_pixels.scaling == named_scaling("vgg16")
    one_for_all = PreparationOptions(mean=[0.5], std=[0.5]).applied(OWN)
    assert one_for_all.scaling == named_scaling("-1..1")
    assert one_for_all.name == "own"


def test_what_is_left_out_stays():
    own = Preparation((8, 8), IMAGENET, "imagenet", "crop", 0.875, "bicubic")
    assert PreparationOptions().applied(own) == own
    assert PreparationOptions(resize="squash").applied(own).crop_share == 1
    assert PreparationOptions(crop_share=0.5).applied(own).crop_share == 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resize": "stretch"}, "no resize 'stretch': choose squash, crop or pad"),
        ({"interpolation": "cubic"}, "no interpolation 'cubic': choose bilinear, bicubic, lanczos or nearest"),
        ({"colours": "rbg"}, "no colours 'rbg': choose rgb or bgr"),
        ({"crop_share": 0.5}, "a share of the image is kept only where images are cropped: choose the resize crop"),
        (
            {"resize": "crop", "crop_share": 0.0},
            "crop_share=0 is no share of an image: give a number above 0, up to 1",
        ),
        (
            {"mean": (1.0, 2.0)},
            "mean has 2 numbers, and the network takes 3 channels: give one for each, or one for all",
        ),
        ({"std": (0.0,)}, "a standard deviation must be above 0"),
        (
            {"mean": (float("nan"),)},
            "mean has 1 numbers, and the network takes 3 channels: give one for each, or one for all",
        ),
    ],
)
def test_mistakes(options, message):
    with pytest.raises(FiltagError) as error:
        PreparationOptions(**options).applied(OWN)
    assert str(error.value) == message


def test_an_unknown_name():
    with pytest.raises(
        FiltagError, match=r"^no preprocessing 'densnet' \(did you mean densenet\?\): choose from none, "
    ):
        named_scaling("densnet")


def test_grey_and_other_channels_take_ranges_alone():
    assert named_scaling("-1..1", 1) == Scaling((127.5,), (127.5,), (0,))
    assert named_scaling("0..1", 6).order == tuple(range(6))
    with pytest.raises(FiltagError, match="for three colours, and the network takes 1 channels: choose from none"):
        named_scaling("vgg16", 1)
    with pytest.raises(FiltagError, match="takes 1 channels, which have no colours"):
        PreparationOptions(colours="bgr").applied(Preparation((8, 8), named_scaling("none", 1)))


def test_what_is_recorded_comes_back():
    for preparation in (
        OWN,
        Preparation((8, 9), IMAGENET, "imagenet", "crop", 224 / 232, "bicubic"),
        Preparation((8, 8), named_scaling("0..1", 1), "0..1", "pad"),
    ):
        assert recorded_preparation(json.loads(json.dumps(preparation.metadata()))) == preparation
    assert recorded_preparation({"preprocess": "none"}) is None


@pytest.mark.parametrize(
    "change",
    [
        {"resize": "stretch"},
        {"crop_share": -1.0, "resize": "crop"},
        {"std": [0, 1, 1]},
        {"order": [0, 0, 1]},
        {"mean": []},
        {"mean": [], "std": [], "order": []},
        {"std": [-1, 1, 1]},
        # Infinite, or no number, in float32.
        {"std": [1e-320, 1, 1]},
        {"std": [1e300, 1, 1]},
        {"mean": [1e300, 0, 0]},
        # Far more memory than there may be.
        {"crop_share": 1e-320, "resize": "crop"},
        {"crop_share": 1e-4, "resize": "crop"},
        {"mean": [0] * 10_000, "std": [1] * 10_000, "order": list(range(10_000))},
    ],
)
def test_a_stranger_s_preparation_is_checked(change):
    metadata = OWN.metadata()
    with pytest.raises(FiltagError):
        recorded_preparation({**metadata, "preparation": {**metadata["preparation"], **change}})


@pytest.mark.parametrize("size", [(0, 8), (8, -1), (10**6, 10**6), (10**30, 1)])
def test_sizes_that_no_memory_holds_are_refused(size):
    with pytest.raises(FiltagError, match="no network can be given images of ") as error:
        recorded_preparation({**OWN.metadata(), "input_size": list(size)})
    assert error.value.options == ("input_size",)


def test_what_the_network_sees_decides_the_hash():
    assert Preparation((8, 8), named_scaling("inception_v3"), "inception_v3").sha256() == (
        Preparation((8, 8), named_scaling("-1..1"), "-1..1").sha256()
    )
    others = [
        OWN,
        Preparation((8, 9), OWN.scaling),
        Preparation((8, 8), IMAGENET),
        Preparation((8, 8), OWN.scaling, resize="pad"),
        Preparation((8, 8), OWN.scaling, resize="crop"),
        Preparation((8, 8), OWN.scaling, resize="crop", crop_share=0.9),
        Preparation((8, 8), OWN.scaling, interpolation="nearest"),
    ]
    assert len({each.sha256() for each in others}) == len(others)
