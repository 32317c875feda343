"""The changes of an ablation, against the formulas written out as loops."""

from __future__ import annotations

import numpy as np
import pytest

from filtag_kg.explain.ablation_effects import Answers, changes
from filtag_kg.kg import Change


def answers(sizes: list[int], n_sets: int = 3, seed: int = 0) -> Answers:
    """Random confidences of classes with so many images each, in mixed order."""
    random = np.random.default_rng(seed)
    class_ = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return Answers(class_, random.random((2 + n_sets, len(class_))))


def slow_change(found: Answers, classes: list[int], row: int) -> float:
    means = []
    for class_ in classes:
        differences = [
            found.values[row, pair] - found.values[0, pair]
            for pair in range(len(found.class_))
            if found.class_[pair] == class_
        ]
        means.append(sum(differences) / len(differences))
    return sum(means) / len(means)


def test_a_class_counts_the_same_however_many_images_it_has() -> None:
    found = answers([1, 7, 3, 2, 9])
    of_concept = np.array([True, False, True, False, False])
    by_scope = {each.scope: each for each in changes("confidence", found, of_concept)}
    for row in range(1, 5):
        concept, others = slow_change(found, [0, 2], row), slow_change(found, [1, 3, 4], row)
        for scope, expected in (("concept", concept), ("others", others), ("difference", concept - others)):
            each = by_scope[scope]  # type: ignore[index]
            assert (each.change, *each.random)[row - 1] == pytest.approx(expected, abs=1e-6)
    means = found.class_means(5)[0]
    assert by_scope["difference"].before == pytest.approx(means[[0, 2]].mean() - means[[1, 3, 4]].mean(), abs=1e-6)


def test_the_p_value_counts_sets_that_do_as_much_harm() -> None:
    values = np.zeros((2 + 4, 4))
    values[0] = 1  # before
    values[1] = [0.5, 0.5, 1, 1]  # the concept's two classes lose half
    values[2] = [0.4, 0.6, 1, 1]  # as much
    values[3] = [0.2, 0.2, 1, 1]  # more
    values[4] = [1, 1, 1, 1]
    values[5] = [0.5, 0.5, 0.2, 0.2]  # as much, and more to the others
    of_concept = np.array([True, True, False, False])
    concept, others, difference = changes("accuracy", Answers(np.arange(4), values), of_concept)
    assert (concept.change, others.change, difference.change) == (-0.5, 0, -0.5)
    assert concept.p_value == pytest.approx((1 + 3) / 5)
    assert difference.p_value == pytest.approx((1 + 2) / 5)
    assert others.p_value == 1
    assert difference.random == (-0.5, -0.8, 0, 0.3)


def test_without_random_sets_p_is_1() -> None:
    assert [each.p_value for each in changes("confidence", answers([2, 2], n_sets=0), np.array([True, False]))] == [
        1
    ] * 3


def test_the_interval_holds_the_true_change_as_often_as_it_says() -> None:
    """Classes whose effects vary around a mean, and images around their class: 95 % of intervals hold the mean."""
    held = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        class_ = np.repeat(np.arange(40), 5)
        effect = -0.2 + random.normal(0, 0.1, 40)[class_] + random.normal(0, 0.1, 200)
        effect[100:] = random.normal(0, 0.1, 100)
        found = Answers(class_, np.stack([np.full(200, 0.5), 0.5 + effect]))
        concept = changes("confidence", found, np.arange(40) < 20, seed=seed)[0]
        held += concept.low <= -0.2 <= concept.high
    assert held >= 0.88 * 60


def test_images_of_one_class_vary_alone() -> None:
    random = np.random.default_rng(0)
    values = np.stack([np.full(60, 0.5), 0.3 + random.normal(0, 0.1, 60)])
    concept: Change = changes("confidence", Answers(np.repeat([0, 1], 30), values), np.array([True, False]))[0]
    error = values[1, :30].std() / np.sqrt(30)
    assert concept.high - concept.low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_the_same_seed_gives_the_same_interval() -> None:
    found, of_concept = answers([4, 5, 6]), np.array([True, False, False])
    assert changes("confidence", found, of_concept, seed=1) == changes("confidence", found, of_concept, seed=1)
    assert changes("confidence", found, of_concept, seed=1) != changes("confidence", found, of_concept, seed=2)
