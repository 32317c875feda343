"""A drawing surface in CSS pixels, on matplotlib's artists, that ends as SVG fit for a page.

Matplotlib draws; what it writes is then taken apart and put together anew: colours become CSS variables with a light
and a dark value, so that a plot adapts to the reader's scheme by itself, in an ``<img>`` as in a page; marks get
tooltips and links; ids, fonts and metadata go. The same calls give the same bytes.
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from xml.etree import ElementTree as ET

import numpy as np

from filtag_kg.graph import xml_text
from filtag_kg.report.plots.style import COLOURS, STYLE_SHEET, Colour

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from numpy.typing import NDArray

__all__ = ["Anchor", "Canvas", "fitted", "one_line", "text_width"]

_SVG = "http://www.w3.org/2000/svg"
# matplotlib's own, so that texts are measured alike everywhere. It is wider than what browsers take for system-ui, so
# what fits here fits there.
_MEASURED = "DejaVu Sans"
_LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_KEPT = ("d", "x", "y", "transform")
_STYLES = (
    "fill",
    "stroke",
    "opacity",
    "stroke-opacity",
    "stroke-width",
    "stroke-linecap",
    "stroke-dasharray",
    "text-anchor",
    "font-size",
)
_WHOLE = 359.9
_VARIABLES = {light: f"var(--{name})" for name, (light, _) in COLOURS.items()}
# matplotlib's settings are the process's.
_DRAWING = threading.Lock()

Anchor = Literal["start", "middle", "end"]
_ALIGN = {"start": "left", "middle": "center", "end": "right"}


@dataclass(frozen=True, slots=True)
class _Mark:
    """What a mark says when pointed at, and where it leads."""

    title: str | None = None
    href: str | None = None
    # Its centre and radius; matplotlib has no circles but curves.
    circle: tuple[float, float, float] | None = None


class Canvas:
    """A plot that is being drawn. Positions are pixels from the top left; later marks lie over earlier ones.

    Parameters
    ----------
    name : str
        Of the kind of plot: in the SVG's class, and what ids in it differ by from those of other plots.
    width, height : float
    """

    def __init__(self, name: str, width: float, height: float) -> None:
        from matplotlib.figure import Figure

        self._name = name
        self._size = (width, height)
        # 72 dots an inch: one point is one pixel.
        self._figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        self._figure.patch.set_visible(False)
        self._axes = self._figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self._axes.set(xlim=(0, width), ylim=(height, 0))
        self._marks: list[_Mark] = []

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        colour: Colour,
        *,
        alpha: float = 1,
        title: str | None = None,
    ) -> None:
        """Draw a rectangle by its top left corner."""
        from matplotlib.patches import Rectangle

        self._add(
            Rectangle((x, y), width, height, facecolor=COLOURS[colour][0], alpha=alpha, linewidth=0), _Mark(title)
        )

    def circle(
        self, x: float, y: float, radius: float, colour: Colour, *, alpha: float = 1, title: str | None = None
    ) -> None:
        """Draw a disc."""
        from matplotlib.patches import Circle

        drawn = Circle((x, y), radius, facecolor=COLOURS[colour][0], alpha=alpha, linewidth=0)
        self._add(drawn, _Mark(title, circle=(x, y, radius)))

    def polygon(self, points: Sequence[tuple[float, float]], colour: Colour, *, alpha: float = 1) -> None:
        """Draw an area between points."""
        from matplotlib.patches import Polygon

        self._add(Polygon(points, closed=True, facecolor=COLOURS[colour][0], alpha=alpha, linewidth=0))

    def wedge(
        self,
        centre: tuple[float, float],
        radii: tuple[float, float],
        angles: tuple[float, float],
        colour: Colour,
        *,
        alpha: float = 1,
        title: str | None = None,
        href: str | None = None,
    ) -> None:
        """Draw a part of a ring between two radii; angles in degrees, clockwise from the top."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        inner, outer = radii
        start, stop = (angle - 90 for angle in angles)
        whole = stop - start > _WHOLE
        # y points down here, so that what is anticlockwise to matplotlib is clockwise.
        arc = Path.unit_circle() if whole else Path.arc(start, stop)
        around: NDArray[np.float64] = np.asarray(arc.vertices, dtype=np.float64)
        codes: NDArray[np.uint8] = np.asarray(arc.codes, dtype=np.uint8)
        if whole:
            # A hole, if it runs the other way round.
            vertices, both = np.vstack([outer * around, inner * around * (-1, 1)]), np.concatenate([codes, codes])
        else:
            back = codes.copy()
            back[0] = Path.LINETO
            vertices = np.vstack([outer * around, inner * around[::-1], outer * around[:1]])
            both = np.concatenate([codes, back, [Path.CLOSEPOLY]])
        path = Path(vertices + np.array(centre), both)
        drawn = PathPatch(path, facecolor=COLOURS[colour][0], edgecolor="none", alpha=alpha, linewidth=0)
        self._add(drawn, _Mark(title, href))

    def line(
        self,
        x: Sequence[float],
        y: Sequence[float],
        colour: Colour,
        *,
        width: float = 1,
        alpha: float = 1,
        dash: tuple[float, float] | None = None,
    ) -> None:
        """Draw a line through points; `dash` is how long its strokes and gaps are, in pixels."""
        from matplotlib.lines import Line2D

        drawn = Line2D(x, y, color=COLOURS[colour][0], linewidth=width, alpha=alpha)
        if dash is not None:
            # In multiples of the width.
            drawn.set_linestyle((0, tuple(length / width for length in dash)))
        drawn.set_solid_capstyle("round")
        drawn.set_dash_capstyle("butt")
        self._add(drawn)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        colour: Colour = "ink",
        size: float = 13,
        anchor: Anchor = "start",
        bold: bool = False,
        rotation: float = 0,
    ) -> None:
        """Write one line of text with the middle of its small letters at y; rotation in degrees, clockwise."""
        from matplotlib.text import Text

        drawn = Text(
            x,
            y,
            one_line(text),
            color=COLOURS[colour][0],
            fontfamily=_MEASURED,
            fontsize=size,
            fontweight="bold" if bold else "normal",
            ha=_ALIGN[anchor],
            va="center_baseline",
            rotation=-rotation,
            rotation_mode="anchor",
            # A class may be called "$1$".
            parse_math=False,
        )
        self._add(drawn)

    def _add(self, artist: Artist, mark: _Mark | None = None) -> None:
        artist.set_gid(f"mark-{len(self._marks)}")
        artist.set_zorder(len(self._marks))
        artist.set_clip_on(False)
        self._marks.append(mark or _Mark())
        self._axes.add_artist(artist)

    def svg(self, title: str, description: str) -> str:
        """Return the plot as SVG that stands alone and can be pasted into a page.

        Parameters
        ----------
        title, description : str
            For those who do not see the plot: what it is, and what it shows.
        """
        # What is parsed was written by matplotlib a moment ago.
        return self._assembled(ET.fromstring(self._drawn()), title, description)  # noqa: S314

    def _drawn(self) -> str:
        import matplotlib as mpl

        text = io.StringIO()
        with _DRAWING, warnings.catch_warnings(), mpl.rc_context():
            # The browser has fonts for what matplotlib's has no glyph of.
            warnings.filterwarnings("ignore", message="Glyph .* missing")
            mpl.rcdefaults()
            mpl.rcParams.update({"svg.hashsalt": f"filtag-kg {self._name}", "svg.fonttype": "none"})
            self._figure.savefig(text, format="svg", dpi=72, metadata={"Date": None})
        return text.getvalue()

    def _assembled(self, drawn: ET.Element, title: str, description: str) -> str:
        width, height = self._size
        links = any(mark.href for mark in self._marks)
        root = ET.Element(
            "svg",
            {
                "xmlns": _SVG,
                "class": f"plot plot-{self._name}",
                "viewBox": f"0 0 {width:g} {height:g}",
                "width": f"{width:g}",
                "height": f"{height:g}",
                # An image has no parts, so what has links is none.
                "role": "group" if links else "img",
                "aria-label": one_line(title),
            },
        )
        ET.SubElement(root, "title").text = one_line(title)
        ET.SubElement(root, "desc").text = one_line(description)
        ET.SubElement(root, "style").text = STYLE_SHEET
        groups = {group.get("id"): group for group in drawn.iter(f"{{{_SVG}}}g")}
        for place, mark in enumerate(self._marks):
            group = groups.get(f"mark-{place}")
            if group is not None:
                root.extend(_mark(group, mark))
        return f"{ET.tostring(root, encoding='unicode')}\n"


