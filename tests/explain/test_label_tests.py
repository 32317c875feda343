from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from filtag_kg.explain.label_scores import label_scores
from filtag_kg.explain.label_tests import (
    LabelPValues,
    class_contributions,
    class_sets,
    label_p_values,
)


def images_of(sizes: list[int]) -> NDArray[np.bool_]:
    membership: NDArray[np.bool_] = np.repeat(np.eye(len(sizes), dtype=np.bool_), sizes, axis=1)
    return membership


def p_values(
    activations: NDArray[np.float64],
    membership: NDArray[np.bool_],
    filters: list[int],
    labels: list[list[int]],
    **options: int,
) -> LabelPValues:
    sets = np.array([np.isin(np.arange(len(membership)), classes) for classes in labels])
    contributions = class_contributions(activations, membership)
    return label_p_values(contributions, membership, np.array(filters), sets, **options)


def test_sets_of_classes_are_all_of_them_or_drawn_with_the_seed() -> None:
    pairs = class_sets(4, 2)
    assert pairs.complete
    assert [np.flatnonzero(row).tolist() for row in pairs.sets] == [list(pair) for pair in combinations(range(4), 2)]
    drawn = class_sets(50, 10, draws=200)
    assert not drawn.complete
    assert drawn.sets.shape == (200, 50)
    assert (drawn.sets.sum(axis=1) == 10).all()
    assert 10 < drawn.sets.sum(axis=0).min() < 40 < drawn.sets.sum(axis=0).max() < 80
    assert (drawn.sets == class_sets.__wrapped__(50, 10, draws=200).sets).all()
    assert (drawn.sets != class_sets(50, 10, draws=200, seed=1).sets).any()


def test_contributions_add_up_to_the_correlation() -> None:
    rng = np.random.default_rng(0)
    membership = images_of([3, 7, 5, 2])
    activations = rng.random((4, 17))
    activations[3] = 0.25
    contributions = class_contributions(activations, membership)
    y = membership[[1, 3]].any(axis=0)
    summed = contributions[:, [1, 3]].sum(axis=1) / y.std()
    np.testing.assert_allclose(summed, label_scores(activations, y[np.newaxis]).correlation[:, 0], atol=1e-12)
    assert contributions[3].tolist() == [0, 0, 0, 0]


def test_by_hand_of_single_classes() -> None:
    """Filter 0 is for class 0; no filter is for class 1."""
    membership = images_of([2] * 4)
    rng = np.random.default_rng(0)
    activations = rng.random((5, 8)) * 0.1
    activations[0, :2] += 0.9
    found = p_values(activations, membership, [0, 0], [[0], [1]])
    assert found.p_filters[0] == 1 / 5
    assert found.p_labels[0] == 1 / 4
    assert found.p_value[0] <= 2 / 20
    assert found.p_value[1] > 0.25


def slow_p_value(
    activations: NDArray[np.float64], membership: NDArray[np.bool_], filter_: int, classes: tuple[int, ...]
) -> float:
    """Return the p-value of a label from its definition, where all sets of its size are taken."""

    def correlations(sets: list[tuple[int, ...]]) -> NDArray[np.float64]:
        of_sets = [membership[list(each)].any(axis=0) for each in sets]
        return np.array([[np.corrcoef(a, y)[0, 1] for y in of_sets] for a in activations])

    sets = list(combinations(range(len(membership)), len(classes)))
    r = correlations(sets)
    z = (r - r.mean(axis=0)) / r.std(axis=0)
    t = (z - z.mean(axis=1, keepdims=True)) / z.std(axis=1, keepdims=True)
    index = sets.index(classes)
    return float((t >= t[filter_, index] - 1e-9).mean()) if r[filter_, index] > 0 else 1.0


def test_equal_to_the_definition() -> None:
    rng = np.random.default_rng(1)
    membership = images_of([4, 2, 3, 3, 5])
    activations = rng.random((6, 17)) + rng.random((6, 1)) * rng.random((1, 17))
    labels = [(0,), (3,), (0, 4), (1, 2), (1, 2, 3)]
    found = p_values(activations, membership, [0, 5, 2, 2, 3], [list(each) for each in labels])
    slowly = [slow_p_value(activations, membership, f, s) for f, s in zip([0, 5, 2, 2, 3], labels, strict=True)]
    np.testing.assert_allclose(found.p_value, slowly)


