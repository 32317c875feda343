"""Compare what one rule found in several networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from filtag_kg.report.grouping import GroupedRun, LayerShare
from filtag_kg.report.proportion import Proportion
from filtag_kg.report.tables import csv_text

FIFTHS = 5


@dataclass(frozen=True, slots=True)
class ComparedConcept:
    """A concept that coherent filters of some network stand for.

    Parameters
    ----------
    filters : tuple of (int or None), of length n_runs
        The coherent filters of each run that stand for it; None where none can: no class of the run's KG lies below
        it, or there are too few classes.
    """

    concept: str
    label: str
    filters: tuple[int | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The runs of one rule in several KGs.

    Parameters
    ----------
    grouped : tuple of GroupedRun, of length n_runs
    concepts : tuple of ComparedConcept
        Those with most filters first.
    """

    rule: str
    grouped: tuple[GroupedRun, ...]
    concepts: tuple[ComparedConcept, ...]


def compare(grouped_runs: Iterable[GroupedRun]) -> list[Comparison]:
    """Return a comparison for each rule that more than one KG has, in the order given."""
    by_rule: dict[str, list[GroupedRun]] = {}
    for grouped in grouped_runs:
        by_rule.setdefault(grouped.run.rule, []).append(grouped)
    return [
        Comparison(rule, tuple(same_rule), tuple(compared_concepts(same_rule)))
        for rule, same_rule in by_rule.items()
        if len(same_rule) > 1
    ]


def by_depth(shares: Iterable[LayerShare]) -> list[Proportion]:
    """Return the share of coherent filters in each fifth of a network's depth.

    Of n layers, layer i is in fifth ⌊5 i / (n − 1)⌋, and the last layer in the last fifth. A single layer has no depth.
    """
    coherent, several = [0] * FIFTHS, [0] * FIFTHS
    for row in shares:
        if row.depth is not None:
            fifth = min(int(row.depth * FIFTHS), FIFTHS - 1)
            coherent[fifth] += row.coherent.count
            several[fifth] += row.coherent.total
    return [Proportion(*counts) for counts in zip(coherent, several, strict=True)]


def compared_concepts(
    grouped_runs: Sequence[GroupedRun], kinds: Sequence[Sequence[tuple[str, str, int]]] | None = None
) -> list[ComparedConcept]:
    """Return the concepts of the coherent filters of any run, those with most filters first; equals by label.

    Parameters
    ----------
    kinds : sequence of sequences of (IRI, label, filters), optional
        For each run, what its coherent filters stand for, if not those of all layers.
    """
    kinds = kinds or [grouped.kinds for grouped in grouped_runs]
    labels = {concept: label for each in kinds for concept, label, _ in each}
    counts = [{concept: filters for concept, _, filters in each} for each in kinds]

    def filters_of(concept: str) -> tuple[int | None, ...]:
        return tuple(
            count.get(concept, 0)
            if concept in grouped.loaded.concepts.classes_below and not grouped.run.too_few()
            else None
            for grouped, count in zip(grouped_runs, counts, strict=True)
        )

    concepts = [ComparedConcept(concept, label, filters_of(concept)) for concept, label in labels.items()]
    return sorted(concepts, key=lambda row: (-sum(n or 0 for n in row.filters), row.label, row.concept))


def networks_csv(comparisons: Iterable[Comparison]) -> str:
    """Return comparisons as the text of ``networks.csv``: a row for each concept and network.

    `filters` is an empty cell where no class of the network's KG lies below the concept, or there are too few classes.
    """
    return csv_text(
        ("rule", "concept", "label", "kg", "network", "filters"),
        (
            (comparison.rule, row.concept, row.label, grouped.kg, grouped.run.network, filters)
            for comparison in comparisons
            for row in comparison.concepts
            for grouped, filters in zip(comparison.grouped, row.filters, strict=True)
        ),
    )
