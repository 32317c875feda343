from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg import Profile
from filtag_kg.profile import filter_states


def made_from(images: dict[str, np.ndarray], offsets: list[int]) -> Profile:
    """A profile of activations, given by class as arrays of shape (n_images, n_filters)."""
    return Profile(
        mean=np.array([each.mean(axis=0) for each in images.values()]),
        variance=np.array([each.var(axis=0) for each in images.values()]),
        count=np.array([len(each) for each in images.values()]),
        class_ids=tuple(images),
        class_labels=tuple(images),
        layer_names=tuple(f"layer{index}" for index in range(len(offsets) - 1)),
        layer_offsets=np.array(offsets),
    )


@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
def test_class_share_is_omega_squared_of_the_images(seed: int, n_classes: int) -> None:
    random = np.random.default_rng(seed)
    images = {f"c{c}": random.random((int(random.integers(2, 9)), 3)) for c in range(n_classes)}
    states = filter_states(made_from(images, [0, 3]))
    together = np.concatenate(list(images.values()))
    n, mean = len(together), together.mean(axis=0)
    between = sum(len(x) * (x.mean(axis=0) - mean) ** 2 for x in images.values())
    within = sum(((x - x.mean(axis=0)) ** 2).sum(axis=0) for x in images.values()) / (n - n_classes)
    total = ((together - mean) ** 2).sum(axis=0)
    np.testing.assert_allclose(states.mean, mean)
    np.testing.assert_allclose(
        states.class_share, np.clip((between - (n_classes - 1) * within) / (total + within), 0, 1), atol=1e-9
    )


def test_classes_that_explain_everything_or_nothing() -> None:
    random = np.random.default_rng(0)
    images = {
        f"c{c}": np.column_stack([np.full(200, c / 12), random.random(200), np.zeros(200), np.full(200, 0.5)])
        for c in range(12)
    }
    states = filter_states(made_from(images, [0, 4]))
    assert states.class_share[0] == pytest.approx(1)
    assert states.class_share[1] < 0.02
    assert np.isnan(states.class_share[2:]).all()
    assert states.never_activates.tolist() == [False, False, True, False]
    assert states.duplicates.tolist() == []


def test_duplicates_are_of_one_layer_and_need_ten_classes() -> None:
    random = np.random.default_rng(1)
    one = random.random((12, 1))
    # The same up to scale, nearly so, unlike, dead; and the first once more in another layer.
    mean = np.hstack(
        [one, one / 3 + 0.1, one + 0.02 * random.random((12, 1)), random.random((12, 1)), 0 * one, 0 * one, one]
    )
    mean /= mean.max()
    for n_classes, pairs in ((12, [[0, 1], [0, 2], [1, 2]]), (9, [])):
        made = Profile(
            mean=mean[:n_classes],
            variance=None,
            count=np.full(n_classes, 3),
            class_ids=tuple(f"c{c}" for c in range(n_classes)),
            class_labels=tuple(f"c{c}" for c in range(n_classes)),
            layer_names=("first", "second"),
            layer_offsets=np.array([0, 6, 7]),
        )
        states = filter_states(made)
        assert states.duplicates.tolist() == pairs
        assert np.isnan(states.class_share).all()
        assert states.never_activates.tolist() == [False] * 4 + [True] * 2 + [False]


def test_nothing_to_describe(profile: Profile) -> None:
    states = filter_states(profile)
    assert not states.never_activates.any()
    assert states.duplicates.shape == (0, 2)
