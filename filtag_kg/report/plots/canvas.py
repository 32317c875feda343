"""A drawing surface in CSS pixels, on matplotlib's artists, that ends as SVG fit for a page.

Matplotlib draws, and its SVG is then rewritten: colours become CSS variables with a light and a dark value, so that a
plot follows the reader's colour scheme, in an ``<img>`` as in a page; marks get tooltips and links; ids, fonts and
metadata are dropped. The same calls give the same bytes.
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from xml.etree import ElementTree as ET

import numpy as np

from filtag_kg.graph import xml_text
from filtag_kg.report.plots.style import COLOURS, STYLE_SHEET, Colour

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.path import Path as ArtistPath
    from numpy.typing import NDArray

CAPTION = 12.0
"""Size of captions and numbers, in pixels."""

FULL_TURN = 359.9
"""Degrees from which on a wedge is drawn as a whole ring."""

Anchor = Literal["start", "middle", "end"]
_ALIGNMENT = {"start": "left", "middle": "center", "end": "right"}

_SVG = "http://www.w3.org/2000/svg"
# Comes with matplotlib, so texts have the same width everywhere. It is wider than what browsers take for system-ui, so
# what fits here fits there.
_FONT = "DejaVu Sans"
_LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_STYLE = re.compile(r"([a-z-]+):\s*([^;]+)")
_ATTRIBUTES_KEPT = ("d", "x", "y", "transform")
_STYLES_KEPT = (
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
_VARIABLES = {light: f"var(--{name})" for name, (light, _) in COLOURS.items()}
# matplotlib's settings are global to the process.
_SETTINGS_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Mark:
    """The tooltip and link of a mark."""

    title: str | None = None
    href: str | None = None
    # x, y and radius: matplotlib writes a circle as curves.
    circle: tuple[float, float, float] | None = None


class Canvas:
    """A plot being drawn. Positions are pixels from the top left; later marks lie over earlier ones.

    Parameters
    ----------
    name : str
        The kind of plot. It is in the SVG's class, and keeps its ids apart from those of other plots.
    """

    def __init__(self, name: str, width: float, height: float) -> None:
        from matplotlib.figure import Figure

        self._name = name
        self._size = (width, height)
        # At 72 dots an inch one point is one pixel.
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

        self._add(Rectangle((x, y), width, height, **_area(colour, alpha)), _Mark(title))

    def circle(
        self, x: float, y: float, radius: float, colour: Colour, *, alpha: float = 1, title: str | None = None
    ) -> None:
        """Draw a disc."""
        from matplotlib.patches import Circle

        self._add(Circle((x, y), radius, **_area(colour, alpha)), _Mark(title, circle=(x, y, radius)))

    def polygon(self, points: Sequence[tuple[float, float]], colour: Colour, *, alpha: float = 1) -> None:
        """Draw the area that points enclose."""
        from matplotlib.patches import Polygon

        self._add(Polygon(points, closed=True, **_area(colour, alpha)))

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

        self._add(PathPatch(_wedge_path(centre, radii, angles), **_area(colour, alpha)), _Mark(title, href))

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
        """Draw a line through points; `dash` is the length of its strokes and gaps, in pixels."""
        from matplotlib.lines import Line2D

        line = Line2D(x, y, color=COLOURS[colour][0], linewidth=width, alpha=alpha)
        if dash is not None:
            # matplotlib counts in line widths.
            line.set_linestyle((0, tuple(length / width for length in dash)))
        line.set_solid_capstyle("round")
        line.set_dash_capstyle("butt")
        self._add(line)

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

        line = Text(
            x,
            y,
            one_line(text),
            color=COLOURS[colour][0],
            fontfamily=_FONT,
            fontsize=size,
            fontweight="bold" if bold else "normal",
            ha=_ALIGNMENT[anchor],
            va="center_baseline",
            rotation=-rotation,
            rotation_mode="anchor",
            # A class may be called "$1$".
            parse_math=False,
        )
        self._add(line)

    def caption(self, x: float, y: float, text: str, *, size: float = CAPTION, anchor: Anchor = "start") -> None:
        """Write one line of small, quiet text."""
        self.text(x, y, text, colour="quiet", size=size, anchor=anchor)

    def _add(self, artist: Artist, mark: _Mark | None = None) -> None:
        artist.set_gid(_mark_id(len(self._marks)))
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
                # To a screen reader an image has no parts, so it cannot have links.
                "role": "group" if links else "img",
                "aria-label": one_line(title),
            },
        )
        ET.SubElement(root, "title").text = one_line(title)
        ET.SubElement(root, "desc").text = one_line(description)
        ET.SubElement(root, "style").text = STYLE_SHEET
        drawn = ET.fromstring(self._matplotlib_svg())  # noqa: S314 - matplotlib wrote it a moment ago
        groups = {group.get("id"): group for group in drawn.iter(f"{{{_SVG}}}g")}
        for index, mark in enumerate(self._marks):
            group = groups.get(_mark_id(index))
            if group is not None:
                root.extend(_elements(group, mark))
        return f"{ET.tostring(root, encoding='unicode')}\n"

    def _matplotlib_svg(self) -> str:
        import matplotlib as mpl

        text = io.StringIO()
        with _SETTINGS_LOCK, warnings.catch_warnings(), mpl.rc_context():
            # The browser has fonts for the glyphs that matplotlib's lacks.
            warnings.filterwarnings("ignore", message="Glyph .* missing")
            mpl.rcdefaults()
            mpl.rcParams.update({"svg.hashsalt": f"filtag-kg {self._name}", "svg.fonttype": "none"})
            self._figure.savefig(text, format="svg", dpi=72, metadata={"Date": None})
        return text.getvalue()


def one_line(text: str) -> str:
    """Return a text without line breaks and without what XML cannot hold."""
    return " ".join(xml_text(text).replace("\N{REPLACEMENT CHARACTER}", " ").split())


def text_width(text: str, size: float = 13, *, bold: bool = False) -> float:
    """Return how wide a text is, in pixels."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=_FONT, size=size, weight="bold" if bold else "normal")
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


