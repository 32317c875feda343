"""Read a KG into memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import pyoxigraph as ox

from filtag_kg.concepts import COHERENT_Q
from filtag_kg.csv_table import TEXT, Cell, file_beside, read_table, real, whole
from filtag_kg.errors import FiltagError
from filtag_kg.graph import DataIris
from filtag_kg.kg import KG, Visualization, read_visualizations, runs_of
from filtag_kg.query import LocalEndpoint, bind
from filtag_kg.views.activations import Activations
from filtag_kg.views.concept_graph import ConceptGraph, read_concepts
from filtag_kg.views.facts import Facts
from filtag_kg.views.tables import NetworkTable, read_run
from filtag_kg.views.things import Exemplar

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_facts"]

# Builds about one network may call it or a layer's kind differently.
_LAYERS = """
SELECT (MIN(?name) AS ?label) ?place ?layer (MIN(?kind) AS ?type) (COUNT(DISTINCT ?filter) AS ?filters) WHERE {
  VALUES ?network { UNDEF }
  ?network rdfs:label ?name ; nno:hasLayer ?l .
  ?l nno:hasLayerSequence ?place ; rdfs:label ?layer ; a ?type_ . BIND (STR(?type_) AS ?kind)
  ?filter flt:inLayer ?l
} GROUP BY ?place ?layer ORDER BY ?place"""


def read_facts(kg: KG, rule: str | None = None, *, q: float = COHERENT_Q) -> Facts:
    """Read what a KG knows: its tables into arrays, its concepts, where its pictures lie.

    A million tags take a few seconds and some 60 bytes each.

    Parameters
    ----------
    kg : KG
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
    classes = {class_id: place for place, class_id in enumerate(concepts.class_ids)}
    runs = runs_of(kg)
    asked = [run for run in runs if rule in (None, run.rule, run.run_id)]
    if not asked:
        known = ", ".join(dict.fromkeys(run.rule for run in runs))
        raise FiltagError(f"no rule {rule!r} in {kg.path}: it has {known}")
    networks = {run.network: _network(endpoint, kg, run.network) for run in asked}
    return Facts(
        kg=kg,
        networks=networks,
        runs={run.run_id: read_run(kg, run, networks[run.network], classes, q=q) for run in asked},
        concepts=concepts,
        exemplars=_exemplars(kg, {run.folder: networks[run.network] for run in reversed(asked)}, concepts),
        visualizations=_visualizations(kg),
        activations=Activations(
            {run.network: kg.path / run.folder / "profile.npz" for run in reversed(asked)}, concepts
        ),
        q=q,
    )


def _network(endpoint: LocalEndpoint, kg: KG, network: str) -> NetworkTable:
    iri = ox.NamedNode(DataIris(kg.manifest["parameters"]["base"]).network(network))
    rows = endpoint.ask(bind(_LAYERS, {"network": [iri]})).values()
    if not rows:
        raise FiltagError(f"the store of {kg.path} knows no layer of {network}: build the KG anew")
    sizes = (int(row[4]) for row in rows)
    return NetworkTable(
        network=network,
        label=rows[0][0],
        layer_names=tuple(row[2] for row in rows),
        layer_kinds=tuple(row[3].rpartition("#")[2] for row in rows),
        offsets=np.array(list(accumulate(sizes, initial=0)), dtype=np.int64),
    )


def _exemplars(
    kg: KG, folders: Mapping[str, NetworkTable], concepts: ConceptGraph
) -> dict[tuple[str, int], tuple[Exemplar, ...]]:
    """Return the exemplars of each filter; of several builds about a network those of the first."""
    labels = dict(zip(concepts.class_ids, concepts.class_labels, strict=True))
    found: dict[tuple[str, int], tuple[Exemplar, ...]] = {}
    for folder, network in folders.items():
        path = kg.path / folder / "exemplars" / "exemplars.csv"
        if not path.exists():
            continue
        first = network.first_columns
        of: dict[tuple[str, int], list[Exemplar]] = {}
        for layer, filter_, image, class_id, activation, thumbnail in _exemplar_rows(path, network):
            of.setdefault((network.network, first[layer] + filter_), []).append(
                Exemplar(
                    # What is no UTF-8 cannot be shown as it is.
                    image=image.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
                    class_id=class_id,
                    label=labels.get(class_id, class_id),
                    activation=activation,
                    thumbnail=(path.parent / thumbnail).relative_to(kg.path).as_posix(),
                )
            )
        found |= {place: tuple(exemplars) for place, exemplars in of.items()}
    return found


_EXEMPLAR_CELLS = {
    "layer": TEXT,
    "filter": whole(),
    "rank": whole(1),
    "image": TEXT,
    "class_id": TEXT,
    "activation": real(0, 1),
    "thumbnail": Cell(file_beside, "a file beside the table"),
}


def _exemplar_rows(path: Path, network: NetworkTable) -> Iterator[tuple[Any, ...]]:
    filters_of_layers = network.filters_of_layers

    def unknown(row: tuple[Any, ...]) -> str | None:
        known = row[1] < filters_of_layers.get(row[0], 0)
        return None if known else f"there is no filter {row[1]} in a layer {row[0]!r}"

    columns = ("layer", "filter", "image", "class_id", "activation", "thumbnail")
    advice = "build the KG anew"
    # Image files may be called anything.
    return read_table(path, _EXEMPLAR_CELLS, columns=columns, check=unknown, errors="surrogateescape", advice=advice)


def _visualizations(kg: KG) -> dict[tuple[str, str, int], tuple[Visualization, ...]]:
    found: dict[tuple[str, str, int], list[Visualization]] = {}
    for row in read_visualizations(kg):
        found.setdefault((row.network, row.layer, row.filter), []).append(row)
    return {place: tuple(sorted(of, key=lambda row: row.method)) for place, of in found.items()}
