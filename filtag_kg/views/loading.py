"""Read a KG into memory."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import pyoxigraph as ox

from filtag_kg.concepts import COHERENT_Q
from filtag_kg.errors import FiltagError
from filtag_kg.graph import DataIris
from filtag_kg.kg import (
    KG,
    TAGS,
    Visualization,
    experiments_of,
    read_ablations,
    read_tags,
    read_visualizations,
    runs_of,
)
from filtag_kg.query import LocalEndpoint, bind
from filtag_kg.views.activations import Activations
from filtag_kg.views.concept_graph import read_concepts
from filtag_kg.views.exemplars import read_exemplars
from filtag_kg.views.label_checks import LabelChecks
from filtag_kg.views.loaded_kg import LoadedKg
from filtag_kg.views.mixed import read_mixed_filters
from filtag_kg.views.results import NetworkLayers, read_results

if TYPE_CHECKING:
    pass

# Builds of one network may name it or the kinds of its layers differently.
_LAYERS = """
SELECT (MIN(?name) AS ?label) ?index ?layer (MIN(?kind) AS ?type) (COUNT(DISTINCT ?filter) AS ?filters) WHERE {
  VALUES ?network { UNDEF }
  ?network rdfs:label ?name ; nno:hasLayer ?l .
  ?l nno:hasLayerSequence ?index ; rdfs:label ?layer ; a ?type_ . BIND (STR(?type_) AS ?kind)
  ?filter flt:inLayer ?l
} GROUP BY ?index ?layer ORDER BY ?index"""


def load_kg(kg: KG, rule: str | None = None, *, q: float = COHERENT_Q) -> LoadedKg:
    """Read a KG into memory: its tables, concepts and the paths of its pictures.

    A million tags take a few seconds and 60 bytes each.

    Parameters
    ----------
    rule : str, optional
        A rule or run id to read alone; all runs, if left out.
    q : float
        Filters with a q-value below this are coherent.

    Raises
    ------
    FiltagError
        If the KG is damaged, or has no such rule.
    """
    endpoint = LocalEndpoint(kg)
    concepts = read_concepts(endpoint)
    classes = dict(zip(concepts.class_ids, concepts.class_labels, strict=True))
    runs = runs_of(kg)
    chosen = [run for run in runs if rule in (None, run.rule, run.run_id)]
    if not chosen:
        known = ", ".join(dict.fromkeys(run.rule for run in runs))
        raise FiltagError(f"no rule {rule!r} in the KG: it has {known}")
    networks = {run.network: network_layers(kg, run.network, endpoint) for run in chosen}
    rules: dict[str, list[str]] = {}
    for run in runs:
        rules.setdefault(run.folder, []).append(run.rule)
    tags = {
        run.folder: read_tags(
            kg.path / run.folder / TAGS.file_name,
            network=run.network,
            rules=rules[run.folder],
            layers=networks[run.network].filters_of_layers,
            classes=classes,
        )
        for run in {run.folder: run for run in chosen}.values()
    }
    # What activates a filter most is the same by every rule: a build that was made without images shows another's.
    folders = {run.folder for run in chosen}
    builds = sorted((run for run in reversed(runs) if run.network in networks), key=lambda run: run.folder in folders)
    checked = {each.run_id for each in experiments_of(kg, "check")}
    return LoadedKg(
        kg=kg,
        networks=networks,
        runs={run.run_id: read_results(kg, run, networks[run.network], tags[run.folder], q=q) for run in chosen},
        concepts=concepts,
        exemplars=read_exemplars(kg, {run.folder: networks[run.network] for run in builds}, classes),
        visualizations=_visualizations(kg),
        activations=Activations(
            {run.network: kg.path / run.folder / "profile.npz" for run in reversed(chosen)}, concepts
        ),
        ablations=tuple(each for each in read_ablations(kg) if each.run_id in {run.run_id for run in chosen}),
        q=q,
        checks=LabelChecks(kg, tuple(run.run_id for run in chosen if run.run_id in checked)),
        mixed=read_mixed_filters(kg, {run.folder: networks[run.network] for run in chosen}, classes, q),
    )


def network_layers(kg: KG, network: str, endpoint: LocalEndpoint | None = None) -> NetworkLayers:
    """Read the layers of a network of a KG, by the network's identifier.

    Parameters
    ----------
    endpoint : LocalEndpoint, optional
        Over the KG, where it is open.

    Raises
    ------
    FiltagError
        If the KG knows no layer of it.
    """
    endpoint = endpoint or LocalEndpoint(kg)
    iri = ox.NamedNode(DataIris(kg.manifest["parameters"]["base"]).network(network))
    rows = endpoint.ask(bind(_LAYERS, {"network": [iri]})).values()
    if not rows:
        raise FiltagError(f"the store of {kg.path} knows no layer of {network}: build the KG anew")
    sizes = (int(row[4]) for row in rows)
    return NetworkLayers(
        network=network,
        label=rows[0][0],
        layer_names=tuple(row[2] for row in rows),
        layer_kinds=tuple(row[3].rpartition("#")[2] for row in rows),
        offsets=np.array(list(accumulate(sizes, initial=0)), dtype=np.int64),
    )


def _visualizations(kg: KG) -> dict[tuple[str, str, int], tuple[Visualization, ...]]:
    by_filter: dict[tuple[str, str, int], list[Visualization]] = {}
    for row in read_visualizations(kg):
        by_filter.setdefault((row.network, row.layer, row.filter), []).append(row)
    return {
        filter_key: tuple(sorted(pictures, key=lambda row: row.method)) for filter_key, pictures in by_filter.items()
    }
