"""What two runs agree on: filter by filter where they are of one network, concept by concept where they are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from filtag_kg.concepts import COHERENT_Q
from filtag_kg.errors import FiltagError
from filtag_kg.kg import KG
from filtag_kg.report.comparison import ComparedConcept, compared_concepts
from filtag_kg.report.grouping import group_run
from filtag_kg.report.proportion import Proportion
from filtag_kg.report.runs import Run, read_runs

__all__ = ["Agreement", "LayerAgreement", "compare_runs"]


@dataclass(frozen=True, slots=True)
class LayerAgreement:
    """What two runs agree on in a layer of the network that both are of.

    Parameters
    ----------
    layer : str
    filters : int
    tagged_a, tagged_b, tagged_by_both : int
        Filters with a tag.
    similarity : float or None
        The mean over the filters that either tags of the tags that both give by those that either gives (Jaccard).
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
    """Two runs beside each other.

    Parameters
    ----------
    a, b : Run
    layers : tuple of LayerAgreement
        Empty where the runs are of different networks.
    concepts : tuple of ComparedConcept
        Those with most coherent filters first.
    """

    a: Run
    b: Run
    layers: tuple[LayerAgreement, ...]
    concepts: tuple[ComparedConcept, ...]


def compare_runs(
    kg_a: KG, kg_b: KG, *, rule_a: str | None = None, rule_b: str | None = None, q: float = COHERENT_Q
) -> Agreement:
    """Hold two runs against each other.

    Parameters
    ----------
    kg_a, kg_b : KG
        May be one.
    rule_a, rule_b : str, optional
        The rule or run id; left out, the first run of the KG, and of the same KG the second.
    q : float
        Filters with a q-value below this are coherent.

    Raises
    ------
    FiltagError
        If there is no such run, or a rule is that of several, or both are the same run.
    """
    same = kg_a.path.resolve() == kg_b.path.resolve()
    a = _run(kg_a, rule_a, place=0)
    b = _run(kg_b, rule_b, place=1 if same and rule_a is None else 0)
    if same and (a.network, a.rule) == (b.network, b.rule):
        raise FiltagError(f"a run of {kg_a.path} compared with itself: name another with --rule and --rule-b")
    grouped = [group_run(run, q=q) for run in (a, b)]
    layers = tuple(_layers(a, b, q)) if a.network == b.network else ()
    return Agreement(a, b, layers, tuple(compared_concepts(grouped)))


def _run(kg: KG, rule: str | None, *, place: int) -> Run:
    runs = read_runs(kg, () if rule is None else (rule,))
    if rule is not None and len(runs) > 1:
        raise FiltagError(f"{len(runs)} runs of {kg.path} have the rule {rule!r}: name one by its id, see filtag runs")
    return runs[min(place, len(runs) - 1)]


def _layers(a: Run, b: Run, q: float) -> Sequence[LayerAgreement]:
    coherent_a, coherent_b = a.coherent(q), b.coherent(q)
    rows = []
    for layer in a.layers:
        tags_a, tags_b = (
            {place: set(tags) for place, tags in run.tags.items() if place[0] == layer.name} for run in (a, b)
        )
        either, both = sorted({*tags_a, *tags_b}), {*tags_a} & {*tags_b}
        similar = [
            len(tags_a.get(place, set()) & tags_b.get(place, set()))
            / len(tags_a.get(place, set()) | tags_b.get(place, set()))
            for place in either
        ]
        certain = [place for place in coherent_a if place in coherent_b and place[0] == layer.name]
        agreed = sum(coherent_a[place].concept == coherent_b[place].concept for place in certain)
        rows.append(
            LayerAgreement(
                layer=layer.name,
                filters=layer.filters,
                tagged_a=len(tags_a),
                tagged_b=len(tags_b),
                tagged_by_both=len(both),
                similarity=fmean(similar) if similar else None,
                same_concept=Proportion(agreed, len(certain)),
            )
        )
    return rows
