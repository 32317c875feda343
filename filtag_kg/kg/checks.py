"""Checks of a KG as a whole, most of them queries over its store."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import pyoxigraph as ox

from filtag_kg.graph import DEFAULT_GRAPH, DataIris, count_statements, count_store, term
from filtag_kg.kg.exemplars import EXEMPLARS
from filtag_kg.kg.kg import KG
from filtag_kg.kg.mixed import MIXED
from filtag_kg.kg.runs import runs_of
from filtag_kg.kg.store import graph_lines
from filtag_kg.kg.store_process import StoreProcess
from filtag_kg.kg.tables import COMMON, SCORES, TAGS
from filtag_kg.kg.where import read_where

_Problems = Iterator[tuple[str, str]]
"""Where, and what is wrong."""
_BLOCK = 10_000


@dataclass(frozen=True, slots=True)
class Check:
    """A check of the whole store.

    Parameters
    ----------
    name : str
        The kind of problem that it finds.
    run : callable
        From the KG and its open store to where and what is wrong.
    reads_files : bool
        Whether it compares the store with other files of the KG.
    """

    name: str
    run: Callable[[KG, StoreProcess], _Problems]
    reads_files: bool = False


_RECORDED_PER_GRAPH = "SELECT ?graph ?n WHERE { ?dataset a dcat:Dataset ; void:subset ?graph . ?graph void:triples ?n }"
_PER_CLASS = """SELECT ?class (COUNT(*) AS ?n) WHERE {
  { SELECT ?x { ?x prov:wasGeneratedBy <%(run)s> } }
  { SELECT ?x ?class { ?x a ?class } }
} GROUP BY ?class"""
_ASSIGNMENTS = """SELECT (COUNT(*) AS ?n) WHERE {
  { SELECT ?x { ?x prov:wasGeneratedBy <%(run)s> } }
  { SELECT ?x ?class { ?x flt:tag ?class } }
}"""
_SCORES = """SELECT (COUNT(*) AS ?n) WHERE {
  { SELECT ?x { ?x prov:wasGeneratedBy <%(run)s> } }
  { SELECT ?x ?score { ?x flt:methodScore ?score } }
}"""
_RANKS = """SELECT ?layer ?class (COUNT(DISTINCT ?rank) AS ?ranks) (MAX(?rank) AS ?last) WHERE {
  { SELECT ?a { ?a prov:wasGeneratedBy <%(run)s> } }
  { SELECT ?a ?rank { ?a flt:rank ?rank } }
  { SELECT ?a ?class { ?a flt:tag ?class } }
  { SELECT ?a ?f { ?a flt:filter ?f } }
  { SELECT ?f ?layer { ?f flt:inLayer ?layer } }
} GROUP BY ?layer ?class HAVING (COUNT(DISTINCT ?rank) != MAX(?rank))"""
_COMMON_RANKS = """SELECT ?f (COUNT(?rank) AS ?ranks) (MAX(?rank) AS ?last) WHERE {
  GRAPH <%(run)s> { ?f flt:hasCommonFeature ?c }
  ?c a flt:CommonFeature ; flt:relation ?relation ; flt:source ?source ; flt:rank ?rank
} GROUP BY ?f ?relation ?source HAVING (COUNT(?rank) != MAX(?rank))"""
_CONCEPT_RANKS = """SELECT ?f (COUNT(?rank) AS ?ranks) (MAX(?rank) AS ?last) WHERE {
  GRAPH <%(run)s> { ?f flt:hasCommonFeature ?c }
  ?c a flt:CommonConcept ; flt:rank ?rank
} GROUP BY ?f HAVING (COUNT(?rank) != MAX(?rank))"""
_TAG_COUNTS = """SELECT ?f ?recorded ?tags WHERE {
  { SELECT ?f (COUNT(?class) AS ?tags) { GRAPH <%(run)s> { ?f flt:hasTag ?class } } GROUP BY ?f }
  OPTIONAL { GRAPH <%(run)s> { ?x flt:filter ?f ; flt:tagCount ?recorded } }
  FILTER (!BOUND(?recorded) || ?recorded != ?tags)
}"""
_ASSIGNED = """SELECT ?f ?tags ?assigned WHERE {
  {
    SELECT ?f (COUNT(?class) AS ?assigned) {
      { SELECT ?a { ?a prov:wasGeneratedBy <%(run)s> } }
      { SELECT ?a ?class { ?a flt:tag ?class } }
      { SELECT ?a ?f { ?a flt:filter ?f } }
    } GROUP BY ?f
  }
  OPTIONAL { SELECT ?f (COUNT(?class) AS ?tags) { GRAPH <%(run)s> { ?f flt:hasTag ?class } } GROUP BY ?f }
  FILTER (!BOUND(?tags) || ?tags != ?assigned)
}"""
_STRONGEST = """SELECT ?class ?highest ?named WHERE {
  {
    SELECT ?class (MAX(?activation) AS ?highest) {
      { SELECT ?a { ?a prov:wasGeneratedBy <%(run)s> } }
      { SELECT ?a ?class { ?a flt:tag ?class } }
      { SELECT ?a ?activation { ?a flt:activation ?activation } }
    } GROUP BY ?class
  }
  OPTIONAL {
    SELECT ?class (MAX(?activation) AS ?named) {
      GRAPH <%(run)s> { ?class flt:strongestAssignment ?a }
      ?a flt:tag ?class ; flt:activation ?activation
    } GROUP BY ?class
  }
  FILTER (!BOUND(?named) || ?named != ?highest)
}"""
_NOT_OF_THE_CLASS = """SELECT ?class ?a WHERE {
  GRAPH <%(run)s> { ?class flt:strongestAssignment ?a }
  FILTER NOT EXISTS { ?a flt:tag ?class }
}"""
_RUNS = (
    "SELECT ?run ?profile WHERE { ?run a flt:TaggingRun OPTIONAL { ?run flt:profileSha256 ?profile } } ORDER BY ?run"
)
_DANGLING = """SELECT DISTINCT ?x WHERE {
  { SELECT DISTINCT ?x { ?s %(property)s ?x } }
  FILTER NOT EXISTS { ?x a %(class)s }
} ORDER BY ?x"""
_CLASS_OF_OBJECTS = {
    "flt:filter": "flt:Filter",
    "flt:tag": "flt:ClassLabel",
    "flt:hasTag": "flt:ClassLabel",
    "flt:includesClass": "flt:ClassLabel",
    "flt:hasFilterPart": "flt:FilterPart",
    "flt:concept": "skos:Concept",
    "flt:commonConcept": "skos:Concept",
    "flt:atOrBelow": "skos:Concept",
    "skos:broader": "skos:Concept",
    "sssom:object_id": "skos:Concept",
}
_LAYERLESS = "SELECT DISTINCT ?f WHERE { ?f flt:inLayer ?l FILTER NOT EXISTS { ?network nno:hasLayer ?l } } ORDER BY ?f"
_FROM_0_TO_1 = (
    "flt:coverage",
    "flt:pValue",
    "flt:adjustedPValue",
    "flt:coherenceQValue",
    "flt:contrastShare",
    "flt:mixedness",
    "flt:mixedQValue",
    "flt:separation",
    "flt:separationLow",
    "flt:separationHigh",
    "sssom:confidence",
)
_OUTSIDE = "SELECT ?x ?value WHERE { ?x %(property)s ?value FILTER (?value < 0 || ?value > 1 %(zero)s) } ORDER BY ?x"
_MISPLACED_Q = """SELECT ?x ?rank ?q WHERE {
  ?x flt:rank ?rank ; flt:adjustedPValue ?p OPTIONAL { ?x flt:coherenceQValue ?q }
  FILTER (BOUND(?q) != (?rank = 1))
} ORDER BY ?x"""
_FOREIGN = """SELECT ?x ?run WHERE {
  { SELECT ?x ?run WHERE { ?x prov:wasGeneratedBy ?run } }
  { SELECT ?run WHERE { ?run a flt:TaggingRun } }
  FILTER (!STRSTARTS(STR(?x), CONCAT(STR(?run), "/")) && NOT EXISTS { ?x a dcat:Dataset })
}"""


def _counts(kg: KG, store: StoreProcess) -> _Problems:
    recorded = kg.manifest["counts"]
    n_statements = len(store)
    if recorded["quads"] != n_statements:
        yield "filtag.json", f"records {recorded['quads']:,} statements, the store holds {n_statements:,}"
    for name, counted in count_store(store.rows).in_manifest().items():
        if counted != recorded[name]:
            yield "filtag.json", f"records {recorded[name]:,} {name.replace('_', ' ')}, the store holds {counted:,}"


def _tables(kg: KG, store: StoreProcess) -> _Problems:
    """Compare, run by run, the rows of the tables with what stands in the graph."""
    graph_of = DataIris(kg.manifest["parameters"]["base"]).run
    for run in runs_of(kg):
        folder = f"{run.folder}/" if run.folder else ""
        in_graph = Counter({class_: int(n) for class_, n in store.rows(_PER_CLASS % {"run": graph_of(run.run_id)})})
        where = {"rule": (run.rule,)}
        tag_rows = TAGS.read(kg.path / run.folder / TAGS.file_name, where=where)
        tags = {(row.layer, row.filter, row.class_id) for row in tag_rows}
        common = list(COMMON.read(kg.path / run.folder / COMMON.file_name, where=where))
        n_tags = int(store.rows(_ASSIGNMENTS % {"run": graph_of(run.run_id)})[0][0])
        n_common = in_graph[term("flt:CommonConcept")] + in_graph[term("flt:CommonFeature")]
        scores = kg.path / run.folder / SCORES.file_name
        n_score_rows = sum(1 for _ in SCORES.read(scores, where=where)) if scores.exists() else 0
        mixed = kg.path / run.folder / MIXED.file_name
        n_parts = sum(1 for _ in MIXED.read(mixed)) if mixed.exists() else 0
        n_scores = int(store.rows(_SCORES % {"run": graph_of(run.run_id)})[0][0])
        compared = (
            (TAGS, len(tags), n_tags),
            (COMMON, len(common), n_common),
            (SCORES, n_score_rows, n_scores),
            (MIXED, n_parts, in_graph[term("flt:FilterPart")]),
        )
        for table, rows, n in compared:
            if rows != n:
                yield f"{folder}{table.file_name}", f"has {rows:,} rows of {run.rule}, the graph has {n:,}"


def _exemplars(kg: KG, _store: StoreProcess) -> _Problems:
    """Read the tables of exemplars, which say themselves what is wrong with them."""
    for run_folder in dict.fromkeys(run.folder for run in runs_of(kg)):
        folder = kg.path / run_folder / "exemplars"
        if folder.exists():
            read_where(folder, list(EXEMPLARS.read(folder / EXEMPLARS.file_name)))
    yield from ()


def _whole(kg: KG, store: StoreProcess) -> _Problems:
    """Compare the statements of the store with those of the file that it was made from."""
    n_store, store_hash = _count_and_hash(store.quads())
    n_file, file_hash = _count_and_hash(_as_stored(graph_lines(kg.graph_path)))
    if n_store != n_file:
        yield "store", f"holds {n_store:,} statements, {kg.graph_path.name} {n_file:,}"
    elif store_hash != file_hash:
        yield "store", f"holds other statements than {kg.graph_path.name}"


def _count_and_hash(quads: Iterable[ox.Quad]) -> tuple[int, int]:
    """Return how many quads there are and a sum of their hashes, which does not depend on their order."""
    count = total = 0
    for quad in quads:
        count += 1
        total += int.from_bytes(hashlib.blake2b(str(quad).encode(), digest_size=16).digest())
    return count, total


def _as_stored(lines: Iterator[str]) -> Iterator[ox.Quad]:
    """Yield quads with their numbers spelled as a store spells them."""
    while block := "".join(islice(lines, _BLOCK)):
        stored = ox.Store()
        stored.load(input=block, format=ox.RdfFormat.N_QUADS)
        yield from stored


def _graphs(kg: KG, store: StoreProcess) -> _Problems:
    counted = count_statements(store.rows)
    default = DataIris(kg.manifest["parameters"]["base"]).dataset_part(kg.manifest["id"], "default")
    counted[default] = counted[DEFAULT_GRAPH]
    for graph, recorded in sorted(store.rows(_RECORDED_PER_GRAPH)):
        if "/linkset/" not in graph and counted[graph] != int(recorded):
            yield graph, f"should have {recorded} statements, and has {counted[graph]}"


def _ranks(_kg: KG, store: StoreProcess) -> _Problems:
    for run, profile in store.rows(_RUNS):
        if profile:
            for layer, class_, ranks, last in sorted(store.rows(_RANKS % {"run": run})):
                yield class_, f"has {ranks} ranks up to {last} in {layer}, run {run}: there should be {last}"
        for text in (_COMMON_RANKS, _CONCEPT_RANKS):
            for filter_, ranks, last in sorted(store.rows(text % {"run": run})):
                yield filter_, f"has {ranks} common features of one relation with ranks up to {last}, run {run}"


def _tag_counts(_kg: KG, store: StoreProcess) -> _Problems:
    for run, _ in store.rows(_RUNS):
        for filter_, recorded, tags in sorted(store.rows(_TAG_COUNTS % {"run": run})):
            yield (
                filter_,
                f"has {tags} tags, and {f'the tag count {recorded}' if recorded else 'no tag count'}, run {run}",
            )
        for filter_, tags, assigned in sorted(store.rows(_ASSIGNED % {"run": run})):
            yield filter_, f"has {tags or 0} tags and {assigned} tag assignments, run {run}"


def _strongest(_kg: KG, store: StoreProcess) -> _Problems:
    for run, _ in store.rows(_RUNS):
        for class_, assignment in sorted(store.rows(_NOT_OF_THE_CLASS % {"run": run})):
            yield class_, f"flt:strongestAssignment points to {assignment}, which does not give that class, run {run}"
        for class_, highest, named in sorted(store.rows(_STRONGEST % {"run": run})):
            which = f"one of {named}" if named else "none"
            yield class_, f"has an assignment of activation {highest}, and {which} is named as the strongest, run {run}"


def _dangling(_kg: KG, store: StoreProcess) -> _Problems:
    for property_, class_ in _CLASS_OF_OBJECTS.items():
        for (node,) in store.rows(_DANGLING % {"property": property_, "class": class_}):
            yield node, f"{property_} points to it, but it is not a {class_}"
    for (filter_,) in store.rows(_LAYERLESS):
        yield filter_, "is in a layer of no network"


def _ranges(_kg: KG, store: StoreProcess) -> _Problems:
    for property_ in _FROM_0_TO_1:
        above_zero = property_ == "flt:coverage"
        zero = "|| ?value = 0" if above_zero else ""
        for node, value in store.rows(_OUTSIDE % {"property": property_, "zero": zero}):
            yield node, f"{property_} is {value}, not in {'(' if above_zero else '['}0, 1]"


def _q_values(_kg: KG, store: StoreProcess) -> _Problems:
    for node, rank, q in store.rows(_MISPLACED_Q):
        yield node, f"has rank {rank} and {f'the q-value {q}, which only rank 1 has' if q else 'no q-value'}"


def _own_results(_kg: KG, store: StoreProcess) -> _Problems:
    for result, run in sorted(store.rows(_FOREIGN)):
        yield result, f"says that it is a result of run {run}, below which its IRI does not lie"


def _blank_nodes(_kg: KG, store: StoreProcess) -> _Problems:
    for (node,) in store.rows("SELECT ?s WHERE { ?s ?p ?o FILTER (ISBLANK(?s) || ISBLANK(?o)) } LIMIT 1"):
        yield node, "is a blank node, or points to one"


CHECKS = (
    Check("wrong count", _counts),
    Check("wrong size of a graph", _graphs),
    Check("gap in ranks", _ranks),
    Check("wrong tag count", _tag_counts),
    Check("wrong strongest assignment", _strongest),
    Check("dangling reference", _dangling),
    Check("value out of range", _ranges),
    Check("misplaced q-value", _q_values),
    Check("result of another run", _own_results),
    Check("blank node", _blank_nodes),
    Check("table differs from the graph", _tables, reads_files=True),
    Check("damaged exemplars", _exemplars, reads_files=True),
)
WHOLE = Check("store differs from the graph", _whole, reads_files=True)
"""Reads every statement: a quick validation skips it."""
