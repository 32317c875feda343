"""A sunburst of concepts: what coherent filters have in common, kinds within kinds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from filtag_kg.report.plots.canvas import CAPTION, FULL_TURN, Canvas, fitted, text_width
from filtag_kg.report.plots.concept_tree import TreeConcept
from filtag_kg.report.plots.plot import Plot
from filtag_kg.report.plots.style import Colour
from filtag_kg.report.tables import count_text

_HUES: tuple[Colour, ...] = ("same", "predicted", "blue", "ochre", "plum", "slate")
# By ring, outwards. Ink must stay readable on each, on light paper and on dark.
_ALPHAS = (0.55, 0.44, 0.34, 0.25)
_ALPHA_OF_SMALL = 0.6
_HOLE_IN_RINGS = 0.9
"""The radius of the hole, in widths of a ring."""
# In pixels.
_GAP = 1.6
_LINE = 14.0
_PAD = 5.0
_RING_PAD = 2.0
_LEAST_ARC = 7.0
"""Wedges side by side with shorter arcs are drawn as one."""
_MOST_NAMED = 12
"""Small concepts that a wedge for several of them names."""


@dataclass(frozen=True, slots=True)
class Wedge:
    """A part of a ring.

    Parameters
    ----------
    ring : int
        From 1, outwards.
    start, stop : float
        Degrees clockwise from the top.
    filters : int
        At and below it.
    concept : str or None
        Its IRI; None where small concepts are drawn as one.
    branch : int
        The index of the wedge of the first ring that it is or lies above.
    """

    ring: int
    start: float
    stop: float
    label: str
    filters: int
    concept: str | None
    branch: int


@dataclass(frozen=True, slots=True)
class _Disc:
    """Where the rings lie: centre, radius of the hole and width of a ring, in pixels."""

    centre: float
    hole: float
    ring: float

    def radii(self, ring: int) -> tuple[float, float]:
        inner = self.hole + self.ring * (ring - 1)
        return inner, inner + self.ring


def sunburst_plot(
    tree: TreeConcept | None, *, href: Callable[[str], str | None] | None = None, width: int = 680
) -> Plot | None:
    """Draw a ring for each level of a tree; filters of a concept without a ring of its own leave a gap.

    Concepts too small to be seen are drawn as one, in grey. Labels stand where they fit, and every wedge has its name
    and number as a tooltip.

    Parameters
    ----------
    tree : TreeConcept or None
        As :func:`concept_tree` makes it.
    href : callable, optional
        Returns where the wedge of a concept links to, by its IRI; None for no link.
    width : int
        In pixels, of the square.

    Returns
    -------
    Plot or None
        None without a tree. With links it is a group of them for screen readers, else an image.
    """
    if tree is None:
        return None
    n_rings = _depth(tree)
    radius = width / 2 - 1
    hole = radius * _HOLE_IN_RINGS / (n_rings + _HOLE_IN_RINGS) if n_rings else radius
    disc = _Disc(width / 2, hole, (radius - hole) / n_rings if n_rings else 0.0)
    canvas = Canvas("sunburst", width, width)
    drawn = list(wedges(tree, hole=disc.hole, ring=disc.ring))
    for wedge in drawn:
        inner, outer = disc.radii(wedge.ring)
        small = wedge.concept is None
        canvas.wedge(
            (disc.centre, disc.centre),
            (inner + _GAP / 2, outer - _GAP / 2),
            _with_gaps(wedge, (inner + outer) / 2),
            "far" if small else _hue(wedge.branch, len(tree.children)),
            alpha=_ALPHA_OF_SMALL if small else _ALPHAS[min(wedge.ring, len(_ALPHAS)) - 1],
            title=f"{wedge.label}: {count_text(wedge.filters, 'filter')}",
            href=href(wedge.concept) if href is not None and wedge.concept is not None else None,
        )
    for wedge in drawn:
        if wedge.concept is not None:
            _write_label(canvas, wedge, disc)
    _write_centre(canvas, tree.total, disc)
    children = ", ".join(f"{child.label} {child.total:,}" for child in tree.children)
    return canvas.plot(
        "What filters respond to",
        f"Rings of kinds within kinds, by number of filters. Of {tree.total:,}: {children or tree.label}.",
    )


def wedges(tree: TreeConcept, *, hole: float, ring: float) -> Iterator[Wedge]:
    """Yield the wedges of a tree, inner rings before outer ones within each branch.

    Parameters
    ----------
    hole, ring : float
        Radius of the hole and width of a ring, in pixels; they decide what is too small to be seen.
    """
    if not tree.children:
        return
    degrees = 360.0 / tree.total

    def ring_of(children: Sequence[TreeConcept], start: float, level: int, branch: int | None) -> Iterator[Wedge]:
        radius = hole + ring * (level - 0.5)
        small = [child for child in children if math.radians(child.total * degrees) * radius < _LEAST_ARC]
        if len(small) == 1:
            small = []
        for index, child in enumerate(children):
            if child in small:
                continue
            own_branch = index if branch is None else branch
            stop = start + child.total * degrees
            yield Wedge(level, start, stop, child.label, child.total, child.concept, own_branch)
            yield from ring_of(child.children, start, level + 1, own_branch)
            start = stop
        if small:
            total = sum(child.total for child in small)
            names = [child.label for child in small[:_MOST_NAMED]]
            if len(small) > _MOST_NAMED:
                names.append("…")
            yield Wedge(level, start, start + total * degrees, ", ".join(names), total, None, branch or 0)

    yield from ring_of(tree.children, 0.0, 1, None)


def _depth(tree: TreeConcept) -> int:
    return max((1 + _depth(child) for child in tree.children), default=0)


def _with_gaps(wedge: Wedge, radius: float) -> tuple[float, float]:
    """Return the angles of a wedge a little apart from its neighbours; a whole ring has none."""
    span = wedge.stop - wedge.start
    if span > FULL_TURN:
        return wedge.start, wedge.stop
    gap = min(math.degrees(_GAP / radius), span / 3) / 2
    return wedge.start + gap, wedge.stop - gap


def _hue(branch: int, n_branches: int) -> Colour:
    """Return a branch's hue. It differs from its neighbours', of which the last branch's is the first."""
    hue = branch % len(_HUES)
    is_last = branch == n_branches - 1 > 0
    return _HUES[2] if is_last and hue == 0 else _HUES[hue]


