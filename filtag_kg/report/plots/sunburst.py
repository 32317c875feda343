"""A sunburst of concepts: what coherent filters have in common, kinds within kinds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from filtag_kg.report.plots.canvas import Canvas, fitted, text_width
from filtag_kg.report.plots.concept_tree import TreeConcept
from filtag_kg.report.plots.style import Colour

__all__ = ["Wedge", "sunburst_plot", "wedges"]

_HUES: tuple[Colour, ...] = ("same", "predicted", "blue", "ochre", "plum", "slate")
# Outwards; never so dark that ink is hard to read on it, on light paper or on dark.
_ALPHAS = (0.55, 0.44, 0.34, 0.25)
_GAP = 1.6
_WHOLE = 359.9
_SIZE = 12.0
_LINE = 14.0
_PAD = 5.0
_MOST_NAMED = 12
# Pixels of arc below which wedges side by side are drawn as one.
_LEAST_ARC = 7.0


@dataclass(frozen=True, slots=True)
class Wedge:
    """A part of a ring.

    Parameters
    ----------
    ring : int
        From 1, outwards.
    start, stop : float
        Degrees clockwise from the top.
    label : str
    filters : int
        At and below it.
    concept : str or None
        Its IRI; None where small concepts are drawn as one.
    branch : int
        The place of the wedge of the first ring that it lies at or above.
    """

    ring: int
    start: float
    stop: float
    label: str
    filters: int
    concept: str | None
    branch: int


def sunburst_plot(
    tree: TreeConcept | None, *, href: Callable[[str], str | None] | None = None, width: int = 680
) -> str | None:
    """Draw a ring for each level of a tree; of a concept without a ring of its own the filters leave a gap.

    Concepts that are too small to be seen are drawn as one, in grey; labels stand where they fit, and every wedge says
    its name and number when pointed at.

    Parameters
    ----------
    tree : TreeConcept or None
        As :func:`concept_tree` makes it.
    href : callable, optional
        Where the wedge of a concept leads, by its IRI; None for nowhere.
    width : int
        In pixels, of the square.

    Returns
    -------
    str or None
        SVG; None without a tree. With links it is a group of them for screen readers, else an image.
    """
    if tree is None:
        return None
    rings = _levels(tree)
    radius = width / 2 - 1
    hole = radius * 0.9 / (rings + 0.9) if rings else radius
    each = (radius - hole) / rings if rings else 0.0
    canvas = Canvas("sunburst", width, width)
    middle = (width / 2, width / 2)
    shown = list(wedges(tree, hole=hole, ring=each))
    for wedge in shown:
        inner = hole + each * (wedge.ring - 1)
        canvas.wedge(
            middle,
            (inner + _GAP / 2, inner + each - _GAP / 2),
            _parted(wedge, inner + each / 2),
            "far" if wedge.concept is None else _hue(wedge.branch, len(tree.children)),
            alpha=0.6 if wedge.concept is None else _ALPHAS[min(wedge.ring, len(_ALPHAS)) - 1],
            title=f"{wedge.label}: {wedge.filters:,} {'filter' if wedge.filters == 1 else 'filters'}",
            href=href(wedge.concept) if href is not None and wedge.concept is not None else None,
        )
    for wedge in shown:
        if wedge.concept is not None:
            inner = hole + each * (wedge.ring - 1)
            _write(canvas, wedge, middle, (inner, inner + each))
    _write_middle(canvas, tree, middle, hole)
    first = ", ".join(f"{child.label} {child.total:,}" for child in tree.children)
    return canvas.svg(
        "Concepts of coherent filters",
        f"Rings of kinds within kinds, by number of coherent filters. Of {tree.total:,}: {first or tree.label}.",
    )


def wedges(tree: TreeConcept, *, hole: float, ring: float) -> Iterator[Wedge]:
    """Yield the wedges of a tree, inner rings before outer ones within each branch.

    Parameters
    ----------
    tree : TreeConcept
    hole, ring : float
        Radius of the middle and width of a ring, in pixels; they decide what is too small to be seen.
    """
    if tree.children:
        yield from _wedges(tree.children, 0.0, 360.0 / tree.total, 1, None, hole, ring)


def _wedges(
    children: Sequence[TreeConcept],
    start: float,
    degrees: float,
    level: int,
    branch: int | None,
    hole: float,
    ring: float,
) -> Iterator[Wedge]:
    radius = hole + ring * (level - 0.5)
    small = [child for child in children if math.radians(child.total * degrees) * radius < _LEAST_ARC]
    small = small if len(small) > 1 else []
    for place, child in enumerate(children):
        if child in small:
            continue
        of = place if branch is None else branch
        stop = start + child.total * degrees
        yield Wedge(level, start, stop, child.label, child.total, child.concept, of)
        yield from _wedges(child.children, start, degrees, level + 1, of, hole, ring)
        start = stop
    if small:
        total = sum(child.total for child in small)
        names = [child.label for child in small[:_MOST_NAMED]] + ["…"] * (len(small) > _MOST_NAMED)
        yield Wedge(level, start, start + total * degrees, ", ".join(names), total, None, branch or 0)


def _parted(wedge: Wedge, radius: float) -> tuple[float, float]:
    """Return the angles of a wedge a little apart from its neighbours; a whole ring has none."""
    span = wedge.stop - wedge.start
    gap = 0.0 if span > _WHOLE else min(math.degrees(_GAP / radius), span / 3) / 2
    return wedge.start + gap, wedge.stop - gap


def _hue(branch: int, branches: int) -> Colour:
    """Return a branch's hue, another than those beside it; the last is beside the first, too."""
    last_is_first = branch == branches - 1 > 0 and branch % len(_HUES) == 0
    return _HUES[2 if last_is_first else branch % len(_HUES)]


