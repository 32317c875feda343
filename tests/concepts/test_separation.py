from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from filtag_kg.concepts import separation
from filtag_kg.tags import contrast_over_classes


def by_loops(contrast: NDArray[np.float64], member: NDArray[np.bool_]) -> float:
    """The slow, obvious way."""

    def like(c: int, d: int) -> float:
        x, y = (contrast[k] - contrast[k].mean() for k in (c, d))
        both = np.linalg.norm(x) * np.linalg.norm(y)
        return round(float(x @ y / both), 10) if both > 1e-9 else 0.0

    n = len(member)
    inside, outside = [c for c in range(n) if member[c]], [c for c in range(n) if not member[c]]
    wins = [
        1.0 if like(c, d) > like(c, o) else 0.5 if like(c, d) == like(c, o) else 0.0
        for c in inside
        for d in inside
        if d != c
        for o in outside
    ]
    return float(np.mean(wins))


def random_contrast(seed: int, n_classes: int, n_filters: int = 12) -> NDArray[np.float64]:
    return contrast_over_classes(np.random.default_rng(seed).random((n_classes, n_filters)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(4, 14), st.integers(1, 6), st.data())
def test_ranks_give_what_loops_give(seed: int, n_classes: int, n_filters: int, data: st.DataObject) -> None:
    # Few digits, so that many correlations tie; some filters react to nothing.
    mean = np.random.default_rng(seed).integers(0, 3, (n_classes, n_filters)) / 2
    contrast = contrast_over_classes(mean)
    member = np.array(data.draw(st.lists(st.booleans(), min_size=n_classes, max_size=n_classes)))
    ((value, low, high),) = separation(contrast, member[:, None], draws=20)
    if not 2 <= member.sum() <= n_classes - 2:
        assert np.isnan([value, low, high]).all()
        return
    assert value == pytest.approx(by_loops(contrast, member), abs=1e-12)
    assert (0 <= low <= value <= high <= 1) if member.sum() >= 4 else np.isnan([low, high]).all()


@pytest.mark.parametrize(("n_classes", "n_members"), [(6, 2), (6, 4), (40, 5), (200, 12)])
def test_chance_is_a_half_whatever_classes_are_called(n_classes: int, n_members: int) -> None:
    # Real structure, which a random choice of classes does not know, and as much of it as few classes allow.
    rng = np.random.default_rng(1)
    means = rng.random((n_classes, 30)) + np.repeat(rng.random((2, 30)), n_classes // 2, axis=0)
    chosen = np.array([rng.permutation(np.arange(n_classes) < n_members) for _ in range(3000)]).T
    values = separation(contrast_over_classes(means), chosen, draws=1)[:, 0]
    assert values.mean() == pytest.approx(0.5, abs=4 * values.std() / np.sqrt(len(values)))


def test_chance_is_a_half_for_random_weights() -> None:
    member = (np.arange(60) < 10)[:, None]
    values = [separation(random_contrast(seed, 60), member, draws=1)[0, 0] for seed in range(200)]
    assert np.mean(values) == pytest.approx(0.5, abs=4 * np.std(values) / np.sqrt(len(values)))


def test_what_a_layer_knows_grows_and_intervals_hold_it() -> None:
    rng = np.random.default_rng(0)
    member = (np.arange(80) < 12)[:, None]
    kind, noise = rng.normal(size=40), rng.normal(size=(80, 40))
    found = [
        separation(contrast_over_classes(noise + strength * member * kind), member)[0] for strength in (0, 0.3, 0.8, 2)
    ]
    values = [value for value, _, _ in found]
    assert values == sorted(values)
    assert found[0][1] < 0.5 < found[0][2]
    assert found[-1][1] > 0.95
    assert all(low < value < high for value, low, high in found[:-1])


def test_an_interval_misses_about_one_time_in_twenty() -> None:
    rng = np.random.default_rng(3)
    member = (np.arange(30) < 8)[:, None]
    kind = np.random.default_rng(7).normal(size=40)

    def drawn() -> NDArray[np.float64]:
        strengths = member * rng.uniform(0, 0.9, size=(30, 1))
        return separation(contrast_over_classes(strengths * kind + rng.normal(size=(30, 40))), member, draws=200)[0]

    found = np.array([drawn() for _ in range(200)])
    truth = found[:, 0].mean()
    assert 0.9 <= ((found[:, 1] <= truth) & (truth <= found[:, 2])).mean() <= 1


def test_an_image_of_higher_activations_throughout_is_no_other_thing() -> None:
    contrast = random_contrast(5, 20)
    member = (np.arange(20) < 5)[:, None]
    shifted = contrast + np.random.default_rng(6).normal(size=(20, 1))
    assert separation(shifted, member).tolist() == separation(contrast, member).tolist()


def test_the_same_seed_gives_the_same_interval_and_the_order_of_concepts_does_not_matter() -> None:
    contrast = random_contrast(2, 30)
    member = np.random.default_rng(2).random((30, 6)) < 0.3
    member[:, 4] = member[:, 1]
    first = separation(contrast, member)
    assert np.array_equal(separation(contrast, member[:, ::-1])[::-1], first)
    assert np.array_equal(first[4], first[1])
    assert not np.array_equal(separation(contrast, member, seed=1)[:, 1:], first[:, 1:])


def test_filters_that_react_to_nothing_leave_chance() -> None:
    ((value, low, high),) = separation(np.zeros((10, 4)), (np.arange(10) < 4)[:, None])
    assert (value, low, high) == (0.5, 0.5, 0.5)
