"""The semantic report as Markdown: readable as it is, and safe whatever classes and layers are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from filtag_kg.report.comparison import FIFTHS, ComparedConcept, Comparison, by_depth
from filtag_kg.report.grouping import ConceptGroup, GroupedRun, LayerShare
from filtag_kg.report.proportion import Proportion
from filtag_kg.report.tables import markdown_table, markdown_text
from filtag_kg.views import ABOUT_HIGHER

__all__ = ["semantic_markdown"]

_MOST_GROUPS = 40
_MOST_CONCEPTS = 20
_MOST_INDICES = 6
_MOST_TAGS = 4
_MOST_LABEL = 32
_KINDS = {
    "IsA": "kind of thing",
    "PartOf": "whole",
    "HasA": "part",
    "MadeOf": "material",
    "UsedFor": "use",
    "HasProperty": "property",
    "AtLocation": "place",
}


def semantic_markdown(grouped: Sequence[GroupedRun], comparisons: Sequence[Comparison], *, q: float) -> str:
    """Return the report: a section for each run, then one for each rule that several KGs have."""
    names = _names(grouped)
    compared = ", `networks.csv` all compared concepts" if len(names) > 1 else ""
    parts = [
        "# What the filters have in common",
        "A filter is *coherent* if two or more classes tag it and these have more in common than as many random "
        f"classes would: its q-value is below {q:g}. Of the coherent filters of a run at most about {_percent(q, 0)} "
        "are expected to be so by chance. A filter with one tag has nothing in common to judge and is in no share. "
        "Each coherent filter is counted once, with the concept that its q-value is about. Intervals are Wilson's, "
        "95 %.",
        f"`groups.csv` and `layers.csv` have all rows{compared}.",
    ]
    for each in grouped:
        parts += _section(each, names[each.run.kg])
    for found in comparisons:
        parts += _compared(found, names)
    if len(names) > 1 and not comparisons:
        parts += ["## Networks compared", "Nothing is compared: no rule was run in more than one of these KGs."]
    return "\n\n".join(parts) + "\n"


def _names(grouped: Iterable[GroupedRun]) -> dict[str, str]:
    """Return a name for each KG: its network's, and where two have the same, the beginning of the KG's id, too."""
    networks = {each.run.kg: each.run.network for each in grouped}
    times = Counter(networks.values())
    return {
        kg: markdown_text(network if times[network] == 1 else f"{network} ({kg[:8]})")
        for kg, network in networks.items()
    }


def _section(each: GroupedRun, name: str) -> list[str]:
    rows, share = each.layers, each.coherent
    filters, tagged = sum(row.layer.filters for row in rows), sum(row.tagged for row in rows)
    parts = [
        f"## {name}, rule {markdown_text(each.run.rule)}",
        f"{_count(filters, 'filter')} in {_count(len(rows), 'layer')}; {tagged:,} have a tag, {share.total:,} two or "
        f"more. {_coherent(each)}",
        "### Filters by layer" if each.run.too_few() else "### Coherent filters by layer",
        _layer_table(each),
        *_higher(each),
    ]
    if len(rows) > 1 and share.count:
        parts += ["### Concepts over all layers", *_concept_table(each.groups["IsA"])]
    for relation, groups in each.groups.items():
        parts.append(f"### Filters by common {_KINDS[relation]} and layer")
        if relation != "IsA":
            found = sum(len(group.filters) for group in groups)
            parts.append(f"By relation {relation}, with q-values of its own: {_count(found, 'filter')}.")
        few = each.run.too_few(relation)
        none = f"{few[0].upper()}{few[1:]}." if few else "There is none."
        parts += _group_table(groups, relation) if groups else [none]
    return parts


def _coherent(each: GroupedRun) -> str:
    share = each.coherent
    if each.run.too_few():
        return f"How many are coherent: **{each.run.too_few()}**."
    return (
        f"Of these {share.total:,}, **{share.count:,} are coherent**{f': {_interval(share)}' if share.total else ''}."
    )


def _higher(each: GroupedRun) -> list[str]:
    """Return what activations tell where classes are too few."""
    if not any(each.higher.values()):
        return []
    rows = (
        (
            _label(layer),
            f"{sum(n for _, _, n in kinds):,}",
            ", ".join(f"{markdown_text(name)} {n:,}" for _, name, n in kinds),
        )
        for layer, kinds in each.higher.items()
        if kinds
    )
    return [
        "### Whose images activate filters more than the other images do",
        "Each filter is counted once, with the concept of the largest effect. " + ABOUT_HIGHER,
        markdown_table(("layer", "filters", "images of (filters)"), rows, right=(1,)),
    ]


def _layer_table(each: GroupedRun) -> str:
    concepts: dict[str, list[str]] = {}
    for group in each.groups["IsA"]:
        concepts.setdefault(group.layer.name, []).append(f"{_label(group.label)} {len(group.filters)}")
    header: tuple[str, ...] = ("layer", "filters", "tagged", "several tags", "coherent", "share", "interval")
    header += ("most frequent concepts",)
    rows = [_layer_row(row, concepts) for row in each.layers]
    if each.run.too_few():
        header, rows = header[:4], [row[:4] for row in rows]
    return markdown_table(header, rows, right=range(1, min(7, len(header))))


def _layer_row(row: LayerShare, concepts: dict[str, list[str]]) -> tuple[str, ...]:
    counts = (row.layer.filters, row.tagged, row.coherent.total, row.coherent.count)
    return (
        _label(row.layer.name),
        *(f"{count:,}" for count in counts),
        *_share(row.coherent),
        ", ".join(concepts.get(row.layer.name, [])[:3]),
    )


def _concept_table(groups: Iterable[ConceptGroup]) -> list[str]:
    """Return a table of the concepts with most filters in all layers together."""
    of: dict[tuple[str, str], list[ConceptGroup]] = {}
    for group in groups:
        of.setdefault((group.label, group.concept), []).append(group)
    concepts = sorted(of.items(), key=lambda item: (-sum(len(group.filters) for group in item[1]), item[0]))
    table = markdown_table(
        ("concept", "filters", "layers", "most in", "first in", "last in"),
        (
            (
                _label(label),
                f"{sum(len(group.filters) for group in found):,}",
                f"{len(found)}",
                f"{_label(found[0].layer.name)} ({len(found[0].filters):,})",
                _label(min(found, key=lambda group: group.layer.index).layer.name),
                _label(max(found, key=lambda group: group.layer.index).layer.name),
            )
            for (label, _), found in concepts[:_MOST_CONCEPTS]
        ),
        right=(1, 2),
    )
    return [table, *_more(len(concepts), _MOST_CONCEPTS, "concepts")]


def _group_table(groups: Sequence[ConceptGroup], relation: str) -> list[str]:
    table = markdown_table(
        (_KINDS[relation], "layer", "filters", "which", "most frequent tags (filters)"),
        (
            (
                _label(group.label),
                _label(group.layer.name),
                f"{len(group.filters):,}",
                _cut([str(index) for index in group.filters], _MOST_INDICES),
                _cut([f"{_label(label)} ({count})" for label, count in group.tags], _MOST_TAGS),
            )
            for group in groups[:_MOST_GROUPS]
        ),
        right=(2,),
    )
    return [table, *_more(len(groups), _MOST_GROUPS, "groups")]


def _compared(found: Comparison, names: dict[str, str]) -> list[str]:
    header = [names[each.run.kg] for each in found.grouped]
    shared = set.intersection(*(set(each.run.labels) for each in found.grouped))
    parts = [
        f"## Networks compared, rule {markdown_text(found.rule)}",
        markdown_table(
            ("network", "classes", "layers", "filters", "several tags", "coherent", "share", "interval"),
            (
                (
                    name,
                    *(f"{count:,}" for count in (len(each.run.labels), len(each.layers))),
                    *(f"{count:,}" for count in (sum(row.layer.filters for row in each.layers), each.coherent.total)),
                    *(
                        ("?", "too few", "classes")
                        if each.run.too_few()
                        else (f"{each.coherent.count:,}", *_share(each.coherent))
                    ),
                )
                for name, each in zip(header, found.grouped, strict=True)
            ),
            right=range(1, 8),
        ),
        f"{_count(len(shared), 'class', 'classes')} in common. With other classes, or more tags on a filter, the same "
        "network gives other figures, so shares can be held against each other only where these are alike.",
        "### Coherent filters by depth",
        *_depth_table(found, header),
    ]
    alike = [row for row in found.concepts if all(row.filters)]
    parts += ["### Concepts of all", *_compared_table(alike, found, header)]
    for place, name in enumerate(header):
        alone = [row for row in found.concepts if row.filters[place] and sum(map(bool, row.filters)) == 1]
        parts += [f"### Concepts of {name} alone", *_compared_table(alone, found, header)]
    return parts


def _depth_table(found: Comparison, header: Sequence[str]) -> list[str]:
    deep = [(name, each) for name, each in zip(header, found.grouped, strict=True) if len(each.layers) > 1]
    left_out = [name for name in header if name not in {deep_name for deep_name, _ in deep}]
    fifths = [f"{100 * i // FIFTHS}–{100 * (i + 1) // FIFTHS} %" for i in range(FIFTHS)]
    rows = (
        (
            name,
            *(
                "too few classes"
                if each.run.too_few()
                else f"{_share(share)[0]} of {share.total:,}"
                if share.total
                else "–"
                for share in by_depth(each.layers)
            ),
        )
        for name, each in deep
    )
    parts = [markdown_table(("depth", *fifths), rows, right=range(1, FIFTHS + 1))] if deep else []
    if left_out:
        parts.append(f"Of one layer alone the depth is not known: {', '.join(left_out)}.")
    return parts


def _compared_table(rows: Sequence[ComparedConcept], found: Comparison, header: Sequence[str]) -> list[str]:
    if not rows:
        return ["There is none."]

    def cell(count: int | None, each: GroupedRun) -> str:
        if each.run.too_few():
            return "too few classes"
        return "no class" if count is None else f"{count:,} ({_percent(count / max(each.coherent.count, 1))})"

    table = markdown_table(
        ("filters with the concept, of all coherent ones", *header),
        (
            (_label(row.label), *(cell(n, each) for n, each in zip(row.filters, found.grouped, strict=True)))
            for row in rows[:_MOST_CONCEPTS]
        ),
        right=range(1, len(header) + 1),
    )
    return [table, *_more(len(rows), _MOST_CONCEPTS, "concepts", "networks.csv")]


def _more(total: int, shown: int, what: str, file: str = "groups.csv") -> list[str]:
    return [f"{shown} of {total:,} {what}, those with most filters. All are in `{file}`."] if total > shown else []


def _cut(parts: Sequence[str], most: int) -> str:
    return ", ".join([*parts[:most], *(["…"] if len(parts) > most else [])])


def _label(text: str) -> str:
    return markdown_text(text, _MOST_LABEL)


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def _share(share: Proportion) -> tuple[str, str]:
    """Return a share and its interval as cells."""
    if share.value is None or share.low is None or share.high is None:
        return "–", "–"
    return _percent(share.value), f"{100 * share.low:.1f} to {100 * share.high:.1f} %"


def _interval(share: Proportion) -> str:
    return " (95 % interval ".join(_share(share)) + ")"
