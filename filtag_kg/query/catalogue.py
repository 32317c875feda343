"""The catalogue of named queries: one file each, with headers that say what it answers."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from filtag_kg.errors import FiltagError
from filtag_kg.graph import resource_folder

__all__ = ["NamedQuery", "catalogue", "find_query"]

_HEADER = re.compile(r"^#\+ (?P<key>\w+): (?P<value>.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """One query of the catalogue.

    Parameters
    ----------
    name : str
        The file's, without ``.rq``.
    summary : str
    required, optional : tuple of str
        Parameters. The variable that each binds (`PARAMETERS` says which) stands in the text as
        ``VALUES ?name { UNDEF }``, which binds nothing, or as ``GRAPH ?name``, so the file is a query as it is.
    columns : tuple of str
    example : mapping of parameter to value
        Parameters that find something in the KG of ``filtag demo``.
    text : str
    """

    name: str
    summary: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    columns: tuple[str, ...]
    example: Mapping[str, str]
    text: str

    @property
    def usage(self) -> str:
        """The name and its parameters as one would type them."""
        return " ".join(
            [self.name, *(f"{name}=…" for name in self.required), *(f"[{name}=…]" for name in self.optional)]
        )


def catalogue() -> tuple[NamedQuery, ...]:
    """Return all named queries, sorted by name."""
    return tuple(_read(path) for path in sorted(resource_folder("queries").glob("*.rq")))


def find_query(name: str) -> NamedQuery:
    """Return the query of that name.

    Raises
    ------
    FiltagError
        If there is none.
    """
    queries = {query.name: query for query in catalogue()}
    if name in queries:
        return queries[name]
    near = difflib.get_close_matches(name, queries, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise FiltagError(f"no query is named {name!r}: {hint}filtag query --list shows them all")


def _read(path: Path) -> NamedQuery:
    text = path.read_text(encoding="utf-8")
    headers = {match["key"]: match["value"].strip() for match in _HEADER.finditer(text)}
    parameters = [name.strip() for name in headers["params"].split(",")]
    return NamedQuery(
        name=path.stem,
        summary=headers["summary"],
        required=tuple(name for name in parameters if not name.startswith("[")),
        optional=tuple(name.strip("[]") for name in parameters if name.startswith("[")),
        columns=tuple(name.strip() for name in headers["columns"].split(",")),
        example=dict(_pair(word) for word in shlex.split(headers["example"]) if word != "-"),
        text=text,
    )


def _pair(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, value
