"""What ``filtag show`` prints of a network, a layer, a filter, a class and a concept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from filtag_kg.cli.console import results_console
from filtag_kg.cli.text_table import (
    bar,
    chance,
    concept_name,
    counted,
    cut_cell,
    cut_list,
    print_cut,
    print_pairs,
    print_table,
    print_title,
    table,
)
from filtag_kg.concepts import COHERENT_Q
from filtag_kg.kg import attribution_of, licences_of_own_data, runs_of
from filtag_kg.views import ABOUT_HIGHER, SOURCE_TEXTS, probability_text, rule_sentence, statement_text

if TYPE_CHECKING:
    from rich.text import Text

    from filtag_kg.concepts import CommonConcept, ConceptInLayer
    from filtag_kg.kg import KG, KgRun
    from filtag_kg.views import (
        ClassView,
        ConceptView,
        FilterLine,
        FilterRun,
        FilterView,
        InCommon,
        LabelChecks,
        LayerRun,
        LayerView,
        LinkedConcept,
        LoadedKg,
        NetworkView,
        RunResults,
        Tag,
        TaggedFilter,
    )


def print_network(kg: KG, loaded: LoadedKg, network: NetworkView, run: RunResults, *, most: int) -> None:
    """Print how a KG was made, and a network's layers as one run tagged them."""
    print_title(network.label, network.network)
    counts, manifest = kg.manifest["counts"], kg.manifest
    attribution = attribution_of(manifest)
    images = manifest["inputs"].get("profile", {}).get("images", {})
    networks = dict.fromkeys(run.network for run in runs_of(kg))
    nouns = {"filters": "filter", "classes": "class", "tags": "tag", "concepts": "concept"}
    filters, *others = (counted(counts[name], noun) for name, noun in nouns.items())
    print_pairs(
        {
            "rules": ", ".join(run.rule for run in runs_of(kg) if run.network == network.network),
            "counts": ", ".join([f"{filters} in {counted(counts['layers'], 'layer')}", *others]),
            "images": f"{images['read']:,} of {images['source']}" if {"read", "source"} <= images.keys() else "",
            "networks": ", ".join(networks) if len(networks) > 1 else "",
            "built": manifest["built"],
            "title": attribution.title or "",
            "by": ", ".join(attribution.creators),
            "own licence": ", ".join(licences_of_own_data(manifest)),
            "licences": ", ".join(dict.fromkeys(manifest["licences"].values())),
        }
    )
    few = run.run.too_few()
    rows = table("layer", "filters", "marked", "tags", *(() if few else ("clear themes", "share", "kinds")))
    for line in network.layers[run.run.run_id]:
        figures = (f"{line.filters:,}", f"{line.tagged:,}", f"{line.tags:,}")
        if few:
            rows.add_row(escape(line.layer), *figures)
            continue
        rows.add_row(
            escape(line.layer),
            *figures,
            f"{line.coherent:,}",
            bar(line.coherent / line.several, 1.0, "4.0%", width=5) if line.several else f"{'–':>10}",
            cut_cell(escape(_first_kinds(loaded, run, line.layer))),
        )
    print_table(rows)
    about = f"\n{escape(rule_sentence(run.run))} "
    if few:
        results_console().print(f"{about}Which of them have a clear theme: {few}.", highlight=False)
        return
    results_console().print(
        f"{about}A filter has a clear theme if the classes that mark it share more than chance would give "
        f"(q < {COHERENT_Q:g}); the share is of the filters that several classes mark.",
        highlight=False,
    )
    kinds = loaded.kinds(run)
    if kinds:
        results_console().print()
        print_pairs({"most frequent": _labels_with_counts(kinds, most)})


