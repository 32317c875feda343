"""Whether a KG holds what it should: SHACL on a sample of each class, and queries over the whole store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.graph import PREFIXES, resource_folder, term
from filtag_kg.kg.checks import CHECKS, WHOLE, Check
from filtag_kg.kg.kg import KG
from filtag_kg.kg.manifest import file_differences, kg_file_names
from filtag_kg.kg.store_process import StoreProcess

if TYPE_CHECKING:
    import rdflib

__all__ = ["Finding", "Validation", "validate_kg"]

_FILES = "files are as recorded"
_MOST_UNKNOWN = 20
_TYPE = ox.NamedNode(term("rdf:type"))
_STRING = ox.NamedNode(term("xsd:string"))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a KG that is not as it should be.

    Parameters
    ----------
    check : str
        The shape or check that found it.
    where : str
        IRI of the thing or graph, or a file of the KG.
    what : str
    """

    check: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Validation:
    """What `validate_kg` found.

    Parameters
    ----------
    findings : tuple of Finding
    n_nodes : int
        How many things the shapes were held against.
    n_checks : int
        How many checks went over the whole store.
    n_statements : int
        In the store.
    notes : tuple of str
        What was not compared, and files that the KG does not know.
    """

    findings: tuple[Finding, ...]
    n_nodes: int
    n_checks: int
    n_statements: int
    notes: tuple[str, ...] = ()


def validate_kg(kg: KG, *, sample: int = 100, seed: int = 0, quick: bool = False) -> Validation:
    """Look for what is wrong with a KG.

    Parameters
    ----------
    kg : KG
    sample : int
        At most so many things of each class are held against the shapes of ``ontology/shapes.ttl``.
    seed : int
        Of the choice of these.
    quick : bool
        Do not read the large files whole, and do not compare the store with the graph statement by statement.

    Returns
    -------
    Validation
        Findings of a check are listed up to 20. A store whose files are not as they were recorded is not opened.
    """
    recorded = kg.manifest.get("files", {})
    findings = [Finding(_FILES, *difference) for difference in file_differences(kg.path, recorded, quick=quick)]
    notes = _notes(kg, quick=quick)
    if any(finding.where.startswith("store/") for finding in findings):
        notes.append("the store is not as it was recorded, so what is in it was not checked")
        return Validation(tuple(findings), 0, 1, 0, tuple(notes))
    checks = CHECKS if quick or findings else (*CHECKS, WHOLE)
    try:
        store = kg.store_process()
        store.open()
        findings += [Finding(check.name, *found) for check in checks for found in _first(_told(check, kg, store))]
        nodes = _nodes(store, sample, np.random.default_rng(seed))
        findings += _against_shapes(store, nodes)
    except FiltagError as error:
        findings.append(Finding("the store can be read", "store", str(error)))
        return Validation(tuple(findings), 0, len(checks) + 1, 0, tuple(notes))
    return Validation(tuple(findings), len(nodes), len(checks) + 1, len(store), tuple(notes))


def _told(check: Check, kg: KG, store: StoreProcess) -> Iterator[tuple[str, str]]:
    """Run a check; a table or a graph file that cannot be read is a finding of the checks that read it."""
    try:
        yield from check.run(kg, store)
    except (FiltagError, SyntaxError) as error:
        if not check.reads_files:
            raise
        yield str(kg.path), str(error)


def _notes(kg: KG, *, quick: bool) -> list[str]:
    if "files" not in kg.manifest:
        return [
            "the manifest records no hashes, because an earlier version made this KG: changed or cut files show only "
            "where they contradict each other"
        ]
    unknown = [name for name in kg_file_names(kg.path) if name not in kg.manifest["files"]]
    notes = [f"{name} is not a file of this KG" for name in unknown[:_MOST_UNKNOWN]]
    if len(unknown) > _MOST_UNKNOWN:
        notes.append(f"{len(unknown) - _MOST_UNKNOWN:,} more files are not files of this KG")
    if quick:
        notes.append(
            "of the graph, the store, the profile, thumbnails and added builds only the sizes were compared: leave out "
            "--quick for all"
        )
    return notes


def _first(found: Iterator[tuple[str, str]], most: int = 20) -> Iterator[tuple[str, str]]:
    for place, one in enumerate(found):
        if place == most:
            yield one[0], f"{one[1]}, and more of the kind"
            return
        yield one


