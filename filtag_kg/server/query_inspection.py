r"""Inspects a query before it runs: its form, and whether it names a dataset or reaches outside.

Oxigraph's parser wants no space after a keyword (``SERVICEex:a {`` calls a service), so a keyword may hide in a longer
word or in a prefixed name. The inspection refuses those, too. Source: W3C, *SPARQL 1.1 Query Language*, sections 19.2
(code point escapes) and 19.8 (grammar).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from filtag_kg.graph import PREFIXES

_NAME = r"\w\u00b7\u200c\u200d\u203f\u2040\u2070-\u218f"
_LOCAL_ESCAPE = r"%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?#@%]"
# Without a bound, the time for a text such as a.a.a.a… would grow with the square of its length.
_LONGEST_PREFIX = 100
_TOKEN = re.compile(
    rf"""
      (?P<space>\s+|\#[^\n\r]*)
    | (?P<iri><[^<>"{{}}|^`\\\x00-\x20]*>)
    | (?P<string>\"\"\"(?:\"{{0,2}}(?:[^"\\]|\\.))*\"\"\" | '''(?:'{{0,2}}(?:[^'\\]|\\.))*'''
        | "(?:[^"\\\n\r]|\\.)*" | '(?:[^'\\\n\r]|\\.)*')
    | (?P<unclosed>["'])
    | (?P<variable>[?$][{_NAME}]+)
    | (?P<blank>_:[{_NAME}](?:[{_NAME}.\-]*[{_NAME}\-])?)
    | (?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]+)*(?:--[A-Za-z]+)?)
    | (?P<name>(?:[^\W\d_](?:[{_NAME}.\-]{{0,{_LONGEST_PREFIX}}}[{_NAME}\-])?)?:
        (?:(?:[{_NAME}:]|{_LOCAL_ESCAPE})(?:(?:[{_NAME}:.\-]|{_LOCAL_ESCAPE})*(?:[{_NAME}:\-]|{_LOCAL_ESCAPE}))?)?)
    | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<word>[A-Za-z][A-Za-z0-9_]*)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:\\|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")
_FORMS = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
_STEPS = {"{": 1, "(": 1, "[": 1, "}": -1, ")": -1, "]": -1}
_UPDATES = ("INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY", "WITH")
DEEPEST = 500
"""Brackets in brackets. Oxigraph's parser and planner recurse for each, and some thousands crash the process."""
READ_ONLY = "this endpoint is read-only and refuses updates: send a query, or build the KG anew"
_NO_SERVICE = "SERVICE is refused, as this endpoint calls no other: query that endpoint yourself and join the answers"
NO_FILE = "the graph {} is a file, and this endpoint reads no files: name one of the graphs of its own dataset"


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a query.

    Parameters
    ----------
    kind : str
        "iri", "string", "variable", "blank", "language", "name" (prefixed), "number", "word" or "sign".
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a query's tokens show.

    Parameters
    ----------
    form : str or None
        "SELECT", "ASK", "CONSTRUCT" or "DESCRIBE"; None where the query is malformed.
    names_dataset : bool
        Whether it has a ``FROM``.
    refusal : str or None
        Why it must not run, in one line.
    depth : int
        How many brackets are open at once, at most.
    empty : bool
        Whether it has no words at all.
    """

    form: str | None
    names_dataset: bool
    refusal: str | None
    depth: int
    empty: bool


def decoded(text: str) -> str:
    r"""Return a text with its code point escapes (``\u0041``) decoded.

    Escapes of characters that would end a string, a name or a comment stay. They are valid in strings alone, where
    Oxigraph decodes them.
    """

    def character(escape: re.Match[str]) -> str:
        digits = escape[1] or escape[2]
        if digits is None or int(digits, 16) > 0x10FFFF:
            return escape[0]
        decoded_ = chr(int(digits, 16))
        return decoded_ if decoded_.isalnum() or decoded_ in "_-.:/" else escape[0]

    return _ESCAPE.sub(character, text)


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a query, without spaces and comments, up to a string without an end, if there is one."""
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "unclosed":
            return
        if match.lastgroup != "space" and match.lastgroup is not None:
            yield Token(match.lastgroup, match[0])


def inspect_query(text: str) -> Inspection:
    """Inspect a query whose code point escapes are decoded."""
    query = list(tokens(text))
    words = [(i, token.text.upper()) for i, token in enumerate(query) if token.kind == "word"]
    head = next((word for _, word in words if word not in ("PREFIX", "BASE", "VERSION")), "")
    form = next((form for form in _FORMS if head.startswith(form)), None)
    prefixes = _declared_prefixes(query)
    from_clauses = [query[i + 1 : i + 3] for i, word in words if word.startswith("FROM")]
    files = [graph for clause in from_clauses for graph in _graphs(clause, prefixes) if is_file(graph)]
    calls_service = any("SERVICE" in word for _, word in words) or any(
        map(_hides_service, [*query[:1], *query], query, query[1:])
    )
    refusal = None
    if head.startswith(_UPDATES) and form is None:
        refusal = READ_ONLY
    elif calls_service:
        refusal = _NO_SERVICE
    elif files:
        refusal = NO_FILE.format(f"<{files[0]}>")
    return Inspection(form, bool(from_clauses), refusal, _depth(query), not query)


def is_file(iri: str) -> bool:
    """Return whether an IRI names a file."""
    return iri.strip().lower().startswith("file:")


def _depth(query: list[Token]) -> int:
    steps = (_STEPS.get(token.text, 0) for token in query if token.kind == "sign")
    return max(accumulate(steps, initial=0))


def _declared_prefixes(query: list[Token]) -> dict[str, str]:
    prefixes = dict(PREFIXES)
    for word, name, iri in zip(query, query[1:], query[2:], strict=False):
        if word.kind == "word" and word.text.upper() == "PREFIX" and name.kind == "name" and iri.kind == "iri":
            prefixes[name.text.removesuffix(":")] = iri.text[1:-1]
    return prefixes


def _graphs(after: list[Token], prefixes: dict[str, str]) -> list[str]:
    """Return the graph that a ``FROM`` names, given the tokens after it."""
    named = after[1:] if after and after[0].kind == "word" else after[:1]
    for token in named[:1]:
        if token.kind == "iri":
            return [token.text[1:-1]]
        if token.kind == "name":
            prefix, _, local = token.text.partition(":")
            return [prefixes.get(prefix, f"{prefix}:") + local]
    return []


def _hides_service(before: Token, token: Token, after: Token) -> bool:
    """Return whether Oxigraph may take a name before a brace for a call of a service, which it is not after GRAPH."""
    prefix = token.text.partition(":")[0].upper()
    is_graph = before.kind == "word" and before.text.upper() == "GRAPH"
    return token.kind == "name" and "SERVICE" in prefix and after.text == "{" and not is_graph
