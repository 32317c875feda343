"""What must hold of a KG as a whole, each a query over its store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import pyoxigraph as ox

from filtag_kg.graph import PREFIXES, DataIris
from filtag_kg.kg.kg import KG
from filtag_kg.kg.runs import runs_of
from filtag_kg.kg.store import graph_lines
from filtag_kg.kg.store_process import StoreProcess
from filtag_kg.kg.tables import COMMON, TAGS

__all__ = ["CHECKS", "WHOLE", "Check"]

_Found = Iterator[tuple[str, str]]
_BLOCK = 10_000


@dataclass(frozen=True, slots=True)
class Check:
    """A check of the whole store.

    Parameters
    ----------
    name : str
    run : callable
        From the KG and its open store to where and what is wrong.
    reads_files : bool
        Whether it compares the store with other files of the KG.
    """

    name: str
    run: Callable[[KG, StoreProcess], _Found]
    reads_files: bool = False


_COUNTS = {
    "layers": "SELECT (COUNT(DISTINCT ?x) AS ?n) WHERE { ?network nno:hasLayer ?x }",
    "filters": "SELECT (COUNT(DISTINCT ?x) AS ?n) WHERE { ?x a flt:Filter }",
    "classes": "SELECT (COUNT(DISTINCT ?x) AS ?n) WHERE { ?x a flt:ClassLabel }",
    "linked_classes": "SELECT (COUNT(DISTINCT ?x) AS ?n) WHERE { ?x a flt:ConceptLink }",
    "concepts_in_layers": "SELECT (COUNT(DISTINCT ?x) AS ?n) WHERE { ?x a flt:ConceptInLayer }",
    "tags": "SELECT (COUNT(?x) AS ?n) WHERE { GRAPH ?run { ?x a flt:TagAssignment } }",
    "common_concepts": """SELECT (COUNT(?x) AS ?n) WHERE {
      VALUES ?kind { flt:CommonConcept flt:CommonFeature } GRAPH ?run { ?x a ?kind }
    }""",
}
_PER_GRAPH = "SELECT ?graph (COUNT(*) AS ?n) WHERE { GRAPH ?graph { ?s ?p ?o } } GROUP BY ?graph"
_SAID_OF_GRAPHS = "SELECT ?graph ?n WHERE { ?dataset a dcat:Dataset ; void:subset ?graph . ?graph void:triples ?n }"
_KINDS = "SELECT ?kind (COUNT(?x) AS ?n) WHERE { GRAPH <%(run)s> { ?x a ?kind } } GROUP BY ?kind"
_RANKS = """SELECT ?layer ?class (COUNT(DISTINCT ?rank) AS ?ranks) (MAX(?rank) AS ?last) WHERE {
  { SELECT ?a ?rank { GRAPH <%(run)s> { ?a flt:rank ?rank } } }
  { SELECT ?a ?class { GRAPH <%(run)s> { ?a flt:tag ?class } } }
  { SELECT ?a ?f { GRAPH <%(run)s> { ?a flt:filter ?f } } }
  { SELECT ?f ?layer { ?f flt:inLayer ?layer } }
} GROUP BY ?layer ?class HAVING (COUNT(DISTINCT ?rank) != MAX(?rank))"""
_COMMON_RANKS = """SELECT ?f (COUNT(?rank) AS ?ranks) (MAX(?rank) AS ?last) WHERE {
  GRAPH <%(run)s> { ?c a flt:CommonFeature ; flt:filter ?f ; flt:relation ?relation ; flt:rank ?rank }
} GROUP BY ?f ?relation HAVING (COUNT(?rank) != MAX(?rank))"""
_CONCEPT_RANKS = """SELECT ?f (COUNT(?rank) AS ?ranks) (MAX(?rank) AS ?last) WHERE {
  GRAPH <%(run)s> { ?c a flt:CommonConcept ; flt:filter ?f ; flt:rank ?rank }
} GROUP BY ?f HAVING (COUNT(?rank) != MAX(?rank))"""
_TAG_COUNTS = """SELECT ?f ?said ?counted WHERE {
  { SELECT ?f (COUNT(?class) AS ?found) { GRAPH <%(run)s> { ?f flt:hasTag ?class } } GROUP BY ?f }
  OPTIONAL { GRAPH <%(run)s> { ?f flt:tagCount ?said } }
  BIND (?found AS ?counted)
  FILTER (!BOUND(?said) || ?said != ?counted)
}"""
_ASSIGNED = """SELECT ?f ?found ?assigned WHERE {
  { SELECT ?f (COUNT(?a) AS ?assigned) { GRAPH <%(run)s> { ?a flt:tag ?class ; flt:filter ?f } } GROUP BY ?f }
  OPTIONAL { SELECT ?f (COUNT(?class) AS ?found) { GRAPH <%(run)s> { ?f flt:hasTag ?class } } GROUP BY ?f }
  FILTER (!BOUND(?found) || ?found != ?assigned)
}"""
_RUNS = (
    "SELECT ?run ?profile WHERE { ?run a flt:TaggingRun OPTIONAL { ?run flt:profileSha256 ?profile } } ORDER BY ?run"
)
_DANGLING = """SELECT DISTINCT ?x WHERE {
  { SELECT DISTINCT ?x { ?s %(property)s ?x } }
  FILTER NOT EXISTS { ?x a %(kind)s }
} ORDER BY ?x"""
_POINTING = {
    "flt:filter": "flt:Filter",
    "flt:tag": "flt:ClassLabel",
    "flt:hasTag": "flt:ClassLabel",
    "flt:concept": "skos:Concept",
    "flt:commonConcept": "skos:Concept",
    "flt:atOrBelow": "skos:Concept",
    "skos:broader": "skos:Concept",
    "sssom:object_id": "skos:Concept",
}
_LAYERLESS = "SELECT DISTINCT ?f WHERE { ?f flt:inLayer ?l FILTER NOT EXISTS { ?network nno:hasLayer ?l } } ORDER BY ?f"
_SHARES = (
    "flt:coverage",
    "flt:pValue",
    "flt:adjustedPValue",
    "flt:coherenceQValue",
    "flt:separation",
    "flt:separationLow",
    "flt:separationHigh",
    "sssom:confidence",
)
_OUTSIDE = "SELECT ?x ?value WHERE { ?x %(property)s ?value FILTER (?value < 0 || ?value > 1 %(zero)s) } ORDER BY ?x"
_NOT_THE_FILTERS = """SELECT ?x ?rank ?q WHERE {
  ?x flt:rank ?rank ; flt:adjustedPValue ?p OPTIONAL { ?x flt:coherenceQValue ?q }
  FILTER (BOUND(?q) != (?rank = 1))
} ORDER BY ?x"""
_FOREIGN = """SELECT ?graph ?run WHERE {
  { SELECT DISTINCT ?graph ?run WHERE { GRAPH ?graph { ?x prov:wasGeneratedBy ?run ; flt:filter ?f } } }
  FILTER (?graph != ?run)
}"""


def _counts(kg: KG, store: StoreProcess) -> _Found:
    said = kg.manifest["counts"]
    if said["quads"] != len(store):
        yield "filtag.json", f"says {said['quads']:,} statements, the store holds {len(store):,}"
    for name, text in _COUNTS.items():
        ((counted,),) = _ask(store, text)
        if int(counted) != said[name]:
            yield "filtag.json", f"says {said[name]:,} {name.replace('_', ' ')}, the store holds {int(counted):,}"


def _tables(kg: KG, store: StoreProcess) -> _Found:
    """Compare, run by run, the rows of the tables with what stands in the graph."""
    graph_of = DataIris(kg.manifest["parameters"]["base"]).run
    for run in runs_of(kg):
        folder = f"{run.folder}/" if run.folder else ""
        found = _ask(store, _KINDS % {"run": graph_of(run.run_id)})
        counted = {kind: int(n) for kind, n in found}
        where = {"rule": (run.rule,)}
        rows_of_tags = TAGS.read(kg.path / run.folder / TAGS.file_name, where=where)
        tags = {(row.layer, row.filter, row.class_id) for row in rows_of_tags}
        common = list(COMMON.read(kg.path / run.folder / COMMON.file_name, where=where))
        for table, rows, kinds in (
            ("tags.csv", len(tags), ("TagAssignment",)),
            ("common.csv", len(common), ("CommonConcept", "CommonFeature")),
        ):
            n = sum(counted.get(PREFIXES["flt"] + kind, 0) for kind in kinds)
            if rows != n:
                yield f"{folder}{table}", f"has {rows:,} rows of {run.rule}, the graph has {n:,}"


def _whole(kg: KG, store: StoreProcess) -> _Found:
    """Compare the statements of the store with those of the file that it was made of."""
    n_store, store_content = _content(store.quads())
    n_file, file_content = _content(_as_stored(graph_lines(kg.graph_path)))
    if n_store != n_file:
        yield "store", f"holds {n_store:,} statements, {kg.graph_path.name} {n_file:,}"
    elif store_content != file_content:
        yield "store", f"holds other statements than {kg.graph_path.name}"


def _content(found: Iterable[ox.Quad]) -> tuple[int, int]:
    """Return how many quads there are and a sum of their hashes, which does not depend on their order."""
    count = total = 0
    for quad in found:
        count += 1
        total += int.from_bytes(hashlib.blake2b(str(quad).encode(), digest_size=16).digest())
    return count, total


def _as_stored(lines: Iterator[str]) -> Iterator[ox.Quad]:
    """Yield quads with their numbers in the spelling that a store gives them."""
    while block := "".join(islice(lines, _BLOCK)):
        stored = ox.Store()
        stored.load(input=block, format=ox.RdfFormat.N_QUADS)
        yield from stored


def _graphs(_kg: KG, store: StoreProcess) -> _Found:
    counted = {graph: n for graph, n in _ask(store, _PER_GRAPH)}  # noqa: C416 - rows have no fixed length for mypy
    for graph, said in sorted(_ask(store, _SAID_OF_GRAPHS)):
        if "/linkset/" not in graph and counted.get(graph, "0") != said:
            yield graph, f"is said to have {said} statements, and has {counted.get(graph, '0')}"


def _ranks(_kg: KG, store: StoreProcess) -> _Found:
    for run, profile in _ask(store, _RUNS):
        if profile:
            for layer, class_, ranks, last in sorted(_ask(store, _RANKS % {"run": run})):
                yield (
                    class_,
                    f"has {ranks} ranks up to {last} in {layer}, run {run}: from 1 without gaps it would be as many",
                )
        for text in (_COMMON_RANKS, _CONCEPT_RANKS):
            for filter_, ranks, last in sorted(_ask(store, text % {"run": run})):
                yield filter_, f"has {ranks} common features of a kind with ranks up to {last}, run {run}"


def _tag_counts(_kg: KG, store: StoreProcess) -> _Found:
    for run, _ in _ask(store, _RUNS):
        for filter_, said, counted in sorted(_ask(store, _TAG_COUNTS % {"run": run})):
            yield filter_, f"has tag count {said or 'missing'} and {counted} tags, run {run}"
        for filter_, found, assigned in sorted(_ask(store, _ASSIGNED % {"run": run})):
            yield filter_, f"has {found or 0} tags and {assigned} tag assignments, run {run}"


def _dangling(_kg: KG, store: StoreProcess) -> _Found:
    for property_, kind in _POINTING.items():
        for (found,) in _ask(store, _DANGLING % {"property": property_, "kind": kind}):
            yield found, f"is what {property_} points to, but no {kind}"
    for (found,) in _ask(store, _LAYERLESS):
        yield found, "is in a layer of no network"


def _shares(_kg: KG, store: StoreProcess) -> _Found:
    for property_ in _SHARES:
        above_zero = property_ == "flt:coverage"
        zero = "|| ?value = 0" if above_zero else ""
        for found, value in _ask(store, _OUTSIDE % {"property": property_, "zero": zero}):
            yield found, f"{property_} is {value}, not in {'(' if above_zero else '['}0, 1]"
    for found, rank, q in _ask(store, _NOT_THE_FILTERS):
        has = f"the q-value {q}, which belongs to rank 1 alone" if q else "no q-value"
        yield found, f"has rank {rank} and {has}"


def _own_graphs(_kg: KG, store: StoreProcess) -> _Found:
    for graph, run in sorted(_ask(store, _FOREIGN)):
        yield graph, f"holds what run {run} made"


def _blank_nodes(_kg: KG, store: StoreProcess) -> _Found:
    for (found,) in _ask(store, "SELECT ?s WHERE { ?s ?p ?o FILTER (ISBLANK(?s) || ISBLANK(?o)) } LIMIT 1"):
        yield found, "there is a blank node"


def _ask(store: StoreProcess, text: str) -> list[tuple[str, ...]]:
    answer = store.query(text)
    assert isinstance(answer, ox.QuerySolutions)
    return [tuple("" if cell is None else getattr(cell, "value", str(cell)) for cell in row) for row in answer]


CHECKS = (
    Check("counts equal the manifest", _counts),
    Check("counts of graphs", _graphs),
    Check("ranks without gaps", _ranks),
    Check("tag counts", _tag_counts),
    Check("nothing dangles", _dangling),
    Check("shares and probabilities", _shares),
    Check("a run's graph is its own", _own_graphs),
    Check("no blank nodes", _blank_nodes),
    Check("tables equal the graph", _tables, reads_files=True),
)
WHOLE = Check("the store equals the graph", _whole, reads_files=True)
"""Reads every statement: a quick validation does without."""
