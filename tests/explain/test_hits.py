from __future__ import annotations

import re
from itertools import permutations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from filtag_kg import FiltagError, Profile, Rule, tag_filters
from filtag_kg.explain.hits import (
    active_filters,
    class_places,
    expected_hits,
    hits_at_n,
    permuted_filters,
)
from filtag_kg.tags import contrast_to

RULES = [Rule("k", 1), Rule("k", 3), Rule("q", 0.4), Rule("k", 2, "contrast"), Rule("q", 0.5, "contrast")]


def made_up(seed: int, n_classes: int = 6, sizes: tuple[int, ...] = (3, 5, 4), levels: int = 5) -> Profile:
    """A profile of few different values, so that ties are many."""
    generator = np.random.default_rng(seed)
    offsets = np.cumsum([0, *sizes])
    return Profile(
        mean=generator.integers(0, levels, (n_classes, offsets[-1])) / levels,
        variance=None,
        count=np.ones(n_classes, dtype=np.int64),
        class_ids=tuple(f"n{i:08}" for i in range(n_classes)),
        class_labels=tuple("abcdefghijklmnopqrstuvwxyz"[:n_classes]),
        layer_names=tuple(f"layer{i}" for i in range(len(sizes))),
        layer_offsets=offsets,
    )


def some_images(profile: Profile, seed: int, n_images: int = 20) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    generator = np.random.default_rng(seed)
    classes = generator.integers(0, len(profile.class_ids), n_images)
    noise = generator.integers(0, 3, (n_images, profile.mean.shape[1])) / 10
    return np.clip(profile.mean[classes] + noise, 0, 1), classes


def slow_hit(profile: Profile, rule: Rule, activation: NDArray[np.float64], own: int, n: int, *, last: bool) -> float:
    """One image by plain loops, as the paper tells it; the expectation over ties as a share of all their orders."""
    scores = activation if rule.score == "activation" else contrast_to(profile, activation)
    tags = tag_filters(profile, [rule], network="x")
    tagged = {
        (layer, filter_, class_) for layer, filter_, class_ in zip(tags.layer, tags.filter, tags.class_, strict=True)
    }
    counts = [0] * len(profile.class_ids)
    layers = range(len(profile.layer_names))
    for layer in [layers[-1]] if last else layers:
        start, stop = profile.layer_offsets[layer : layer + 2]
        filters = sorted(range(stop - start), key=lambda i: (-scores[start + i], i))
        for filter_ in filters[: rule.filters_kept(stop - start)]:
            for class_ in range(len(counts)):
                counts[class_] += (layer, filter_, class_) in tagged
    ranked = [class_ for class_ in range(len(counts)) if counts[class_] > 0]
    if own not in ranked:
        return 0.0
    above = [class_ for class_ in ranked if counts[class_] > counts[own]]
    tied = [class_ for class_ in ranked if counts[class_] == counts[own]]
    orders = [[*above, *order] for order in permutations(tied)]
    return sum(own in order[:n] for order in orders) / factorial(len(tied))


@pytest.mark.parametrize("seed", range(3))
def test_the_products_equal_the_slow_loop_over_all_orders_of_ties(seed: int) -> None:
    profile = made_up(seed)
    activations, classes = some_images(profile, seed)
    n = [1, 2, 4, 6]
    found = hits_at_n(profile, RULES, n, [(activations, classes)], permutations=2)
    for place, rule in enumerate(RULES):
        for scope, last in enumerate((False, True)):
            slow = np.array(
                [
                    [slow_hit(profile, rule, image, int(own), each, last=last) for each in n]
                    for image, own in zip(activations, classes, strict=True)
                ]
            )
            np.testing.assert_allclose(found.overall[place, scope], slow.mean(axis=0), atol=1e-12)
            for class_ in range(6):
                if (classes == class_).any():
                    of_class = slow[classes == class_].mean(axis=0)
                    np.testing.assert_allclose(found.by_class[place, scope, :, class_], of_class, atol=1e-12)
                else:
                    assert np.isnan(found.by_class[place, scope, :, class_]).all()