def _levels(tree: TreeConcept) -> int:
    return max((1 + _levels(child) for child in tree.children), default=0)


def _write_middle(canvas: Canvas, tree: TreeConcept, middle: tuple[float, float], hole: float) -> None:
    x, y = middle
    canvas.text(x, y - 10, f"{tree.total:,}", size=min(24, hole * 0.42), bold=True, anchor="middle")
    for place, line in enumerate(("coherent", "filter" if tree.total == 1 else "filters")):
        canvas.text(x, y + 11 + 14 * place, line, colour="quiet", size=11, anchor="middle")


def _write(canvas: Canvas, wedge: Wedge, middle: tuple[float, float], radii: tuple[float, float]) -> None:
    """Write a label across its wedge, else along it, on one line or two; cut if it must be, or not at all."""
    lines = _across(wedge, radii)
    if lines:
        _write_lines(canvas, lines, wedge, middle, sum(radii) / 2, turned=False)
        return
    lines = _along(wedge, radii)
    if lines:
        _write_lines(canvas, lines, wedge, middle, sum(radii) / 2, turned=True)


def _layouts(label: str) -> list[tuple[str, ...]]:
    """Return a label on one line, and on two at each of its spaces."""
    words = label.split()
    return [(label,), *((" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words)))]


def _across(wedge: Wedge, radii: tuple[float, float]) -> tuple[str, ...]:
    inner, outer = radii
    radius = (inner + outer) / 2
    half = math.radians(wedge.stop - wedge.start) / 2
    for lines in _layouts(wedge.label):
        side, tall = max(text_width(line, _SIZE) for line in lines) / 2, _LINE * len(lines) / 2
        in_ring = math.hypot(radius + tall, side) < outer - 2 and radius - tall > inner + 2
        if in_ring and (half >= math.pi / 2 or math.atan2(side + _PAD, radius - tall) < half):
            return lines
    return ()


def _along(wedge: Wedge, radii: tuple[float, float]) -> tuple[str, ...]:
    inner, outer = radii
    # The narrow end of a wedge is the tighter one.
    arc = math.radians(wedge.stop - wedge.start) * (inner + _PAD)
    room = outer - inner - 2 * _PAD
    fitting = [lines for lines in _layouts(wedge.label) if _LINE * len(lines) <= arc]
    for lines in fitting:
        if max(text_width(line, _SIZE) for line in lines) <= room:
            return lines
    cut = fitted(wedge.label, room, _SIZE) if fitting else ""
    return (cut,) if cut else ()


def _write_lines(
    canvas: Canvas,
    lines: tuple[str, ...],
    wedge: Wedge,
    middle: tuple[float, float],
    radius: float,
    *,
    turned: bool,
) -> None:
    angle = (wedge.start + wedge.stop) / 2
    x = middle[0] + radius * math.sin(math.radians(angle))
    y = middle[1] - radius * math.cos(math.radians(angle))
    rotation = angle - 90 if turned else angle
    # Upright: never with the head down.
    if 90 < rotation % 360 < 270:
        rotation += 180
    rotation = (rotation + 180) % 360 - 180
    for place, line in enumerate(lines):
        down = _LINE * (place - (len(lines) - 1) / 2)
        canvas.text(
            x - down * math.sin(math.radians(rotation)),
            y + down * math.cos(math.radians(rotation)),
            line,
            size=_SIZE,
            anchor="middle",
            rotation=rotation,
        )