def test_p_values_of_drawn_sets_are_never_zero() -> None:
    membership = images_of([3] * 30)
    activations = np.random.default_rng(0).random((40, 90))
    activations[1, :15] += 9
    found = p_values(activations, membership, [1], [[0, 1, 2, 3, 4]], draws=50)
    assert found.p_labels[0] == 1 / 51
    assert 1 / (40 * 50 + 1) <= found.p_value[0] < 0.002
    assert found.p_filters[0] == 1 / 40


def test_what_does_not_activate_the_filter_is_not_its_label() -> None:
    """All filters but one are silent for class 0; that one is dead, so it only does not mind."""
    membership = images_of([3] * 6)
    activations = 1 + np.random.default_rng(0).random((12, 18))
    activations[:, :3] = 0
    activations[2] = 0
    found = p_values(activations, membership, [2, 3, 3], [[0], [0], [1]])
    assert found.p_filters[0] == 1 / 12, "it is the best of its layer"
    assert found.p_value.tolist()[:2] == [1, 1]
    assert found.p_value[2] < 1


def test_a_single_filter_and_too_few_classes_confirm_nothing() -> None:
    membership = images_of([3] * 6)
    activations = np.random.default_rng(0).random((4, 18))
    activations[0, :3] += 9
    alone = p_values(activations[:1], membership, [0], [[0]])
    assert alone.p_filters[0] == alone.p_value[0] == 1
    two = p_values(activations[:, :6], membership[:2, :6], [0], [[0]])
    assert two.p_value[0] == 1


def images_with_main_effects(
    rng: np.random.Generator, membership: NDArray[np.bool_], filters: int
) -> NDArray[np.float64]:
    """Return activations where some classes activate every filter, and some filters tell all classes apart.

    Which filter prefers which class is chance.
    """
    n_classes, _ = membership.shape
    of_class = rng.gamma(1, 1, n_classes)
    strays = rng.gamma(1, 1, (filters, 1))
    means = of_class + strays * rng.standard_normal((filters, n_classes))
    return means @ membership + rng.standard_normal((filters, membership.shape[1]))


@pytest.mark.parametrize("size", [1, 3])
def test_the_level_holds_under_both_main_effects(size: int) -> None:
    rng = np.random.default_rng(0)
    membership = images_of([4] * 40)
    p, p_filters, p_labels = [], [], []
    for seed in range(20):
        activations = images_with_main_effects(rng, membership, 60)
        filters = rng.integers(0, 60, 100).tolist()
        labels = [rng.choice(40, size, replace=False).tolist() for _ in filters]
        found = p_values(activations, membership, filters, labels, draws=300, seed=seed)
        p.append(found.p_value)
        p_filters.append(found.p_filters)
        p_labels.append(found.p_labels)
    # Among 60 filters and 40 classes, ranks cannot be smaller than 1/60 and 1/40.
    for values, levels in ((p, (0.01, 0.05, 0.2)), (p_filters, (0.05, 0.5)), (p_labels, (0.05, 0.5))):
        together = np.concatenate(values)
        for level in levels:
            assert (together <= level + 1e-12).mean() == pytest.approx(level, rel=0.35)


def test_only_the_decisive_p_value_answers_to_both_main_effects() -> None:
    """Labels of the classes that activate everything, on the filters that stray most: each seems right to one test."""
    rng = np.random.default_rng(0)
    membership = images_of([4] * 40)
    p, p_labels = [], []
    for _ in range(30):
        activations = images_with_main_effects(rng, membership, 60)
        standing_out = np.argsort(-(activations @ membership.T).sum(axis=0))[:3].tolist()
        filters = rng.integers(0, 60, 12).tolist()
        found = p_values(activations, membership, filters, [[standing_out[i % 3]] for i in range(12)])
        p.append(found.p_value)
        p_labels.append(found.p_labels)
    assert (np.concatenate(p_labels) <= 0.05).mean() > 0.3
    assert (np.concatenate(p) <= 0.05).mean() < 0.08