def test_by_hand() -> None:
    """Image 0 activates filter 0 (classes 0 and 1), image 1 filter 2, which no class tags."""
    profile = Profile(
        mean=np.array([[0.9, 0.1, 0.2], [0.8, 0.1, 0.2], [0.1, 0.7, 0.2]]),
        variance=None,
        count=np.ones(3, dtype=np.int64),
        class_ids=("a", "b", "c"),
        class_labels=("a", "b", "c"),
        layer_names=("only",),
        layer_offsets=np.array([0, 3]),
    )
    observed = [(np.array([[0.9, 0.0, 0.1], [0.0, 0.1, 0.9]]), np.array([0, 2]))]
    found = hits_at_n(profile, [Rule("k", 1)], [2, 1], observed, permutations=0)
    assert found.n == (1, 2)
    assert found.overall.tolist() == [[[0.25, 0.5], [0.25, 0.5]]], "one layer: all layers and the last are the same"
    assert found.images.tolist() == [1, 0, 1]
    assert found.null.shape == (0, 1, 2, 2)


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.data())
def test_the_expectation_is_the_share_of_the_orders_of_ties(counts: list[int], data: st.DataObject) -> None:
    own = data.draw(st.integers(0, len(counts) - 1))
    above, tied = class_places(np.array([counts], dtype=np.int32), np.array([own]))
    n = np.arange(1, len(counts) + 2)
    hits = expected_hits(above, tied, n)[0]
    ranked = [i for i in range(len(counts)) if counts[i]]
    orders = [order for order in permutations(ranked) if list(order) == sorted(order, key=lambda i: -counts[i])]
    assert orders
    np.testing.assert_allclose(hits, [sum(own in order[:each] for order in orders) / len(orders) for each in n])
    assert (np.diff(hits) >= 0).all(), "more places never lose a hit"
    assert hits[-1] == (counts[own] > 0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 20))
def test_batches_make_no_difference(seed: int, size: int) -> None:
    profile = made_up(seed)
    activations, classes = some_images(profile, seed)
    n = [1, 3]
    whole = hits_at_n(profile, RULES, n, [(activations, classes)], permutations=3, seed=seed)
    cuts = range(0, len(classes), size)
    parts = [(activations[i : i + size], classes[i : i + size]) for i in cuts]
    cut = hits_at_n(profile, RULES, n, iter(parts), permutations=3, seed=seed)
    np.testing.assert_allclose(cut.by_class, whole.by_class, atol=1e-12)
    np.testing.assert_allclose(cut.null, whole.null, atol=1e-12)
    assert (np.diff(whole.overall, axis=-1) >= 0).all(), "monotone in n"
    assert (np.diff(whole.null, axis=-1) >= 0).all()


