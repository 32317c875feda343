"""The catalogue of named queries: one file each, whose headers say what it answers."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from filtag_kg.errors import FiltagError
from filtag_kg.graph import resource_folder

_HEADER = re.compile(r"^#\+ (?P<key>\w+): (?P<value>.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """One query of the catalogue.

    Parameters
    ----------
    name : str
        The file's, without ``.rq``.
    required, optional : tuple of str
        Names of parameters. Each binds a variable (see `PARAMETERS`) that the text mentions as
        ``VALUES ?name { UNDEF }``, which binds nothing, or as ``GRAPH ?name``, so the file is a valid query as it is.
    example : mapping of parameter to value
        Parameters that find something in the KG of ``filtag demo``.
    """

    name: str
    summary: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    columns: tuple[str, ...]
    example: Mapping[str, str]
    text: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of all parameters, the required ones first."""
        return (*self.required, *self.optional)

    @property
    def usage(self) -> str:
        """The name and its parameters, as one would type them."""
        return " ".join(
            [self.name, *(f"{name}=…" for name in self.required), *(f"[{name}=…]" for name in self.optional)]
        )

    def check_parameters(self, names: Mapping[str, object]) -> None:
        """Refuse parameters that the query does not have.

        Raises
        ------
        FiltagError
            If there is one.
        """
        for name in sorted(set(names) - set(self.parameters)):
            raise FiltagError(f"query {self.name} has no parameter {name!r}: use {self.usage}")


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
    similar = difflib.get_close_matches(name, queries, n=1)
    advice = f"did you mean {similar[0]}?" if similar else "choose one from the catalogue"
    raise FiltagError(f"no query is named {name!r}: {advice}", commands=("query --list",))


def _read(path: Path) -> NamedQuery:
    text = path.read_text(encoding="utf-8")
    headers = {match["key"]: match["value"].strip() for match in _HEADER.finditer(text)}
    parameters = [name.strip() for name in headers["params"].split(",")]
    example = [word.partition("=") for word in shlex.split(headers["example"]) if word != "-"]
    return NamedQuery(
        name=path.stem,
        summary=headers["summary"],
        required=tuple(name for name in parameters if not name.startswith("[")),
        optional=tuple(name.strip("[]") for name in parameters if name.startswith("[")),
        columns=tuple(name.strip() for name in headers["columns"].split(",")),
        example={name: value for name, _, value in example},
        text=text,
    )
