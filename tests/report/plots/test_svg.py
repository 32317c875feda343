"""What holds for every plot: it stands alone, adapts to light and dark, and is the same each time."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from filtag_kg.explain import Confusion, HitsRow
from filtag_kg.report.grouping import GroupedRun
from filtag_kg.report.plots import (
    NARROW,
    WIDE,
    FilterRow,
    Plot,
    concept_tree,
    confusion_plot,
    emergence_plot,
    filter_rows_plot,
    hits_plot,
    layer_share_plot,
    separation_plot,
    sunburst_plot,
    tag_count_plot,
)
from filtag_kg.report.plots.canvas import Canvas, fitted, one_line, text_width
from filtag_kg.report.plots.style import COLOURS
from tests.report.plots.reading import SVG, grouped_run, page_svg, parsed, texts
from tests.report.plots.test_separation import panel

EVIL = "<script>alert(1)</script> & $x^2$ \x00 \U0001f41d \u8702"
HITS = [HitsRow("k=1", "all", n, 5, n / 20, n / 30, n / 15, n / 100, 0.01, None, None, None, 3) for n in (1, 5, 10)]
CONFUSIONS = [
    Confusion("c:dog", "dog", "c:dog", "dog", same=True, mistakes=3, share_of_true=0.75, share=0.6),
    Confusion("c:dog", "dog", "c:cat", "cat", same=False, mistakes=1, share_of_true=0.25, share=0.2),
    Confusion("c:cat", "cat", "c:owl", "owl", same=False, mistakes=1, share_of_true=1.0, share=0.2),
]
FILTERS = [
    FilterRow(
        "dog", "a_layer_with_a_long_name, filter 176", ", ".join(["golden retriever", "corgi", "toy poodle"] * 5)
    ),
    FilterRow("a kind of thing with a very long name that nobody expects", "last, filter 0", "tabby"),
]
PLOTS: dict[str, Callable[[GroupedRun, int], Plot | None]] = {
    "emergence": lambda grouped, width: emergence_plot(grouped, width=width),
    "separation": lambda _, width: separation_plot([panel("dog", 0.5, 0.8, 0.9), panel("car", 0.9, 1, 1)], width=width),
    "layer-share": lambda grouped, width: layer_share_plot(grouped.layers, width=width),
    "tag-counts": lambda grouped, width: tag_count_plot(grouped.table, grouped.network, width=width),
    "hits": lambda _, width: hits_plot(HITS, width=width),
    "sunburst": lambda grouped, width: sunburst_plot(concept_tree(grouped, {}, {}), width=width),
    "confusion": lambda _, width: confusion_plot(CONFUSIONS, width=width),
    "filter-rows": lambda _, width: filter_rows_plot(FILTERS, width=width),
}


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_stands_alone_and_adapts(grouped: GroupedRun, name: str, width: int) -> None:
    svg = page_svg(PLOTS[name](grouped, width))
    root = parsed(svg)
    assert svg == page_svg(PLOTS[name](grouped, width))
    assert len(svg) < 20_000
    assert (root.get("class"), root.get("role")) == (f"plot plot-{name}", "img")
    assert [child.tag for child in root][:3] == [f"{SVG}title", f"{SVG}desc", f"{SVG}style"]
    assert root.get("aria-label") == root[0].text
    assert len(root[1].text or "") > 30
    drawn_width, drawn_height = (float(number) for number in (root.get("viewBox") or "").split()[2:])
    assert (root.get("width"), root.get("height")) == (f"{drawn_width:g}", f"{drawn_height:g}")
    style = root[2].text or ""
    light, dark = re.findall(r"--ink:(#\w+)", style)
    assert (light, dark) == COLOURS["ink"]
    assert "@media (prefers-color-scheme:dark)" in style
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in {"svg", "title", "desc", "style", "g", "path", "circle", "text"}
        # No ids that a second plot in the page might have, no handler, no style that a policy might refuse.
        assert set(element.attrib) & {"id", "style", "href", "clip-path"} == set()
        assert not [name for name in element.attrib if name.startswith("on")]
        for colour in (element.get("fill"), element.get("stroke")):
            assert colour in (None, "none") or re.fullmatch(r"var\(--\w+\)", colour or "")
    assert "url(" not in svg
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("name", PLOTS)
def test_texts_lie_within_the_plot(grouped: GroupedRun, name: str, width: int) -> None:
    root = parsed(PLOTS[name](grouped, width))
    right = float((root.get("viewBox") or "").split()[2])
    for text in root.iter(f"{SVG}text"):
        if text.get("transform"):
            continue
        long = text_width(text.text or "", float((text.get("font-size") or "").removesuffix("px")))
        start = float(text.get("x", "")) - {"middle": long / 2, "end": long}.get(text.get("text-anchor", ""), 0)
        assert start >= -0.5, text.text
        assert start + long <= right + 0.5, text.text


def test_colours_are_those_of_the_pages() -> None:
    import filtag_kg.report

    css = (Path(filtag_kg.report.__file__).parent / "templates" / "page.css").read_text(encoding="utf-8")
    for name in ("paper", "ink", "quiet", "line", "same", "near", "far", "predicted"):
        assert tuple(re.findall(rf"--{name}: (#\w+)", css)) == COLOURS[name]


@pytest.mark.filterwarnings("error")
def test_any_name_is_shown_and_does_nothing() -> None:
    shown = one_line(EVIL)
    assert shown == "<script>alert(1)</script> & $x^2$ \U0001f41d \u8702"
    grouped = grouped_run({("first", 0): EVIL, ("last", 0): EVIL})
    for plot in (emergence_plot(grouped), sunburst_plot(concept_tree(grouped, {}, {f"c:{EVIL}": EVIL}))):
        svg = page_svg(plot)
        assert "<script" not in svg
        assert "alert(1)" in svg
        parsed(svg)
    canvas = Canvas("test", 400, 20)
    canvas.text(0, 10, EVIL)
    assert texts(canvas.plot("a title", "what it shows")) == [shown]


def test_links_make_a_group_of_what_was_an_image() -> None:
    canvas = Canvas("test", 100, 100)
    canvas.wedge((50, 50), (10, 40), (0, 90), "same", title="dog: 3 filters", href="../concept/dog.html?a=1&b=2")
    canvas.wedge((50, 50), (10, 40), (90, 360), "same", title="cat: 9 filters")
    root = parsed(canvas.plot("a title", "what it shows"))
    assert root.get("role") == "group"
    (link,) = root.iter(f"{SVG}a")
    assert (link.get("href"), link.get("aria-label")) == ("../concept/dog.html?a=1&b=2", "dog: 3 filters")
    assert root.findall(f"{SVG}g/{SVG}title")[0].text == "cat: 9 filters"


def test_a_text_is_cut_to_its_width() -> None:
    assert fitted("dog", 100) == "dog"
    cut = fitted("geological formation", 100)
    assert cut.endswith("…")
    assert text_width(cut) <= 100 < text_width("geological formation")
    assert fitted("geological formation", 5) == ""


def test_users_matplotlib_settings_change_nothing(grouped: GroupedRun) -> None:
    import matplotlib as mpl

    before = page_svg(emergence_plot(grouped))
    with mpl.rc_context({"svg.fonttype": "path", "lines.linewidth": 7, "text.color": "red", "font.family": "serif"}):
        assert page_svg(emergence_plot(grouped)) == before
        assert mpl.rcParams["svg.fonttype"] == "path"
