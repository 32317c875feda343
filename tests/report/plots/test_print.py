"""What holds for every plot in print: plain colours, embedded fonts, a column's width, the same bytes each time."""

from __future__ import annotations

import io
import itertools
import re
import zlib

import numpy as np
import pytest

from filtag_kg.report.grouping import GroupedRun
from filtag_kg.report.plots import NARROW, PRINT_PAGE
from filtag_kg.report.plots.canvas import Canvas
from filtag_kg.report.plots.style import COLOURS, PRINT_COLOURS
from tests.report.plots.reading import SVG, parsed, texts
from tests.report.plots.test_svg import EVIL, PLOTS

MM = 72 / 25.4


def pdf_streams(pdf: bytes) -> bytes:
    """The unpacked content of a PDF's streams."""
    found = []
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(packed))
        except zlib.error:
            found.append(packed)
    return b"\n".join(found)


@pytest.mark.parametrize(
    ("name", "width", "mm"), [*((name, NARROW, 84.0) for name in PLOTS), ("hits", PRINT_PAGE, 175.5)]
)
def test_a_plot_in_print(grouped: GroupedRun, name: str, width: int, mm: float) -> None:
    plot = PLOTS[name](grouped, width)
    assert plot is not None
    svg = plot.svg()
    root = parsed(svg)
    assert svg == plot.svg()
    assert "var(" not in svg
    assert set(texts(svg)) == set(texts(plot))
    assert {element.get("fill") for element in root.iter()} <= {None, "none", *PRINT_COLOURS.values()}
    assert not list(root.iter(f"{SVG}a"))
    assert [child.tag for child in root][:3] == [f"{SVG}title", f"{SVG}desc", f"{SVG}rect"]
    if name != "confusion":  # As wide as its cells.
        assert float((root.get("width") or "").removesuffix("mm")) == pytest.approx(mm, abs=0.2)
    pdf = plot.pdf()
    assert pdf == plot.pdf()
    assert pdf.startswith(b"%PDF-1.")
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    (box,) = re.findall(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", pdf)
    assert [float(side) for side in box] == pytest.approx(
        [float((root.get(side) or "").removesuffix("mm")) * MM for side in ("width", "height")], rel=0.001
    )
    assert b"/CreationDate" not in pdf
    # TrueType fonts within the file, no Type 3, which some publishers refuse.
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf


def test_any_name_is_drawn_in_print() -> None:
    canvas = Canvas("test", 400, 20)
    canvas.text(0, 10, EVIL)
    plot = canvas.plot(f"a title {EVIL}", "what it shows")
    assert "<script" not in plot.svg()
    assert plot.pdf().startswith(b"%PDF")


def test_pictures(tmp_path: object) -> None:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (4, 4), (250, 10, 10)).save(file, "PNG")
    canvas = Canvas("test", 100, 60)
    canvas.picture(10, 5, 40, 40, file.getvalue())
    plot = canvas.plot("a title", "what it shows")
    for svg in (plot.svg(), plot.page_svg()):
        (image,) = parsed(svg).iter(f"{SVG}image")
        assert [image.get(side) for side in ("x", "y", "width", "height")] == ["10", "5", "40", "40"]
        assert (image.get("{http://www.w3.org/1999/xlink}href") or "").startswith("data:image/png;base64,")
    assert plot.pdf() == plot.pdf()
    assert b"/Subtype /Image" in plot.pdf()


def lightness(colour: str) -> float:
    """L* of CIELAB, 0 for black and 100 for white."""
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    y = float(np.dot([0.2126, 0.7152, 0.0722], linear))
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


def as_deuteranope(colour: str) -> tuple[float, float, float]:
    """Linear RGB as somebody without green cones sees it (Viénot, Brettel & Mollon 1999)."""
    linear = np.array([(int(colour[start : start + 2], 16) / 255) ** 2.2 for start in (1, 3, 5)])
    to_lms = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
    seen = np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]])
    return tuple(np.linalg.inv(to_lms) @ seen @ to_lms @ linear)


def test_colours_in_print_are_told_apart() -> None:
    assert set(PRINT_COLOURS) == set(COLOURS)
    # k and q in the plot of Hits@n; agreement and error in the confusion; the interval behind a line.
    for one, other in (("same", "predicted"), ("same", "near"), ("same", "far"), ("ink", "quiet")):
        assert abs(lightness(PRINT_COLOURS[one]) - lightness(PRINT_COLOURS[other])) > 20, (one, other)
    hues = ("same", "predicted", "blue", "ochre", "plum", "slate")
    for one, other in itertools.combinations(hues, 2):
        distance = np.linalg.norm(
            np.array(as_deuteranope(PRINT_COLOURS[one])) - np.array(as_deuteranope(PRINT_COLOURS[other]))
        )
        assert distance > 0.1, (one, other)
