"""Hits@n against n, a line for each rule, with what tags that say nothing would reach: the paper's Figure 4."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from filtag_kg.explain import SCOPES, HitsRow
from filtag_kg.report.plots.canvas import CAPTION, Canvas, text_width
from filtag_kg.report.plots.percent_axis import draw_percent_axis
from filtag_kg.report.plots.plot import Plot
from filtag_kg.report.plots.style import WIDE, Colour, is_narrow
from filtag_kg.tags import Rule, parse_rule

_SCOPE_NAMES = {"all": "all layers", "last": "last layer alone"}
_HUES: dict[str, Colour] = {"k": "same", "q": "predicted"}
_NULL_NAMES = ("images' labels permuted, with 95 % band", "labels permuted (95 %)", "permuted")
"""What the key calls the null, from the widest: the first that fits."""
_TICKS = 5
_SDS = 1.96
"""Standard deviations either side of the mean that hold 95 % of a normal distribution."""
_WEAKEST = 0.45
"""Opacity of the line with the smallest amount."""

# Sizes in pixels.
_EDGE = 10.0
_LEFT = 52.0
_GAP = 40.0
_HEAD = 74.0
_HEIGHT = 250.0
_FOOT = 48.0
_KEY_Y = 14.0
_KEY_LINE = 24.0
_NAME_GAP = 22.0
"""Between the end of the axis and a rule's name; its mark is drawn in between."""
_LINE = 15.0
_DASH = (4, 3)

_Edges = tuple[float, float]
_Points = tuple[tuple[float, float], ...]


def _star(n_points: int, *, inner: float, turn: float = 0.0) -> _Points:
    """Return the corners of a star; with inner 1 of a polygon of twice as many sides."""
    angles = [math.pi * (index / n_points - 0.5) + turn for index in range(2 * n_points)]
    radii = [1.0 if index % 2 == 0 else inner for index in range(2 * n_points)]
    return tuple((r * math.cos(angle), r * math.sin(angle)) for r, angle in zip(radii, angles, strict=True))


_DISC: _Points = ()
_MARKS: Mapping[str, Sequence[_Points]] = {
    "k": (
        _DISC,
        _star(3, inner=0.5),
        _star(4, inner=0.71, turn=math.pi),
        _star(3, inner=0.5, turn=math.pi),
        _star(5, inner=0.45),
    ),
    "q": (_star(4, inner=0.71, turn=math.pi / 4), _star(4, inner=0.35), _star(4, inner=0.35, turn=math.pi / 4)),
}
"""The marks of rules by number of filters and by quantile, the smallest amount first: they tell rules apart in grey."""
_MARK_RADIUS = 3.6


