"""The vocabulary in few words, from the ontology itself: what an assistant needs to write SPARQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyoxigraph as ox

from filtag_kg.graph import resource_folder
from filtag_kg.query import prefixed_name

ONTOLOGY_FILE = "filtag.ttl"
_HASH = "Sha256"
_TERMS = """
PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?term ?kind ?definition ?domain ?range ?above ?example WHERE {
  VALUES ?kind { owl:Class owl:ObjectProperty owl:DatatypeProperty }
  ?term a ?kind ; skos:definition ?definition .
  OPTIONAL { ?term rdfs:domain ?domain . FILTER (!isBlank(?domain)) }
  OPTIONAL { ?term rdfs:range ?range . FILTER (!isBlank(?range)) }
  OPTIONAL { ?term rdfs:subClassOf ?above . FILTER (STRSTARTS(STR(?above), "https://w3id.org/filtag/ns#")) }
  OPTIONAL { ?term skos:example ?example }
} ORDER BY ?term ?domain ?range ?above ?example"""


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the vocabulary.

    Parameters
    ----------
    name : str
        With its prefix: ``flt:hasTag``.
    kind : str
        ``class`` or ``property``.
    domain, range, above : str or None
        Likewise with prefixes; `above` is the class above a class.
    """

    name: str
    kind: str
    definition: str
    domain: str | None
    range: str | None
    above: str | None
    example: str | None


@cache
def vocabulary() -> tuple[Term, ...]:
    """Return all terms that the ontology defines, by name."""
    store = ox.Store()
    store.load(path=str(resource_folder("ontology") / ONTOLOGY_FILE), format=ox.RdfFormat.TURTLE)
    answer = store.query(_TERMS)
    assert isinstance(answer, ox.QuerySolutions)
    terms: dict[str, Term] = {}
    for term, kind, definition, domain, range_, above, example in answer:
        name = _short(term)
        assert name is not None
        is_class = str(kind.value).endswith("#Class")
        # A term with several domains or examples has several rows.
        terms.setdefault(
            name,
            Term(
                name,
                "class" if is_class else "property",
                definition.value,
                _short(domain),
                _short(range_),
                _short(above),
                None if example is None else example.value,
            ),
        )
    return tuple(terms.values())


def outline(classes: Iterable[str]) -> str:
    """Return a line for each class with its properties, without ``flt:``; those of the class above it stand there.

    A class that the vocabulary neither defines nor describes is left out, and so are hashes.
    """
    terms = {term.name: term for term in vocabulary()}
    lines = []
    for name in classes:
        above = terms[name].above if name in terms else None
        own = (term for term in terms.values() if term.kind == "property" and term.domain == name)
        properties = [_with_range(term) for term in own if not term.name.endswith(_HASH)]
        head = f"{_bare(name)} (a {_bare(above)})" if above else _bare(name)
        if properties or name in terms:
            lines.append(f"{head}: {', '.join(properties)}".removesuffix(": "))
    return "\n".join(lines)


def terms_about(words: str) -> list[dict[str, Any]]:
    """Return terms that have words in their name, definition, domain or range; all for no words."""
    wanted = words.lower().split()
    records = [
        {
            "term": term.name,
            "kind": term.kind,
            "domain": term.domain or term.above,
            "range": term.range,
            "definition": term.definition,
            "example": term.example,
        }
        for term in vocabulary()
    ]
    return [record for record in records if all(word in str(list(record.values())).lower() for word in wanted)]


def _with_range(term: Term) -> str:
    if term.range is not None and term.range.startswith("flt:"):
        return f"{_bare(term.name)} → {_bare(term.range)}"
    return _bare(term.name)


def _bare(name: str) -> str:
    return name.removeprefix("flt:")


def _short(term: ox.NamedNode | None) -> str | None:
    return None if term is None else prefixed_name(term.value) or term.value
