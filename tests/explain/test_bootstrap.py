from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.explain import bootstrap_intervals


def slow_estimates(values: list[float], strata: list[int], resamples: int, rng: np.random.Generator) -> list[float]:
    """Resample image by image, as the module's docstring says; every stratum has two images or more."""
    estimates = []
    for _ in range(resamples):
        total = 0.0
        for stratum in sorted(set(strata)):
            members = [value for value, of in zip(values, strata, strict=True) if of == stratum]
            drawn = [members[rng.integers(len(members))] for _ in range(len(members) - 1)]
            total += len(members) * sum(drawn) / len(drawn)
        estimates.append(total / len(values))
    return estimates


def test_as_a_slow_loop() -> None:
    rng = np.random.default_rng(3)
    strata = [0] * 12 + [1] * 20 + [2] * 8
    values = (rng.random(40) < 0.3 + 0.2 * np.array(strata)).astype(float)
    slow = np.percentile(slow_estimates(values.tolist(), strata, 4000, rng), [2.5, 97.5])
    fast = bootstrap_intervals(values[:, None], np.array(strata), resamples=4000)
    np.testing.assert_allclose(fast[:, 0], slow, atol=0.02)


def test_all_resamples_of_two_small_classes() -> None:
    """Classes of two and three images have 2 · 3² resamples: the percentiles of many come close to theirs."""
    a, b = [0.0, 1.0], [0.2, 0.4, 0.9]
    estimates = [(2 * x + 3 * (y + z) / 2) / 5 for x, y, z in product(a, b, b)]
    low, high = bootstrap_intervals(np.array([*a, *b])[:, None], np.array([0, 0, 1, 1, 1]), resamples=20_000)
    assert (low[0], high[0]) == pytest.approx((min(estimates), max(estimates)))


def test_the_spread_is_that_of_a_stratified_mean() -> None:
    """The bootstrap's variance is Σ (n_c/N)² s_c²/n_c: of two images a class, too, where n_c draws would halve it."""
    rng = np.random.default_rng(0)
    strata = np.repeat(np.arange(500), 2)
    values = rng.normal(size=1000) + strata
    pairs = values.reshape(500, 2)
    variance = ((2 / 1000) ** 2 * pairs.var(axis=1, ddof=1) / 2).sum()
    low, high = bootstrap_intervals(values[:, None], strata, resamples=4000)
    assert float((high - low)[0]) == pytest.approx(2 * 1.96 * math.sqrt(variance), rel=0.06)


def test_an_interval_holds_as_often_as_it_should() -> None:
    rng = np.random.default_rng(1)
    shares, strata = np.array([0.2, 0.5, 0.8]), np.repeat([0, 1, 2], 30)
    held = 0
    for seed in range(300):
        values = (rng.random(90) < shares[strata]).astype(float)
        low, high = bootstrap_intervals(values[:, None], strata, resamples=400, seed=seed)
        held += bool(low[0] <= shares.mean() <= high[0])
    assert 0.91 <= held / 300 <= 0.98


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5)), min_size=2, max_size=30),
    st.integers(1, 40),
)
def test_ends_lie_in_the_range_and_the_seed_decides(images: list[tuple[float, int]], resamples: int) -> None:
    values = np.array([[value, 1 - value] for value, _ in images])
    strata = np.array([stratum for _, stratum in images])
    ends = bootstrap_intervals(values, strata, resamples=resamples, seed=7)
    assert (ends == bootstrap_intervals(values, strata, resamples=resamples, seed=7)).all()
    assert (ends[0] <= ends[1]).all()
    assert (ends >= values.min(axis=0) - 1e-12).all()
    assert (ends <= values.max(axis=0) + 1e-12).all()


def test_an_image_with_several_labels_is_resampled_once() -> None:
    """Two images with three labels each are two, not six: their mean is one of theirs, or their own."""
    values, weights = np.array([[3.0], [0.0]]), np.array([3.0, 3.0])
    low, high = bootstrap_intervals(values, np.array([0, 0]), weights=weights, resamples=200)
    assert (low[0], high[0]) == (0, 1)


def test_a_single_image_has_no_interval() -> None:
    assert np.isnan(bootstrap_intervals(np.array([[0.5]]), np.array([0]))).all()
    # One image of each class: all are resampled together.
    low, high = bootstrap_intervals(np.array([[0.0], [1.0], [1.0]]), np.array([0, 1, 2]))
    assert low[0] < high[0]
