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
    class_ranks,
    expected_hits,
    hits_at_n,
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
    other = [(count + 1) % 3 for count in counts]
    above, tied = class_ranks(np.array([other, counts], dtype=np.int16))
    n = np.arange(1, len(counts) + 2)
    hits = [expected_hits(above, tied, each)[1, own] for each in n]
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
    np.testing.assert_allclose(cut.expected, whole.expected, atol=1e-12)
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


def labelled(
    profile: Profile, rules: list[Rule], n: list[int], activations: NDArray[np.float64], classes: list[int]
) -> NDArray[np.float64]:
    return hits_at_n(profile, rules, n, [(activations, np.array(classes))], permutations=0).overall


def test_the_expected_null_is_the_mean_over_all_permutations_of_the_labels() -> None:
    profile = made_up(5)
    activations, classes = some_images(profile, 5, n_images=5)
    n = [1, 2, 4]
    found = hits_at_n(profile, RULES, n, [(activations, classes)], permutations=0)
    every = [labelled(profile, RULES, n, activations, list(order)) for order in permutations(classes.tolist())]
    np.testing.assert_allclose(found.expected, np.mean(every, axis=0), atol=1e-12)
    assert found.null.shape == (0, len(RULES), 2, 3)


def test_each_null_is_a_permutation_of_the_labels_and_repeats_with_its_seed() -> None:
    profile = made_up(6)
    activations, classes = some_images(profile, 6)
    n = [1, 2, 3]
    found = hits_at_n(profile, RULES, n, [(activations, classes)], permutations=3, seed=1)
    drawn = np.random.default_rng(1).permuted(np.tile(classes.astype(np.int32), (3, 1)), axis=1)
    for row, labels in enumerate(drawn.tolist()):
        np.testing.assert_allclose(found.null[row], labelled(profile, RULES, n, activations, labels), atol=1e-12)
    again = hits_at_n(profile, RULES, n, [(activations, classes)], labels=classes, permutations=3, seed=1)
    np.testing.assert_array_equal(found.null, again.null)
    other = hits_at_n(profile, RULES, n, [(activations, classes)], permutations=3, seed=2)
    assert (found.null != other.null).any()


def test_the_nulls_scatter_around_what_is_expected() -> None:
    profile = made_up(7, n_classes=20, sizes=(30, 40), levels=10**6)
    activations, classes = some_images(profile, 7, n_images=300)
    found = hits_at_n(profile, [Rule("k", 5)], [1, 5, 10], [(activations, classes)], permutations=200)
    error = found.null.std(axis=0, ddof=1) / np.sqrt(200)
    assert (np.abs(found.null.mean(axis=0) - found.expected) < 4 * error).all()
    assert (found.overall - found.expected > 10 * found.null.std(axis=0, ddof=1)).all(), "the tags know the classes"


def test_a_filter_that_is_always_active_says_nothing_beyond_its_null() -> None:
    """Filter 0 is the most active for every class and image, and a hundred others have no tag.

    The tags of the one active filter are all ten classes, so n / 10 of the images are hits, whatever they show. Were
    the tag sets dealt out to the filters anew, the filter would have them once in 101 times.
    """
    mean = np.hstack([np.full((10, 1), 0.9), np.tile(np.linspace(0, 0.5, 100), (10, 1))])
    profile = Profile(
        mean=mean,
        variance=None,
        count=np.ones(10, dtype=np.int64),
        class_ids=tuple(map(str, range(10))),
        class_labels=tuple(map(str, range(10))),
        layer_names=("only",),
        layer_offsets=np.array([0, 101]),
    )
    classes = np.repeat(np.arange(10), [5, 1, 2, 0, 3, 1, 1, 7, 2, 4])
    found = hits_at_n(profile, [Rule("k", 1)], [1, 5, 10], [(mean[classes], classes)], permutations=5)
    np.testing.assert_allclose(found.overall[0], [[0.1, 0.5, 1]] * 2)
    np.testing.assert_allclose(found.expected, found.overall)
    np.testing.assert_allclose(found.null, np.broadcast_to(found.overall, found.null.shape))


def test_a_hub_beside_a_filter_that_knows_its_class() -> None:
    """Three images of class c activate filter 1, which c alone tags; six of a and b the hub, which a and b tag.

    Of the nine labels three are c's, so an image of c is a hit by chance in 3/9, one of the others at n = 1 in 6/9 / 2.
    """
    profile = Profile(
        mean=np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9]]),
        variance=None,
        count=np.ones(3, dtype=np.int64),
        class_ids=("a", "b", "c"),
        class_labels=("a", "b", "c"),
        layer_names=("only",),
        layer_offsets=np.array([0, 2]),
    )
    classes = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    found = hits_at_n(profile, [Rule("k", 1)], [1, 2], [(profile.mean[classes], classes)], permutations=4)
    np.testing.assert_allclose(found.overall[0, 0], [(6 / 2 + 3) / 9, 1])
    np.testing.assert_allclose(found.expected[0, 0], [(6 * 1 / 3 + 3 * 1 / 3) / 9, (6 * 2 / 3 + 3 * 1 / 3) / 9])


def test_images_that_turn_out_to_be_unreadable_may_be_among_the_labels() -> None:
    profile = made_up(8)
    activations, classes = some_images(profile, 8)
    labels = np.concatenate([classes, [0, 1]])
    found = hits_at_n(profile, RULES, [1, 3], [(activations, classes)], labels=labels, permutations=2)
    alone = hits_at_n(profile, RULES, [1, 3], [(activations, classes)], permutations=2)
    np.testing.assert_array_equal(found.overall, alone.overall)
    np.testing.assert_array_equal(found.expected, alone.expected)


@pytest.mark.parametrize(
    ("n", "message"),
    [
        ([], "n=(none): give whole numbers from 1, each once"),
        ([0, 5], "n=0, 5: give whole numbers from 1, each once"),
        ([5, 5], "n=5, 5: give whole numbers from 1, each once"),
    ],
)
def test_mistakes(n: list[int], message: str) -> None:
    profile = made_up(9)
    with pytest.raises(FiltagError, match=f"^{re.escape(message)}$"):
        hits_at_n(profile, RULES, n, [some_images(profile, 9)])


def test_no_image_is_an_error() -> None:
    with pytest.raises(FiltagError, match=r"^no test image could be read: mend the images$"):
        hits_at_n(made_up(9), RULES, [1], [])
