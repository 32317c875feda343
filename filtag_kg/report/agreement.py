"""What two runs agree on: filter by filter if they are of one network, and concept by concept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean

from filtag_kg.errors import FiltagError
from filtag_kg.kg import KgRun
from filtag_kg.report.comparison import ComparedConcept, compared_concepts
from filtag_kg.report.grouping import GroupedRun, group_run
from filtag_kg.report.proportion import Proportion
from filtag_kg.views import LoadedKg, RunResults


@dataclass(frozen=True, slots=True)
class LayerAgreement:
    """What two runs of one network agree on in a layer.

    Parameters
    ----------
    tagged_a, tagged_b, tagged_by_both : int
        Filters with a tag.
    similarity : float or None
        The mean, over the filters with a tag by either run, of the tags by both divided by the tags by either
        (Jaccard); None where there is no such filter.
    same_concept : Proportion
        Of the filters that are coherent in both, those whose first common concept is the same.
    """

    layer: str
    filters: int
    tagged_a: int
    tagged_b: int
    tagged_by_both: int
    similarity: float | None
    same_concept: Proportion


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Two runs compared.

    Parameters
    ----------
    layers : tuple of LayerAgreement
        Empty where the runs are of different networks.
    concepts : tuple of ComparedConcept
        Those with most coherent filters first.
    """

    a: KgRun
    b: KgRun
    layers: tuple[LayerAgreement, ...]
    concepts: tuple[ComparedConcept, ...]


def compare_runs(
    facts_a: LoadedKg, facts_b: LoadedKg, *, rule_a: str | None = None, rule_b: str | None = None
) -> Agreement:
    """Compare two runs.

    Parameters
    ----------
    facts_a, facts_b : LoadedKg
        Their KGs, which may be the same.
    rule_a, rule_b : str, optional
        The rule or run id; left out, the first run of the KG, and of the same KG the second.

    Raises
    ------
    FiltagError
        If there is no such run, or a rule is that of several, or both are the same run.
    """
    same_kg = facts_a.kg.path.resolve() == facts_b.kg.path.resolve()
    table_a = _run(facts_a, rule_a, default=0)
    table_b = _run(facts_b, rule_b, default=1 if same_kg and rule_a is None else 0)
    if same_kg and table_a.run.run_id == table_b.run.run_id:
        raise FiltagError("both runs are the same: name two", options=("rule", "rule_b"))
    a, b = group_run(facts_a, table_a), group_run(facts_b, table_b)
    layers = tuple(_layers(a, b)) if a.run.network == b.run.network else ()
    return Agreement(a.run, b.run, layers, tuple(compared_concepts((a, b))))


def _run(loaded: LoadedKg, name: str | None, *, default: int) -> RunResults:
    tables = list(loaded.runs.values())
    if name is None:
        return tables[min(default, len(tables) - 1)]
    named = [table for table in tables if name in (table.run.run_id, table.run.rule)]
    if not named:
        known = ", ".join(dict.fromkeys(table.run.rule for table in tables))
        raise FiltagError(f"no rule {name!r} in the KG: it has {known}")
    if len(named) > 1:
        raise FiltagError(f"{len(named)} runs have the rule {name!r}: name one by its id", commands=("runs",))
    return named[0]


def _layers(a: GroupedRun, b: GroupedRun) -> Iterator[LayerAgreement]:
    for layer, filters in a.network.filters_of_layers.items():
        tags_a, tags_b = _tags_by_filter(a, layer), _tags_by_filter(b, layer)
        similarities = [
            len(tags_a.get(i, set()) & tags_b.get(i, set())) / len(tags_a.get(i, set()) | tags_b.get(i, set()))
            for i in sorted({*tags_a, *tags_b})
        ]
        concept_a, concept_b = _concept_by_filter(a, layer), _concept_by_filter(b, layer)
        coherent = concept_a.keys() & concept_b.keys()
        yield LayerAgreement(
            layer=layer,
            filters=filters,
            tagged_a=len(tags_a),
            tagged_b=len(tags_b),
            tagged_by_both=len(tags_a.keys() & tags_b.keys()),
            similarity=fmean(similarities) if similarities else None,
            same_concept=Proportion(sum(concept_a[i] == concept_b[i] for i in coherent), len(coherent)),
        )


def _tags_by_filter(grouped: GroupedRun, layer: str) -> Mapping[int, set[str]]:
    """Return the class ids that tag each tagged filter of a layer; nothing for a layer that the KG does not have."""
    class_ids, table = grouped.loaded.concepts.class_ids, grouped.table
    first = grouped.network.first_columns.get(layer, 0)
    columns = range(first, first + grouped.network.filters_of_layers.get(layer, 0))
    return {
        column - first: {class_ids[c] for c in table.class_[table.rows(column)].tolist()}
        for column in columns
        if table.n_tags(column)
    }


def _concept_by_filter(grouped: GroupedRun, layer: str) -> Mapping[int, str]:
    return {i: group.concept for group in grouped.kind_groups if group.layer == layer for i in group.filters}
