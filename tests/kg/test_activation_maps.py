"""From a feature map to a small map, a crop and a field: against plain loops, and for images of every shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.kg import MAP_SIDE, Region
from filtag_kg.kg.activation_maps import View, response
from filtag_kg.network import ReceptiveFields
from tests.preparations import to


def one_to_one(height: int, width: int) -> ReceptiveFields:
    """Return fields of a pixel or so, each in the middle of its place."""
    return ReceptiveFields(
        *(np.stack([np.arange(side), np.arange(1, side + 1)], axis=1) / side for side in (width, height))
    )


def whole_view(width: int = 100, height: int = 100) -> View:
    return View.of((width, height), to(32, 32).framing(width, height))


@pytest.mark.parametrize("shape", [(1, 1), (7, 7), (14, 14), (112, 112), (20, 33), (13, 9)])
def test_each_part_shows_the_highest_of_the_places_that_it_touches(shape: tuple[int, int]) -> None:
    feature_map = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    small = response(feature_map, one_to_one(*shape), whole_view()).map
    height, width = shape
    for row in range(MAP_SIDE):
        for column in range(MAP_SIDE):
            inside = [
                feature_map[y, x]
                for y in range(height)
                for x in range(width)
                if (y + 1) * MAP_SIDE > row * height
                and y * MAP_SIDE < (row + 1) * height
                and (x + 1) * MAP_SIDE > column * width
                and x * MAP_SIDE < (column + 1) * width
            ]
            assert small[row, column] <= max(inside)
            if max(shape) % MAP_SIDE == 0 or MAP_SIDE % max(shape) == 0:
                assert small[row, column] == max(inside)
    assert small.max() == feature_map.max()


PEAKS = st.tuples(st.integers(0, 27), st.integers(0, 27))
SIZES = st.tuples(st.integers(8, 400), st.integers(8, 400))


@given(PEAKS, SIZES, st.sampled_from(["squash", "crop", "pad"]), st.floats(0.5, 1))
def test_a_crop_is_a_square_of_what_the_network_saw_and_holds_the_peak(
    peak: tuple[int, int], size: tuple[int, int], resize: str, share: float
) -> None:
    feature_map = np.zeros((28, 28), np.float32)
    feature_map[peak] = 1
    preparation = to(56, 56, resize=resize, crop_share=share if resize == "crop" else 1.0)
    view = View.of(size, preparation.framing(*size))
    answer = response(feature_map, one_to_one(28, 28), view)
    width, height = size
    crop, seen = answer.crop, view.seen
    np.testing.assert_allclose(crop.width * width, crop.height * height, rtol=1e-6)
    assert crop.left >= seen.left - 1e-9
    assert crop.right <= seen.right + 1e-9
    assert crop.top >= seen.top - 1e-9
    assert crop.bottom <= seen.bottom + 1e-9
    assert crop.width * width >= 0.39 * min(seen.width * width, seen.height * height)
    if answer.map.max() > 0:  # In the padding, nothing is shown.
        field = answer.field
        middle = (field.left + field.right) / 2, (field.top + field.bottom) / 2
        assert crop.left - 1e-3 <= middle[0] <= crop.right + 1e-3
        assert crop.top - 1e-3 <= middle[1] <= crop.bottom + 1e-3


def test_a_filter_that_responds_everywhere_is_shown_all_there_is() -> None:
    answer = response(np.ones((7, 7), np.float32), one_to_one(7, 7), whole_view(200, 100))
    assert answer.crop == Region(0.0, 0.0, 0.5, 1.0)
    assert response(np.ones((7, 7), np.float32), one_to_one(7, 7), whole_view()).crop == Region(0, 0, 1, 1)


def test_a_crop_is_as_large_as_the_region_around_the_peak() -> None:
    feature_map = np.zeros((14, 14), np.float32)
    feature_map[2:9, 3:6] = 0.6
    feature_map[4, 4] = 1
    feature_map[13, 13] = 0.9  # Another region.
    feature_map[:, 12] = 0.4  # Below half of the highest.
    crop = response(feature_map, one_to_one(14, 14), whole_view()).crop
    # Rows 1 to 9 with their surroundings, and as many columns around the middle of 2 to 6.
    np.testing.assert_allclose([crop.top * 14, crop.bottom * 14], [1, 10])
    np.testing.assert_allclose([crop.left * 14, crop.right * 14], [0, 9])


def test_numbers_below_zero_are_no_response() -> None:
    feature_map = np.full((14, 14), -3, np.float32)
    feature_map[5, 5] = -1
    answer = response(feature_map, one_to_one(14, 14), whole_view())
    assert answer.floor == -3
    assert answer.field == Region(5 / 14, 5 / 14, 6 / 14, 6 / 14)
    feature_map[5, 5] = 1
    assert response(feature_map, one_to_one(14, 14), whole_view()).floor == 0


def test_a_field_in_the_padding_keeps_an_extent() -> None:
    feature_map = np.zeros((14, 14), np.float32)
    feature_map[0, 0] = 1
    view = View.of((100, 50), to(28, 28, resize="pad").framing(100, 50))
    fields = one_to_one(14, 14)
    field = response(feature_map, fields, view).field
    assert field.width > 0
    assert field.height > 0
