"""What two runs agree on: filter by filter if their networks have the same layers, and concept by concept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import hypot
from statistics import fmean

from filtag_kg.errors import FiltagError
from filtag_kg.kg import KgRun
from filtag_kg.report.comparison import ComparedConcept, compared_concepts
from filtag_kg.report.grouping import GroupedRun, group_run
from filtag_kg.report.label_agreement import ComparedFilter, LabelAgreement, label_agreement
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


@dataclass(frozen=True, slots=True)
class CoherentDifference:
    """How many more filters are coherent in one run than in the other.

    Parameters
    ----------
    layer : str
        Of both, "all layers", or two layers that are compared.
    a, b : Proportion
        The coherent filters, of those with two or more tags.
    low, high : float or None
        Newcombe's interval of 95 % of a's share minus b's [1]_; None where one has no such filter.
    p_value : float or None
        Fisher's exact test, two-sided. It takes filters for independent, which those of one network are not quite.

    References
    ----------
    .. [1] Newcombe 1998, Interval Estimation for the Difference Between Independent Proportions, method 10
    """

    layer: str
    a: Proportion
    b: Proportion
    low: float | None
    high: float | None
    p_value: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Two runs, or a layer of each, compared.

    Parameters
    ----------
    layers : tuple of LayerAgreement
        Those with tags by either. Empty where the networks are different, or two layers are compared.
    labels : tuple of LabelAgreement
        How far the runs say the same of each filter: all layers together, then each. Empty where the networks have
        different layers, two layers are compared, or no filter has a label by both.
    filters : tuple of ComparedFilter
        What both say of each filter, in the order of the layers.
    coherent : tuple of CoherentDifference
        Of all filters, then by layer, where the networks are different; or of the two layers that are compared.
    concepts : tuple of ComparedConcept
        Those with most coherent filters first.
    """

    a: KgRun
    b: KgRun
    layers: tuple[LayerAgreement, ...]
    labels: tuple[LabelAgreement, ...]
    filters: tuple[ComparedFilter, ...]
    coherent: tuple[CoherentDifference, ...]
    concepts: tuple[ComparedConcept, ...]


def compare_runs(
    facts_a: LoadedKg,
    facts_b: LoadedKg,
    *,
    rule_a: str | None = None,
    rule_b: str | None = None,
    layer_a: str | None = None,
    layer_b: str | None = None,
) -> Agreement:
    """Compare two runs, or a layer by one with a layer by the other.

    Filters of two networks are compared one by one if the networks have the same layers, as checkpoints of one network
    do. Nothing makes the filters of networks that were trained apart correspond: there the agreement is at chance.

    Parameters
    ----------
    facts_a, facts_b : LoadedKg
        Their KGs, which may be the same.
    rule_a, rule_b : str, optional
        The rule or run id; left out, the first run of the KG, and of the same KG the second.
    layer_a, layer_b : str, optional
        Compare these layers alone; if one is left out, the same layer of both.

    Raises
    ------
    FiltagError
        If there is no such run or layer, a rule is that of several, or both sides are the same.
    """
    same_kg = facts_a.kg.path.resolve() == facts_b.kg.path.resolve()
    layer_a, layer_b = layer_a or layer_b, layer_b or layer_a
    table_a = _run(facts_a, rule_a, default=0)
    table_b = _run(facts_b, rule_b, default=1 if same_kg and rule_a is None and layer_a == layer_b else 0)
    if same_kg and table_a.run.run_id == table_b.run.run_id and layer_a == layer_b:
        raise FiltagError("both runs are the same: name two", options=("rule", "rule_b"))
    a, b = group_run(facts_a, table_a), group_run(facts_b, table_b)
    if layer_a is not None and layer_b is not None:
        return _between_layers(a, b, layer_a, layer_b)
    same_layers = a.network.filters_of_layers == b.network.filters_of_layers
    labels, filters = label_agreement(a, b) if same_layers else ([], [])
    return Agreement(
        a.run,
        b.run,
        layers=tuple(_layers(a, b)) if a.run.network == b.run.network else (),
        labels=tuple(labels),
        filters=tuple(filters),
        coherent=() if a.run.network == b.run.network else tuple(_coherent(a, b)),
        concepts=tuple(compared_concepts((a, b))),
    )


def _between_layers(a: GroupedRun, b: GroupedRun, layer_a: str, layer_b: str) -> Agreement:
    sides = []
    for grouped, layer in ((a, layer_a), (b, layer_b)):
        index = grouped.loaded.layer_index(grouped.network, layer)
        columns = range(*grouped.network.offsets[index : index + 2].tolist())
        kinds = Counter((row.concept, row.label) for _, row in grouped.table.concepts_of_layer(columns))
        sides.append((grouped.layers[index].coherent, [(iri, label, n) for (iri, label), n in kinds.items()]))
    (share_a, kinds_a), (share_b, kinds_b) = sides
    name = layer_a if layer_a == layer_b else f"{layer_a} and {layer_b}"
    return Agreement(
        a.run,
        b.run,
        layers=(),
        labels=(),
        filters=(),
        coherent=(coherent_difference(name, share_a, share_b),) if not (a.run.too_few() or b.run.too_few()) else (),
        concepts=tuple(compared_concepts((a, b), (kinds_a, kinds_b))),
    )


def _coherent(a: GroupedRun, b: GroupedRun) -> Iterator[CoherentDifference]:
    if a.run.too_few() or b.run.too_few():
        return
    yield coherent_difference("all layers", a.coherent, b.coherent)
    of_b = {row.layer: row.coherent for row in b.layers}
    if len(a.layers) > 1 and list(of_b) == [row.layer for row in a.layers]:
        for row in a.layers:
            yield coherent_difference(row.layer, row.coherent, of_b[row.layer])


def coherent_difference(layer: str, a: Proportion, b: Proportion) -> CoherentDifference:
    """Compare two shares of coherent filters."""
    from scipy.stats import fisher_exact

    if a.value is None or b.value is None or a.low is None or b.low is None or a.high is None or b.high is None:
        return CoherentDifference(layer, a, b, None, None, None)
    difference = a.value - b.value
    low = difference - hypot(a.value - a.low, b.high - b.value)
    high = difference + hypot(a.high - a.value, b.value - b.low)
    table = [[a.count, a.total - a.count], [b.count, b.total - b.count]]
    return CoherentDifference(layer, a, b, low, high, float(fisher_exact(table).pvalue))


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
        if not tags_a and not tags_b:
            continue
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
