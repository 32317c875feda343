"""The graph for networkx, with its algorithms, and for tools that draw: Gephi, Cytoscape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, BinaryIO

import pyoxigraph as ox

from filtag_kg.graph import PREFIXES, xml_text
from filtag_kg.kg import KG, StoreProcess

if TYPE_CHECKING:
    import networkx as nx

_NODES = {
    "layer": "SELECT ?x ?label WHERE { ?network nno:hasLayer ?x . ?x rdfs:label ?label }",
    "filter": """SELECT ?x ?label WHERE {
      ?x flt:filterIndex ?i ; flt:inLayer/rdfs:label ?layer BIND (CONCAT(?layer, "/", STR(?i)) AS ?label)
    }""",
    "class": "SELECT ?x ?label WHERE { ?x a flt:ClassLabel ; skos:prefLabel ?label }",
    "concept": """SELECT ?x ?label WHERE {
      ?x a skos:Concept ; skos:prefLabel ?label FILTER NOT EXISTS { ?x a flt:ClassLabel }
    }""",
}
_EDGES = {
    "in layer": "SELECT ?from ?to WHERE { ?from flt:inLayer ?to }",
    "tag": """SELECT ?from ?to ?rule ?rank ?activation ?contrast WHERE {
      ?run a flt:TaggingRun ; flt:rule ?rule .
      ?a prov:wasGeneratedBy ?run ; flt:filter ?from ; flt:tag ?to .
      OPTIONAL { ?a flt:rank ?rank } OPTIONAL { ?a flt:activation ?activation } OPTIONAL { ?a flt:contrast ?contrast }
    }""",
    "common concept": """SELECT ?from ?to ?rule ?coverage ?p_adjusted ?q_value WHERE {
      ?run a flt:TaggingRun ; flt:rule ?rule .
      ?c a flt:CommonConcept ; prov:wasGeneratedBy ?run ; flt:filter ?from ; flt:concept ?to ;
        flt:coverage ?coverage ; flt:adjustedPValue ?p_adjusted .
      OPTIONAL { ?c flt:coherenceQValue ?q_value }
    }""",
    "link": "SELECT ?from ?to WHERE { ?from a flt:ClassLabel ; flt:concept ?to }",
    "broader": "SELECT ?from ?to WHERE { ?from skos:broader ?to }",
}
_NUMBERS: Mapping[str, Callable[[str], int | float]] = {
    f"{PREFIXES['xsd']}integer": int,
    f"{PREFIXES['xsd']}double": float,
}


def to_networkx(kg: KG) -> nx.MultiDiGraph[str]:
    """Return layers, filters, classes and concepts, and their connections.

    Returns
    -------
    networkx.MultiDiGraph
        Nodes are IRIs with `kind` (layer, filter, class, concept) and `label`. Edges have `kind` as their key and
        attribute (in layer, tag, common concept, link, broader). Tags and common concepts have their `rule`, which also
        ends their key, and numbers. It takes about 1 kB of memory for each tag.
    """
    import networkx as nx

    store = kg.store_process()
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for kind, text in _NODES.items():
        for node, label in sorted((str(row["x"])[1:-1], _plain(row["label"])) for row in _ask(store, text)):
            if node not in graph:
                graph.add_node(node, kind=kind, label=label)
    for kind, text in _EDGES.items():
        answer = _ask(store, text)
        names = [variable.value for variable in answer.variables]
        edges = []
        for row in answer:
            cells = {name: _plain(cell) for name, cell in zip(names, row, strict=True) if cell is not None}
            start, end = str(cells.pop("from")), str(cells.pop("to"))
            key = f"{kind} {cells.get('rule', '')}".strip()
            edges.append((start, end, key, {"kind": kind, **cells}))
        for start, end, key, data in sorted(edges, key=lambda edge: edge[:3]):
            graph.add_edge(start, end, key=key, **data)
    return graph


def write_graphml(kg: KG, output: BinaryIO) -> None:
    """Write `to_networkx` as GraphML."""
    import networkx as nx

    graph = to_networkx(kg)
    for _, data in graph.nodes(data=True):
        data["label"] = xml_text(data["label"])
    for line in nx.generate_graphml(graph, named_key_ids=True):
        output.write(f"{line}\n".encode())


def _ask(store: StoreProcess, text: str) -> ox.QuerySolutions:
    answer = store.query(text)
    assert isinstance(answer, ox.QuerySolutions)
    return answer


def _plain(cell: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple | None) -> str | int | float:
    if isinstance(cell, ox.Literal):
        number = _NUMBERS.get(cell.datatype.value)
        return cell.value if number is None else number(cell.value)
    return str(cell)[1:-1]
