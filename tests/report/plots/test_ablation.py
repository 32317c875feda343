"""The plot of an ablation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from filtag_kg.report.plots import NARROW, ablation_plot
from tests.report.plots.reading import circles, texts
from tests.views.test_ablations import CONCEPT, DIFFERENCE, OTHERS, ablation


def test_points_lie_on_one_scale_around_no_change() -> None:
    cat = ablation(replace(OTHERS, scope="concept"), OTHERS, DIFFERENCE, label="cat")
    svg = ablation_plot([ablation(CONCEPT, OTHERS, DIFFERENCE), cat])
    assert svg is not None
    points = [(x, title) for title, (x, _, _) in circles(svg).items()]
    assert [title for _, title in points] == [
        "−20.0 points, 95 % interval −30.0 to −10.0",
        "−1.0 points, 95 % interval −2.0 to 0.0",
        "−19.0 points, 95 % interval −29.0 to −9.0",
    ]
    at = {title.partition(" ")[0]: x for x, title in points}
    # 19 points and 1 point apart.
    assert at["−1.0"] - at["−20.0"] == pytest.approx(19 * (at["−19.0"] - at["−20.0"]), rel=0.02)
    shown = set(texts(svg))
    assert {"dog: 3 filters set to zero", "cat: 3 filters set to zero", "other classes", "difference", "0.0"} <= shown


def test_a_narrow_one_and_none() -> None:
    svg = ablation_plot([ablation(CONCEPT, OTHERS, DIFFERENCE)], width=NARROW)
    assert svg is not None
    assert all(0 <= x <= NARROW for x, _, _ in circles(svg).values())
    assert ablation_plot([]) is None