def print_layer(layer: LayerView, run: LayerRun, *, most: int) -> None:
    """Print a layer: its figures, its concepts, and its filters, those with the smallest p-values first."""
    print_title(
        layer.layer,
        f"layer {layer.index}, {layer.kind}, in {layer.network}, rule {run.run.rule}",
    )
    figures, console = run.line, results_console()
    summary = f"{counted(figures.filters, 'filter')}, {figures.tagged:,} marked, {counted(figures.tags, 'tag')}; "
    few = run.run.too_few()
    if few:
        summary += f"{figures.several:,} by several classes: {few}"
    else:
        share = f" ({figures.coherent / figures.several:.0%})" if figures.several else ""
        has = "has" if figures.coherent == 1 else "have"
        summary += f"of {figures.several:,} by several classes {figures.coherent:,} {has} a clear theme{share}"
    console.print(f"{summary}\n{rule_sentence(run.run)}", highlight=False, markup=False)
    if few and layer.higher:
        console.print("\n[bold]pictures that activate most filters more than others do[/bold]")
        print_pairs({"kinds": _labels_with_counts(layer.higher, most)})
    if run.classes:
        console.print()
        # Where all classes tag equally many filters, none of them tags most.
        uneven = run.classes[0][2] > run.classes[-1][2]
        print_pairs(
            {
                "kinds": _labels_with_counts(run.concepts, most),
                "classes": _labels_with_counts(run.classes if uneven else (), most),
            }
        )
    tagged = sorted((line for line in run.filters if line.tags), key=_by_p_value)
    console.print()
    if not tagged:
        return
    rows = table("filter", "theme", "covers", "how sure", "first classes")
    for line in tagged[:most]:
        kind = line.kind
        rows.add_row(
            str(line.filter),
            concept_name(kind),
            f"{kind.support if kind else 0} of {line.tags}",
            chance(kind, few=bool(few)) if kind else "",
            cut_cell(escape(_first_tags(line))),
        )
    console.print(rows)
    print_cut(min(most, len(tagged)), len(tagged), "marked filters, the surest first")


def print_filter(filter_: FilterView, run: FilterRun, checks: LabelChecks, *, most: int) -> None:
    """Print a filter: what it responds to, its tags and whether they are true, what these share, its pictures."""
    about = f"one of {counted(filter_.n_filters, 'filter')} of layer {filter_.layer_index} in {filter_.network}"
    print_title(f"{filter_.layer}/{filter_.filter}", f"{about}, rule {run.run.rule}")
    console = results_console()
    few = run.run.too_few()
    if filter_.name is not None:
        name = filter_.name
        console.print(f"[bold]{escape(name.text)}[/bold]  {escape(name.sentence)}", highlight=False)
        console.print(f"[dim]{escape(name.figures)}[/dim]", highlight=False)
    if filter_.mixed is not None:
        console.print(f"[bold]mixed[/bold]: {escape(filter_.mixed.sentence)}", highlight=False)
        console.print(f"[dim]{escape(filter_.mixed.figures)}[/dim]", highlight=False)
    console.print(f"\n{escape(rule_sentence(run.run))}", highlight=False)
    if few and len(run.tags) > 1:
        console.print(f"What its classes share: {few}", highlight=False)
    _print_tags(filter_, run, checks, most)
    _print_higher(filter_, most)
    _print_common(run, run.kinds[:most], "what they share")
    _print_common(run, run.features[:most], "said of them")
    _print_parts(run, most)
    _print_neighbours(run, most)
    _print_pictures(filter_, most)


def _linked(link: LinkedConcept) -> str:
    return f"{link.label} (confidence {link.confidence:.2g})"


def print_class(class_: ClassView, run: KgRun, *, most: int) -> None:
    """Print a class: the concepts above it and the filters that it tags."""
    print_title(class_.label, f"class {class_.class_id}, rule {run.rule}")
    console = results_console()
    if class_.concept is None:
        console.print("linked to no concept")
    else:
        sure = "" if class_.confidence is None else f", confidence {class_.confidence:.2g}"
        linked = f"{escape(class_.concept_label or '')} ({escape(class_.concept)}{sure})"
        console.print(f"linked to {linked}", highlight=False)
    print_pairs(
        {
            "above": ", ".join(step.label for step in class_.above),
            "also mentions": ", ".join(map(_linked, class_.others)),
            "excludes": ", ".join(step.label for step in class_.excluded),
        }
    )
    layers = class_.layers.get(run.run_id, ())
    if layers:
        console.print(f"\nwhere the nearest kind above it appears, {escape(layers[0].label)}:", highlight=False)
        _print_layers(layers, few=run.too_few())
    scored = any(row.score is not None for row in class_.filters.get(run.run_id, ()))
    tagged = sorted(class_.filters.get(run.run_id, ()), key=_best_score_first if scored else _most_active_first)
    console.print(f"\nmarks {counted(len(tagged), 'filter')}. {escape(rule_sentence(run))}", highlight=False)
    if not tagged:
        return
    rows = table("filter", *_figure_names(tagged), "its theme")
    for row, figures in zip(tagged[:most], _figures(tagged), strict=False):
        name = escape(f"{row.line.layer}/{row.line.filter}")
        rows.add_row(name, *figures, cut_cell(concept_name(row.line.kind)))
    console.print(rows)
    print_cut(min(most, len(tagged)), len(tagged), f"filters, the highest {'score' if scored else 'activation'} first")
    _print_score_meaning(run, scored=scored)


