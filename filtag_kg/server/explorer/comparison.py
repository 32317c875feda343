"""Two filters, layers or runs beside each other, as they were asked for in a form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from filtag_kg.errors import FiltagError
from filtag_kg.report import Agreement, compare_runs
from filtag_kg.views import Facts, FilterPair, LayerFacts, LayerRun

__all__ = ["LayerPair", "compared"]


@dataclass(frozen=True, slots=True)
class LayerPair:
    """Two layers by one run of each.

    Parameters
    ----------
    a, b : LayerFacts
    run_a, run_b : LayerRun
    concepts : tuple of (IRI, label, filters of a, filters of b)
        What their coherent filters stand for, those of most filters first.
    """

    a: LayerFacts
    b: LayerFacts
    run_a: LayerRun
    run_b: LayerRun
    concepts: tuple[tuple[str, str, int, int], ...]


def compared(facts: Facts, asked: Mapping[str, str]) -> FilterPair | LayerPair | Agreement | None:
    """Return what a form asks for; None where it asks for nothing yet.

    Parameters
    ----------
    facts : Facts
    asked : mapping of str
        `kind` (``filters``, ``layers`` or ``runs``), `a` and `b`; and of filters and layers the runs `rule_a` and
        `rule_b`. A filter is ``layer/index``.

    Raises
    ------
    FiltagError
        If there is no such thing.
    """
    kind, a, b = asked.get("kind", "filters"), asked.get("a", "").strip(), asked.get("b", "").strip()
    if kind not in ("filters", "layers", "runs"):
        raise FiltagError(f"kind={kind} cannot be compared: choose filters, layers or runs")
    if not a or not b:
        return None
    if kind == "runs":
        return compare_runs(facts.kg, facts.kg, rule_a=a, rule_b=b, q=facts.q)
    rule_a, rule_b = asked.get("rule_a") or None, asked.get("rule_b") or None
    network = facts.network_named(asked.get("network") or None)
    runs = [facts.run_named(rule, network.network) for rule in (rule_a, rule_b or rule_a)]
    if kind == "layers":
        of_a, of_b = facts.layer(network, a), facts.layer(network, b)
        run_a, run_b = (
            next(each for each in layer.runs if each.run.run_id == table.run.run_id)
            for layer, table in zip((of_a, of_b), runs, strict=True)
        )
        return LayerPair(of_a, of_b, run_a, run_b, _concepts(run_a, run_b))
    pair = [facts.filter(network, *_filter(text)) for text in (a, b)]
    return facts.pair(pair[0], pair[1], runs[0], runs[1])


def _filter(text: str) -> tuple[str, int]:
    layer, _, index = text.replace(" ", "/").rpartition("/")
    if not layer or not index.isdecimal():
        raise FiltagError(f"{text!r} is no filter: give its layer and index, such as head_conv/992")
    return layer.rstrip("/"), int(index)


def _concepts(a: LayerRun, b: LayerRun) -> tuple[tuple[str, str, int, int], ...]:
    labels = {iri: label for iri, label, _ in (*a.concepts, *b.concepts)}
    of_a, of_b = ({iri: count for iri, _, count in run.concepts} for run in (a, b))
    rows = [(iri, label, of_a.get(iri, 0), of_b.get(iri, 0)) for iri, label in labels.items()]
    return tuple(sorted(rows, key=lambda row: (-row[2] - row[3], row[1], row[0])))
