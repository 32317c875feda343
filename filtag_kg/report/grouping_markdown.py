"""The semantic report as Markdown: readable as text, and safe whatever classes and layers are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from filtag_kg.report.comparison import FIFTHS, ComparedConcept, Comparison, by_depth
from filtag_kg.report.grouping import ConceptGroup, GroupedRun, LayerShare
from filtag_kg.report.proportion import Proportion
from filtag_kg.report.stated import StatedBySource, StatedFeature, stated_by_source
from filtag_kg.report.tables import count_text, markdown_table, markdown_text
from filtag_kg.views import ABOUT_HIGHER, SOURCE_TEXTS, clear_filters, rule_sentence

_MOST_GROUPS = 40
_MOST_CONCEPTS = 20
_MOST_INDICES = 6
_MOST_TAGS = 4
_MOST_LABEL = 32
_MOST_FEATURES = 40
_MOST_BEHIND = 6
_MOST_THROUGH = 3


def semantic_markdown(grouped_runs: Sequence[GroupedRun], comparisons: Sequence[Comparison], *, q: float) -> str:
    """Return the report: a section for each run, then one for each rule that several KGs have."""
    names = _names(grouped_runs)
    compared = ", `networks.csv` all compared concepts" if len(names) > 1 else ""
    parts = [
        "# What the filters have in common",
        "A filter has a *clear theme* if two or more classes mark it and these share more than as many random "
        f"classes would: its q-value is below {q:g}. In tables for programs the word for that is *coherent*. Of the "
        f"filters of a run with a clear theme, at most about {_percent(q, 0)} are expected to have it by chance. A "
        "filter that one class marks has nothing to compare, and counts in no share. Each filter is counted once, "
        "with the theme that its q-value is about. Intervals are Wilson's, 95 %.",
        f"`groups.csv` and `layers.csv` have all rows{compared}.",
    ]
    for grouped in grouped_runs:
        parts += _section(grouped, names[grouped.kg])
    for comparison in comparisons:
        parts += _compared(comparison, names)
    if len(names) > 1 and not comparisons:
        parts += ["## Networks compared", "Nothing is compared: no rule was run in more than one of these KGs."]
    return "\n\n".join(parts) + "\n"


def _names(grouped_runs: Iterable[GroupedRun]) -> dict[str, str]:
    """Return a name for each KG: its network, followed by the start of the KG's id where two have the same network."""
    networks = {grouped.kg: grouped.run.network for grouped in grouped_runs}
    uses = Counter(networks.values())
    return {
        kg: markdown_text(network if uses[network] == 1 else f"{network} ({kg[:8]})")
        for kg, network in networks.items()
    }


def _section(grouped: GroupedRun, name: str) -> list[str]:
    rows, share = grouped.layers, grouped.coherent
    filters, tagged = sum(row.filters for row in rows), sum(row.tagged for row in rows)
    parts = [
        f"## {name}, rule {markdown_text(grouped.run.rule)}",
        markdown_text(rule_sentence(grouped.run)),
        f"{count_text(filters, 'filter')} in {count_text(len(rows), 'layer')}; {tagged:,} are marked by a class, "
        f"{share.total:,} by several. {_coherent(grouped)}",
        "### Filters by layer" if grouped.run.too_few() else "### Filters with a clear theme, by layer",
        _layer_table(grouped),
        *_higher(grouped),
    ]
    if len(rows) > 1 and share.count:
        parts += ["### Themes over all layers", *_concept_table(grouped)]
    few = grouped.run.too_few()
    none = f"{few[0].upper()}{few[1:]}." if few else "There is none."
    parts.append(f"### Filters by kind of thing and layer: what {_source(grouped.run.kinds_of)} says")
    parts += _group_table(grouped.kind_groups) if grouped.kind_groups else [none]
    for stated in stated_by_source(grouped):
        parts += _stated(stated, grouped)
    return parts


def _coherent(grouped: GroupedRun) -> str:
    share = grouped.coherent
    if grouped.run.too_few():
        return f"How many have a clear theme: **{grouped.run.too_few()}**."
    sentence = clear_filters(share.count, share.total)
    return f"**{sentence[:1].upper()}{sentence[1:]}**{f': {_interval(share)}' if share.total else ''}."


def _higher(grouped: GroupedRun) -> list[str]:
    """Return what activations say where there are too few classes."""
    rows = [
        (
            _label(layer),
            f"{sum(n for _, _, n in concepts):,}",
            ", ".join(f"{markdown_text(name)} {n:,}" for _, name, n in concepts),
        )
        for layer, concepts in grouped.higher().items()
        if concepts
    ]
    if not rows:
        return []
    return [
        "### Pictures that activate filters more than others do",
        "Each filter is counted once, with the concept of the largest effect. " + ABOUT_HIGHER,
        markdown_table(("layer", "filters", "images of (filters)"), rows, right=(1,)),
    ]


