"""Spectra against NumPy's transform, colours against a computation by hand, views against a slow loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filtag_kg.explain.image_parametrisation import (
    COLOUR_MATRIX,
    COLOUR_ROOT,
    decorrelated_colour,
    frequency_scale,
    image_of_spectrum,
    spectrum_shape,
)
from filtag_kg.explain.transformations import JITTER, ROTATION_DEGREES, SCALE, apply_view, make_view, random_views

keras = pytest.importorskip("keras", reason="the cpu extra is not installed")
SIDES = st.integers(2, 12)


@given(height=SIDES, width=SIDES, seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_an_image_comes_back_from_its_spectrum(height: int, width: int, seed: int) -> None:
    images = np.random.default_rng(seed).normal(size=(2, height, width, 3))
    spectra = np.moveaxis(np.fft.rfft2(images, axes=(1, 2)), 3, 1)
    both = np.stack([spectra.real, spectra.imag], axis=2).astype(np.float32)
    assert both.shape[1:] == spectrum_shape(height, width)
    np.testing.assert_allclose(np.asarray(image_of_spectrum(keras.ops, height, width)(both)), images, atol=2e-5)


@given(height=SIDES, width=SIDES, seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_any_spectrum_gives_what_numpy_gives(height: int, width: int, seed: int) -> None:
    """Also one that no real image has, as gradient ascent makes them."""
    both = np.random.default_rng(seed).normal(size=(1, *spectrum_shape(height, width))).astype(np.float32)
    expected = np.fft.irfft2(both[:, :, 0] + 1j * both[:, :, 1], s=(height, width))
    got = np.asarray(image_of_spectrum(keras.ops, height, width)(both))
    np.testing.assert_allclose(got, np.moveaxis(expected, 1, 3), atol=1e-5)


def test_frequencies_are_weighed_by_one_over_f() -> None:
    scale = frequency_scale(8, 6)
    assert scale.shape == (8, 4)
    root = np.sqrt(48)
    assert scale[0, 2] == pytest.approx(root / (2 / 6))
    assert scale[2, 0] == scale[6, 0] == pytest.approx(root / (2 / 8))
    assert scale[3, 1] == pytest.approx(root / np.hypot(3 / 8, 1 / 6))
    # The mean colour as the lowest frequency of the longer side.
    assert scale[0, 0] == scale[1, 0] == pytest.approx(root * 8)


def test_colours_by_hand() -> None:
    # The longest column is light–dark: √(.26² + .27² + .27²) = .46195…
    assert COLOUR_MATRIX[0, 0] == pytest.approx(0.26 / 0.2134**0.5)
    light, warm, nothing = (
        np.asarray(decorrelated_colour(keras.ops, np.float32(x))) for x in ([1, 0, 0], [0, 1, 0], [0, 0, 0])
    )
    by_hand = 1 / (1 + np.exp(-np.array([0.26, 0.27, 0.27]) / 0.2134**0.5))
    np.testing.assert_allclose(light, by_hand, rtol=1e-6)
    assert warm[0] > warm[1] == 0.5 > warm[2]
    np.testing.assert_array_equal(nothing, [0.5, 0.5, 0.5])


def test_the_colours_are_those_of_photographs(shared_data) -> None:
    """Red and green of Tiny ImageNet's pixels go together as the matrix says."""
    import io
    import tarfile

    from PIL import Image

    pixels = []
    with tarfile.open(shared_data / "tiny-imagenet" / "test.tar") as archive:
        for place, member in enumerate(archive):
            if member.isfile() and place % 10 == 0:
                content = archive.extractfile(member).read()
                pixels.append(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).reshape(-1, 3)[::16])
    measured = np.cov(np.concatenate(pixels).T / 255)
    assumed = COLOUR_ROOT @ COLOUR_ROOT.T
    np.testing.assert_allclose(assumed, measured, rtol=0.15)


@given(shift=st.tuples(st.floats(-3, 3), st.floats(-3, 3)), scale=st.floats(0.7, 1.4), degrees=st.floats(-180, 180))
@settings(max_examples=25, deadline=None)
def test_a_view_is_what_a_slow_loop_sees(shift: tuple[float, float], scale: float, degrees: float) -> None:
    from scipy.ndimage import affine_transform

    image = np.random.default_rng(0).uniform(size=(7, 9))
    angle = np.deg2rad(degrees)
    backwards = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
    centre = np.array([3.0, 4.0])
    # Grey all round, so that the edge fades into it as ours does.
    padded = np.pad(image, 2, constant_values=0.5)
    offset = centre - backwards @ (centre + shift) + 2
    expected = affine_transform(padded, backwards, offset, output_shape=image.shape, order=1, cval=0.5)
    one = make_view(7, 9, shift=shift, scale=scale, degrees=degrees)
    colours = np.repeat(image[None, :, :, None], 3, axis=3).astype(np.float32)
    got = np.asarray(apply_view(keras.ops, np.concatenate([colours, 1 - colours]), one.indices, one.weights))
    np.testing.assert_allclose(got[0, :, :, 1], expected, atol=1e-4)
    np.testing.assert_allclose(got[1], 1 - got[0], atol=1e-5)


def test_views_are_those_of_the_seed_and_stay_in_their_ranges() -> None:
    first, again, other = (random_views(20, 30, seed) for seed in (3, 3, 4))
    one = next(first)
    np.testing.assert_array_equal(one.indices, next(again).indices)
    assert not np.array_equal(one.indices, next(other).indices)
    # The centre is never far: half a side is turned by 10°, so the middle moves by the jitter alone.
    for _ in range(50):
        indices = next(first).indices[0].reshape(20, 30)
        row, column = divmod(int(indices[10, 15]), 30)
        assert abs(row - 10) <= JITTER * 20 / (1 - SCALE) + 2
        assert abs(column - 15) <= JITTER * 30 / (1 - SCALE) + 2
    assert ROTATION_DEGREES == 10
