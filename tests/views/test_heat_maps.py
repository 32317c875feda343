"""Activation maps as pictures."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from filtag_kg.kg import Region
from filtag_kg.views import Exemplar, Where, map_strip


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