def _layer_table(grouped: GroupedRun) -> str:
    concepts: dict[str, list[str]] = {}
    for group in grouped.kind_groups:
        concepts.setdefault(group.layer, []).append(f"{_label(group.label)} {len(group.filters)}")
    header: tuple[str, ...] = ("layer", "filters", "marked", "by several classes", "clear theme", "share", "interval")
    header += ("most frequent themes",)
    rows = [_layer_row(row, concepts) for row in grouped.layers]
    if grouped.run.too_few():
        header, rows = header[:4], [row[:4] for row in rows]
    return markdown_table(header, rows, right=range(1, min(7, len(header))))


def _layer_row(row: LayerShare, concepts: dict[str, list[str]]) -> tuple[str, ...]:
    counts = (row.filters, row.tagged, row.coherent.total, row.coherent.count)
    return (
        _label(row.layer),
        *(f"{count:,}" for count in counts),
        *_share(row.coherent),
        ", ".join(concepts.get(row.layer, [])[:3]),
    )


def _concept_table(grouped: GroupedRun) -> list[str]:
    """Return a table of the concepts with most filters in all layers together."""
    kinds, rows = grouped.kinds, []
    for concept, label, filters in kinds[:_MOST_CONCEPTS]:
        groups = [group for group in grouped.kind_groups if group.concept == concept]
        layers = [group.layer for group in sorted(groups, key=lambda group: group.layer_index)]
        most_in = f"{_label(groups[0].layer)} ({len(groups[0].filters):,})"
        rows.append((_label(label), f"{filters:,}", f"{len(layers)}", most_in, _label(layers[0]), _label(layers[-1])))
    table = markdown_table(("concept", "filters", "layers", "most in", "first in", "last in"), rows, right=(1, 2))
    return [table, *_more(len(kinds), _MOST_CONCEPTS, "concepts")]


def _group_table(groups: Sequence[ConceptGroup]) -> list[str]:
    table = markdown_table(
        ("kind of thing", "layer", "filters", "which", "most frequent classes (filters)"),
        (
            (
                _label(group.label),
                _label(group.layer),
                f"{len(group.filters):,}",
                _cut([str(index) for index in group.filters], _MOST_INDICES),
                _cut([f"{_label(label)} ({count})" for label, count in group.tags], _MOST_TAGS),
            )
            for group in groups[:_MOST_GROUPS]
        ),
        right=(2,),
    )
    return [table, *_more(len(groups), _MOST_GROUPS, "groups")]


def _stated(stated: StatedBySource, grouped: GroupedRun) -> list[str]:
    """Return the section on what a source says besides the kinds of the hierarchy."""
    parts = [f"### {markdown_text(stated.heading)}"]
    if stated.n_filters:
        counts = ", ".join(f"{row.name.lower()} {row.n_filters:,}" for row in stated.relations if row.features)
        share, kind = count_text(stated.n_filters, "filter shares", "filters share"), _source(grouped.run.kinds_of)
        new = f"{stated.n_new:,} of them {'has' if stated.n_new == 1 else 'have'} no kind of {kind}'s in common"
        also = f"All of them have a kind of {kind}'s in common, too,"
        parts.append(
            f"{share} something that {_source(stated.source)} states: {counts}. "
            f"{new if stated.n_new else also} as a clear theme. Each relation has q-values of its own, and counts a "
            "filter once, with what its q-value is about. In brackets: the concept that the classes before it have "
            "this through."
        )
    for relation in stated.relations:
        parts.append(f"#### {relation.name}")
        if relation.too_few:
            parts.append(f"{relation.too_few[0].upper()}{relation.too_few[1:]}.")
            continue
        shown, others = relation.features[:_MOST_FEATURES], relation.features[_MOST_FEATURES:]
        several = [feature for feature in shown if feature.n_filters > 1]
        parts += _list(f"{feature.n_filters:,} filters share {_feature(feature)}" for feature in several)
        if several and len(several) < len(shown):
            parts.append("One filter each:")
        parts += _list(_feature(feature) for feature in shown[len(several) :])
        if others:
            names = ", ".join(f"*{_label(feature.text)}* {feature.n_filters:,}" for feature in others)
            parts.append(f"Also, with their numbers of filters: {names}.")
    return parts


def _list(items: Iterable[str]) -> list[str]:
    text = "\n".join(f"- {item}" for item in items)
    return [text] if text else []


def _feature(feature: StatedFeature) -> str:
    """Return what is stated, of which classes, and which filters share it."""
    behind = [
        _cut([_label(row.label) for row in classes], _MOST_BEHIND)
        + (f" ({_label(through.label)})" if through is not None else "")
        for through, classes in feature.by_concept
    ]
    classes = "; ".join(_some(behind, _MOST_THROUGH))
    return f"*{_label(feature.text)}*: {classes}{'' if classes.endswith('…') else '.'} {_where(feature)}"