def print_concept(concept: ConceptView, run: KgRun, *, most: int) -> None:
    """Print a concept: the concepts around it, the layers it appears in, and the filters that stand for it."""
    print_title(concept.label, f"{concept.iri}, rule {run.rule}")
    console = results_console()
    features: dict[str, list[str]] = {}
    for feature in concept.features:
        source = f"by {SOURCE_TEXTS.get(feature.source, feature.source)}"
        features.setdefault(source, []).append(statement_text(feature.relation, feature.label))
    print_pairs(
        {
            "also": ", ".join(concept.alt_labels),
            "terms": ", ".join(concept.terms),
            "above": ", ".join(row.label for row in concept.broader),
            "below": cut_list([f"{row.label} {row.classes}" for row in concept.narrower if row.classes], most),
            **{source: cut_list(statements, most) for source, statements in features.items()},
            "classes": cut_list([label for _, label in concept.classes], most),
        }
    )
    few = run.too_few()
    if few:
        console.print(f"\nfilters with this theme: {few}", highlight=False)
    _print_layers(concept.layers.get(run.run_id, ()), few=few)
    filters = concept.filters.get(run.run_id, ())
    n_filters = concept.n_filters.get(run.run_id, 0)
    console.print(
        f"\nshared by the classes of {counted(n_filters, 'filter')}. {escape(rule_sentence(run))}", highlight=False
    )
    if not filters:
        return
    rows = table("filter", "covers", "how sure", "as", "first classes")
    for line, common in filters[:most]:
        rows.add_row(
            escape(f"{line.layer}/{line.filter}"),
            f"{common.support} of {common.tags}",
            chance(common, few=bool(run.too_few(common.relation, common.source))),
            escape("kind" if run.is_kind(common) else statement_text(common.relation, common.label)),
            cut_cell(escape(_first_tags(line))),
        )
    console.print(rows)
    print_cut(min(most, len(filters)), len(filters), "rows, the surest first")


def _print_layers(layers: Sequence[ConceptInLayer], *, few: str) -> None:
    """Print in which layers a concept appears."""
    if not layers:
        return
    separated = any(row.separation is not None for row in layers)
    rows = table(
        "layer",
        *(() if few else ("clear themes",)),
        *(("separation", "95 % interval") if separated else ()),
        "concentration",
    )
    for row in layers:
        interval = "" if row.low is None or row.high is None else f"{row.low:.2f} to {row.high:.2f}"
        rows.add_row(
            escape(row.layer),
            *(() if few else (f"{row.filters:,}",)),
            *((bar(row.separation, 1.0, ".2f"), interval) if separated else ()),
            "" if row.concentration is None else f"{row.concentration:.1f}",
        )
    print_table(rows)
    at_chance = "Separation at chance is 0.5, concentration 1." if separated else "Concentration at chance is 1."
    results_console().print(at_chance, highlight=False)


def _print_tags(filter_: FilterView, run: FilterRun, checks: LabelChecks, most: int) -> None:
    console = results_console()
    if not run.tags:
        console.print("no tags")
        return
    checked = run.run.run_id in checks.run_ids
    rows = table("tag", "class", *_figure_names(run.tags), *(("is it true?",) if checked else ()), yielding="tag")
    for tag, figures in zip(run.tags[:most], _figures(run.tags), strict=False):
        found = checks.of_tag(run.run.run_id, filter_.layer, filter_.filter, tag.class_id)
        verdict = () if found is None else (found.status,)
        rows.add_row(escape(tag.label), escape(tag.class_id), *figures, *verdict)
    console.print(rows)
    print_cut(min(most, len(run.tags)), len(run.tags), "tags")
    _print_score_meaning(run.run, scored=_scored(run.tags))


def _scored(rows: Sequence[Tag | TaggedFilter]) -> bool:
    return any(row.score is not None for row in rows)


def _most_active_first(row: TaggedFilter) -> tuple[bool, float]:
    return row.activation is None, -(row.activation or 0.0)


def _best_score_first(row: TaggedFilter) -> tuple[bool, float]:
    return row.score is None, -(row.score or 0.0)


def _print_score_meaning(run: KgRun, *, scored: bool) -> None:
    if scored and run.score_meaning is not None:
        results_console().print(
            f"score of {escape(run.method or run.rule)}: {escape(run.score_meaning)}", highlight=False
        )


def _figure_names(rows: Sequence[Tag | TaggedFilter]) -> tuple[str, ...]:
    """Return the columns that `_figures` fills: another method's score stands in place of the activation."""
    return ("score",) if _scored(rows) else ("rank", "activation", "contrast")


