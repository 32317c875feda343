"""What a report reads of a KG: for each rule the layers, the tags of their filters and the common concepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from filtag_kg.concepts import CommonConcept, too_few_classes
from filtag_kg.errors import FiltagError
from filtag_kg.graph import DataIris
from filtag_kg.kg import KG, TAGS, KgRun, read_common_concepts, runs_of
from filtag_kg.query import LocalEndpoint, bind

__all__ = ["LEAST_TAGS", "Layer", "Place", "Run", "read_runs"]

LEAST_TAGS = 2
"""A filter with fewer tags has nothing in common to judge."""

Place = tuple[str, int]
"""A filter: its layer's name and its index in the layer."""

_LAYERS = """SELECT ?index ?layer (COUNT(?filter) AS ?filters) WHERE {
  VALUES ?network { UNDEF }
  ?network nno:hasLayer ?l .
  ?l nno:hasLayerSequence ?index ; rdfs:label ?layer . ?filter flt:inLayer ?l
} GROUP BY ?index ?layer ORDER BY ?index"""
_CONCEPTS = """SELECT DISTINCT ?concept WHERE { ?class a flt:ClassLabel ; flt:concept/skos:broader* ?concept }"""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the KG.

    Parameters
    ----------
    index : int
        Its place in forward order.
    name : str
    filters : int
        Its filters, tagged or not.
    """

    index: int
    name: str
    filters: int


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What one rule of a KG found.

    Parameters
    ----------
    kg, network, rule : str
        Id of the KG, its network's name and the rule.
    layers : tuple of Layer
        In forward order.
    labels : mapping of class id to label
        Of the classes that tag a filter.
    tags : mapping of (layer, filter) to class ids
        Of the filters with tags, in the order of ``tags.csv``; a class counts once.
    common : tuple of CommonConcept
    concepts : frozenset of str
        IRIs of the concepts above a class of the KG, whether filters have them in common or not.
    classes_needed : mapping of relation to int
        Where there are too few classes for any filter to be coherent: how many are needed at least.
    """

    kg: str
    network: str
    rule: str
    layers: tuple[Layer, ...]
    labels: Mapping[str, str]
    tags: Mapping[Place, tuple[str, ...]]
    common: tuple[CommonConcept, ...]
    concepts: frozenset[str]
    classes_needed: Mapping[str, int] = field(default_factory=dict)

    def too_few(self, relation: str = "IsA") -> str:
        """Return what to say instead of how many filters are coherent; nothing where there are enough classes."""
        needed = self.classes_needed.get(relation)
        return "" if needed is None else too_few_classes(needed)

    @property
    def several(self) -> list[Place]:
        """The filters with two or more tags, by layer index and filter."""
        index = {layer.name: layer.index for layer in self.layers}
        several = (place for place, tags in self.tags.items() if len(tags) >= LEAST_TAGS)
        return sorted(several, key=lambda place: (index[place[0]], place[1]))

    def coherent(self, q: float, relation: str = "IsA") -> dict[Place, CommonConcept]:
        """Return the filters whose q-value for a relation is below `q`, each with its first common concept."""
        return {(row.layer, row.filter): row for row in self.common if row.relation == relation and row.coherent(q)}


def read_runs(kg: KG, rules: Sequence[str] = ()) -> list[Run]:
    """Read what runs of a KG found; all of its runs, if none is named.

    Parameters
    ----------
    kg : KG
    rules : sequence of str
        Rules, or ids of runs.

    Raises
    ------
    FiltagError
        If the KG has no such run, or is damaged.
    """
    runs = runs_of(kg)
    for rule in rules:
        if all(rule not in (run.rule, run.run_id) for run in runs):
            known = ", ".join(dict.fromkeys(run.rule for run in runs))
            raise FiltagError(f"no rule {rule!r} in the KG: it has {known}")
    endpoint = LocalEndpoint(kg)
    concepts = frozenset(concept for (concept,) in endpoint.ask(_CONCEPTS).values())
    asked = [run for run in runs if not rules or run.rule in rules or run.run_id in rules]
    return [_read_run(kg, run, endpoint, concepts) for run in asked]


def _read_run(kg: KG, run: KgRun, endpoint: LocalEndpoint, concepts: frozenset[str]) -> Run:
    network = ox.NamedNode(DataIris(kg.manifest["parameters"]["base"]).network(run.network))
    found = endpoint.ask(bind(_LAYERS, {"network": [network]})).values()
    layers = tuple(Layer(int(index), name, int(filters)) for index, name, filters in found)
    filters_of_layers = {layer.name: layer.filters for layer in layers}
    folder = kg.path / run.folder
    tags, labels = _read_tags(folder / kg.tags_path.name, run.rule, filters_of_layers)
    common = read_common_concepts(folder / kg.common_path.name, rule=run.rule, relation=None, layers=filters_of_layers)
    return Run(
        kg=kg.manifest["id"],
        network=run.network,
        rule=run.rule,
        layers=layers,
        labels=labels,
        tags=tags,
        common=tuple(common),
        concepts=concepts,
        classes_needed=run.classes_needed,
    )


def _read_tags(
    path: Path, rule: str, filters_of_layers: Mapping[str, int]
) -> tuple[dict[Place, tuple[str, ...]], dict[str, str]]:
    """Return the class ids of each filter, and the label of each class."""
    # The keys of a dict are a set that keeps its order.
    tags: dict[Place, dict[str, None]] = {}
    labels: dict[str, str] = {}

    def problem(row: tuple[Any, ...]) -> str | None:
        _, _, layer, filter_, *_ = row
        known = filter_ < filters_of_layers.get(layer, 0)
        return None if known else f"there is no filter {filter_} in a layer {layer!r}"

    for row in TAGS.read(path, where={"rule": (rule,)}, problem=problem):
        labels[row.class_id] = row.label
        tags.setdefault((row.layer, row.filter), {})[row.class_id] = None
    return {place: tuple(ids) for place, ids in tags.items()}, labels
