from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from filtag_kg.errors import FiltagError
from filtag_kg.profile import Profile
from filtag_kg.tags import Rule, contrast_over_classes, tag_assignments, tag_filters

MEANS = arrays(np.float64, (5, 7), elements=st.sampled_from([0.0, 0.125, 0.25, 0.5, 1.0]))


def profile_of(mean: np.ndarray, offsets: tuple[int, ...] = (0, 3, 7)) -> Profile:
    n_classes = len(mean)
    return Profile(
        mean=mean,
        variance=None,
        count=np.ones(n_classes, dtype=np.int64),
        class_ids=tuple(f"c{i}" for i in range(n_classes)),
        class_labels=tuple(f"class {i}" for i in range(n_classes)),
        layer_names=tuple(f"l{i}" for i in range(len(offsets) - 1)),
        layer_offsets=np.array(offsets),
    )


def slow_tags(profile: Profile, rule: Rule) -> set[tuple[str, int, str, int]]:
    """The selection as one would write it down: sort each class's filters by score, then index."""
    contrast = contrast_over_classes(profile.mean)
    found = set()
    for layer, name in enumerate(profile.layer_names):
        start, stop = profile.layer_offsets[layer : layer + 2]
        n_filters = stop - start
        kept = int(rule.amount) if rule.kind == "k" else max(1, round(rule.amount * int(n_filters)))
        for c, class_id in enumerate(profile.class_ids):
            scores = (profile.mean if rule.score == "activation" else contrast)[c, start:stop]
            ranked = sorted(range(n_filters), key=lambda i: (-scores[i], i))
            found |= {(name, i, class_id, rank) for rank, i in enumerate(ranked[:kept], 1)}
    return found


@given(
    MEANS,
    st.sampled_from([Rule("k", 1), Rule("k", 9), Rule("q", 0.4), Rule("q", 0.01), Rule("k", 2, "contrast")]),
)
def test_tags_are_those_of_the_slow_loop(mean: np.ndarray, rule: Rule) -> None:
    profile = profile_of(mean)
    rows = tag_assignments(tag_filters(profile, [rule], network="n"))
    assert {(row.layer, row.filter, row.class_id, row.rank) for row in rows} == slow_tags(profile, rule)


def test_equal_activations_rank_the_lower_filter_first() -> None:
    tags = tag_filters(profile_of(np.full((2, 7), 0.5)), [Rule("k", 2)], network="n")
    assert {(row.filter, row.rank) for row in tag_assignments(tags)} == {(0, 1), (1, 2)}


@given(MEANS, st.sampled_from([Rule("k", 1), Rule("k", 9), Rule("q", 0.4), Rule("q", 1)]))
def test_a_rule_selects_what_it_tags(mean: np.ndarray, rule: Rule) -> None:
    profile = profile_of(mean)
    tags = tag_filters(profile, [rule], network="n")
    expected = np.zeros(mean.shape, dtype=np.bool_)
    expected[tags.class_, profile.layer_offsets[tags.layer] + tags.filter] = True
    np.testing.assert_array_equal(rule.select_by_layer(mean, profile.layer_offsets), expected)
    np.testing.assert_array_equal(rule.select(mean[:, 3:]), expected[:, 3:])


def test_of_equal_scores_the_lower_filter_index_is_selected() -> None:
    scores = np.array([[0.5, 0.1, 0.5, 0.5], [0.1, 0.2, 0.3, 0.2]])
    assert Rule("k", 2).select(scores).tolist() == [[True, False, True, False], [False, True, True, False]]


@given(MEANS)
def test_contrast_has_mean_0_and_deviation_1_unless_all_classes_are_alike(mean: np.ndarray) -> None:
    contrast = contrast_over_classes(mean)
    alike = np.ptp(mean, axis=0) == 0
    np.testing.assert_allclose(contrast.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(contrast.std(axis=0), np.where(alike, 0, 1), atol=1e-12)


def test_contrast_of_rounding_errors_is_no_finding() -> None:
    mean = np.full((3, 1), 0.1) + np.array([[0], [1e-17], [2e-16]])
    assert not contrast_over_classes(mean).any()


def test_several_rules_keep_their_order_and_their_own_tags() -> None:
    rules = [Rule("q", 0.5), Rule("k", 1), Rule("k", 1, "contrast")]
    tags = tag_filters(profile_of(np.random.default_rng(0).random((5, 7))), rules, network="n")
    assert tags.rules == ("q=0.5", "k=1", "k=1:contrast")
    assert [len(tags.of_rule(rule)) for rule in tags.rules] == [5 * (2 + 2), 5 * 2, 5 * 2]


@pytest.mark.parametrize(
    ("kind", "amount", "message"),
    [
        ("k", 0, "k=0 is not a number of filters: give a whole number from 1"),
        ("k", 1.5, "k=1.5 is not a number of filters: give a whole number from 1"),
        ("q", 0, "q=0 is not a share of the filters: give a number above 0, at most 1"),
        ("q", 1.01, "q=1.01 is not a share of the filters: give a number above 0, at most 1"),
        ("q", float("nan"), "q=nan is not a share of the filters: give a number above 0, at most 1"),
    ],
)
def test_amounts_out_of_range_are_refused(kind: str, amount: float, message: str) -> None:
    with pytest.raises(FiltagError) as error:
        Rule(kind, amount)  # type: ignore[arg-type]
    assert str(error.value) == message


def test_a_rule_given_twice_is_refused() -> None:
    with pytest.raises(FiltagError, match="give at least one rule, and each once"):
        tag_filters(profile_of(np.zeros((2, 7))), [Rule("k", 1), Rule("k", 1)], network="n")
