"""The facts of a KG as text to read: one function for each kind of thing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from filtag_kg.cli.console import results_console
from filtag_kg.concepts import COHERENT_Q
from filtag_kg.kg import runs_of
from filtag_kg.views import ABOUT_HIGHER, chance_text, probability_text

if TYPE_CHECKING:
    from rich.console import OverflowMethod

    from filtag_kg.concepts import CommonConcept, ConceptInLayer
    from filtag_kg.kg import KG, KgRun
    from filtag_kg.views import (
        ClassFacts,
        ConceptFacts,
        Facts,
        FilterFacts,
        FilterLine,
        FilterRun,
        InCommon,
        LayerFacts,
        LayerRun,
        NetworkFacts,
        RunTable,
        Step,
    )

__all__ = ["print_class", "print_concept", "print_filter", "print_layer", "print_network"]

_EIGHTHS = " ▏▎▍▌▋▊▉"
_BAR = 10
_FIGURES = frozenset(
    ("filters", "tagged", "tags", "coherent", "rank", "shared", "covers", "coherent filters", "concentration")
)
_RELATIONS = {
    "HasA": "has",
    "MadeOf": "made of",
    "UsedFor": "used for",
    "HasProperty": "is",
    "AtLocation": "found at",
}


def print_network(kg: KG, facts: Facts, network: NetworkFacts, table: RunTable, *, most: int) -> None:
    """Print what was run, and the layers by one run."""
    _title(network.label, network.network)
    console = results_console()
    counts, manifest = kg.manifest["counts"], kg.manifest
    images = manifest["inputs"].get("profile", {}).get("images", {})
    networks = dict.fromkeys(run.network for run in runs_of(kg))
    said = {
        "rules": ", ".join(run.rule for run in runs_of(kg) if run.network == network.network),
        "counts": f"{_counted(counts['filters'], 'filter')} in {_counted(counts['layers'], 'layer')}, "
        f"{_counted(counts['classes'], 'class')}, {_counted(counts['tags'], 'tag')}, "
        f"{_counted(counts['concepts'], 'concept')}",
        "images": f"{images['read']:,} of {images['source']}" if {"read", "source"} <= images.keys() else "",
        "networks": ", ".join(networks) if len(networks) > 1 else "",
        "built": manifest["built"],
        "licences": ", ".join(dict.fromkeys(manifest["licences"].values())),
    }
    _print_pairs(said)
    few = table.run.too_few()
    rows = _table("layer", "filters", "tagged", "tags", *(() if few else ("coherent", "share", "kinds")))
    of_layer = _kinds_by_layer(facts, table)
    for line in network.layers[table.run.run_id]:
        share = line.coherent / line.several if line.several else 0.0
        coherent = (
            f"{line.coherent:,}",
            _bar(share, 1.0, f"{share:4.0%}" if line.several else "   –", width=5),
            _line(_kinds(of_layer[line.index][:3])),
        )
        rows.add_row(
            escape(line.layer),
            f"{line.filters:,}",
            f"{line.tagged:,}",
            f"{line.tags:,}",
            *(() if few else coherent),
        )
    console.print()
    console.print(rows)
    if few:
        console.print(f"\nTagged by {escape(table.run.rule)}. Which filters are coherent: {few}.", highlight=False)
        return
    console.print(
        f"\nTagged by {escape(table.run.rule)}. Coherent: the tags have more in common than chance gives "
        f"(q < {COHERENT_Q:g}); the share is of filters with two or more tags.",
        highlight=False,
    )
    kinds = facts.kinds(table)
    if kinds:
        console.print()
        _print_pairs({"most frequent": _most(kinds, most)})


def print_layer(layer: LayerFacts, run: LayerRun, *, most: int) -> None:
    """Print a layer: its figures, concepts and filters, coherent ones first."""
    _title(layer.layer, f"layer {layer.index}, {layer.kind}, in {layer.network}, rule {run.run.rule}")
    line, console = run.line, results_console()
    share = f" ({line.coherent / line.several:.0%})" if line.several else ""
    said = f"{_counted(line.filters, 'filter')}, {line.tagged:,} tagged, {_counted(line.tags, 'tag')}; "
    few = run.run.too_few()
    said += f"{line.several:,} with two or more: {few}" if few else ""
    said += "" if few else f"of {line.several:,} with two or more {line.coherent:,} coherent{share}"
    console.print(said, highlight=False)
    if few and layer.higher:
        console.print("\n[bold]whose images activate most filters more than the others do[/bold]")
        _print_pairs({"kinds": _most(layer.higher, most)})
    if run.classes:
        console.print()
        # Where each class tags as many filters as any other, none tags most.
        uneven = run.classes[0][2] > run.classes[-1][2]
        _print_pairs({"kinds": _most(run.concepts, most), "classes": _most(run.classes if uneven else (), most)})
    tagged = [line for line in run.filters if line.tags]
    tagged.sort(key=lambda line: (*_surest(line.kind), -line.tags, line.filter))
    console.print()
    _print_lines(tagged, most, title="filter", few=bool(few))


def print_filter(found: FilterFacts, run: FilterRun, *, most: int) -> None:
    """Print a filter: its tags, what they have in common and how, its neighbours and pictures."""
    about = f"one of {_counted(found.n_filters, 'filter')} of layer {found.layer_index} in {found.network}"
    _title(f"{found.layer}/{found.filter}", f"{about}, rule {run.run.rule}")
    console = results_console()
    kind = run.kind
    if kind is not None:
        sure = "more than chance gives" if kind.beyond_chance() else "no more than chance gives"
        console.print(
            f"[bold]{escape(kind.label)}[/bold]: {kind.support} of {kind.tags} tags, {sure} (q = {kind.q_value:.2g})"
            + (f", but {run.run.too_few()}" if run.run.too_few() else ""),
            highlight=False,
        )
    elif run.run.too_few() and len(run.tags) > 1:
        console.print(f"What its tags have in common: {run.run.too_few()}", highlight=False)
    console.print()
    _print_tags(run, most)
    _print_higher(found, most)
    _print_common(run, run.kinds[:most], "in common", kinds=True)
    _print_common(run, run.features[:most], "their things", kinds=False)
    if run.parts:
        console.print()
        said: dict[str, list[str]] = {}
        for part in run.parts[:most]:
            relation = _RELATIONS.get(part.feature.relation, part.feature.relation)
            said.setdefault(relation, []).append(f"{part.feature.label} {part.tags}")
        console.print("[bold]what is said of the things of so many tags[/bold]")
        _print_pairs({relation: ", ".join(labels) for relation, labels in said.items()})
    _print_neighbours(run, most)
    _print_pictures(found, most)


def print_class(found: ClassFacts, run: KgRun, *, most: int) -> None:
    """Print a class: the concepts above it and the filters that it tags."""
    _title(found.label, f"class {found.class_id}, rule {run.rule}")
    console = results_console()
    if found.concept is None:
        console.print("linked to no concept")
    else:
        sure = "" if found.confidence is None else f", confidence {found.confidence:.2g}"
        console.print(f"linked to {escape(found.concept_label or '')} ({escape(found.concept)}{sure})", highlight=False)
        _print_pairs({"above": ", ".join(step.label for step in found.above)})
    rows = found.filters.get(run.run_id, ())
    layers = found.layers.get(run.run_id, ())
    if layers:
        console.print(f"\nwhere the nearest kind above it appears, {escape(layers[0].label)}:", highlight=False)
        _print_layers(layers, few=run.too_few())
    console.print(f"\n{_counted(len(rows), 'filter')} tagged", highlight=False)
    if not rows:
        return
    table = _table("filter", "rank", "activation", "contrast", "their kind")
    best = sorted(rows, key=lambda row: (row.activation is None, -(row.activation or 0.0)))
    top = max((row.activation or 0.0 for row in rows), default=0.0)
    high = max((row.contrast or 0.0 for row in rows), default=0.0)
    shown = best[:most]
    for row in shown:
        table.add_row(
            escape(f"{row.line.layer}/{row.line.filter}"),
            "" if row.rank is None else str(row.rank),
            _value_bar(row.activation, top, ".3f"),
            _value_bar(row.contrast, high, ".1f"),
            _line(_kind(row.line.kind)),
        )
    console.print(table)
    _say_cut(len(shown), len(rows), "filters, the highest activation first")


def print_concept(found: ConceptFacts, run: KgRun, *, most: int) -> None:
    """Print a concept: what lies around it, and where filters are for it."""
    _title(found.label, f"{found.iri}, rule {run.rule}")
    console = results_console()
    said = {
        "also": ", ".join(found.alt_labels),
        "terms": ", ".join(found.terms),
        "above": ", ".join(row.label for row in found.broader),
        "below": _cut([f"{row.label} {row.classes}" for row in found.narrower if row.classes], most),
        "things": _cut([f"{_RELATIONS.get(of.relation, of.relation)} {of.label}" for of in found.features], most),
        "classes": _cut([label for _, label in found.classes], most),
    }
    _print_pairs(said)
    few = run.too_few()
    if few:
        console.print(f"\nfilters that stand for it: {few}", highlight=False)
    _print_layers(found.layers.get(run.run_id, ()), few=few)
    rows = found.filters.get(run.run_id, ())
    console.print(f"\nin common to the tags of {_counted(len(rows), 'filter')}", highlight=False)
    if rows:
        table = _table("filter", "covers", "by chance?", "first tags")
        for line, common in rows[:most]:
            table.add_row(
                escape(f"{line.layer}/{line.filter}"),
                f"{common.support} of {common.tags}",
                _chance(common, few=bool(run.too_few(common.relation))),
                _line(escape(_first(line))),
            )
        console.print(table)
        _say_cut(min(most, len(rows)), len(rows), "filters, the surest first")


def _print_layers(rows: Sequence[ConceptInLayer], *, few: str) -> None:
    """Print where a concept appears."""
    if not rows:
        return
    separated = any(row.separation is not None for row in rows)
    shown = ("separation", "95 % interval") if separated else ()
    table = _table("layer", *(() if few else ("coherent filters",)), *shown, "concentration")
    for row in rows:
        separation = (_value_bar(row.separation, 1.0, ".2f"), _interval(row)) if separated else ()
        concentration = "" if row.concentration is None else f"{row.concentration:.1f}"
        table.add_row(escape(row.layer), *(() if few else (f"{row.filters:,}",)), *separation, concentration)
    console = results_console()
    console.print()
    console.print(table)
    chance = "Separation at chance is 0.5, concentration 1." if separated else "Concentration at chance is 1."
    console.print(chance, highlight=False)


def _interval(row: ConceptInLayer) -> str:
    return "" if row.low is None or row.high is None else f"{row.low:.2f} to {row.high:.2f}"


def _print_tags(run: FilterRun, most: int) -> None:
    console = results_console()
    if not run.tags:
        console.print("no tags")
        return
    table = _table("tag", "class", "rank", "activation", "contrast", yielding="tag")
    top = max(tag.activation or 0.0 for tag in run.tags)
    high = max(tag.contrast or 0.0 for tag in run.tags)
    for tag in run.tags[:most]:
        table.add_row(
            escape(tag.label),
            escape(tag.class_id),
            "" if tag.rank is None else str(tag.rank),
            _value_bar(tag.activation, top, ".3f"),
            _value_bar(tag.contrast, high, ".1f"),
        )
    console.print(table)
    _say_cut(min(most, len(run.tags)), len(run.tags), "tags")


def _print_common(run: FilterRun, rows: Iterable[InCommon], title: str, *, kinds: bool) -> None:
    table = _table(title, "tags", "by chance?", "by way of", wraps=True)
    for found in rows:
        row = found.row
        name = row.label if kinds else f"{_RELATIONS.get(row.relation, row.relation)} {row.label}"
        table.add_row(
            escape(name),
            f"{row.support} of {row.tags}",
            _chance(row, few=bool(run.run.too_few(row.relation))),
            escape(_way(run.way(found))),
        )
    if table.row_count:
        results_console().print()
        results_console().print(table)


def _print_higher(found: FilterFacts, most: int) -> None:
    if not found.higher:
        return
    table = _table("images of", "activation", "others", "effect", "q", wraps=True, yielding="images of")
    for row in found.higher[:most]:
        figures = (f"{row.mean:.3f}", f"{row.others:.3f}", f"{row.effect:+.2f}", probability_text(row.q_value))
        table.add_row(escape(row.name), *figures)
    console = results_console()
    console.print("\n[bold]whose images activate it more than the other images do[/bold]")
    console.print(table)
    console.print(f"[dim]{escape(ABOUT_HIGHER)}[/dim]", highlight=False)


def _print_neighbours(run: FilterRun, most: int) -> None:
    if not run.neighbours:
        return
    table = _table("neighbour", "shared", "similarity", "their kind")
    for near in run.neighbours[:most]:
        bar = _bar(near.similarity, 1.0, f"{near.similarity:.2f}")
        table.add_row(escape(f"{near.layer}/{near.filter}"), str(near.shared), bar, _line(_kind(near.kind)))
    results_console().print()
    results_console().print(table)


def _print_pictures(found: FilterFacts, most: int) -> None:
    console = results_console()
    if found.exemplars:
        table = _table("image", "activation", "class", "thumbnail", yielding="image")
        top = found.exemplars[0].activation
        for each in found.exemplars[:most]:
            bar = _value_bar(each.activation, top, ".3f")
            table.add_row(escape(each.image), bar, escape(each.label), escape(each.thumbnail))
        console.print()
        console.print(table)
    if found.visualizations:
        table = _table("what it looks for, by", "file", wraps=True)
        for picture in found.visualizations:
            table.add_row(escape(picture.method), escape(picture.file))
        console.print()
        console.print(table)


def _print_lines(lines: list[FilterLine], most: int, *, title: str, few: bool) -> None:
    console = results_console()
    table = _table(title, "in common", "covers", "by chance?", "first tags")
    for line in lines[:most]:
        kind = line.kind
        table.add_row(
            str(line.filter),
            _kind(kind),
            f"{kind.support if kind else 0} of {line.tags}",
            "" if kind is None else _chance(kind, few=few),
            _line(escape(_first(line))),
        )
    if lines:
        console.print(table)
        _say_cut(min(most, len(lines)), len(lines), "tagged filters, the surest first")


def _table(*columns: str, yielding: str | None = None, wraps: bool = False) -> Table:
    """Return a table whose figures stand to the right; where it is too wide, one column gives way: the last."""
    yielding = yielding or columns[-1]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        # A column that may wrap is the one that rich makes narrow; its cells are cut all the same, if they do not.
        cells: OverflowMethod = "fold" if wraps or name != columns[-1] else "ellipsis"
        table.add_column(
            name, justify="right" if name in _FIGURES else "left", no_wrap=name != yielding, overflow=cells
        )
    return table


def _line(text: str) -> Text:
    """Return a cell that is cut rather than wrapped."""
    line = Text.from_markup(text, overflow="ellipsis")
    line.no_wrap = True
    return line


def _title(name: str, about: str) -> None:
    results_console().print(f"[bold]{escape(name)}[/bold]\n[dim]{escape(about)}[/dim]", highlight=False)


def _print_pairs(said: dict[str, str]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, text in said.items():
        if text:
            table.add_row(name, escape(text))
    results_console().print(table)


def _bar(value: float, highest: float, text: str, *, width: int = _BAR) -> Text:
    """Return a bar and what it says: an eighth of a letter is the least that is seen."""
    eighths = round(8 * width * max(0.0, value) / highest) if highest > 0 else 0
    eighths = min(eighths, 8 * width)
    bar = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    return Text.assemble((f"{bar:<{width}}", "cyan"), " ", text)


def _value_bar(value: float | None, highest: float, form: str) -> Text:
    return Text("") if value is None else _bar(value, highest, f"{value:{form}}")


def _kind(row: CommonConcept | None) -> str:
    """Return what tags have in common: strong where it is more than chance."""
    if row is None:
        return ""
    return f"[bold]{escape(row.label)}[/bold]" if row.beyond_chance() else escape(row.label)


def _chance(row: CommonConcept, *, few: bool) -> str:
    return f"[bold]{chance_text(row)}[/bold]" if row.beyond_chance() else chance_text(row, few=few)


def _kinds(kinds: Iterable[tuple[str, int]]) -> str:
    return escape(", ".join(label if n == 1 else f"{label} ×{n}" for label, n in kinds))


def _kinds_by_layer(facts: Facts, table: RunTable) -> list[list[tuple[str, int]]]:
    network = facts.networks[table.run.network]
    found = []
    for layer in network.layer_names:
        (run,) = (run for run in facts.layer(network, layer).runs if run.run.run_id == table.run.run_id)
        found.append([(label, n) for _, label, n in run.concepts])
    return found


def _surest(row: CommonConcept | None) -> tuple[bool, float, float]:
    return (row is None, 1.0, 0.0) if row is None else (False, row.p_adjusted, -row.coverage)


def _first(line: FilterLine) -> str:
    return ", ".join(label for _, label in line.first) + (", …" if line.tags > len(line.first) else "")


def _way(steps: tuple[Step, ...]) -> str:
    return " → ".join(step.label for step in steps)


def _most(rows: Sequence[tuple[str, str, int]], most: int) -> str:
    return _cut([f"{label} {n:,}" for _, label, n in rows], most)


def _cut(names: Sequence[str], most: int) -> str:
    return ", ".join(names[:most]) + (f", and {len(names) - most:,} more" if len(names) > most else "")


def _say_cut(shown: int, of: int, what: str) -> None:
    if shown < of:
        text = f"{shown:,} of {of:,} {what}; --most {of} shows all"
        results_console().print(f"[dim]{escape(text)}[/dim]", highlight=False)


def _counted(n: int, name: str) -> str:
    return f"{n:,} {name}" if n == 1 else f"{n:,} {name}{'es' if name.endswith('s') else 's'}"
