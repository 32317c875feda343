"""The test on activations: against scipy on the images themselves, and what it says of shuffled images."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ttest_ind

from filtag_kg.concepts import ActivationTest, activation_test

BELOW = np.zeros((10, 4), dtype=np.bool_)
BELOW[[0, 1, 8, 9], 0] = True  # vehicles
BELOW[2:8, 1] = True  # animals
BELOW[[3, 5], 2] = True  # carnivores
BELOW[[1, 9], 3] = True  # motor vehicles


def result_of(
    images: NDArray[np.float64], classes: NDArray[np.int64], below: NDArray[np.bool_] = BELOW
) -> ActivationTest:
    groups = [images[classes == class_] for class_ in range(len(below))]
    return activation_test(
        np.array([group.mean(axis=0) for group in groups]),
        np.array([group.var(axis=0) for group in groups]),
        np.array([len(group) for group in groups]),
        below,
    )


def test_it_is_welchs_test_on_the_images() -> None:
    random = np.random.default_rng(1)
    classes = np.repeat(np.arange(10), random.integers(2, 30, size=10))
    images = random.beta(2, 8, size=(len(classes), 7))
    found = result_of(images, classes)
    for concept in range(4):
        own = BELOW[classes, concept]
        expected = ttest_ind(images[own], images[~own], equal_var=False, alternative="greater")
        assert found.p[concept] == pytest.approx(expected.pvalue, rel=1e-9)
        assert found.images[concept] == own.sum()
        assert found.mean[concept] == pytest.approx(images[own].mean(axis=0))
        assert found.others[concept] == pytest.approx(images[~own].mean(axis=0))
        spread = np.sqrt((images[own].var(axis=0, ddof=1) + images[~own].var(axis=0, ddof=1)) / 2)
        assert found.effect[concept] == pytest.approx((images[own].mean(axis=0) - images[~own].mean(axis=0)) / spread)
    assert (found.q >= found.p).all()


def test_small_differences_of_large_numbers_are_not_lost() -> None:
    random = np.random.default_rng(2)
    classes = np.repeat(np.arange(10), 40)
    images = random.normal(size=(400, 3))
    moved = result_of(images + 1e6, classes)
    assert moved.p == pytest.approx(result_of(images, classes).p, rel=1e-4)


def test_planted_filters_are_found_with_ten_classes() -> None:
    random = np.random.default_rng(3)
    classes = np.repeat(np.arange(10), 50)
    images = random.beta(2, 8, size=(500, 100))
    images[:, 0] += 0.1 * BELOW[classes, 0]
    images[:, 1] += 0.1 * BELOW[classes, 1]
    found = result_of(images, classes)
    assert found.q[0, 0] < 1e-6
    assert found.q[1, 1] < 1e-6
    assert (found.effect[:, 0].argmax(), found.effect[:, 1].argmax()) == (0, 1)
    assert (found.q[:, 2:] < 0.05).sum() <= 2


@pytest.mark.parametrize("per_class", [20, 200])
def test_the_level_holds_where_the_labels_of_images_are_shuffled(per_class: int) -> None:
    """Activations as they are, many at zero and few high, some filters preferring classes: labels are exchangeable."""
    random = np.random.default_rng(4)
    classes = np.repeat(np.arange(10), per_class)
    images = np.maximum(random.normal(-0.5, 1, size=(len(classes), 200)) + random.normal(size=(10, 200))[classes], 0)
    shares, found = [], []
    for _ in range(20):
        result = result_of(images, random.permutation(classes))
        shares.append([np.mean(result.p < level) for level in (0.05, 0.01)])
        found.append((result.q < 0.05).any())
    # Skewed as activations are, the test is a little careful.
    assert (np.mean(shares, axis=0) <= (0.052, 0.012)).all()
    assert (np.mean(shares, axis=0) >= (0.02, 0.002)).all()
    # Of 20 layers in which nothing is to be found, one is expected with a false one.
    assert sum(found) <= 4


def test_what_cannot_be_judged_is_not_significant() -> None:
    classes = np.arange(10)
    constant = result_of(np.full((10, 2), 0.5), classes)
    assert (constant.p == 1).all()
    assert (constant.effect == 0).all()
    # Groups of no image, of one, and of all.
    below = np.zeros((10, 3), dtype=np.bool_)
    below[0, 1] = below[:, 2] = True
    few = result_of(np.random.default_rng(5).random((10, 2)), classes, below)
    assert (few.p == 1).all()
    assert (few.q == 1).all()
    assert (few.effect == 0).all()
    none = activation_test(np.zeros((2, 3)), np.zeros((2, 3)), np.zeros(2, dtype=np.int64), BELOW[:2])
    assert (none.p == 1).all()
    assert result_of(np.ones((10, 2)), classes, BELOW[:, :0]).q.shape == (0, 2)
