from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from filtag_kg.profile.moments import Moments

FINITE = st.floats(-1e6, 1e6, allow_nan=False, width=64)


@given(arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=FINITE), st.data())
def test_moments_equal_numpy_s(values, data):
    classes = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(values), max_size=len(values))))
    moments = Moments.empty(3, values.shape[1])
    for class_, row in zip(classes, values, strict=True):
        moments.add(class_, row)
    scale = max(1.0, float(np.abs(values).max()))
    for class_ in range(3):
        of_class = values[classes == class_]
        assert moments.count[class_] == len(of_class)
        if len(of_class):
            np.testing.assert_allclose(moments.mean[class_], of_class.mean(axis=0), atol=1e-12 * scale)
            np.testing.assert_allclose(moments.variance()[class_], of_class.var(axis=0), atol=1e-12 * scale**2)
        else:
            assert not moments.variance()[class_].any()


def test_a_small_variance_beside_a_large_mean_is_kept():
    moments = Moments.empty(1, 1)
    for value in (1e9, 1e9 + 1, 1e9 + 2):
        moments.add(0, np.array([value]))
    np.testing.assert_allclose(moments.variance(), [[2 / 3]])


@given(arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=FINITE), st.data())
def test_parts_merge_to_the_whole(values, data):
    size = len(values)
    classes = np.array(data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)))
    first = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    whole, merged = Moments.empty(3, values.shape[1]), Moments.empty(3, values.shape[1])
    for part in (first, ~first):
        # The part knows the classes it has, and in another order.
        ids = np.unique(classes[part])[::-1]
        moments = Moments.empty(len(ids), values.shape[1])
        for class_, row in zip(classes[part], values[part], strict=True):
            moments.add(int(np.flatnonzero(ids == class_)[0]), row)
            whole.add(class_, row)
        merged.merge(moments, ids)
    scale = max(1.0, float(np.abs(values).max()))
    np.testing.assert_array_equal(merged.count, whole.count)
    np.testing.assert_allclose(merged.mean, whole.mean, atol=1e-12 * scale)
    np.testing.assert_allclose(merged.squares, whole.squares, atol=1e-10 * scale**2)
