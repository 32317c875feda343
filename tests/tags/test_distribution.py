from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filtag_kg import Profile, Rule, TagTable, tag_filters
from filtag_kg.tags import distribution_csv, tag_distribution
from filtag_kg.tags.distribution import gini


def table(tags_of_filters: list[int], n_classes: int) -> TagTable:
    """One layer, whose filter i is tagged with the first tags_of_filters[i] classes."""
    filters = np.repeat(np.arange(len(tags_of_filters)), tags_of_filters)
    n_tags = len(filters)
    nothing = np.zeros(n_tags, dtype=np.int64)
    return TagTable(
        network="x",
        layer_names=("only",),
        n_filters=(len(tags_of_filters),),
        class_ids=tuple(map(str, range(n_classes))),
        class_labels=tuple(map(str, range(n_classes))),
        rules=("k=1",),
        rule=nothing,
        layer=nothing,
        filter=filters,
        class_=np.concatenate([np.arange(n) for n in tags_of_filters]).astype(np.int64),
        rank=nothing,
        activation=np.zeros(n_tags),
        contrast=np.zeros(n_tags),
    )


def test_by_hand() -> None:
    (row,) = tag_distribution(table([0, 0, 1, 1, 3, 15], 20))
    assert (row.filters, row.tagged, row.tags, row.median, row.max) == (6, 4, 20, 2.0, 15)
    # A tenth of the classes are 2, twice the mean is 6.67: the filter with 3 tags is no hub.
    assert (row.hubs, row.hub_share) == (1, 0.75)
    assert row.gini == pytest.approx((-1 * 1 + 1 * 1 + 3 * 3 + 5 * 15) / (6 * 20))
    assert row.least_gini == pytest.approx(2 * 4 / (6 * 20)), "as even as can be: 3, 3, 3, 3, 4, 4"


def test_few_tags_on_many_filters_make_no_hub() -> None:
    (row,) = tag_distribution(table([1] * 5 + [0] * 95, 50))
    assert (row.hubs, row.tagged) == (0, 5)
    assert row.gini == row.least_gini == pytest.approx(0.95)


def test_a_rule_that_gives_every_class_to_every_filter_makes_no_hub() -> None:
    (row,) = tag_distribution(table([10] * 4, 10))
    assert (row.hubs, row.gini, row.least_gini) == (0, 0.0, 0.0)


def test_a_layer_without_tags() -> None:
    (row,) = tag_distribution(table([0, 0], 3))
    assert (row.tagged, row.tags, row.median, row.max, row.hubs, row.hub_share, row.gini) == (0, 0, 0.0, 0, 0, 0.0, 0.0)


def test_rules_and_layers_stand_in_the_order_of_the_table(profile: Profile) -> None:
    tags = tag_filters(profile, [Rule("q", 0.5), Rule("k", 1, "contrast")], network="toy")
    rows = tag_distribution(tags)
    assert [(row.rule, row.layer_index, row.layer) for row in rows] == [
        ("q=0.5", 0, "shallow"),
        ("q=0.5", 1, "deep"),
        ("k=1:contrast", 0, "shallow"),
        ("k=1:contrast", 1, "deep"),
    ]
    lines = distribution_csv(rows).splitlines()
    assert lines[0] == ("rule,layer_index,layer,filters,tagged,tags,median,max,hubs,hub_share,gini,least_gini"), (
        "a stable header"
    )
    assert lines[1].startswith("q=0.5,0,shallow,2,1,8,8.0,8,1,1.0,0.5,")


@settings(deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=12))
def test_the_index_equals_the_mean_difference_and_no_spread_is_more_even(counts: list[int]) -> None:
    total, n = sum(counts), len(counts)
    slow = sum(abs(x - y) for x in counts for y in counts) / (2 * n * total) if total else 0.0
    assert gini(np.array(counts)) == pytest.approx(slow)
    (row,) = tag_distribution(table(counts, 20))
    assert row.least_gini <= row.gini + 1e-12
