"""What a network loses without the filters of a concept: in its classes, in the others, and without random filters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from filtag_kg.kg import SCOPES, Ablation, Change, Scope
from filtag_kg.report.plots.canvas import CAPTION, Canvas, fitted, text_width
from filtag_kg.report.plots.plot import Plot
from filtag_kg.report.plots.style import WIDE, Colour
from filtag_kg.views import change_text, points_text

# Sizes in pixels.
_KEY, _KEY_Y = 30, 12
_TITLE, _ROW, _GAP = 24, 26, 14
_FOOT = 30
_MARGIN = 12
_MOST_LABEL = 0.34
"""Of the width, for the names of rows."""
_COLOURS: dict[Scope, Colour] = {"concept": "same", "others": "slate", "difference": "ink"}


def ablation_plot(ablations: Sequence[Ablation], *, width: int = WIDE) -> Plot | None:
    """Draw the change of confidence in the true class, a block for each ablation, all on one scale.

    A row is a point with its 95 % interval; the small marks below are the random sets of filters.

    Parameters
    ----------
    width : int
        In pixels.

    Returns
    -------
    Plot or None
        None without ablations.
    """
    if not ablations:
        return None
    block = _TITLE + len(SCOPES) * _ROW + _GAP
    height = _KEY + len(ablations) * block + _FOOT
    canvas = Canvas("ablation", width, height)
    rows = [_name(ablation, scope) for ablation in ablations for scope in SCOPES]
    left = min(max(text_width(name) for name in rows) + 14, _MOST_LABEL * width)
    right = width - _MARGIN
    reach = 1.05 * max(_reach(ablation) for ablation in ablations)

    def x_of(change: float) -> float:
        return left + (right - left) * (change + reach) / (2 * reach)

    bottom = height - _FOOT
    canvas.line((x_of(0), x_of(0)), (_KEY, bottom), "quiet", width=1.2)
    _draw_key(canvas, width)
    for index, ablation in enumerate(ablations):
        top = _KEY + index * block
        canvas.text(0, top + 8, fitted(_title(ablation), width, 13), bold=True)
        for number, scope in enumerate(SCOPES):
            y = top + _TITLE + (number + 0.5) * _ROW
            canvas.text(0, y, fitted(_name(ablation, scope), left - 10))
            _draw_row(canvas, ablation.change(scope), y, x_of)
    for share in (-1, -0.5, 0, 0.5, 1):
        change = share * reach / 1.05
        canvas.caption(x_of(change), bottom + 14, points_text(change), anchor="middle")
    shown = "; ".join(f"{ablation.label}: {change_text(ablation.change('difference'))}" for ablation in ablations)
    return canvas.plot(
        "Change of confidence without a concept's filters",
        f"In points; how much more the classes of each concept change than the others: {shown}.",
    )


def _draw_row(canvas: Canvas, change: Change, y: float, x_of: Callable[[float], float]) -> None:
    colour = _COLOURS[change.scope]
    for value in sorted(set(change.random)):
        canvas.line((x_of(value), x_of(value)), (y + 5, y + 10), "predicted", width=1.6, alpha=0.6)
    canvas.line((x_of(change.low), x_of(change.high)), (y, y), colour, width=2)
    canvas.circle(x_of(change.change), y, 4, colour, title=change_text(change))


def _draw_key(canvas: Canvas, width: float) -> None:
    canvas.circle(5, _KEY_Y, 4, "same")
    text = "change in points, 95 % interval"
    canvas.caption(16, _KEY_Y, text)
    start = 16 + text_width(text, CAPTION) + 24
    canvas.line((start, start), (_KEY_Y - 3, _KEY_Y + 3), "predicted", width=1.6)
    canvas.caption(start + 8, _KEY_Y, fitted("random filters", width - start - 8, CAPTION))


def _reach(ablation: Ablation) -> float:
    changes = [ablation.change(scope) for scope in SCOPES]
    return max(0.001, *(abs(x) for each in changes for x in (each.change, each.low, each.high, *each.random)))


def _title(ablation: Ablation) -> str:
    n_filters = len(ablation.filters)
    filters = "1 filter" if n_filters == 1 else f"{n_filters:,} filters"
    return f"{ablation.label}: {filters} set to {'zero' if ablation.replacement == 'zero' else 'the mean'}"


def _name(ablation: Ablation, scope: Scope) -> str:
    return {"concept": f"at or below {ablation.label}", "others": "other classes", "difference": "difference"}[scope]
