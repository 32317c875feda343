"""Whether a KG is whole and consistent: its files, SHACL on a sample of each class, queries over the whole store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
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

_CHANGED_FILE = "changed file"
_MOST_FINDINGS = 20
"""Of one check."""
_MOST_UNKNOWN = 20
"""Files that are listed."""
_TYPE = ox.NamedNode(term("rdf:type"))
_STRING = ox.NamedNode(term("xsd:string"))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a KG that is not as it should be.

    Parameters
    ----------
    check : str
        What kind of problem it is: the name of a check, or the constraint of a shape.
    where : str
        IRI of the thing or graph, or a file of the KG.
    what : str
        What is wrong there.
    """

    check: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Validation:
    """What `validate_kg` found.

    Parameters
    ----------
    n_nodes : int
        Things that were compared with the shapes.
    n_checks : int
        Checks of the whole KG.
    n_statements : int
        In the store.
    notes : tuple of str
        What was not compared, and files that are not recorded.
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
    sample : int
        Things of each class, at most, that are compared with the shapes of ``ontology/shapes.ttl``.
    seed : int
        For choosing them.
    quick : bool
        Do not read the large files whole, and do not compare the store with the graph statement by statement.

    Returns
    -------
    Validation
        With at most 20 findings of each check. A store whose files have changed is not opened.
    """
    recorded = kg.manifest.get("files", {})
    findings = [Finding(_CHANGED_FILE, *difference) for difference in file_differences(kg.path, recorded, quick=quick)]
    notes = _notes(kg, quick=quick)
    if any(finding.where.startswith("store/") for finding in findings):
        notes.append("the files of the store have changed, so its content was not checked")
        return Validation(tuple(findings), 0, 1, 0, tuple(notes))
    checks = CHECKS if quick or findings else (*CHECKS, WHOLE)
    try:
        store = kg.store_process()
        store.open()
        findings += [Finding(check.name, *problem) for check in checks for problem in _first(_run(check, kg, store))]
        nodes = _sample(store, sample, np.random.default_rng(seed))
        findings += _compare_with_shapes(store, nodes)
    except FiltagError as error:
        findings.append(Finding("unreadable store", "store", str(error)))
        return Validation(tuple(findings), 0, len(checks) + 1, 0, tuple(notes))
    return Validation(tuple(findings), len(nodes), len(checks) + 1, len(store), tuple(notes))


def _run(check: Check, kg: KG, store: StoreProcess) -> Iterator[tuple[str, str]]:
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
            "the manifest records no hashes, because an earlier version made this KG: changed or cut files are found "
            "only where they contradict each other"
        ]
    unknown = [name for name in kg_file_names(kg.path) if name not in kg.manifest["files"]]
    notes = [f"{name} is not a file of this KG" for name in unknown[:_MOST_UNKNOWN]]
    if len(unknown) > _MOST_UNKNOWN:
        notes.append(f"{len(unknown) - _MOST_UNKNOWN:,} more files are not files of this KG")
    if quick:
        notes.append("a quick check compares only the sizes of graph, store, profile, thumbnails and added builds")
    return notes


def _first(problems: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    yield from islice(problems, _MOST_FINDINGS)
    for where, what in islice(problems, 1):
        yield where, f"{what}, and there are more"


def _sample(store: StoreProcess, size: int, rng: np.random.Generator) -> list[ox.NamedNode]:
    """Return things of each class, layers and checked labels, chosen at random but the same ones each time."""
    classes = sorted(class_ for (class_,) in store.rows("SELECT DISTINCT ?class WHERE { ?x a ?class }"))
    patterns = [
        *(f"a <{class_}>" for class_ in classes),
        "nno:hasLayerSequence ?y",
        "flt:relation ?y",
        "flt:confirmed ?y",
        "flt:tag ?y",
    ]
    sample: set[str] = set()
    for pattern in patterns:
        rows = store.rows(f"SELECT DISTINCT ?x WHERE {{ ?x {pattern} FILTER (ISIRI(?x)) }}")
        nodes = sorted(node for (node,) in rows)
        sample.update(nodes[index] for index in rng.choice(len(nodes), size=min(size, len(nodes)), replace=False))
    return [ox.NamedNode(node) for node in sorted(sample)]


def _compare_with_shapes(store: StoreProcess, nodes: Sequence[ox.NamedNode]) -> list[Finding]:
    """Compare things, with their statements and the classes of what these point to, with the shapes."""
    import pyshacl
    import rdflib

    data = rdflib.Graph()
    terms = _Terms()
    for node in nodes:
        # As lists, because the store answers one query at a time.
        for quad in list(store.quads(node)):
            data.add(terms.triple(quad.triple))
            if isinstance(quad.object, ox.NamedNode):
                for type_quad in store.quads(quad.object, _TYPE):
                    data.add(terms.triple(type_quad.triple))
        for quad in list(store.quads(None, ox.NamedNode(term("nno:hasLayer")), node)):
            data.add(terms.triple(quad.triple))
            # Whatever has a layer was found by its class, and the graph has no blank nodes.
            assert isinstance(quad.subject, ox.NamedNode)
            for type_quad in store.quads(quad.subject, _TYPE):
                data.add(terms.triple(type_quad.triple))
    whole = {rdflib.URIRef(node.value) for node in nodes}
    _, report, _ = pyshacl.validate(
        data,
        shacl_graph=rdflib.Graph().parse(resource_folder("ontology") / "shapes.ttl"),
        ont_graph=rdflib.Graph().parse(resource_folder("ontology") / "filtag.ttl"),
        advanced=True,
    )
    shacl = rdflib.Namespace(PREFIXES["sh"])
    findings = []
    for result in report.subjects(rdflib.RDF.type, shacl.ValidationResult):
        focus = report.value(result, shacl.focusNode)
        # Other nodes are there for their class alone, without their other statements.
        if focus in whole:
            path = report.value(result, shacl.resultPath)
            message = str(report.value(result, shacl.resultMessage))
            component = str(report.value(result, shacl.sourceConstraintComponent)).rpartition("#")[2]
            name = f"{_short(path)} " if isinstance(path, rdflib.URIRef) else ""
            findings.append(Finding(component.removesuffix("ConstraintComponent"), str(focus), f"{name}{message}"))
    return sorted(findings, key=lambda finding: (finding.where, finding.check, finding.what))


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