def _where(feature: StatedFeature) -> str:
    """Return the filters of a feature: all if they are few, else those of the layer that has most."""
    few = feature.n_filters <= _MOST_INDICES
    groups = sorted(feature.groups, key=lambda group: group.layer_index) if few else feature.groups[:1]
    filters = "; ".join(
        f"{_label(group.layer)} {_cut([str(index) for index in group.filters], _MOST_INDICES)}" for group in groups
    )
    return filters if few or len(feature.groups) == 1 else f"In {len(feature.groups)} layers, most in {filters}"


def _compared(comparison: Comparison, names: dict[str, str]) -> list[str]:
    header = [names[grouped.kg] for grouped in comparison.grouped]
    shared = frozenset.intersection(*(grouped.class_ids for grouped in comparison.grouped))
    columns = ("network", "classes", "layers", "filters", "by several classes", "clear theme", "share", "interval")
    rows = [_network_row(name, grouped) for name, grouped in zip(header, comparison.grouped, strict=True)]
    parts = [
        f"## Networks compared, rule {markdown_text(comparison.rule)}",
        markdown_table(columns, rows, right=range(1, len(columns))),
        f"{count_text(len(shared), 'class', 'classes')} in common. With other classes, or more tags on a filter, the "
        "same network gives other figures, so compare shares only where these are alike.",
        "### Filters with a clear theme, by depth",
        *_depth_table(comparison, header),
    ]
    in_all = [row for row in comparison.concepts if all(row.filters)]
    parts += ["### Themes of all", *_compared_table(in_all, comparison, header)]
    for index, name in enumerate(header):
        alone = [row for row in comparison.concepts if row.filters[index] and sum(map(bool, row.filters)) == 1]
        parts += [f"### Themes of {name} alone", *_compared_table(alone, comparison, header)]
    return parts


def _network_row(name: str, grouped: GroupedRun) -> tuple[str, ...]:
    filters, share = sum(row.filters for row in grouped.layers), grouped.coherent
    counts = (len(grouped.class_ids), len(grouped.layers), filters, share.total)
    coherent = ("?", "too few", "classes") if grouped.run.too_few() else (f"{share.count:,}", *_share(share))
    return (name, *(f"{count:,}" for count in counts), *coherent)


def _depth_table(comparison: Comparison, header: Sequence[str]) -> list[str]:
    named = list(zip(header, comparison.grouped, strict=True))
    deep = [(name, grouped) for name, grouped in named if len(grouped.layers) > 1]
    left_out = [name for name, grouped in named if len(grouped.layers) == 1]
    fifths = [f"{100 * i // FIFTHS}–{100 * (i + 1) // FIFTHS} %" for i in range(FIFTHS)]
    rows = (
        (
            name,
            *(
                "too few classes"
                if grouped.run.too_few()
                else f"{_share(share)[0]} of {share.total:,}"
                if share.total
                else "–"
                for share in by_depth(grouped.layers)
            ),
        )
        for name, grouped in deep
    )
    parts = [markdown_table(("depth", *fifths), rows, right=range(1, FIFTHS + 1))] if deep else []
    if left_out:
        parts.append(f"A single layer has no depth: {', '.join(left_out)}.")
    return parts


def _compared_table(rows: Sequence[ComparedConcept], comparison: Comparison, header: Sequence[str]) -> list[str]:
    if not rows:
        return ["There is none."]

    def cell(count: int | None, grouped: GroupedRun) -> str:
        if grouped.run.too_few():
            return "too few classes"
        return "no class" if count is None else f"{count:,} ({_percent(count / max(grouped.coherent.count, 1))})"

    table = markdown_table(
        ("filters with the theme, of all with a clear one", *header),
        (
            (_label(row.label), *(cell(n, grouped) for n, grouped in zip(row.filters, comparison.grouped, strict=True)))
            for row in rows[:_MOST_CONCEPTS]
        ),
        right=range(1, len(header) + 1),
    )
    return [table, *_more(len(rows), _MOST_CONCEPTS, "concepts", "networks.csv")]


def _more(total: int, shown: int, what: str, file: str = "groups.csv") -> list[str]:
    return [f"{shown} of {total:,} {what}, those with most filters. All are in `{file}`."] if total > shown else []


def _cut(parts: Sequence[str], most: int) -> str:
    return ", ".join(_some(parts, most))


def _some(parts: Sequence[str], most: int) -> list[str]:
    return [*parts[:most], *(["…"] if len(parts) > most else [])]


def _source(source: str) -> str:
    return markdown_text(SOURCE_TEXTS.get(source, source))


def _label(text: str) -> str:
    return markdown_text(text, _MOST_LABEL)


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def _share(share: Proportion) -> tuple[str, str]:
    """Return a share and its interval as cells."""
    if share.value is None or share.low is None or share.high is None:
        return "–", "–"
    return _percent(share.value), f"{100 * share.low:.1f} to {100 * share.high:.1f} %"


def _interval(share: Proportion) -> str:
    return " (95 % interval ".join(_share(share)) + ")"