def hits_plot(rows: Sequence[HitsRow], *, width: int = WIDE) -> Plot | None:
    """Draw a panel for each score, for all layers and the last; Hits@n solid, the null dashed with its band.

    Upright strokes are the 95 % intervals of Hits@n. The band is 1.96 standard deviations over permutations. Each rule
    has a mark of its own, and its name at the end of its line; the larger the amount, the stronger the line.

    Parameters
    ----------
    width : int
        In pixels.

    Returns
    -------
    Plot or None
        None without rows.
    """
    if not rows:
        return None
    rules = [parse_rule(name) for name in dict.fromkeys(row.rule for row in rows)]
    scores = list(dict.fromkeys(rule.score for rule in rules))
    panels = [(score, scope) for score in scores for scope in SCOPES if any(row.layers == scope for row in rows)]
    n_columns = 1 if is_narrow(width) or len(panels) == 1 else 2
    n_lines = -(-len(panels) // n_columns)
    panel_width = (width - (n_columns - 1) * _GAP) / n_columns
    panel_height = _HEAD + _HEIGHT + _FOOT
    canvas = Canvas("hits", width, _EDGE + panel_height * n_lines)
    intervals, null = any(row.hits_low is not None for row in rows), any(row.null is not None for row in rows)
    _draw_key(canvas, width, intervals=intervals, null=null)
    for index, (score, scope) in enumerate(panels):
        line, column = divmod(index, n_columns)
        left, top = column * (panel_width + _GAP) + _LEFT, _EDGE + line * panel_height + _HEAD
        right = left - _LEFT + panel_width
        by_rule = {rule: _rows_of(rows, rule, scope) for rule in rules if rule.score == score}
        names_width = max(text_width(_name(rule), CAPTION) for rule in by_rule)
        by_score = f", by {score}" if len(scores) > 1 or score != "activation" else ""
        canvas.text(left, top - 26, f"{_SCOPE_NAMES[scope]}{by_score}", bold=True)
        _draw_panel(canvas, by_rule, (left, right - _NAME_GAP - names_width), (top, top + _HEIGHT))
    return canvas.plot("Hits@n", _description(rows))


def _rows_of(rows: Sequence[HitsRow], rule: Rule, scope: str) -> list[HitsRow]:
    return sorted((row for row in rows if row.rule == str(rule) and row.layers == scope), key=lambda row: row.n)


def _name(rule: Rule) -> str:
    """Return a rule without its score, which the panel's title has."""
    return str(rule).partition(":")[0]


def _description(rows: Sequence[HitsRow]) -> str:
    parts = []
    for rule, scope in dict.fromkeys((row.rule, row.layers) for row in rows):
        last = max((row for row in rows if (row.rule, row.layers) == (rule, scope)), key=lambda row: row.n)
        null = "" if last.null is None else f" (null {100 * last.null:.1f} %)"
        parts.append(f"{rule}, {_SCOPE_NAMES[scope]}: {100 * last.hits:.1f} % at n = {last.n}{null}")
    return f"How often the tags of the filters that an image activates name its class. {'; '.join(parts)}."


def _draw_key(canvas: Canvas, width: int, *, intervals: bool, null: bool) -> None:
    left = _LEFT if not is_narrow(width) else 0.0
    canvas.line((left, left + _KEY_LINE), (_KEY_Y, _KEY_Y), "quiet", width=2)
    name = "Hits@n"
    if intervals:
        name = "Hits@n (95 %)" if is_narrow(width) else "Hits@n with 95 % interval"
        middle = left + _KEY_LINE / 2
        canvas.line((middle, middle), (_KEY_Y - 6, _KEY_Y + 6), "quiet", width=1)
    canvas.caption(left + _KEY_LINE + 8, _KEY_Y, name)
    if not null:
        return
    x = left + _KEY_LINE + 8 + text_width(name, CAPTION) + 24
    canvas.rect(x, _KEY_Y - 6, _KEY_LINE, 12, "quiet", alpha=0.16)
    canvas.line((x, x + _KEY_LINE), (_KEY_Y, _KEY_Y), "quiet", width=1.2, dash=_DASH)
    x += _KEY_LINE + 8
    fitting = (name for name in _NULL_NAMES if x + text_width(name, CAPTION) <= width)
    canvas.caption(x, _KEY_Y, next(fitting, _NULL_NAMES[-1]))


def _draw_panel(canvas: Canvas, by_rule: Mapping[Rule, Sequence[HitsRow]], x: _Edges, y: _Edges) -> None:
    by_rule = {rule: rows for rule, rows in by_rule.items() if rows}
    largest = max(row.n for rows in by_rule.values() for row in rows)
    (left, right), (top, bottom) = x, y

    def x_of(n: int) -> float:
        return left + (right - left) * n / largest

    def y_of(share: float) -> float:
        return bottom - (bottom - top) * min(1.0, max(0.0, share))

    draw_percent_axis(canvas, x, y)
    _draw_n_axis(canvas, largest, x_of, bottom)
    canvas.caption(right, bottom + 33, "n", anchor="end")
    for rule, rows in by_rule.items():
        _draw_null(canvas, rows, _HUES[rule.kind], x_of, y_of)
    marks = {rule: _mark(rule, list(by_rule)) for rule in by_rule}
    for rule, rows in by_rule.items():
        xs, ys = [x_of(row.n) for row in rows], [y_of(row.hits) for row in rows]
        canvas.line(xs, ys, _HUES[rule.kind], width=2, alpha=_strength(rule, list(by_rule)))
        for row in rows:
            x_of_row = x_of(row.n)
            if row.hits_low is not None and row.hits_high is not None:
                interval = (y_of(row.hits_low), y_of(row.hits_high))
                canvas.line((x_of_row, x_of_row), interval, _HUES[rule.kind], width=1.2)
            _draw_point(canvas, (x_of_row, y_of(row.hits)), rule, marks[rule], _title(rule, row))
    ends = {rule: y_of(rows[-1].hits) for rule, rows in by_rule.items()}
    for rule, name_y in _spread_out(ends, y).items():
        _draw_point(canvas, (right + 14, name_y), rule, marks[rule])
        canvas.text(right + _NAME_GAP, name_y, _name(rule), size=CAPTION)


def _draw_n_axis(canvas: Canvas, largest: int, x_of: Callable[[int], float], y: float) -> None:
    step = max(1, round(largest / _TICKS))
    for n in [*range(0, largest - step // 2, step), largest]:
        canvas.line((x_of(n), x_of(n)), (y, y + 4), "quiet", width=0.8)
        canvas.caption(x_of(n), y + 15, f"{n}", anchor="middle")


def _draw_null(
    canvas: Canvas,
    rows: Sequence[HitsRow],
    hue: Colour,
    x_of: Callable[[int], float],
    y_of: Callable[[float], float],
) -> None:
    known = [(x_of(row.n), row.null, _SDS * (row.null_sd or 0.0)) for row in rows if row.null is not None]
    if not known:
        return
    upper = [(x, y_of(mean + band)) for x, mean, band in known]
    lower = [(x, y_of(mean - band)) for x, mean, band in known]
    canvas.polygon([*upper, *reversed(lower)], hue, alpha=0.14)
    canvas.line([x for x, _, _ in known], [y_of(mean) for _, mean, _ in known], hue, width=1.2, dash=_DASH, alpha=0.8)


def _title(rule: Rule, row: HitsRow) -> str:
    interval = ""
    if row.hits_low is not None and row.hits_high is not None:
        interval = f" (95 % interval {100 * row.hits_low:.1f} to {100 * row.hits_high:.1f} %)"
    null = "" if row.null is None else f", null {100 * row.null:.1f} %"
    return f"{_name(rule)}: {100 * row.hits:.1f} % at n = {row.n}{interval}{null}"


def _draw_point(canvas: Canvas, at: tuple[float, float], rule: Rule, mark: _Points, title: str | None = None) -> None:
    x, y = at
    if mark == _DISC:
        canvas.circle(x, y, 2.8, _HUES[rule.kind], title=title)
        return
    corners = [(x + _MARK_RADIUS * dx, y + _MARK_RADIUS * dy) for dx, dy in mark]
    canvas.polygon(corners, _HUES[rule.kind], title=title)


def _mark(rule: Rule, rules: Sequence[Rule]) -> _Points:
    amounts = sorted({other.amount for other in rules if other.kind == rule.kind})
    marks = _MARKS[rule.kind]
    return marks[amounts.index(rule.amount) % len(marks)]


def _strength(rule: Rule, rules: Sequence[Rule]) -> float:
    """Return the opacity of a line: full for the largest amount of its kind, less for the others, by rank."""
    amounts = sorted({other.amount for other in rules if other.kind == rule.kind})
    rank_from_least = amounts.index(rule.amount) / (len(amounts) - 1) if len(amounts) > 1 else 1.0
    return _WEAKEST + (1 - _WEAKEST) * rank_from_least


def _spread_out(ends: Mapping[Rule, float], y: _Edges) -> dict[Rule, float]:
    """Return the y of names at least a line apart, as near to the ends of their lines as their order allows."""
    # Equals: the larger amount above.
    order = sorted(ends, key=lambda rule: (ends[rule], rule.kind, -rule.amount))
    names: dict[Rule, float] = {}
    free, last = y
    for rule in order:
        names[rule] = max(ends[rule], free)
        free = names[rule] + _LINE
    for rule in reversed(order):
        names[rule] = min(names[rule], last)
        last = names[rule] - _LINE
    return names
