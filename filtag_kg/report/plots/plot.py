"""A finished plot, written for a page, as plain SVG or as PDF. The same plot gives the same bytes.

matplotlib draws. Its SVG is then rewritten: marks get tooltips and links; ids, fonts and metadata are dropped. On a
page, colours are CSS variables with a light and a dark value, so that a plot follows the reader's colour scheme. In
print, colours are plain, and told apart by those who do not see them all and on grey paper.
"""

from __future__ import annotations

import base64
import io
import re
import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from filtag_kg.graph import xml_text
from filtag_kg.report.plots.style import COLOURS, PRINT_COLOURS, STYLE_SHEET, Colour

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FONT = "DejaVu Sans"
"""Comes with matplotlib, so texts have the same width everywhere. It is wider than what browsers take for system-ui,
so what fits here fits there."""

MM_PER_PIXEL = 84 / 358
"""In print: 350 pixels with their margins are a column of 84 mm; 13 pixels, the size of most texts, are 8.6 points."""

_MARGIN = 4.0
"""Pixels around a plot in print, for letters and marks on its edge."""
_POINTS_PER_PIXEL = MM_PER_PIXEL / 25.4 * 72
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
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
_PAGE_COLOURS: Mapping[Colour, str] = {name: light for name, (light, _) in COLOURS.items()}
_VARIABLES = {light: f"var(--{name})" for name, (light, _) in COLOURS.items()}
_PRINT_FONTS = f"'{FONT}', Verdana, Arial, sans-serif"
_SETTINGS: dict[Any, Any] = {"svg.fonttype": "none", "pdf.fonttype": 42, "pdf.compression": 6}
"""Texts stay texts in SVG, and PDF has TrueType fonts embedded, which all publishers take."""

# matplotlib's settings are global to the process.
_SETTINGS_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Pen:
    """What decides how a mark looks where it is shown.

    Parameters
    ----------
    scale : float
        Points per pixel, for what matplotlib measures in points.
    """

    axes: Axes
    colours: Mapping[Colour, str]
    scale: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A part of a plot.

    Parameters
    ----------
    artist : callable
        Makes what matplotlib draws.
    title, href : str, optional
        Its tooltip and link on a page.
    circle : (x, y, radius), optional
        Of a circle, which matplotlib writes as curves.
    picture : ((x, y, width, height), bytes), optional
        Of an image, with its file.
    """

    artist: Callable[[Pen], Artist]
    title: str | None = None
    href: str | None = None
    circle: tuple[float, float, float] | None = None
    picture: tuple[tuple[float, float, float, float], bytes] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """A plot.

    Parameters
    ----------
    name : str
        The kind of plot.
    size : (float, float)
        Width and height in pixels.
    marks : tuple of Mark
        Later ones lie over earlier ones.
    title, description : str
        What it is, and what it shows, for those who do not see it.
    """

    name: str
    size: tuple[float, float]
    marks: tuple[Mark, ...]
    title: str
    description: str

    def page_svg(self) -> str:
        """Return SVG that stands alone, can be pasted into a page, and follows the reader's colour scheme."""
        width, height = self.size
        links = any(mark.href for mark in self.marks)
        root = self._root(f"{width:g}", f"{height:g}", (0, 0, width, height))
        root.attrib |= {
            "class": f"plot plot-{self.name}",
            # To a screen reader an image has no parts, so it cannot have links.
            "role": "group" if links else "img",
            "aria-label": one_line(self.title),
        }
        ET.SubElement(root, "style").text = STYLE_SHEET
        groups = self._drawn(_PAGE_COLOURS)
        for index, mark in enumerate(self.marks):
            root.extend(_titled(_shapes(mark, groups.get(_mark_id(index)), _VARIABLES), mark))
        return f"{ET.tostring(root, encoding='unicode')}\n"

    def svg(self) -> str:
        """Return SVG for print: plain colours on white, in millimetres, without tooltips and links."""
        width, height = (side + 2 * _MARGIN for side in self.size)
        view = (-_MARGIN, -_MARGIN, width, height)
        root = self._root(f"{width * MM_PER_PIXEL:.4g}mm", f"{height * MM_PER_PIXEL:.4g}mm", view)
        root.set("font-family", _PRINT_FONTS)
        box = zip(("x", "y", "width", "height"), (f"{number:g}" for number in view), strict=True)
        ET.SubElement(root, "rect", dict(box) | {"fill": PRINT_COLOURS["paper"]})
        groups = self._drawn(PRINT_COLOURS)
        for index, mark in enumerate(self.marks):
            root.extend(_shapes(mark, groups.get(_mark_id(index)), {}))
        return f"{ET.tostring(root, encoding='unicode')}\n"

    def pdf(self) -> bytes:
        """Return a PDF of one page, which is as large as the plot in print, with its fonts embedded."""
        file = io.BytesIO()
        self._save(file, "pdf", PRINT_COLOURS, _POINTS_PER_PIXEL, {"CreationDate": None, "Title": one_line(self.title)})
        return file.getvalue()

    def _root(self, width: str, height: str, view: tuple[float, float, float, float]) -> ET.Element:
        view_box = " ".join(f"{number:g}" for number in view)
        root = ET.Element("svg", {"xmlns": _SVG, "viewBox": view_box, "width": width, "height": height})
        if any(mark.picture for mark in self.marks):
            root.set("xmlns:xlink", _XLINK)
        ET.SubElement(root, "title").text = one_line(self.title)
        ET.SubElement(root, "desc").text = one_line(self.description)
        return root

    def _drawn(self, colours: Mapping[Colour, str]) -> dict[str | None, ET.Element]:
        """Return what matplotlib draws of each mark, by the mark's id."""
        file = io.BytesIO()
        self._save(file, "svg", colours, 1.0, {"Date": None})
        drawn = ET.fromstring(file.getvalue())  # noqa: S314 - matplotlib wrote it a moment ago
        return {group.get("id"): group for group in drawn.iter(f"{{{_SVG}}}g")}

    def _save(
        self, file: io.BytesIO, form: str, colours: Mapping[Colour, str], scale: float, metadata: dict[str, Any]
    ) -> None:
        import matplotlib as mpl

        with _SETTINGS_LOCK, warnings.catch_warnings(), mpl.rc_context():
            # Where matplotlib's font lacks a glyph, browsers have another font, and a PDF shows a box.
            warnings.filterwarnings("ignore", message="Glyph .* missing")
            mpl.rcdefaults()
            mpl.rcParams.update({**_SETTINGS, "svg.hashsalt": f"filtag-kg {self.name}"})
            figure = self._figure(colours, scale, margin=_MARGIN if form == "pdf" else 0.0)
            figure.savefig(file, format=form, dpi=72, metadata=metadata)

    def _figure(self, colours: Mapping[Colour, str], scale: float, *, margin: float) -> Figure:
        from matplotlib.figure import Figure

        width, height = (side + 2 * margin for side in self.size)
        # At 72 dots an inch one point is one pixel.
        figure = Figure(figsize=(width * scale / 72, height * scale / 72), dpi=72)
        figure.patch.set_visible(False)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set(xlim=(-margin, width - margin), ylim=(height - margin, -margin))
        pen = Pen(axes, colours, scale)
        for index, mark in enumerate(self.marks):
            if mark.picture is not None and not margin:
                continue
            artist = mark.artist(pen)
            artist.set_gid(_mark_id(index))
            artist.set_zorder(index)
            artist.set_clip_on(False)
            axes.add_artist(artist)
        return figure