@pytest.mark.parametrize("bound", ["_NUMBERS_AT_ONCE", "_DENSE_BYTES"])
def test_large_batches_are_cut_and_large_tag_matrices_sparse(monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    profile = made_up(4)
    observed = [some_images(profile, 4)]
    whole = hits_at_n(profile, RULES, [1, 2], observed, permutations=3)
    monkeypatch.setattr(f"filtag_kg.explain.hits.{bound}", 100)
    cut = hits_at_n(profile, RULES, [1, 2], observed, permutations=3)
    np.testing.assert_allclose(cut.by_class, whole.by_class, atol=1e-12)
    np.testing.assert_allclose(cut.null, whole.null, atol=1e-12)


def test_more_active_filters_than_a_small_number_counts() -> None:
    profile = made_up(4, n_classes=2, sizes=(2**15 + 100,))
    found = hits_at_n(profile, [Rule("q", 1)], [1, 2], [(profile.mean, np.arange(2))], permutations=0)
    assert found.overall[0].tolist() == [[0.5, 1], [0.5, 1]], "all classes tag all filters"


def test_the_null_equals_the_hits_where_all_filters_have_the_same_tags() -> None:
    """With k no smaller than the layer, every class tags every filter: permuting changes nothing."""
    profile = made_up(5)
    found = hits_at_n(profile, [Rule("k", 5)], [1, 3, 6], [some_images(profile, 5)], permutations=4)
    np.testing.assert_allclose(found.null, np.broadcast_to(found.overall, found.null.shape), atol=1e-12)
    np.testing.assert_allclose(found.overall[0], [[1 / 6, 3 / 6, 1]] * 2)


def test_the_null_is_what_hits_would_be_with_the_tag_sets_elsewhere() -> None:
    """Every filter's means go where its tags are permuted to; the image's stay: no rule looks at a filter's name."""
    profile = made_up(6, levels=10**6)
    activations, classes = some_images(profile, 6)
    rules, n = [Rule("k", 2), Rule("q", 0.6)], [1, 2, 3]
    found = hits_at_n(profile, rules, n, [(activations, classes)], permutations=3, seed=1)
    for row, moved in enumerate(permuted_filters(profile.layer_offsets, 3, 1)[1:]):
        elsewhere = Profile(
            profile.mean[:, moved],
            None,
            profile.count,
            profile.class_ids,
            profile.class_labels,
            profile.layer_names,
            profile.layer_offsets,
        )
        real = hits_at_n(elsewhere, rules, n, [(activations, classes)], permutations=0)
        np.testing.assert_allclose(found.null[row], real.overall, atol=1e-12)


def test_random_tags_hit_as_often_as_their_null() -> None:
    """Where filters know nothing of classes, the hits are one more draw of the null."""
    profile = made_up(7, n_classes=20, sizes=(30, 40), levels=10**6)
    generator = np.random.default_rng(7)
    observed = [(generator.random((400, 70)), generator.integers(0, 20, 400))]
    found = hits_at_n(profile, [Rule("k", 5)], [1, 5, 10], observed, permutations=50)
    spread = found.null.std(axis=0)
    assert (np.abs(found.overall - found.null.mean(axis=0)) < 4 * spread + 0.01).all()


def test_permutations_stay_in_their_layer_and_repeat_with_their_seed() -> None:
    offsets = np.array([0, 3, 10])
    moved = permuted_filters(offsets, 5, 0)
    assert moved[0].tolist() == list(range(10))
    for row in moved:
        assert sorted(row[:3]) == [0, 1, 2]
        assert sorted(row[3:]) == list(range(3, 10))
    np.testing.assert_array_equal(moved, permuted_filters(offsets, 5, 0))
    assert (moved != permuted_filters(offsets, 5, 1)).any()


def test_an_image_gets_filters_as_a_class_does_and_ties_go_to_the_lower_index() -> None:
    profile = made_up(8)
    for rule, active in zip(RULES, active_filters(profile, RULES, profile.mean), strict=True):
        tags = tag_filters(profile, [rule], network="x")
        for class_ in range(6):
            of_class = tags.class_ == class_
            expected = profile.layer_offsets[tags.layer[of_class]] + tags.filter[of_class]
            assert sorted(active[class_]) == sorted(expected)
    (flat,) = active_filters(profile, [Rule("k", 2)], np.full((1, 12), 0.5))
    assert flat.tolist() == [[0, 1, 3, 4, 8, 9]]


@pytest.mark.parametrize(
    ("n", "message"),
    [
        ([], "--n (none): give whole numbers from 1, each once"),
        ([0, 5], "--n 0, 5: give whole numbers from 1, each once"),
        ([5, 5], "--n 5, 5: give whole numbers from 1, each once"),
    ],
)
def test_mistakes(n: list[int], message: str) -> None:
    profile = made_up(9)
    with pytest.raises(FiltagError, match=f"^{re.escape(message)}$"):
        hits_at_n(profile, RULES, n, [some_images(profile, 9)])


def test_no_image_is_an_error() -> None:
    with pytest.raises(FiltagError, match=r"^no test image could be read: mend the images$"):
        hits_at_n(made_up(9), RULES, [1], [])
