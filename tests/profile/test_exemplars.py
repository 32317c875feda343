from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from filtag_kg.profile.exemplars import TopImages, merge_exemplars

# Few values, so that there are ties, and zeros.
ACTIVATIONS = arrays(
    np.float32, st.tuples(st.integers(1, 25), st.integers(1, 4)), elements=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
)


def slow(activations, names, most):
    """Sort all images for each filter: by activation, and equal ones as they came."""
    found = []
    for filter_ in range(activations.shape[1]):
        order = sorted(range(len(names)), key=lambda image: (-activations[image, filter_], image))
        found.append([names[image] for image in order[:most] if activations[image, filter_] > 0])
    return found


def names_of(exemplars):
    return [[exemplars.names[place] for place in row if place >= 0] for row in exemplars.image]


@given(ACTIVATIONS, st.integers(1, 9), st.integers(1, 10))
def test_top_images_equal_a_sort_of_all_however_they_are_batched(activations, batch_size, most):
    names = [f"class/{place:02}.png" for place in range(len(activations))]
    top = TopImages(activations.shape[1], most)
    for start in range(0, len(names), batch_size):
        batch = activations[start : start + batch_size]
        top.add(np.arange(start, start + len(batch)), batch)
    exemplars = top.named(names)
    assert names_of(exemplars) == slow(activations, names, most)
    for row, of_filter in zip(exemplars.image, exemplars.activation, strict=True):
        assert (of_filter[row < 0] == 0).all()
        assert (np.diff(of_filter) <= 0).all()


@given(ACTIVATIONS, st.integers(1, 24), st.integers(1, 10))
def test_merged_exemplars_are_those_of_all(activations, cut, most):
    names = [f"class/{place:02}.png" for place in range(len(activations))]
    parts = []
    for part in (slice(0, cut), slice(cut, None)):
        top = TopImages(activations.shape[1], most)
        top.add(np.arange(len(names[part])), activations[part])
        parts.append(top.named(names[part]))
    assert names_of(merge_exemplars(parts)) == slow(activations, names, most)
    assert names_of(merge_exemplars(parts[::-1])) == slow(activations, names, most)


def test_no_exemplars_are_kept_where_none_are_asked_for():
    top = TopImages(3, 0)
    top.add(np.arange(2), np.ones((2, 3), np.float32))
    assert top.image.shape == (0, 3)