def one_line(text: str) -> str:
    """Return a text without line breaks and without what XML cannot hold."""
    return " ".join(xml_text(text).replace("\N{REPLACEMENT CHARACTER}", " ").split())


def _mark_id(index: int) -> str:
    return f"mark-{index}"


def _titled(shapes: list[ET.Element], mark: Mark) -> list[ET.Element]:
    """Return the shapes of a mark with its tooltip and link."""
    if not shapes or (mark.title is None and mark.href is None):
        return shapes
    wrapper = ET.Element("g")
    if mark.href is not None:
        wrapper = ET.Element("a", {"href": mark.href, "aria-label": one_line(mark.title or mark.href)})
    if mark.title is not None:
        ET.SubElement(wrapper, "title").text = one_line(mark.title)
    wrapper.extend(shapes)
    return [wrapper]


def _shapes(mark: Mark, group: ET.Element | None, colours: Mapping[str, str]) -> list[ET.Element]:
    """Return what SVG needs of the group that matplotlib wrote for a mark, with other names for its colours."""
    if mark.picture is not None:
        return [_picture(*mark.picture)]
    if group is None:
        return []
    tags = (f"{{{_SVG}}}path", f"{{{_SVG}}}text")
    return [_plain(shape, mark.circle, colours) for shape in group.iter() if shape.tag in tags]


def _picture(box: tuple[float, float, float, float], image: bytes) -> ET.Element:
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    sides = zip(("x", "y", "width", "height"), (f"{number:g}" for number in box), strict=True)
    data = base64.b64encode(image).decode("ascii")
    return ET.Element("image", dict(sides) | {"xlink:href": f"data:image/{kind};base64,{data}"})


def _plain(shape: ET.Element, circle: tuple[float, float, float] | None, colours: Mapping[str, str]) -> ET.Element:
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
            plain.set(name, colours.get(value, value))
    for name, value in plain.attrib.items():
        plain.set(name, _LONG_NUMBER.sub(_shortened, value))
    return plain


def _shortened(number: re.Match[str]) -> str:
    return f"{float(number.group()):.2f}".rstrip("0").rstrip(".")
