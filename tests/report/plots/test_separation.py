"""Panels of separation by depth, and which concepts have one."""

from __future__ import annotations

import pytest

from filtag_kg.concepts import ConceptInLayer
from filtag_kg.kg import KG
from filtag_kg.report import run_figures
from filtag_kg.report.grouping import group_run
from filtag_kg.report.plots import NARROW, separation_plot
from filtag_kg.views import load_kg
from tests.report.plots.reading import circles, texts, titles


def panel(label: str, *values: float | None) -> list[ConceptInLayer]:
    """Layers of a concept, with an interval where the separation is not 0.5."""
    return [
        ConceptInLayer(
            rule="k=1",
            layer=f"layer {index}",
            concept=f"c:{label}",
            label=label,
            classes=5,
            filters=0,
            concentration=None,
            separation=value,
            low=None if value in (None, 0.5) else value - 0.1,
            high=None if value in (None, 0.5) else min(1.0, value + 0.1),
        )
        for index, value in enumerate(values)
    ]


def test_points_rise_with_separation_above_the_line_of_chance() -> None:
    svg = separation_plot([panel("dog", 0.5, 0.75, 1.0), panel("car", 0.2, None, 0.9)])
    points = circles(svg)
    assert list(points) == [
        "dog in layer 0: 0.50",
        "dog in layer 1: 0.75 (95 % interval 0.65 to 0.85)",
        "dog in layer 2: 1.00 (95 % interval 0.90 to 1.00)",
        "car in layer 0: 0.20 (95 % interval 0.10 to 0.30)",
        "car in layer 2: 0.90 (95 % interval 0.80 to 1.00)",
    ]
    x, y = zip(*((x, y) for x, y, _ in list(points.values())[:3]), strict=True)
    assert list(x) == sorted(set(x))
    assert y[0] - y[1] == pytest.approx(y[1] - y[2], abs=0.02)
    assert {"dog", "car", "0.5", "1", "chance, 0.5", "layer 0", "layer 2"} <= set(texts(svg))


def test_where_nothing_is_separated_there_is_no_plot() -> None:
    assert separation_plot([]) is None
    assert separation_plot([panel("dog", None, None)]) is None
    assert separation_plot([panel("dog", 0.9)]) is None  # one layer has no depth


@pytest.mark.parametrize("width", [NARROW, 900])
def test_panels_stand_in_rows(width: int) -> None:
    svg = separation_plot([panel(f"kind {index}", 0.5, 0.9) for index in range(5)], width=width)
    corners = {(round(x), round(y)) for x, y, _ in circles(svg).values()}
    rows = {y for _, y in corners}
    assert len(rows) == 2 * (3 if width == NARROW else 2)
    assert all(0 < x < width for x, _ in corners)


def test_a_build_is_drawn_once_with_the_concepts_of_most_coherent_filters_first(kg: KG) -> None:
    loaded = load_kg(kg, q=1.1)
    drawn = {
        table.run.rule: {figure.name.split("-", 1)[1]: figure for figure in run_figures(group_run(loaded, table), str)}
        for table in loaded.runs.values()
    }
    assert "separation" in drawn["k=1"]
    assert "separation" not in drawn["q=0.5"]
    labels = list(dict.fromkeys(title.split(" in ")[0] for title in titles(drawn["k=1"]["separation"].wide)))
    assert {"dog", "cat"} & set(labels)
    assert len(labels) <= 8


def test_without_a_profile_no_separation_is_drawn(vgg: KG) -> None:
    loaded = load_kg(vgg)
    (table,) = loaded.runs.values()
    assert all(row.separation is None for rows in table.in_layers.values() for row in rows)
    names = [figure.name for figure in run_figures(group_run(loaded, table), str)]
    assert not any(name.endswith("-separation") for name in names)