def one_line(text: str) -> str:
    """Return a text without line breaks and without what XML cannot hold."""
    return " ".join(xml_text(text).replace("\N{REPLACEMENT CHARACTER}", " ").split())


def text_width(text: str, size: float = 13, *, bold: bool = False) -> float:
    """Return how wide a text is, in pixels."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=_MEASURED, size=size, weight="bold" if bold else "normal")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        return float(text_to_path.get_text_width_height_descent(one_line(text), font, ismath=False)[0])


def fitted(text: str, width: float, size: float = 13) -> str:
    """Return a text cut to a width with an ellipsis; empty where less than three letters would be left."""
    text = one_line(text)
    if text_width(text, size) <= width:
        return text
    for length in range(len(text) - 1, 2, -1):
        cut = f"{text[:length].rstrip()}…"
        if text_width(cut, size) <= width:
            return cut
    return ""


def _mark(group: ET.Element, mark: _Mark) -> list[ET.Element]:
    drawn = (f"{{{_SVG}}}path", f"{{{_SVG}}}text")
    leaves = [_plain(leaf, mark.circle) for leaf in group.iter() if leaf.tag in drawn]
    if mark.title is None and mark.href is None:
        return leaves
    around = ET.Element("g")
    if mark.href is not None:
        around = ET.Element("a", {"href": mark.href, "aria-label": one_line(mark.title or mark.href)})
    if mark.title is not None:
        ET.SubElement(around, "title").text = one_line(mark.title)
    around.extend(leaves)
    return [around]


def _plain(leaf: ET.Element, circle: tuple[float, float, float] | None) -> ET.Element:
    """Return what matplotlib wrote with attributes in place of styles, which a page may forbid, and short numbers."""
    plain = ET.Element("circle" if circle else leaf.tag.rpartition("}")[2])
    plain.text = leaf.text
    if circle:
        plain.attrib.update(zip(("cx", "cy", "r"), (f"{number:.2f}" for number in circle), strict=True))
    for name, value in leaf.attrib.items():
        if name in _KEPT and not (name == "d" and circle) and not value.startswith("rotate(-0 "):
            plain.set(name, " ".join(value.split()))
    for name, value in re.findall(r"([a-z-]+):\s*([^;]+)", leaf.get("style", "")):
        if name == "font-weight":
            plain.set(name, "600")
        elif name == "text-anchor" and value == "start":
            continue
        elif name in _STYLES:
            plain.set(name, _VARIABLES.get(value, value))
    for name, value in plain.attrib.items():
        plain.set(name, _LONG_NUMBER.sub(_short, value))
    return plain


def _short(number: re.Match[str]) -> str:
    return f"{float(number.group()):.2f}".rstrip("0").rstrip(".")
