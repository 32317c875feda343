"""A filter's view as HTML for notebooks, with its pictures inside."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from filtag_kg.errors import MissingExtraError
from filtag_kg.notebook_html import QUIET, bar_html, table_html
from filtag_kg.views.activations import ABOUT_HIGHER
from filtag_kg.views.heat_maps import heat_map
from filtag_kg.views.wording import chance_figure, chance_text, probability_text, rule_sentence, support_sentence

if TYPE_CHECKING:
    from filtag_kg.concepts import CommonConcept
    from filtag_kg.views.records import FilterRun, FilterView

_MOST_ROWS = 10
_MOST_PICTURES = 9
_MOST_BYTES = 200_000
_LIT_HEIGHT = 96
"""In pixels; shown a little smaller, for sharp screens."""
_TYPES = {".jpg": "jpeg", ".png": "png", ".webp": "webp"}


def picture_html(path: Path, title: str) -> str:
    """Return a picture as a data URL in HTML; empty if it is gone, too large, or not a picture by its name."""
    kind = _TYPES.get(path.suffix.lower())
    if kind is None or not path.is_file() or path.stat().st_size > _MOST_BYTES:
        return ""
    return _image(path.read_bytes(), kind, title)


def _image(content: bytes, kind: str, title: str) -> str:
    data, text = base64.b64encode(content).decode("ascii"), escape(title)
    style = "height:72px;margin:0 4px 4px 0"
    return f'<img src="data:image/{kind};base64,{data}" alt="{text}" title="{text}" style="{style}">'


def filter_html(view: FilterView) -> str:
    """Return a filter: its pictures, and by each run its tags, what they have in common and its neighbours."""
    title = f'<strong>{escape(view.layer)}/{view.filter}</strong> <span style="{QUIET}">{escape(view.network)}</span>'
    runs = sorted(view.runs, key=lambda run: view.name is None or run.run != view.name.run)
    return f"<div>{title}{_named(view)}{_pictures(view)}{_higher(view)}{''.join(map(_run, runs))}</div>"


def _named(view: FilterView) -> str:
    name = view.name
    if name is None:
        return ""
    return (
        f'<p style="margin:.2em 0"><strong>{escape(name.text)}</strong> '
        f'<span title="{escape(name.figures)}">{escape(name.sentence)}</span></p>'
    )


def _pictures(view: FilterView) -> str:
    if view.kg is None:
        return ""
    pictures = [(each.file, each.method) for each in view.visualizations]
    pictures += [(each.thumbnail, f"{each.label}, {each.activation:.3f}") for each in view.exemplars]
    shown = "".join(picture_html(view.kg / file, title) for file, title in pictures[:_MOST_PICTURES])
    return f"<div>{shown}</div>{_lit(view, view.kg)}" if shown else ""


def _lit(view: FilterView, kg: Path) -> str:
    """Return the exemplars lit where the filter responds; empty without maps, or without Pillow."""
    lit = []
    for each in view.exemplars[:_MOST_PICTURES]:
        if each.where is not None and picture_html(kg / each.thumbnail, ""):
            try:
                content = heat_map((kg / each.thumbnail).read_bytes(), each.where, height=_LIT_HEIGHT, format_="JPEG")
            except (MissingExtraError, OSError):
                return ""
            lit.append(_image(content, "jpeg", f"{each.label}, lit where the filter responds"))
    return f"<div>{''.join(lit)}</div>" if lit else ""


def _higher(view: FilterView) -> str:
    if not view.higher:
        return ""
    header = ("pictures of", "activation", "others", "effect", "q")
    rows = (
        (escape(row.name), f"{row.mean:.3f}", f"{row.others:.3f}", f"{row.effect:+.2f}", probability_text(row.q_value))
        for row in view.higher
    )
    title = '<p style="margin:.6em 0 0">pictures that activate it more than others do</p>'
    return f'{title}{table_html(header, rows, right=header[1:])}<p style="{QUIET};margin:0">{escape(ABOUT_HIGHER)}</p>'


def _run(run: FilterRun) -> str:
    top = max((tag.activation or 0.0 for tag in run.tags), default=0.0)
    high = max((tag.contrast or 0.0 for tag in run.tags), default=0.0)
    parts = [
        f'<p style="margin:.6em 0 0">{escape(rule_sentence(run.run))} '
        f'<span style="{QUIET}">{escape(run.run.rule)}</span> {_headline(run)}</p>'
    ]
    best = max((tag.score or 0.0 for tag in run.tags), default=0.0)
    if any(tag.score is not None for tag in run.tags):
        scored = (
            (escape(tag.label), escape(tag.class_id), bar_html(tag.score, best, ".3f")) for tag in run.tags[:_MOST_ROWS]
        )
        parts.append(table_html(("tag", "class", "score"), scored))
        parts.append(_cut(len(run.tags), "tags"))
        if run.run.score_meaning is not None:
            parts.append(f'<p style="{QUIET};margin:0">score: {escape(run.run.score_meaning)}</p>')
    elif run.tags:
        rows = (
            (
                escape(tag.label),
                escape(tag.class_id),
                bar_html(tag.activation, top, ".3f"),
                bar_html(tag.contrast, high, ".1f"),
            )
            for tag in run.tags[:_MOST_ROWS]
        )
        parts.append(table_html(("tag", "class", "activation", "contrast"), rows))
        parts.append(_cut(len(run.tags), "tags"))
    if run.kinds:
        rows_of = ((_name(each.row), *_figures(run, each.row), _way(run, each.row)) for each in run.kinds[:_MOST_ROWS])
        parts.append(table_html(("what they share", "tags", "how sure", "why"), rows_of, right=("tags",)))
    if run.neighbours:
        near_rows = (
            (
                f"{escape(near.layer)}/{near.filter}",
                str(near.shared),
                bar_html(near.similarity, 1.0, ".2f"),
                "" if near.kind is None else _name(near.kind),
            )
            for near in run.neighbours
        )
        parts.append(table_html(("neighbour", "shared", "similarity", "its theme"), near_rows, right=("shared",)))
    return "".join(parts)


def _headline(run: FilterRun) -> str:
    kind = run.kind
    if kind is None:
        if not run.tags:
            return "No class marks it."
        few = f" {run.run.too_few().capitalize()}." if run.run.too_few() else ""
        return f"Its {len(run.tags)} classes share nothing.{few}" if len(run.tags) > 1 else "One class marks it."
    if run.run.too_few():
        return f"{_name(kind)}: {support_sentence(kind)}; {run.run.too_few()} ({chance_figure(kind)})."
    return f"{_name(kind)}: {support_sentence(kind)}, {chance_text(kind)}."


def _name(row: CommonConcept) -> str:
    name = f'<span title="{escape(row.concept)}">{escape(row.label)}</span>'
    return f"<strong>{name}</strong>" if row.beyond_chance() else name


def _figures(run: FilterRun, row: CommonConcept) -> tuple[str, str]:
    return f"{row.support} of {row.tags}", chance_text(row, few=bool(run.run.too_few()))


def _way(run: FilterRun, row: CommonConcept) -> str:
    (kind,) = (each for each in run.kinds if each.row is row)
    return " → ".join(escape(step.label) for step in run.way(kind))


def _cut(n: int, what: str) -> str:
    if n <= _MOST_ROWS:
        return ""
    return f'<p style="{QUIET};margin:0">{_MOST_ROWS} of {n:,} {what}</p>'