def _write_centre(canvas: Canvas, total: int, disc: _Disc) -> None:
    x = y = disc.centre
    canvas.text(x, y - 10, f"{total:,}", size=min(24, disc.hole * 0.42), bold=True, anchor="middle")
    canvas.caption(x, y + 11, "filter with" if total == 1 else "filters with", size=11, anchor="middle")
    canvas.caption(x, y + 25, "a clear theme", size=11, anchor="middle")


def _write_label(canvas: Canvas, wedge: Wedge, disc: _Disc) -> None:
    """Write a label across its wedge, else along it, on one line or two; cut if it must be, or not at all."""
    inner, outer = disc.radii(wedge.ring)
    angle = (wedge.start + wedge.stop) / 2
    lines, rotation = _lines_across(wedge, inner, outer), angle
    if not lines:
        lines, rotation = _lines_along(wedge, inner, outer), angle - 90
    # Never upside down.
    if 90 < rotation % 360 < 270:
        rotation += 180
    rotation = (rotation + 180) % 360 - 180
    radius = (inner + outer) / 2
    x = disc.centre + radius * math.sin(math.radians(angle))
    y = disc.centre - radius * math.cos(math.radians(angle))
    for index, line in enumerate(lines):
        down = _LINE * (index - (len(lines) - 1) / 2)
        line_x = x - down * math.sin(math.radians(rotation))
        line_y = y + down * math.cos(math.radians(rotation))
        canvas.text(line_x, line_y, line, size=CAPTION, anchor="middle", rotation=rotation)


def _layouts(label: str) -> list[tuple[str, ...]]:
    """Return a label on one line, and on two, broken at each of its spaces."""
    words = label.split()
    return [(label,), *((" ".join(words[:split]), " ".join(words[split:])) for split in range(1, len(words)))]


def _width(lines: Sequence[str]) -> float:
    return max(text_width(line, CAPTION) for line in lines)


def _lines_across(wedge: Wedge, inner: float, outer: float) -> tuple[str, ...]:
    """Return the first layout that fits into a wedge with its lines at right angles to the radius."""
    radius = (inner + outer) / 2
    half_angle = math.radians(wedge.stop - wedge.start) / 2
    for lines in _layouts(wedge.label):
        half_width, half_height = _width(lines) / 2, _LINE * len(lines) / 2
        nearest = radius - half_height
        in_ring = math.hypot(radius + half_height, half_width) < outer - _RING_PAD and nearest > inner + _RING_PAD
        if in_ring and (half_angle >= math.pi / 2 or math.atan2(half_width + _PAD, nearest) < half_angle):
            return lines
    return ()


def _lines_along(wedge: Wedge, inner: float, outer: float) -> tuple[str, ...]:
    """Return the first layout that fits with its lines along the radius; else the label cut, if that fits."""
    # A wedge is narrowest at its inner end.
    height = math.radians(wedge.stop - wedge.start) * (inner + _PAD)
    room = outer - inner - 2 * _PAD
    low_enough = [lines for lines in _layouts(wedge.label) if _LINE * len(lines) <= height]
    for lines in low_enough:
        if _width(lines) <= room:
            return lines
    cut = fitted(wedge.label, room, CAPTION) if low_enough else ""
    return (cut,) if cut else ()
