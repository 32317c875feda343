"""What the server and its workers say to each other: JSON, and the bytes of an answer. Nothing is pickled."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

__all__ = [
    "CALM",
    "FORK",
    "KILL",
    "ORDER",
    "PREFIX",
    "Answer",
    "DecodeJob",
    "InspectJob",
    "Job",
    "NamedJob",
    "OverviewJob",
    "PageJob",
    "QueryJob",
    "ResourceJob",
    "job_of",
    "packed",
    "sizes",
]

PREFIX = struct.Struct("!II")
"""Before each message: the sizes of its JSON and of its bytes."""
ORDER = struct.Struct("!cIi")
"""An order to the nursery: what to do, a worker's number, how nice it is to be. A new worker's socket comes with it."""
FORK, CALM, KILL = b"f", b"c", b"k"


class _Kind:
    """What errors call a job, and what they advise a client to do."""

    __slots__ = ()
    noun: ClassVar[str] = "query"
    too_long: ClassVar[str] = "ask for less, add LIMIT, or serve the KG with a longer --timeout"
    too_much: ClassVar[str] = ", or is nested too deeply: ask for less, without sorting, grouping or nesting so much"


@dataclass(frozen=True, slots=True)
class QueryJob(_Kind):
    """Ask SPARQL.

    Parameters
    ----------
    text : str
    table, graph : str or None
        Formats for a table or a truth value, and for a graph; None where the client takes none.
    boolean : str or None
        The same for a truth value.
    base : str
        What relative IRIs are relative to.
    names_dataset : bool
        Whether the text has a ``FROM``. Where it has none, the default graph is the union of all.
    default_graphs, named_graphs : tuple of str, or None
        The protocol's dataset; None where the request gives none.
    """

    text: str
    table: str | None
    boolean: str | None
    graph: str | None
    base: str
    names_dataset: bool = False
    default_graphs: tuple[str, ...] | None = None
    named_graphs: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class InspectJob(_Kind):
    """Inspect a long query before it is asked."""

    text: str


@dataclass(frozen=True, slots=True)
class NamedJob(_Kind):
    """Ask a named query, whose parameters are as typed."""

    name: str
    parameters: Mapping[str, str]
    table: str


@dataclass(frozen=True, slots=True)
class ResourceJob(_Kind):
    """Tell what the graph says of a thing, as a graph in a format."""

    iri: str
    graph: str


@dataclass(frozen=True, slots=True)
class OverviewJob(_Kind):
    """Count the triples of each graph."""


@dataclass(frozen=True, slots=True)
class PageJob(_Kind):
    """Make a page for people.

    Parameters
    ----------
    page : str
        "thing", "classes", "concepts", "groups", "compare", "query", or "query/text", which is plain text.
    asked : mapping of str
        Of a thing its `path`; of the others, what the address asks for.
    """

    noun: ClassVar[str] = "page"
    too_long: ClassVar[str] = "ask for less, or serve the KG with a longer --timeout"
    too_much: ClassVar[str] = ": ask for less, or serve the KG with a larger --max-memory"

    page: str
    asked: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DecodeJob(_Kind):
    """Decode a stranger's image, in a process that ends with it.

    Parameters
    ----------
    name : str
        What errors call the image.
    height, width : int
        Of the pixels that are wanted.
    body : bytes
        The file.
    """

    noun: ClassVar[str] = "image"
    too_long: ClassVar[str] = "give a smaller one"
    too_much: ClassVar[str] = ": give a smaller one"

    name: str
    height: int
    width: int
    body: bytes


Job = QueryJob | InspectJob | NamedJob | ResourceJob | OverviewJob | PageJob | DecodeJob
_JOBS = {kind.__name__: kind for kind in (QueryJob, InspectJob, NamedJob, ResourceJob, OverviewJob, PageJob, DecodeJob)}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker answers.

    Parameters
    ----------
    status : str
        "ready", once, before the first job. "ok". Else, with a line: "malformed", "mistake" (a parameter's), "unknown"
        (no such thing), "unacceptable" (no format for this kind of answer), "damaged" (the store).
    line : str
    kind : str
        "table", "boolean", "graph", "overview", "inspection", "page" or "pixels".
    format_ : str
    rows : int
    capped : bool
        Whether a part was left out.
    notes : tuple of str
    pid : int
        The worker's.
    body : bytes
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

    @classmethod
    def of(cls, head: bytes, body: bytes) -> Answer:
        """Return the answer that a message is."""
        said = json.loads(head)
        return cls(**{**said, "notes": tuple(said["notes"]), "body": body})


def packed(message: Job | Answer) -> bytes:
    """Return a message as bytes."""
    said: dict[str, Any] = asdict(message)
    body: bytes = said.pop("body", b"")
    if not isinstance(message, Answer):
        said["job"] = type(message).__name__
    head = json.dumps(said).encode()
    return PREFIX.pack(len(head), len(body)) + head + body


def sizes(prefix: bytes) -> tuple[int, int]:
    """Return the sizes of a message's JSON and bytes."""
    head, body = PREFIX.unpack(prefix)
    return head, body


def job_of(head: bytes, body: bytes = b"") -> Job:
    """Return the job that a message is."""
    said = json.loads(head)
    kind: Callable[..., Job] = _JOBS[said.pop("job")]
    if body:
        said["body"] = body
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in said.items()})
