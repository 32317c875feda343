"""Hold what one rule found in several networks against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from filtag_kg.report.grouping import GroupedRun, LayerShare
from filtag_kg.report.proportion import Proportion
from filtag_kg.report.tables import csv_text

__all__ = ["FIFTHS", "ComparedConcept", "Comparison", "by_depth", "compare", "compared_concepts", "networks_csv"]

FIFTHS = 5


@dataclass(frozen=True, slots=True)
class ComparedConcept:
    """A concept that coherent filters of some network have in common first, by IsA.

    Parameters
    ----------
    concept, label : str
    filters : tuple of (int or None), of length n_runs
        The coherent filters of each run with that concept; None where none could have it: no class of the run lies
        below it, or the run has too few classes.
    """

    concept: str
    label: str
    filters: tuple[int | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The runs of one rule in several KGs.

    Parameters
    ----------
    rule : str
    grouped : tuple of GroupedRun, of length n_runs
    concepts : tuple of ComparedConcept
        Those with most filters first.
    """

    rule: str
    grouped: tuple[GroupedRun, ...]
    concepts: tuple[ComparedConcept, ...]


def compare(grouped: Iterable[GroupedRun]) -> list[Comparison]:
    """Return a comparison for each rule that more than one KG has, in the order given."""
    by_rule: dict[str, list[GroupedRun]] = {}
    for each in grouped:
        by_rule.setdefault(each.run.rule, []).append(each)
    return [
        Comparison(rule, tuple(of_rule), tuple(compared_concepts(of_rule)))
        for rule, of_rule in by_rule.items()
        if len(of_rule) > 1
    ]


def by_depth(shares: Iterable[LayerShare]) -> list[Proportion]:
    """Return the share of coherent filters in each fifth of a network's depth.

    Of n layers, layer i is in fifth ⌊5 i / (n − 1)⌋, the last layer in the last fifth. A layer alone has no depth.
    """
    coherent, several = [0] * FIFTHS, [0] * FIFTHS
    for row in shares:
        if row.depth is not None:
            fifth = min(int(row.depth * FIFTHS), FIFTHS - 1)
            coherent[fifth] += row.coherent.count
            several[fifth] += row.coherent.total
    return [Proportion(*counts) for counts in zip(coherent, several, strict=True)]


def compared_concepts(grouped: Sequence[GroupedRun]) -> list[ComparedConcept]:
    """Return the concepts of the coherent filters of any run, those with most filters first; equals by label."""
    labels: dict[str, str] = {}
    counts: list[Counter[str]] = [Counter() for _ in grouped]
    for each, count in zip(grouped, counts, strict=True):
        for group in each.groups["IsA"]:
            labels[group.concept] = group.label
            count[group.concept] += len(group.filters)
    found = [
        ComparedConcept(
            concept=concept,
            label=label,
            filters=tuple(
                count[concept] if concept in each.run.concepts and not each.run.too_few() else None
                for each, count in zip(grouped, counts, strict=True)
            ),
        )
        for concept, label in labels.items()
    ]
    return sorted(found, key=lambda row: (-sum(n or 0 for n in row.filters), row.label, row.concept))


def networks_csv(comparisons: Iterable[Comparison]) -> str:
    """Return comparisons as the text of ``networks.csv``: a row for each concept and network.

    `filters` is an empty cell where no class of the network's KG lies below the concept, or it has too few classes.
    """
    return csv_text(
        ("rule", "concept", "label", "kg", "network", "filters"),
        (
            (found.rule, row.concept, row.label, each.run.kg, each.run.network, filters)
            for found in comparisons
            for row in found.concepts
            for each, filters in zip(found.grouped, row.filters, strict=True)
        ),
    )
