from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtag_kg.report.grouping import GroupedRun
from filtag_kg.report.plots import NARROW, WIDE, TagCounts, tag_count_plot, tag_counts
from tests.report.plots.reading import boxes, grouped_run, texts

COUNTS = [1, 1, 2, 3, 4, 30]


def run_of(counts: list[int]) -> GroupedRun:
    return grouped_run({}, tags={("second", index): count for index, count in enumerate(counts)})


def counts_of(grouped: GroupedRun) -> list[TagCounts]:
    return tag_counts(grouped.table, grouped.network)


def plot_of(grouped: GroupedRun, width: int = WIDE) -> str | None:
    return tag_count_plot(grouped.table, grouped.network, width=width)


def test_filters_are_counted_by_doubling_numbers_of_tags() -> None:
    run = grouped_run({}, tags={**{("second", index): count for index, count in enumerate(COUNTS)}, ("last", 0): 5})
    every, last = counts_of(run)
    assert every == TagCounts(
        name="all layers",
        untagged=33,
        bins=((1, 1, 2), (2, 2, 1), (3, 4, 2), (5, 8, 1), (9, 16, 0), (17, 32, 1)),
        median=3.0,
        most=30,
        # Ten filters share 5 tags in the last layer, and 5 is a tenth of the 40 classes or more.
        hubs=2,
    )
    assert last == TagCounts("last", 9, ((1, 1, 0), (2, 2, 0), (3, 4, 0), (5, 8, 1)), 5.0, 5, 1)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_every_filter_is_in_one_bin(counts: list[int]) -> None:
    every, last = counts_of(run_of(counts))
    assert (every.filters, every.tagged, last.tagged) == (40, len(counts), 0)
    for first, last_number, filters in every.bins:
        assert filters == sum(first <= count <= last_number for count in counts)


def test_hubs_are_those_of_the_distribution() -> None:
    import numpy as np

    from filtag_kg.tags import TagTable, tag_distribution

    filters = np.repeat(np.arange(len(COUNTS)), COUNTS)
    zeros = np.zeros(len(filters), dtype=np.int64)
    classes = np.concatenate([np.arange(count) for count in COUNTS])
    names = tuple(f"n{index}" for index in range(40))
    known = np.full(len(filters), np.nan)
    columns = (zeros, zeros, filters, classes, zeros, known, known)
    table = TagTable("net", ("second",), (20,), names, names, ("k=1",), *columns)
    (row,) = tag_distribution(table)
    every, _ = counts_of(run_of(COUNTS))
    assert (every.hubs, every.median, every.most) == (row.hubs, row.median, row.max)


def test_bars_are_as_high_as_their_filters_are_many() -> None:
    svg = plot_of(run_of(COUNTS))
    bars = boxes(svg)
    one = bars["all layers: 2 of 6 tagged filters have 1 tag"]
    two = bars["all layers: 1 of 6 tagged filters have 2 tags"]
    assert one[3] == two[3]
    assert one[3] - one[1] == pytest.approx(2 * (two[3] - two[1]), abs=0.03)
    whole, tagged = bars["all layers: 34 filters have no tag"], bars["all layers: 6 of 40 filters are tagged"]
    assert (tagged[2] - tagged[0]) / (whole[2] - whole[0]) == pytest.approx(6 / 40, abs=0.001)
    assert {"6 of 40 filters are tagged", "median 2.5, most 30 tags, 1 hub", "17–32"} <= set(texts(svg))
    assert "0 of 10 filters are tagged" in texts(svg)


def test_panels_are_below_each_other_on_a_phone() -> None:
    wide, narrow = boxes(plot_of(run_of(COUNTS))), boxes(plot_of(run_of(COUNTS), width=NARROW))
    every, last = "all layers: 34 filters have no tag", "last: 10 filters have no tag"
    assert wide[every][1] == wide[last][1]
    assert narrow[every][0] == narrow[last][0]
    assert narrow[every][3] < narrow[last][1]


def test_no_tags_and_a_layer_alone() -> None:
    assert plot_of(grouped_run({})) is None
    alone = grouped_run({}, tags={("last", 0): 2}, layers={"last": 10})
    assert [panel.name for panel in counts_of(alone)] == ["last"]
    assert "all layers" not in texts(plot_of(alone))
