"""What may be misspelt in a query that has no syntax error: SPARQL answers with nothing, and says nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from filtag_kg.graph import FLT, PREFIXES
from filtag_kg.query.endpoint import Endpoint

_TOKEN = re.compile(
    r"""(?P<skipped>\#[^\n]*|<[^<>"{}|^`\\\s]*>)
    |(?P<quote>\"\"\"|'''|"|')(?P<text>(?:\\.|(?!(?P=quote)).)*)(?P=quote)(?P<tag>@[A-Za-z-]+|\^\^)?
    |(?P<name>[\w-]*:[\w-]*)""",
    re.VERBOSE | re.DOTALL,
)
_DECLARED = re.compile(r"PREFIX\s+flt:\s*<([^>]*)>", re.IGNORECASE)
# A text that ends a pattern or stands behind = is compared whole; one in CONTAINS(?label, "cat") need not be there.
_WHOLE = re.compile(r"(?:[\w>)*+]\s+|(?<!separator)(?<!separator\s)=\s*)\Z", re.IGNORECASE)
_IS_THERE = "SELECT DISTINCT ?text WHERE {{ VALUES ?text {{ {texts} }} FILTER EXISTS {{ ?thing ?property ?text }} }}"
_NAMES = """SELECT DISTINCT ?name WHERE {
  { ?thing skos:prefLabel ?name } UNION { ?thing skos:altLabel ?name } UNION { ?run flt:rule ?name }
  UNION { ?layer nno:hasLayerSequence ?place ; rdfs:label ?name }
}"""
_MOST_SIMILAR = 2


def unknown_terms(text: str) -> list[str]:
    """Return a note for each ``flt:`` name of a query that the vocabulary lacks."""
    declared = _DECLARED.search(text)
    if declared is not None and declared[1] != PREFIXES["flt"]:
        return []
    names = [token["name"].removeprefix("flt:") for token in _tokens(text) if (token["name"] or "").startswith("flt:")]
    unknown = [name for name in dict.fromkeys(names) if name and name not in FLT]
    similar = {name: difflib.get_close_matches(name, sorted(FLT), n=_MOST_SIMILAR) for name in unknown}
    return [f"the vocabulary has no flt:{name}{_meant(f'flt:{each}' for each in similar[name])}" for name in unknown]


def asks_for_types_left_out(text: str) -> list[str]:
    """Return a note if a query asks for things by a type that the graph does not state."""
    if not any(token["name"] == "flt:TagAssignment" for token in _tokens(text)):
        return []
    return [
        "the graph does not state the type flt:TagAssignment: "
        "what has a flt:tag is one, so ask ?assignment flt:tag ?class"
    ]


def unknown_names(endpoint: Endpoint, text: str) -> list[str]:
    """Return a note for each text of a query that nothing in the graph has for a name or value.

    ``"dog"`` is another text than ``"dog"@en``, and *Dog* another than *dog*; the note names what the graph has.
    """
    asked = dict.fromkeys(_whole_texts(text))
    spellings = {literal: _spellings(literal) for literal in asked}
    everything = dict.fromkeys(each for of_one in spellings.values() for each in of_one)
    if not everything:
        return []
    there = {row[0] for row in endpoint.ask(_IS_THERE.format(texts=" ".join(map(str, everything)))).rows}
    notes = []
    for literal in asked:
        if literal not in there:
            meant = [each for each in spellings[literal] if each in there] or _similar(endpoint, literal)
            notes.append(f"nothing in the graph is called {literal}{_meant(map(str, meant))}")
    return notes


def _tokens(text: str) -> Iterator[re.Match[str]]:
    return (token for token in _TOKEN.finditer(text) if not token["skipped"])


def _whole_texts(text: str) -> Iterator[ox.Literal]:
    for token in _tokens(text):
        is_plain = token["quote"] and "\\" not in token["text"] and token["tag"] != "^^"
        if is_plain and _WHOLE.search(text[: token.start()]):
            language = token["tag"][1:].lower() if token["tag"] else None
            yield ox.Literal(token["text"], language=language)


def _spellings(literal: ox.Literal) -> list[ox.Literal]:
    """Return the same word with and without a language, in small letters and capitalized, the asked form first.

    A concept's label has a language, a class's none.
    """
    words = (literal.value, literal.value.lower(), literal.value.capitalize())
    languages = (literal.language, None if literal.language else "en")
    return list(dict.fromkeys(ox.Literal(word, language=language) for word in words for language in languages))


def _similar(endpoint: Endpoint, literal: ox.Literal) -> list[ox.Literal]:
    names = (row[0] for row in endpoint.ask(_NAMES).rows)
    # Where a class and a concept have the same name, the one of the asked form is last, and stays.
    known = sorted(
        (name for name in names if isinstance(name, ox.Literal)),
        key=lambda name: (name.language == literal.language, str(name)),
    )
    spelled = {name.value: name for name in known}
    return [
        spelled[match]
        for match in difflib.get_close_matches(literal.value, sorted(spelled), n=_MOST_SIMILAR, cutoff=0.7)
    ]


def _meant(names: Iterable[str]) -> str:
    listed = " or ".join(list(names)[:_MOST_SIMILAR])
    return f": did you mean {listed}?" if listed else ""
