"""The tables of a KG: what each rule, layer and concept has, and what an evaluation found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from filtag_kg.explain import HitsRow
from filtag_kg.paper.tables import Column, PaperTable, per_cent, two_digits, whole
from filtag_kg.report import GroupedRun
from filtag_kg.tags import hubs, parse_rule

_MOST_KINDS = 20
_NAMED_KINDS = 3
_N_SHOWN = (1, 5, 10, 20, 50, 100)
_N_CORRELATED = (1, 5, 10)
_SCOPE_NAMES = {"all": "all layers", "last": "last layer"}


def kg_tables(grouped_runs: Sequence[GroupedRun], names: dict[str, str]) -> Iterator[PaperTable]:
    """Yield the tables of a KG's runs.

    Parameters
    ----------
    names : mapping of run id to str
        How the files of a run are called.
    """
    yield _rules(grouped_runs)
    for grouped in grouped_runs:
        name = names[grouped.run.run_id]
        yield _layers(grouped, f"layers-{name}")
        yield _kinds(grouped, f"concepts-{name}")
        yield _kinds_by_layer(grouped, f"concepts-by-layer-{name}")
        yield _named_by_layer(grouped, f"concepts-named-{name}")


def _about(grouped: GroupedRun) -> str:
    return f"{grouped.network.label}, {grouped.run.rule}"


def _coherent(grouped: GroupedRun, share: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a Proportion
    """Return count, share and interval of coherent filters; empty where there are too few classes to judge."""
    return (None,) * 4 if grouped.run.too_few() else (share.count, share.value, share.low, share.high)


_SHARE = (
    Column("coherent", "clear theme", whole, number=True),
    Column("share", "%", per_cent, number=True),
    Column("share_low", "low", per_cent, number=True),
    Column("share_high", "high", per_cent, number=True),
)


def _rules(grouped_runs: Sequence[GroupedRun]) -> PaperTable:
    rows = []
    for grouped in grouped_runs:
        counts = np.diff(grouped.table.of_filter)
        tagged = counts[counts > 0]
        rows.append(
            (
                *(grouped.network.network, grouped.network.label, grouped.run.run_id, grouped.run.rule),
                *(len(grouped.layers), len(counts), len(tagged), int(counts.sum())),
                float(np.median(tagged)) if len(tagged) else None,
                *(int(counts.max(initial=0)), int((counts > 1).sum())),
                *_coherent(grouped, grouped.coherent),
            )
        )
    columns = (
        Column("network"),
        Column("name", "network"),
        Column("run"),
        Column("rule", "rule"),
        Column("layers", "layers", whole, number=True),
        Column("filters", "filters", whole, number=True),
        Column("tagged", "tagged", whole, number=True),
        Column("tags", "tags", whole, number=True),
        Column("median", "median", "{:g}".format, number=True),
        Column("most", "most", whole, number=True),
        Column("several", "several", whole, number=True),
        *_SHARE,
    )
    caption = (
        "Filters and tags by rule. Median and most: tags of a tagged filter. Several: filters with two or more tags; "
        "clear theme: those of them whose tags have more in common than chance, with the 95 % interval of their share."
    )
    return PaperTable("rules", caption, columns, rows, wide=True)


def _layers(grouped: GroupedRun, name: str) -> PaperTable:
    rows = []
    n_classes = len(grouped.loaded.concepts.class_ids)
    of_filter, offsets = grouped.table.of_filter, grouped.network.offsets
    for layer in grouped.layers:
        counts = np.diff(of_filter[offsets[layer.layer_index] : offsets[layer.layer_index + 1] + 1])
        tagged = counts[counts > 0]
        rows.append(
            (
                *(layer.layer_index, layer.layer, layer.filters, layer.tagged, int(counts.sum())),
                float(np.median(tagged)) if len(tagged) else None,
                *(int(counts.max(initial=0)), int(hubs(counts, n_classes).sum()), layer.coherent.total),
                *_coherent(grouped, layer.coherent),
            )
        )
    columns = (
        Column("layer_index"),
        Column("layer", "layer"),
        Column("filters", "filters", whole, number=True),
        Column("tagged", "tagged", whole, number=True),
        Column("tags", "tags", whole, number=True),
        Column("median", "median", "{:g}".format, number=True),
        Column("most", "most", whole, number=True),
        Column("hubs", "hubs", whole, number=True),
        Column("several", "several", whole, number=True),
        *_SHARE,
    )
    return PaperTable(name, f"Filters and tags by layer ({_about(grouped)}).", columns, rows, wide=True)


def _kinds(grouped: GroupedRun, name: str) -> PaperTable:
    rows = []
    for iri, label, n_filters in grouped.kinds:
        groups = [group for group in grouped.kind_groups if group.concept == iri]
        of_kind = sorted((group.layer_index, group.layer, len(group.filters)) for group in groups)
        _, most, in_most = max(of_kind, key=lambda layer: (layer[2], -layer[0]))
        rows.append((iri, label, n_filters, len(of_kind), of_kind[0][1], of_kind[-1][1], most, in_most))
    columns = (
        Column("concept"),
        Column("label", "concept"),
        Column("filters", "filters", whole, number=True),
        Column("layers", "layers", whole, number=True),
        Column("first_layer", "first"),
        Column("last_layer", "last"),
        Column("layer_with_most", "most in"),
        Column("filters_there", "there", whole, number=True),
    )
    caption = f"Kinds of things that filters have as their clear theme ({_about(grouped)})."
    return PaperTable(name, caption, columns, rows, most=_MOST_KINDS, wide=True)


def _kinds_by_layer(grouped: GroupedRun, name: str) -> PaperTable:
    groups = sorted(grouped.kind_groups, key=lambda group: (group.layer_index, -len(group.filters), group.label))
    columns = (Column("layer_index"), Column("layer"), Column("concept"), Column("label"), Column("filters"))
    rows = [(group.layer_index, group.layer, group.concept, group.label, len(group.filters)) for group in groups]
    return PaperTable(name, "", columns, rows)


def _named_by_layer(grouped: GroupedRun, name: str) -> PaperTable:
    rows = []
    for layer in grouped.layers:
        groups = [group for group in grouped.kind_groups if group.layer_index == layer.layer_index]
        named = "; ".join(f"{group.label} {len(group.filters)}" for group in groups[:_NAMED_KINDS])
        rows.append((layer.layer, sum(len(group.filters) for group in groups), named))
    columns = (
        Column("layer", "layer"),
        Column("coherent", "clear theme", whole, number=True),
        Column("kinds", "most frequent themes, with their filters"),
    )
    return PaperTable(name, f"Themes of filters by layer ({_about(grouped)}).", columns, rows, csv=False)


def hits_tables(rows: Sequence[HitsRow]) -> Iterator[PaperTable]:
    """Yield the tables of an evaluation."""
    by_score = rows_by_score(rows)
    for score, of_score in by_score.items():
        yield _hits(of_score, "hits" if len(by_score) == 1 else f"hits-{score}")
    if any(row.rho is not None for row in rows):
        yield _correlations(rows)


def rows_by_score(rows: Iterable[HitsRow]) -> dict[str, list[HitsRow]]:
    """Return the rows of an evaluation by the score of their rules, in the order of the rules."""
    by_score: dict[str, list[HitsRow]] = {}
    for row in rows:
        by_score.setdefault(parse_rule(row.rule).score, []).append(row)
    return by_score


def _shown(rows: Iterable[HitsRow], wanted: Sequence[int]) -> list[int]:
    """Return the n of a table: those wanted that were computed, else the first computed."""
    computed = sorted({row.n for row in rows})
    return [n for n in wanted if n in computed] or computed[: len(wanted)]


def _below(rows: Sequence[HitsRow]) -> str:
    parts = [
        *(["the 95 % bootstrap interval over images"] if any(row.hits_low is not None for row in rows) else []),
        *(["the null, with the images' labels permuted"] if any(row.null is not None for row in rows) else []),
    ]
    return f"; below it {' and '.join(parts)}" if parts else ""


def _lines(rows: Sequence[HitsRow]) -> dict[tuple[str, str], dict[int, HitsRow]]:
    lines: dict[tuple[str, str], dict[int, HitsRow]] = {}
    for row in rows:
        lines.setdefault((row.rule, row.layers), {})[row.n] = row
    return lines


def _hits(rows: Sequence[HitsRow], name: str) -> PaperTable:
    shown = _shown(rows, _N_SHOWN)
    body: list[tuple[str | None, ...]] = []
    for (rule, layers), by_n in _lines(rows).items():
        cells = [by_n.get(n) for n in shown]
        hits = (None if row is None else per_cent(row.hits) for row in cells)
        body.append((rule, _SCOPE_NAMES[layers], "hits", *hits))
        if any(row is not None and row.hits_low is not None for row in cells):
            body.append((None, None, "95 %", *(_interval(row) for row in cells)))
        if any(row is not None and row.null is not None for row in cells):
            nulls = (per_cent(row.null) if row is not None and row.null is not None else None for row in cells)
            body.append((None, None, "null", *nulls))
    columns = (
        Column("rule", "rule"),
        Column("layers", "layers"),
        # A space, so that the column is shown without a title.
        Column("figure", " "),
        *(Column(f"n{n}", f"n = {n}", number=True) for n in shown),
    )
    return PaperTable(name, f"Hits@n in per cent{_below(rows)}.", columns, body, wide=True, csv=False)


def _interval(row: HitsRow | None) -> str | None:
    if row is None or row.hits_low is None or row.hits_high is None:
        return None
    return f"{per_cent(row.hits_low)}–{per_cent(row.hits_high)}"


def _correlations(rows: Sequence[HitsRow]) -> PaperTable:
    shown = _shown(rows, _N_CORRELATED)
    body = [
        (rule, _SCOPE_NAMES[layers], *(_rho(by_n.get(n)) for n in shown))
        for (rule, layers), by_n in _lines(rows).items()
    ]
    columns = (
        Column("rule", "rule"),
        Column("layers", "layers"),
        *(Column(f"n{n}", f"n = {n}", number=True) for n in shown),
    )
    caption = "Spearman's rank correlation, over classes, of Hits@n with accuracy, with its 95 % confidence interval."
    return PaperTable("hits-accuracy", caption, columns, body, csv=False)


def _rho(row: HitsRow | None) -> str | None:
    if row is None or row.rho is None:
        return None
    if row.rho_low is None or row.rho_high is None:
        return two_digits(row.rho)
    return f"{two_digits(row.rho)} ({two_digits(row.rho_low)} to {two_digits(row.rho_high)})"
