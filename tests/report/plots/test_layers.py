"""The plots that have the layers along the bottom."""

from __future__ import annotations

import math

import pytest

from filtag_kg.report.grouping import GroupedRun
from filtag_kg.report.plots import emergence_plot, emerging_concepts, layer_share_plot
from filtag_kg.report.plots.emergence import EmergingConcept
from tests.report.plots.reading import boxes, circles, grouped_run, page_svg, texts


def test_concepts_are_in_the_order_of_their_first_layer(grouped: GroupedRun) -> None:
    assert emerging_concepts(grouped) == [
        EmergingConcept("c:dog", "dog", (1, 1, 4)),
        EmergingConcept("c:car", "car", (0, 2, 0)),
        EmergingConcept("c:boat", "boat", (0, 0, 1)),
    ]
    assert [row.first for row in emerging_concepts(grouped)] == [0, 1, 2]
    assert [row.label for row in emerging_concepts(grouped, most=1)] == ["dog"]


def test_dots_stand_in_their_layers_and_grow_with_their_filters(grouped: GroupedRun) -> None:
    svg = emergence_plot(grouped)
    dots = circles(svg)
    assert set(dots) == {
        "dog in first: 1 filter",
        "dog in second: 1 filter",
        "dog in last: 4 filters",
        "car in second: 2 filters",
        "boat in last: 1 filter",
    }
    rows = [dots[name][1] for name in ("dog in first: 1 filter", "car in second: 2 filters", "boat in last: 1 filter")]
    assert rows == sorted(set(rows))
    assert len({dots[name][1] for name in dots if name.startswith("dog")}) == 1
    columns = [dots[f"dog in {layer}"][0] for layer in ("first: 1 filter", "second: 1 filter", "last: 4 filters")]
    assert columns == sorted(set(columns))
    assert dots["car in second: 2 filters"][0] == columns[1]
    # Areas are as the numbers are.
    assert dots["dog in last: 4 filters"][2] == pytest.approx(2 * dots["dog in first: 1 filter"][2], abs=0.02)
    assert {"dog", "car", "boat", "first", "second", "last", "6", "2", "1"} <= set(texts(svg))


def test_points_and_whiskers_are_wilsons(grouped: GroupedRun) -> None:
    svg = layer_share_plot(grouped.layers)
    points, bars = circles(svg), boxes(svg)
    # Of the first layer's three tagged filters one has one tag alone.
    assert [(row.coherent.count, row.coherent.total, row.tagged) for row in grouped.layers] == [
        (1, 2, 3),
        (3, 4, 4),
        (5, 5, 5),
    ]
    assert list(points) == [
        "first: 1 of 2 have a clear theme, 50.0 % (95 % interval 9.5 to 90.5 %)",
        "second: 3 of 4 have a clear theme, 75.0 % (95 % interval 30.1 to 95.4 %)",
        "last: 5 of 5 have a clear theme, 100.0 % (95 % interval 56.6 to 100.0 %)",
    ]
    half, three_quarters, all_ = (y for _, y, _ in points.values())
    assert half - three_quarters == pytest.approx(three_quarters - all_, abs=0.02)
    columns = [x for x, _, _ in points.values()]
    assert columns == sorted(set(columns))
    tagged = bars["first: 3 of 10 filters are marked"]
    assert (tagged[3] - tagged[1]) / (tagged[3] - all_) == pytest.approx(0.3, abs=0.001)
    assert {"first", "second", "last", "0", "25", "50", "75", "100 %"} <= set(texts(svg))


def test_a_layer_without_several_tags_has_no_point() -> None:
    grouped = grouped_run({("last", 0): "dog"}, tags={("first", 0): 1})
    assert len(circles(layer_share_plot(grouped.layers))) == 1
    assert len(boxes(layer_share_plot(grouped.layers))) == 3


@pytest.mark.parametrize("width", [900, 350])
def test_of_many_layers_as_many_are_named_as_fit(width: int) -> None:
    layers = {f"block{index}_conv": 10 for index in range(160)}
    grouped = grouped_run({(layer, 0): "dog" for layer in layers}, layers=layers)
    svg = emergence_plot(grouped, width=width)
    named = [text for text in texts(svg) if text.startswith("block")]
    assert named[0] == "block0_conv"
    assert named[-1] == "block159_conv"
    assert 8 < len(named) <= width / 19
    assert len(circles(svg)) == 160


def test_a_deep_network_with_every_concept_everywhere_stays_small() -> None:
    layers = {f"conv5_block{index}_3_conv": 100 for index in range(155)}
    common = {(layer, filter_): f"concept {filter_}" for layer in layers for filter_ in range(15)}
    grouped = grouped_run(common, layers=layers)
    svg = page_svg(emergence_plot(grouped))
    assert svg.count("<circle") == 155 * 15 + 1
    assert len(svg) < 200_000
    assert len(page_svg(layer_share_plot(grouped.layers))) < 150_000


def test_where_there_is_nothing_to_draw() -> None:
    nothing = grouped_run({}, tags={("last", 0): 1})
    assert emergence_plot(nothing) is None
    assert layer_share_plot(nothing.layers) is None
    alone = grouped_run({("last", 0): "dog"}, layers={"last": 10})
    assert emergence_plot(alone) is None
    assert len(circles(layer_share_plot(alone.layers))) == 1
    assert math.isclose(alone.coherent.value or 0, 1.0)