def _figures(rows: Sequence[Tag | TaggedFilter]) -> Iterator[tuple[str | Text, ...]]:
    """Yield the figures of each row, with bars relative to the highest: rank, activation and contrast, or the score."""
    if _scored(rows):
        score = max(row.score or 0.0 for row in rows)
        yield from ((bar(row.score, score, ".3f"),) for row in rows)
        return
    activation = max(row.activation or 0.0 for row in rows)
    contrast = max(row.contrast or 0.0 for row in rows)
    for row in rows:
        rank = "" if row.rank is None else str(row.rank)
        yield rank, bar(row.activation, activation, ".3f"), bar(row.contrast, contrast, ".1f")


def _print_common(run: FilterRun, common: Iterable[InCommon], title: str) -> None:
    rows = table(title, "tags", "how sure", "source", "why", wraps=True)
    for in_common in common:
        row = in_common.row
        rows.add_row(
            escape(row.label if run.run.is_kind(row) else statement_text(row.relation, row.label)),
            f"{row.support} of {row.tags}",
            chance(row, few=bool(run.run.too_few(row.relation, row.source))),
            escape(SOURCE_TEXTS.get(row.source, row.source)),
            escape(" → ".join(step.label for step in run.way(in_common))),
        )
    print_table(rows)


def _print_parts(run: FilterRun, most: int) -> None:
    parts: dict[str, list[str]] = {}
    for part in run.parts:
        source = SOURCE_TEXTS.get(part.feature.source, part.feature.source)
        statement = statement_text(part.feature.relation, part.feature.label)
        parts.setdefault(source, []).append(f"{statement} {part.tags}")
    if parts:
        results_console().print("\n[bold]said of several tags, with their number[/bold]")
        print_pairs({source: cut_list(statements, most) for source, statements in parts.items()})


def _print_higher(filter_: FilterView, most: int) -> None:
    rows = table("images of", "activation", "others", "effect", "q", wraps=True, yielding="images of")
    for row in filter_.higher[:most]:
        figures = (f"{row.mean:.3f}", f"{row.others:.3f}", f"{row.effect:+.2f}", probability_text(row.q_value))
        rows.add_row(escape(row.name), *figures)
    print_table(rows, "pictures that activate it more than others do")
    if rows.row_count:
        results_console().print(f"[dim]{escape(ABOUT_HIGHER)}[/dim]", highlight=False)


def _print_neighbours(run: FilterRun, most: int) -> None:
    rows = table("neighbour", "shared", "similarity", "its theme")
    for near in run.neighbours[:most]:
        similarity = bar(near.similarity, 1.0, ".2f")
        name = escape(f"{near.layer}/{near.filter}")
        rows.add_row(name, str(near.shared), similarity, cut_cell(concept_name(near.kind)))
    print_table(rows)


def _print_pictures(filter_: FilterView, most: int) -> None:
    exemplars = table("image", "activation", "class", "thumbnail", yielding="image")
    for exemplar in filter_.exemplars[:most]:
        activation = bar(exemplar.activation, filter_.exemplars[0].activation, ".3f")
        exemplars.add_row(escape(exemplar.image), activation, escape(exemplar.label), escape(exemplar.thumbnail))
    print_table(exemplars)
    visualizations = table("what it looks for, by", "file", wraps=True)
    for picture in filter_.visualizations:
        visualizations.add_row(escape(picture.method), escape(picture.file))
    print_table(visualizations)


def _first_kinds(loaded: LoadedKg, run: RunResults, layer: str) -> str:
    """Return the three concepts that most coherent filters of a layer stand for."""
    layer_runs = loaded.layer(loaded.networks[run.run.network], layer).runs
    (layer_run,) = (each for each in layer_runs if each.run.run_id == run.run.run_id)
    return ", ".join(label if n == 1 else f"{label} ×{n}" for _, label, n in layer_run.concepts[:3])


def _by_p_value(line: FilterLine) -> tuple[bool, float, float, int, int]:
    """Order filters by the adjusted p of their first common concept; those without one come last."""
    kind: CommonConcept | None = line.kind
    if kind is None:
        return (True, 1.0, 0.0, -line.tags, line.filter)
    return (False, kind.p_adjusted, -kind.coverage, -line.tags, line.filter)


def _first_tags(line: FilterLine) -> str:
    return ", ".join(label for _, label in line.first) + (", …" if line.tags > len(line.first) else "")


def _labels_with_counts(rows: Sequence[tuple[str, str, int]], most: int) -> str:
    return cut_list([f"{label} {n:,}" for _, label, n in rows], most)
