"""Activation maps as pictures."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from filtag_kg.kg import Region
from filtag_kg.views import Exemplar, Where, heat_map, map_strip


def exemplar(map_: NDArray[np.uint8] | None) -> Exemplar:
    whole = Region(0, 0, 1, 1)
    where = None if map_ is None else Where(whole, whole, whole, map_)
    return Exemplar("1.png", "n02087394", "dog", 0.5, "exemplars/0000001.jpg", where)


def test_a_strip_has_the_maps_of_a_filter_side_by_side() -> None:
    maps = np.random.default_rng(0).integers(0, 256, (2, 5, 5), np.uint8)
    strip = map_strip([exemplar(maps[0]), exemplar(None), exemplar(maps[1])])
    with Image.open(io.BytesIO(strip)) as image:
        assert (image.mode, image.size) == ("LA", (15, 5))
        white, opacity = np.asarray(image).transpose(2, 0, 1)
    assert (white == 255).all()
    assert np.array_equal(opacity, np.concatenate([maps[0], np.zeros((5, 5), np.uint8), maps[1]], axis=1))


def test_without_maps_there_is_no_strip() -> None:
    assert map_strip([]) == map_strip([exemplar(None)]) == b""


def thumbnail(colour: tuple[int, int, int], size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG", quality=95)
    return file.getvalue()


def test_a_heat_map_shows_what_counts_as_it_is_and_the_rest_grey_and_dark() -> None:
    map_ = np.zeros((14, 14), np.uint8)
    map_[:, :7] = 255
    where = Where(Region(0, 0, 0.5, 1), Region(0, 0, 0.5, 1), Region(0, 0, 1, 1), map_)
    with Image.open(io.BytesIO(heat_map(thumbnail((200, 60, 20), (96, 48)), where))) as picture:
        assert (picture.format, picture.size) == ("PNG", (384, 192))
        pixels = np.asarray(picture).astype(int)
    np.testing.assert_allclose(pixels[:, :150].mean(axis=(0, 1)), (200, 60, 20), atol=4)
    dark = pixels[:, 240:].mean(axis=(0, 1))
    assert np.ptp(dark) < 2
    assert dark.max() < 60
    # A white line between them.
    assert pixels[96, 150:240].min(axis=1).max() == 255


def test_what_the_network_did_not_see_is_dark() -> None:
    where = Where(
        Region(0.25, 0, 0.75, 1), Region(0, 0, 1, 1), Region(0.25, 0, 0.75, 1), np.full((14, 14), 255, np.uint8)
    )
    with Image.open(io.BytesIO(heat_map(thumbnail((200, 60, 20), (96, 48)), where))) as picture:
        pixels = np.asarray(picture).astype(int)
    lit = np.ptp(pixels[96], axis=1) > 100
    assert lit[100:284].all()
    assert not lit[:90].any()
    assert not lit[294:].any()
