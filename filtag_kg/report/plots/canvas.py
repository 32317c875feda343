"""A drawing surface in CSS pixels: what a plot draws, with colours by name, wherever it will be shown."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from filtag_kg.report.plots.plot import FONT, Mark, Pen, Plot, one_line
from filtag_kg.report.plots.style import Colour

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


class Canvas:
    """A plot being drawn. Positions are pixels from the top left; later marks lie over earlier ones.

    Parameters
    ----------
    name : str
        The kind of plot. It is in the SVG's class, and keeps its ids apart from those of other plots.
    """

    def __init__(self, name: str, width: float, height: float) -> None:
        self._name = name
        self._size = (width, height)
        self._marks: list[Mark] = []

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

        def artist(pen: Pen) -> Artist:
            from matplotlib.patches import Rectangle

            return Rectangle((x, y), width, height, **_area(pen, colour, alpha))

        self._add(artist, title)

    def circle(
        self, x: float, y: float, radius: float, colour: Colour, *, alpha: float = 1, title: str | None = None
    ) -> None:
        """Draw a disc."""

        def artist(pen: Pen) -> Artist:
            from matplotlib.patches import Circle

            return Circle((x, y), radius, **_area(pen, colour, alpha))

        self._marks.append(Mark(artist, title, circle=(x, y, radius)))

    def polygon(
        self, points: Sequence[tuple[float, float]], colour: Colour, *, alpha: float = 1, title: str | None = None
    ) -> None:
        """Draw the area that points enclose."""

        def artist(pen: Pen) -> Artist:
            from matplotlib.patches import Polygon

            return Polygon(points, closed=True, **_area(pen, colour, alpha))

        self._add(artist, title)

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

        def artist(pen: Pen) -> Artist:
            from matplotlib.patches import PathPatch

            return PathPatch(_wedge_path(centre, radii, angles), **_area(pen, colour, alpha))

        self._marks.append(Mark(artist, title, href))

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

        def artist(pen: Pen) -> Artist:
            from matplotlib.lines import Line2D

            line = Line2D(x, y, color=pen.colours[colour], linewidth=width * pen.scale, alpha=alpha)
            if dash is not None:
                # matplotlib counts in line widths.
                line.set_linestyle((0, tuple(length / width for length in dash)))
            line.set_solid_capstyle("round")
            line.set_dash_capstyle("butt")
            return line

        self._add(artist)

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

        def artist(pen: Pen) -> Artist:
            from matplotlib.text import Text

            return Text(
                x,
                y,
                one_line(text),
                color=pen.colours[colour],
                fontfamily=FONT,
                fontsize=size * pen.scale,
                fontweight="bold" if bold else "normal",
                ha=_ALIGNMENT[anchor],
                va="center_baseline",
                rotation=-rotation,
                rotation_mode="anchor",
                # A class may be called "$1$".
                parse_math=False,
            )

        self._add(artist)

    def caption(self, x: float, y: float, text: str, *, size: float = CAPTION, anchor: Anchor = "start") -> None:
        """Write one line of small, quiet text."""
        self.text(x, y, text, colour="quiet", size=size, anchor=anchor)

    def picture(self, x: float, y: float, width: float, height: float, image: bytes) -> None:
        """Show an image, a PNG or JPEG file, in a rectangle."""

        def artist(pen: Pen) -> Artist:
            from matplotlib.image import AxesImage
            from PIL import Image

            with Image.open(io.BytesIO(image)) as opened:
                pixels = np.asarray(opened.convert("RGB"))
            extent = (x, x + width, y + height, y)
            shown = AxesImage(pen.axes, extent=extent, origin="upper", interpolation="none")
            shown.set_data(pixels)
            return shown

        self._marks.append(Mark(artist, picture=((x, y, width, height), image)))

    def _add(self, artist: Callable[[Pen], Artist], title: str | None = None) -> None:
        self._marks.append(Mark(artist, title))

    def plot(self, title: str, description: str) -> Plot:
        """Return what was drawn.

        Parameters
        ----------
        title, description : str
            For those who do not see the plot: what it is, and what it shows.
        """
        return Plot(self._name, self._size, tuple(self._marks), title, description)


def text_width(text: str, size: float = 13, *, bold: bool = False) -> float:
    """Return how wide a text is, in pixels."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=FONT, size=size, weight="bold" if bold else "normal")
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


def _area(pen: Pen, colour: Colour, alpha: float) -> dict[str, Any]:
    """Return what matplotlib's patches take for an area without an outline."""
    return {"facecolor": pen.colours[colour], "edgecolor": "none", "alpha": alpha, "linewidth": 0}


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