def _area(colour: Colour, alpha: float) -> dict[str, Any]:
    """Return what matplotlib's patches take for an area without an outline."""
    return {"facecolor": COLOURS[colour][0], "edgecolor": "none", "alpha": alpha, "linewidth": 0}


def _mark_id(index: int) -> str:
    return f"mark-{index}"


def _wedge_path(centre: tuple[float, float], radii: tuple[float, float], angles: tuple[float, float]) -> ArtistPath:
    """Return the outline of a wedge, or the two circles of a whole ring."""
    from matplotlib.path import Path

    inner, outer = radii
    # y points down here, so what is anticlockwise to matplotlib is clockwise.
    start, stop = (angle - 90 for angle in angles)
    if stop - start > FULL_TURN:
        circle, codes = _arrays(Path.unit_circle())
        # A circle that runs the other way round is a hole.
        vertices = np.vstack([outer * circle, inner * circle * (-1, 1)])
        return Path(vertices + np.array(centre), np.concatenate([codes, codes]))
    arc, codes = _arrays(Path.arc(start, stop))
    codes_back = codes.copy()
    codes_back[0] = Path.LINETO
    vertices = np.vstack([outer * arc, inner * arc[::-1], outer * arc[:1]])
    return Path(vertices + np.array(centre), np.concatenate([codes, codes_back, [Path.CLOSEPOLY]]))


def _arrays(path: ArtistPath) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    return np.asarray(path.vertices, dtype=np.float64), np.asarray(path.codes, dtype=np.uint8)


def _elements(group: ET.Element, mark: _Mark) -> list[ET.Element]:
    """Return what a page needs of a group that matplotlib wrote for a mark."""
    tags = (f"{{{_SVG}}}path", f"{{{_SVG}}}text")
    shapes = [_plain(shape, mark.circle) for shape in group.iter() if shape.tag in tags]
    if mark.title is None and mark.href is None:
        return shapes
    wrapper = ET.Element("g")
    if mark.href is not None:
        wrapper = ET.Element("a", {"href": mark.href, "aria-label": one_line(mark.title or mark.href)})
    if mark.title is not None:
        ET.SubElement(wrapper, "title").text = one_line(mark.title)
    wrapper.extend(shapes)
    return [wrapper]


def _plain(shape: ET.Element, circle: tuple[float, float, float] | None) -> ET.Element:
    """Return a shape with attributes in place of styles, which a page may forbid, and with short numbers."""
    plain = ET.Element("circle" if circle else shape.tag.rpartition("}")[2])
    plain.text = shape.text
    if circle:
        plain.attrib.update(zip(("cx", "cy", "r"), (f"{number:.2f}" for number in circle), strict=True))
    for name, value in shape.attrib.items():
        if name in _ATTRIBUTES_KEPT and not (name == "d" and circle) and not value.startswith("rotate(-0 "):
            plain.set(name, " ".join(value.split()))
    for name, value in _STYLE.findall(shape.get("style", "")):
        if name == "font-weight":
            plain.set(name, "600")
        elif name in _STYLES_KEPT and (name, value) != ("text-anchor", "start"):
            plain.set(name, _VARIABLES.get(value, value))
    for name, value in plain.attrib.items():
        plain.set(name, _LONG_NUMBER.sub(_shortened, value))
    return plain


def _shortened(number: re.Match[str]) -> str:
    return f"{float(number.group()):.2f}".rstrip("0").rstrip(".")
