"""Compares two filters, layers, classes or runs, as a form asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from filtag_kg.errors import FiltagError
from filtag_kg.report import Agreement, compare_runs
from filtag_kg.views import ClassPair, FilterPair, LayerRun, LayerView, LoadedKg, class_named, class_pair


@dataclass(frozen=True, slots=True)
class LayerPair:
    """Two layers, each by one run.

    Parameters
    ----------
    concepts : tuple of (IRI, label, filters of a, filters of b)
        What their coherent filters stand for, most filters first.
    """

    a: LayerView
    b: LayerView
    run_a: LayerRun
    run_b: LayerRun
    concepts: tuple[tuple[str, str, int, int], ...]


def compare(loaded: LoadedKg, inputs: Mapping[str, str]) -> FilterPair | LayerPair | ClassPair | Agreement | None:
    """Return the comparison that a form asks for; None if it is not filled in yet.

    Parameters
    ----------
    inputs : mapping of str
        `kind` (``filters``, ``layers``, ``classes`` or ``runs``), `a` and `b`; for filters and layers, also the runs
        `rule_a` and `rule_b`. A filter is ``layer/index``, a class its id or label. All but runs are of one `network`:
        by default that of `rule_a`, if this is a run's id, else the KG's first.

    Raises
    ------
    FiltagError
        If there is no such thing.
    """
    kind, a, b = inputs.get("kind", "filters"), inputs.get("a", "").strip(), inputs.get("b", "").strip()
    if kind not in ("filters", "layers", "classes", "runs"):
        raise FiltagError(f"kind={kind} cannot be compared: choose filters, layers, classes or runs")
    if not a or not b:
        return None
    if kind == "runs":
        return compare_runs(loaded, loaded, rule_a=a, rule_b=b)
    rule_a, rule_b = inputs.get("rule_a") or None, inputs.get("rule_b") or None
    chosen = loaded.runs.get(rule_a or "")
    network = loaded.network_named(inputs.get("network") or (chosen.run.network if chosen is not None else None))
    if kind == "classes":
        graph = loaded.concepts
        named = (class_named(name, graph.class_ids, graph.class_labels) for name in (a, b))
        return class_pair(loaded, network, *named)
    runs = [loaded.run_named(rule, network.network) for rule in (rule_a, rule_b or rule_a)]
    if kind == "layers":
        layer_a, layer_b = loaded.layer(network, a), loaded.layer(network, b)
        run_a, run_b = (
            next(each for each in layer.runs if each.run.run_id == table.run.run_id)
            for layer, table in zip((layer_a, layer_b), runs, strict=True)
        )
        return LayerPair(layer_a, layer_b, run_a, run_b, _concepts(run_a, run_b))
    filter_a, filter_b = (loaded.filter(network, *_layer_and_index(text)) for text in (a, b))
    return loaded.pair(filter_a, filter_b, runs[0], runs[1])


def _layer_and_index(text: str) -> tuple[str, int]:
    layer, _, index = text.replace(" ", "/").rpartition("/")
    if not layer or not index.isdecimal():
        raise FiltagError(f"{text!r} is not a filter: give its layer and index, such as head_conv/992")
    return layer.rstrip("/"), int(index)


def _concepts(a: LayerRun, b: LayerRun) -> tuple[tuple[str, str, int, int], ...]:
    labels = {iri: label for iri, label, _ in (*a.concepts, *b.concepts)}
    filters_a, filters_b = ({iri: filters for iri, _, filters in run.concepts} for run in (a, b))
    rows = [(iri, label, filters_a.get(iri, 0), filters_b.get(iri, 0)) for iri, label in labels.items()]
    return tuple(sorted(rows, key=lambda row: (-row[2] - row[3], row[1], row[0])))