def _nodes(store: StoreProcess, sample: int, rng: np.random.Generator) -> list[ox.NamedNode]:
    """Return things of each class, and layers, chosen at random but always alike."""
    query = "SELECT DISTINCT ?kind WHERE { ?x a ?kind }"
    kinds = sorted(str(row[0]) for row in _solutions(store, query))
    asked = [f"SELECT DISTINCT ?x WHERE {{ ?x a {kind} }}" for kind in kinds]
    asked += [f"SELECT DISTINCT ?x WHERE {{ ?x {name} ?y }}" for name in ("nno:hasLayerSequence", "flt:relation")]
    chosen: dict[str, ox.NamedNode] = {}
    for text in asked:
        all_ = sorted((row[0] for row in _solutions(store, text) if isinstance(row[0], ox.NamedNode)), key=str)
        some = rng.choice(len(all_), size=min(sample, len(all_)), replace=False)
        chosen.update((all_[place].value, all_[place]) for place in some)
    return [chosen[value] for value in sorted(chosen)]


def _against_shapes(store: StoreProcess, nodes: Sequence[ox.NamedNode]) -> list[Finding]:
    """Hold things, with what is said of them and what kinds of things they speak of, against the shapes."""
    import pyshacl
    import rdflib

    data = rdflib.Graph()
    terms = _Terms()
    for node in nodes:
        # Whole, because the store answers one question at a time.
        for quad in list(store.quads(node)):
            data.add(terms.triple(quad.triple))
            if isinstance(quad.object, ox.NamedNode):
                for kind in store.quads(quad.object, _TYPE):
                    data.add(terms.triple(kind.triple))
        for quad in list(store.quads(None, ox.NamedNode(term("nno:hasLayer")), node)):
            data.add(terms.triple(quad.triple))
            for kind in store.quads(_node(quad.subject), _TYPE):
                data.add(terms.triple(kind.triple))
    whole = {rdflib.URIRef(node.value) for node in nodes}
    _, report, _ = pyshacl.validate(
        data,
        shacl_graph=rdflib.Graph().parse(resource_folder("ontology") / "shapes.ttl"),
        ont_graph=rdflib.Graph().parse(resource_folder("ontology") / "filtag.ttl"),
        advanced=True,
    )
    shacl = rdflib.Namespace(PREFIXES["sh"])
    found = []
    for result in report.subjects(rdflib.RDF.type, shacl.ValidationResult):
        focus = report.value(result, shacl.focusNode)
        # What is there only to say of what kind it is was not taken whole.
        if focus in whole:
            path = report.value(result, shacl.resultPath)
            message = str(report.value(result, shacl.resultMessage))
            component = str(report.value(result, shacl.sourceConstraintComponent)).rpartition("#")[2]
            name = f"{_short(path)} " if isinstance(path, rdflib.URIRef) else ""
            found.append(Finding(component.removesuffix("ConstraintComponent"), str(focus), f"{name}{message}"))
    return sorted(found, key=lambda finding: (finding.where, finding.check, finding.what))


def _node(subject: ox.NamedNode | ox.BlankNode | ox.Triple) -> ox.NamedNode:
    # Whatever has a layer was asked for by its type, and the graph has no blank nodes.
    assert isinstance(subject, ox.NamedNode)
    return subject


class _Terms:
    """Oxigraph's terms as rdflib's."""

    def triple(self, triple: ox.Triple) -> tuple[rdflib.term.Node, rdflib.term.Node, rdflib.term.Node]:
        return self._term(triple.subject), self._term(triple.predicate), self._term(triple.object)

    def _term(self, value: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> rdflib.term.Node:
        import rdflib

        if isinstance(value, ox.NamedNode):
            return rdflib.URIRef(value.value)
        if isinstance(value, ox.Literal):
            if value.language:
                return rdflib.Literal(value.value, lang=value.language)
            datatype = None if value.datatype == _STRING else rdflib.URIRef(value.datatype.value)
            return rdflib.Literal(value.value, datatype=datatype)
        return rdflib.BNode(str(value))


def _short(iri: str) -> str:
    for prefix, start in PREFIXES.items():
        if iri.startswith(start):
            return f"{prefix}:{iri.removeprefix(start)}"
    return iri


def _solutions(store: StoreProcess, text: str) -> ox.QuerySolutions:
    answer = store.query(text)
    assert isinstance(answer, ox.QuerySolutions)
    return answer
