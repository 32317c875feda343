"""The plots of a real KG in Chromium: no text over another or beyond the edge, light on dark and dark on light."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filtag_kg.kg import KG
from filtag_kg.query import LocalEndpoint
from filtag_kg.report.grouping import GroupedRun, group_run
from filtag_kg.report.plots import NARROW, WIDE, concept_tree, layer_share_plot, sunburst_plot, tag_count_plot
from filtag_kg.views import load_kg
from tests.browser import browser, page
from tests.report.plots.reading import page_svg

if TYPE_CHECKING:
    from playwright.sync_api import Browser


# Each text as its four corners, without the room above and below its letters, as it is turned.
CORNERS = """() => [...document.querySelectorAll("text")].map((text) => {
  const box = text.getBBox(), m = text.getCTM(), top = box.y + 0.2 * box.height, low = box.y + 0.8 * box.height;
  return [text.textContent, [[box.x, top], [box.x + box.width, top], [box.x + box.width, low], [box.x, low]]
    .map(([x, y]) => [m.a * x + m.c * y + m.e, m.b * x + m.d * y + m.f])];
})"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def grouped(vgg: KG) -> GroupedRun:
    loaded = load_kg(vgg)
    return group_run(loaded, next(iter(loaded.runs.values())))


@pytest.fixture(scope="module")
def sunburst(vgg: KG, grouped: GroupedRun) -> str:
    endpoint = LocalEndpoint(vgg)
    parents: dict[str, list[str]] = {}
    asked = "SELECT DISTINCT ?c ?above WHERE { ?c skos:broader ?above } ORDER BY ?c ?above"
    for concept, above in endpoint.ask(asked).values():
        parents.setdefault(concept, []).append(above)
    labels = dict(endpoint.ask("SELECT ?c ?label WHERE { ?c a skos:Concept ; skos:prefLabel ?label }").values())
    return page_svg(sunburst_plot(concept_tree(grouped, parents, labels)))


def apart(one: list[list[float]], other: list[list[float]]) -> bool:
    """Whether a line along a side of either separates two rectangles."""
    for corners in (one, other):
        for (x, y), (next_x, next_y) in zip(corners, [*corners[1:], corners[0]], strict=True):
            across = [[a * (next_y - y) + b * (x - next_x) for a, b in each] for each in (one, other)]
            if max(across[0]) <= min(across[1]) or max(across[1]) <= min(across[0]):
                return True
    return False


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_no_text_lies_over_another(
    chromium: Browser, grouped: GroupedRun, sunburst: str, width: int, tmp_path: Path
) -> None:
    plot = tmp_path / "plot.svg"
    with page(chromium, tmp_path.as_uri()) as opened:
        for svg in (
            sunburst,
            page_svg(tag_count_plot(grouped.table, grouped.network, width=width)),
            page_svg(layer_share_plot(grouped.layers, width=width)),
        ):
            plot.write_text(svg, encoding="utf-8")
            opened.goto(plot.as_uri())
            right, bottom = opened.evaluate(
                "[document.documentElement.viewBox.baseVal].map(b => [b.width, b.height])[0]"
            )
            drawn = opened.evaluate(CORNERS)
            assert drawn
            for index, (text, corners) in enumerate(drawn):
                assert all(-1 <= x <= right + 1 and -1 <= y <= bottom + 1 for x, y in corners), text
                assert all(apart(corners, other) for _, other in drawn[:index]), text


@pytest.mark.parametrize(("scheme", "ink"), [("light", "rgb(29, 33, 38)"), ("dark", "rgb(232, 230, 225)")])
def test_ink_is_dark_on_light_and_light_on_dark(
    chromium: Browser, sunburst: str, scheme: str, ink: str, tmp_path: Path
) -> None:
    plot = tmp_path / "plot.svg"
    plot.write_text(sunburst, encoding="utf-8")
    with page(chromium, tmp_path.as_uri(), scheme=scheme) as opened:
        opened.goto(plot.as_uri())
        assert opened.evaluate("getComputedStyle(document.querySelector('text')).fill") == ink
