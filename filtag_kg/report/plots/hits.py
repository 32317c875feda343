"""Hits@n against n, a line for each rule, with what tags that say nothing would reach: the paper's Figure 4."""

from __future__ import annotations

from collections.abc import Sequence

from filtag_kg.explain import SCOPES, HitsRow
from filtag_kg.report.plots.canvas import Canvas, text_width
from filtag_kg.report.plots.percent_axis import draw_percent_axis
from filtag_kg.report.plots.style import NARROW, WIDE, Colour
from filtag_kg.tags import Rule, parse_rule

__all__ = ["hits_plot"]

_LEFT = 52
_GAP = 40
_HEAD = 74
_HEIGHT = 250
_FOOT = 48
_LINE = 15.0
_NAMES = {"all": "all layers", "last": "last layer alone"}
_HUES: dict[str, Colour] = {"k": "same", "q": "predicted"}
_PERMUTED = ("images' labels permuted, with 95 % band", "labels permuted (95 %)", "permuted")
_TICKS = 5
# Of a normal distribution within about 95 %.
_SDS = 1.96


def hits_plot(rows: Sequence[HitsRow], *, width: int = WIDE) -> str | None:
    """Draw a panel for each score and for all layers and the last; solid Hits@n, dashed the null with its band.

    The band is of 1.96 standard deviations over permutations. Rules by number of filters have round marks, those by
    quantile square ones; the larger the amount, the stronger the line, and each has its name at its end.

    Parameters
    ----------
    rows : sequence of HitsRow
    width : int
        In pixels.

    Returns
    -------
    str or None
        SVG; None without rows.
    """
    if not rows:
        return None
    rules = [parse_rule(name) for name in dict.fromkeys(row.rule for row in rows)]
    scores = list(dict.fromkeys(rule.score for rule in rules))
    panels = [(score, scope) for score in scores for scope in SCOPES if any(row.layers == scope for row in rows)]
    beside = width > 1.5 * NARROW
    columns = 2 if beside and len(panels) > 1 else 1
    one = (width - (columns - 1) * _GAP) / columns
    tall = _HEAD + _HEIGHT + _FOOT
    lines = -(-len(panels) // columns)
    canvas = Canvas("hits", width, 10 + tall * lines)
    _draw_key(canvas, width, null=any(row.null is not None for row in rows))
    for place, (score, scope) in enumerate(panels):
        line, column = divmod(place, columns)
        left, top = column * (one + _GAP), 10 + line * tall
        shown = [rule for rule in rules if rule.score == score]
        canvas.text(left + _LEFT, top + _HEAD - 26, _title(score, scope, scores), bold=True)
        _draw_panel(
            canvas,
            {rule: _of(rows, rule, scope) for rule in shown},
            (left + _LEFT, left + one - 22 - max(text_width(_name(rule), 12) for rule in shown)),
            (top + _HEAD, top + _HEAD + _HEIGHT),
        )
    return canvas.svg("Hits@n", _said(rows))


def _of(rows: Sequence[HitsRow], rule: Rule, scope: str) -> list[HitsRow]:
    return sorted((row for row in rows if row.rule == str(rule) and row.layers == scope), key=lambda row: row.n)


def _title(score: str, scope: str, scores: Sequence[str]) -> str:
    return f"{_NAMES[scope]}, by {score}" if len(scores) > 1 or score != "activation" else _NAMES[scope]


def _name(rule: Rule) -> str:
    return str(rule).partition(":")[0]


def _said(rows: Sequence[HitsRow]) -> str:
    said = []
    for rule, scope in dict.fromkeys((row.rule, row.layers) for row in rows):
        last = max((row for row in rows if (row.rule, row.layers) == (rule, scope)), key=lambda row: row.n)
        null = "" if last.null is None else f" (null {100 * last.null:.1f} %)"
        said.append(f"{rule}, {_NAMES[scope]}: {100 * last.hits:.1f} % at n = {last.n}{null}")
    return f"How often the tags of the filters that an image activates name its class. {'; '.join(said)}."


def _draw_key(canvas: Canvas, width: int, *, null: bool) -> None:
    canvas.line((_LEFT, _LEFT + 24), (14, 14), "quiet", width=2)
    canvas.text(_LEFT + 32, 14, "Hits@n", colour="quiet", size=12)
    if null:
        x = _LEFT + 32 + text_width("Hits@n", 12) + 24
        canvas.rect(x, 8, 24, 12, "quiet", alpha=0.16)
        canvas.line((x, x + 24), (14, 14), "quiet", width=1.2, dash=(4, 3))
        said = next(said for said in _PERMUTED if x + 32 + text_width(said, 12) <= width or said == _PERMUTED[-1])
        canvas.text(x + 32, 14, said, colour="quiet", size=12)


def _draw_panel(
    canvas: Canvas, lines: dict[Rule, list[HitsRow]], x: tuple[float, float], y: tuple[float, float]
) -> None:
    known = {rule: rows for rule, rows in lines.items() if rows}
    largest = max(row.n for rows in known.values() for row in rows)

    def at(n: int) -> float:
        return x[0] + (x[1] - x[0]) * n / largest

    def up(share: float) -> float:
        return y[1] - (y[1] - y[0]) * min(1.0, max(0.0, share))

    draw_percent_axis(canvas, x, y)
    step = max(1, round(largest / _TICKS))
    for n in [*range(0, largest - step // 2, step), largest]:
        canvas.line((at(n), at(n)), (y[1], y[1] + 4), "quiet", width=0.8)
        canvas.text(at(n), y[1] + 15, f"{n}", colour="quiet", size=12, anchor="middle")
    canvas.text(x[1], y[1] + 33, "n", colour="quiet", size=12, anchor="end")
    for rule, rows in known.items():
        null = [(at(row.n), row.null, _SDS * (row.null_sd or 0.0)) for row in rows if row.null is not None]
        if null:
            upper = [(x, up(mean + band)) for x, mean, band in null]
            lower = [(x, up(mean - band)) for x, mean, band in null]
            canvas.polygon([*upper, *reversed(lower)], _HUES[rule.kind], alpha=0.14)
            places, means = [x for x, _, _ in null], [up(mean) for _, mean, _ in null]
            canvas.line(places, means, _HUES[rule.kind], width=1.2, dash=(4, 3), alpha=0.8)
    for rule, rows in known.items():
        strength = _strength(rule, list(known))
        places, hits = [at(row.n) for row in rows], [up(row.hits) for row in rows]
        canvas.line(places, hits, _HUES[rule.kind], width=2, alpha=strength)
        for row in rows:
            title = f"{_name(rule)}: {100 * row.hits:.1f} % at n = {row.n}"
            if row.null is not None:
                title += f", null {100 * row.null:.1f} %"
            _draw_point(canvas, at(row.n), up(row.hits), rule, title)
    ends = {rule: up(rows[-1].hits) for rule, rows in known.items()}
    for rule, place in _apart(ends, (y[0], y[1])).items():
        _draw_point(canvas, x[1] + 14, place, rule)
        canvas.text(x[1] + 22, place, _name(rule), size=12)


def _draw_point(canvas: Canvas, x: float, y: float, rule: Rule, title: str | None = None) -> None:
    if rule.kind == "k":
        canvas.circle(x, y, 2.8, _HUES["k"], title=title)
    else:
        canvas.rect(x - 2.6, y - 2.6, 5.2, 5.2, _HUES["q"], title=title)


def _strength(rule: Rule, rules: Sequence[Rule]) -> float:
    """Return how opaque a line is: the largest amount of its kind fully, the others less by rank."""
    amounts = sorted({other.amount for other in rules if other.kind == rule.kind})
    return 1.0 if len(amounts) == 1 else 0.45 + 0.55 * amounts.index(rule.amount) / (len(amounts) - 1)


def _apart(ends: dict[Rule, float], bounds: tuple[float, float]) -> dict[Rule, float]:
    """Return the places of names that stand a line apart, as near to the ends as their order allows."""
    # Equals: the larger amount above.
    order = sorted(ends, key=lambda rule: (ends[rule], rule.kind, -rule.amount))
    places: dict[Rule, float] = {}
    free = bounds[0]
    for rule in order:
        places[rule] = max(ends[rule], free)
        free = places[rule] + _LINE
    end = bounds[1]
    for rule in reversed(order):
        places[rule] = min(places[rule], end)
        end = places[rule] - _LINE
    return places
