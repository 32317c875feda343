"""The messages between the server, its workers and the fork server: JSON and bytes. Nothing is pickled."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

PREFIX = struct.Struct("!II")
"""Precedes each message: the sizes of its JSON and of its bytes."""
ORDER = struct.Struct("!cIi")
"""An order to the fork server: what to do, a worker's number, its niceness. FORK comes with the worker's socket."""
FORK, RENICE, KILL = b"f", b"n", b"k"


class _ErrorWords:
    """What errors call a job, and what they advise."""

    __slots__ = ()
    noun: ClassVar[str] = "query"
    plural: ClassVar[str] = "queries"
    too_long: ClassVar[str] = "ask for less, add LIMIT, or serve the KG with a longer timeout"
    too_much: ClassVar[str] = ", or is nested too deeply: ask for less, with less sorting, grouping or nesting"


@dataclass(frozen=True, slots=True)
class QueryJob(_ErrorWords):
    """Answer SPARQL.

    Parameters
    ----------
    table, boolean, graph : str or None
        The formats for a table, a truth value and a graph; None where the client accepts none.
    base : str
        What relative IRIs are relative to.
    names_dataset : bool
        Whether the text has a ``FROM``. If it has none, the default graph is the union of all.
    describes : bool
        Whether it is a ``DESCRIBE``: then the answer says what follows from the graph, too.
    default_graphs, named_graphs : tuple of str, or None
        The protocol's dataset; None if the request gives none.
    first_rows : int or None
        So many rows, or triples, are enough; None if the client wants all or an error.
    """

    text: str
    table: str | None
    boolean: str | None
    graph: str | None
    base: str
    names_dataset: bool = False
    describes: bool = False
    default_graphs: tuple[str, ...] | None = None
    named_graphs: tuple[str, ...] | None = None
    first_rows: int | None = None


@dataclass(frozen=True, slots=True)
class InspectJob(_ErrorWords):
    """Inspect a long query before it runs."""

    text: str


@dataclass(frozen=True, slots=True)
class NamedJob(_ErrorWords):
    """Answer a named query, with its parameters as typed, in a table format; `first_rows` as in `QueryJob`."""

    name: str
    parameters: Mapping[str, str]
    table: str
    first_rows: int | None = None


@dataclass(frozen=True, slots=True)
class RowsJob(_ErrorWords):
    """Answer a named query, or SPARQL, with some of its rows as JSON, and how many rows there are.

    Parameters
    ----------
    name : str or None
        Of the named query; None for SPARQL.
    text : str
        The SPARQL, as typed; empty for a named query.
    parameters : mapping of str
        Of the named query, as typed.
    offset, limit : int
        How many rows to skip, and how many to return at most.
    """

    name: str | None
    text: str
    parameters: Mapping[str, str]
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class ViewJob(_ErrorWords):
    """Say what the KG says of one thing, or find things, as JSON.

    Parameters
    ----------
    view : str
        "overview", "search", "filter", "pictures", "layer", "class" or "concept".
    arguments : mapping of str to JSON values
    """

    noun: ClassVar[str] = "answer"
    plural: ClassVar[str] = "answers"
    too_long: ClassVar[str] = "ask for less, or serve the KG with a longer timeout"
    too_much: ClassVar[str] = ": ask for less, or serve the KG with more memory"

    view: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ResourceJob(_ErrorWords):
    """Return the graph's statements about a thing, in a graph format."""

    iri: str
    graph: str


@dataclass(frozen=True, slots=True)
class OverviewJob(_ErrorWords):
    """Count the triples of each graph."""


@dataclass(frozen=True, slots=True)
class PageJob(_ErrorWords):
    """Make a page for people.

    Parameters
    ----------
    page : str
        "thing", "classes", "concepts", "groups", "unusual", "pairs", "mixed", "labels", "compare", "query",
        or "query/text", which is plain text.
    parameters : mapping of str
        The `path` of a thing; for the others, the parameters of the address.
    """

    noun: ClassVar[str] = "page"
    plural: ClassVar[str] = "pages"
    too_long: ClassVar[str] = "ask for less, or serve the KG with a longer timeout"
    too_much: ClassVar[str] = ": ask for less, or serve the KG with more memory"

    page: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DecodeJob(_ErrorWords):
    """Decode a stranger's image, in a process that ends with it.

    Parameters
    ----------
    name : str
        What errors call the image.
    preparation : mapping of str to JSON values
        How the network takes images, as a profile's metadata records it.
    body : bytes
        The file.
    """

    noun: ClassVar[str] = "image"
    plural: ClassVar[str] = "images"
    too_long: ClassVar[str] = "give a smaller one"
    too_much: ClassVar[str] = ": give a smaller one"

    name: str
    preparation: Mapping[str, Any]
    body: bytes


Job = QueryJob | InspectJob | NamedJob | RowsJob | ViewJob | ResourceJob | OverviewJob | PageJob | DecodeJob
_JOBS: Mapping[str, Callable[..., Job]] = {
    kind.__name__: kind
    for kind in (QueryJob, InspectJob, NamedJob, RowsJob, ViewJob, ResourceJob, OverviewJob, PageJob, DecodeJob)
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A worker's answer.

    Parameters
    ----------
    status : str
        "ready", once, before the first job. "ok". "unknown" (no such thing), "unacceptable" (no format for this kind of
        answer). With a line: "invalid" (a query or parameter), "too large" (beyond the limits), "damaged" (the store).
    kind : str
        "table", "boolean", "graph", "rows", "view", "overview", "inspection", "page" or "pixels".
    capped : bool
        Whether a part was left out.
    pid : int
        The worker's.
    """

    status: str
    line: str = ""
    kind: str = ""
    format_: str = ""
    rows: int = 0
    capped: bool = False
    notes: tuple[str, ...] = ()
    pid: int = 0
    body: bytes = b""


def pack(message: Job | Answer) -> bytes:
    """Return a message as bytes, its prefix first."""
    fields: dict[str, Any] = asdict(message)
    body: bytes = fields.pop("body", b"")
    if not isinstance(message, Answer):
        fields["job"] = type(message).__name__
    head = json.dumps(fields).encode()
    return PREFIX.pack(len(head), len(body)) + head + body


def unpack_answer(head: bytes, body: bytes) -> Answer:
    """Return the answer in a message."""
    fields = json.loads(head)
    return Answer(**{**fields, "notes": tuple(fields["notes"]), "body": body})


def unpack_job(head: bytes, body: bytes = b"") -> Job:
    """Return the job in a message."""
    fields = json.loads(head)
    kind: Callable[..., Job] = _JOBS[fields.pop("job")]
    if body:
        fields["body"] = body
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})
