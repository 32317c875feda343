"""A worker: a process that answers one job after another from the store that it opened, and may be killed."""

from __future__ import annotations

import io
import json
import logging
import os
import socket
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.explain import read_pixels
from filtag_kg.graph import FLT, POINTING, PREFIXES, term, write_triples
from filtag_kg.network import recorded_preparation
from filtag_kg.query import (
    Endpoint,
    Result,
    Term,
    Unanswered,
    bound_text,
    catalogue,
    format_result,
    malformed,
    table_pieces,
    warn_of_misspellings,
)
from filtag_kg.server.assistant.rows import answer_rows
from filtag_kg.server.confinement import confine_decoder
from filtag_kg.server.jobs import (
    PREFIX,
    Answer,
    DecodeJob,
    InspectJob,
    Job,
    NamedJob,
    OverviewJob,
    PageJob,
    QueryJob,
    ResourceJob,
    RowsJob,
    ViewJob,
    pack,
    unpack_job,
)
from filtag_kg.server.limits import Limits
from filtag_kg.server.query_inspection import decoded, inspect_query
from filtag_kg.server.said_on_request import said_on_request

MakePage = Callable[[Endpoint, PageJob | ViewJob], Answer]
"""Makes a page for people, or a view for assistants, from the store and the tables that were read before."""

_OF_FILTER = ox.NamedNode(term("flt:filter"))
_LINKING = [
    ox.NamedNode(term(name)) for name in sorted({*POINTING, *(f"flt:{name}" for name in FLT if name[0].islower())})
]
_MOST_POINTING = 200
"""Of statements with one property that point to a thing: a run has made a million tag assignments."""
_QUERIES = {query.name: query for query in catalogue()}

_T = TypeVar("_T")


def work(connection: socket.socket, store_path: Path, limits: Limits, make_page: MakePage | None = None) -> None:
    """Answer jobs until the server is gone.

    Parameters
    ----------
    limits : Limits
        Of which `max_rows` and `max_bytes` matter here.
    make_page : callable, optional
        Without it, there are no pages.
    """
    notes = _Notes()
    log = logging.getLogger("filtag_kg")
    log.addHandler(notes)
    log.propagate = False
    try:
        store = ox.Store.read_only(str(store_path))
    except (OSError, RuntimeError) as error:
        connection.sendall(pack(Answer("damaged", f"the store cannot be opened ({error})", pid=os.getpid())))
        return
    connection.sendall(pack(Answer("ready", pid=os.getpid())))
    with connection.makefile("rb") as incoming:
        while len(prefix := incoming.read(PREFIX.size)) == PREFIX.size:
            head, body = PREFIX.unpack(prefix)
            job = unpack_job(incoming.read(head), incoming.read(body))
            notes.lines.clear()
            connection.sendall(pack(_answer(store, job, limits, notes.lines, make_page)))


def _answer(store: ox.Store, job: Job, limits: Limits, notes: Sequence[str], make_page: MakePage | None) -> Answer:
    try:
        answer = _done(store, job, limits, notes, make_page)
    except FiltagError as error:
        return Answer("invalid", str(error))
    except (OSError, RuntimeError) as error:  # RocksDB raises either, depending on the damage.
        return Answer("damaged", f"the store failed to answer ({error})")
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a fault of ours must not be told as a lack of memory
        traceback.print_exc()
        return Answer("damaged", f"a fault of FilTag-KG itself ({type(error).__name__}): please report it")
    first_rows = job.first_rows if isinstance(job, QueryJob | NamedJob) else None
    if answer.capped and first_rows is None:
        # A program that got a part could not tell it from the whole: SERVICE clauses read no headers.
        rows = "triples" if answer.kind == "graph" else "rows"
        most = f"{limits.max_rows} {rows} or {limits.max_bytes / 2**20:.3g} MB"
        return Answer(
            "too large",
            f"the answer has more than {most}, which is the most that this server sends: ask for less, "
            "page with LIMIT and OFFSET, or serve the KG with a higher limit",
        )
    return answer


def _done(store: ox.Store, job: Job, limits: Limits, notes: Sequence[str], make_page: MakePage | None) -> Answer:
    match job:
        case QueryJob():
            answer = _ask(store, job, limits)
            if answer.kind == "table":
                warn_of_misspellings(_Opened(store), job.text, answer.rows)
            return replace(answer, notes=tuple(notes))
        case NamedJob():
            return _ask_by_name(store, job, limits, notes)
        case ResourceJob():
            return _describe(store, job, limits)
        case OverviewJob():
            return _overview(store)
        case InspectJob():
            return _inspect(job)
        case DecodeJob():
            return _decode(job)
        case RowsJob():
            return answer_rows(store, _Opened(store), job, limits, notes)
        case PageJob() | ViewJob():
            return Answer("unknown") if make_page is None else make_page(_Opened(store), job)


def _inspect(job: InspectJob) -> Answer:
    text = decoded(job.text)
    return Answer("ok", kind="inspection", body=json.dumps([text, asdict(inspect_query(text))]).encode())


def _decode(job: DecodeJob) -> Answer:
    """Decode an image, after confining this process for the rest of its life: a stranger may have made the file."""
    confine_decoder()
    preparation = recorded_preparation(job.preparation)
    assert preparation is not None
    pixels = read_pixels(job.body, job.name, preparation)
    return Answer("ok", kind="pixels", body=pixels.tobytes())


def write_graph(triples: Sequence[ox.Triple], format_: str) -> bytes:
    """Return triples, sorted by subject, in a graph format."""
    body = io.BytesIO()
    named = all(isinstance(part, ox.NamedNode | ox.Literal) for triple in triples for part in triple)
    if format_ == "jsonld" and not named:
        # Our own writer knows no blank nodes, as the graph of a KG has none.
        ox.serialize(triples, body, format=ox.RdfFormat.JSON_LD)
    else:
        write_triples(triples, format_, body)
    return body.getvalue()


@dataclass(frozen=True, slots=True)
class _Opened:
    """An open store as an endpoint, for the small queries that parameters need."""

    store: ox.Store

    def ask(self, text: str) -> Result:
        return Result.of(self.store.query(text, prefixes=PREFIXES, use_default_graph_as_union=True))


class _Notes(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class _Capped(Iterator[_T]):
    """The first rows: up to `max_rows`, or until their text, whose size the caller adds up, exceeds `max_bytes`."""

    def __init__(self, rows: Iterable[_T], limits: Limits) -> None:
        self._rows = iter(rows)
        self._limits = limits
        self.taken = 0
        self.size = 0
        self.capped = False

    def __next__(self) -> _T:
        row = next(self._rows)
        if self.taken == self._limits.max_rows or self.size > self._limits.max_bytes:
            self.capped = True
            raise StopIteration
        self.taken += 1
        return row


def _ask(store: ox.Store, job: QueryJob, limits: Limits) -> Answer:
    if job.first_rows is not None:
        limits = replace(limits, max_rows=min(job.first_rows, limits.max_rows))
    dataset = job.default_graphs is not None or job.named_graphs is not None
    try:
        result = store.query(
            job.text,
            base_iri=job.base,
            prefixes=PREFIXES,
            # In Oxigraph, this takes precedence over FROM.
            use_default_graph_as_union=not dataset and not job.names_dataset,
            default_graph=[ox.NamedNode(iri) for iri in job.default_graphs or ()] if dataset else None,
            named_graphs=[ox.NamedNode(iri) for iri in job.named_graphs or ()] if dataset else None,
        )
    except SyntaxError as error:
        raise FiltagError(malformed(error)) from None
    if isinstance(result, ox.QueryBoolean):
        if job.boolean is None:
            return Answer("unacceptable", kind="boolean")
        body = format_result(Result.of(result), job.boolean).encode()
        return Answer("ok", kind="boolean", format_=job.boolean, body=body)
    if isinstance(result, ox.QueryTriples):
        if job.graph is None:
            return Answer("unacceptable", kind="graph")
        return _graph(store, result, job, limits)
    if job.table is None:
        return Answer("unacceptable", kind="table")
    return _table([variable.value for variable in result.variables], map(tuple, result), job.table, limits)


def _ask_by_name(store: ox.Store, job: NamedJob, limits: Limits, notes: Sequence[str]) -> Answer:
    query = _QUERIES[job.name]
    text = bound_text(_Opened(store), query, job.parameters)
    if isinstance(text, Unanswered):
        answered = _table(query.columns, iter(()), job.table, limits)
    else:
        asked = QueryJob(text, job.table, None, None, "http://localhost/", first_rows=job.first_rows)
        answered = _ask(store, asked, limits)
    return replace(answered, notes=tuple(notes))


def _table(columns: Sequence[str], rows: Iterable[Sequence[Term | None]], format_: str, limits: Limits) -> Answer:
    capped = _Capped(rows, limits)
    text = io.BytesIO()
    for piece in table_pieces(columns, capped, format_):
        capped.size += text.write(piece.encode())
    return Answer("ok", kind="table", format_=format_, rows=capped.taken, capped=capped.capped, body=text.getvalue())


def _graph(store: ox.Store, triples: Iterable[ox.Triple], job: QueryJob, limits: Limits) -> Answer:
    assert job.graph is not None
    capped = _Capped(triples, limits)
    known: set[ox.Triple] = set()
    for triple in capped:
        if triple not in known:
            known.add(triple)
            # In any format, a triple is hardly longer than in N-Triples.
            capped.size += len(str(triple))
    if job.describes:
        subjects = {triple.subject for triple in known}
        known.update(said_on_request(_Opened(store), [node for node in subjects if isinstance(node, ox.NamedNode)]))
    return _written(sorted(known, key=str), job.graph, capped=capped.capped)


def _written(triples: Sequence[ox.Triple], format_: str, *, capped: bool) -> Answer:
    body = write_graph(triples, format_)
    return Answer("ok", kind="graph", format_=format_, rows=len(triples), capped=capped, body=body)


def _describe(store: ox.Store, job: ResourceJob, limits: Limits) -> Answer:
    """Return the statements about a thing and, for a filter, those about its tags and common concepts.

    Some of the statements that point to it follow, so whoever follows links gets from a layer to its filters, too.
    """
    try:
        thing = ox.NamedNode(job.iri)
    except ValueError:
        return Answer("unknown")
    pointing_to_it = {quad.subject for quad in store.quads_for_pattern(None, _OF_FILTER, thing)}
    subjects = [thing, *sorted((node for node in pointing_to_it if isinstance(node, ox.NamedNode)), key=str)]
    statements = (quad.triple for subject in subjects for quad in store.quads_for_pattern(subject, None, None))
    capped = _Capped(statements, limits)
    triples = sorted({*capped, *said_on_request(_Opened(store), subjects)}, key=str)
    pointing = (islice(store.quads_for_pattern(None, linking, thing), _MOST_POINTING) for linking in _LINKING)
    triples += sorted({quad.triple for quads in pointing for quad in quads} - set(triples), key=str)
    if not triples:
        # The graph may only name it with a property of another vocabulary.
        capped = _Capped((quad.triple for quad in store.quads_for_pattern(None, None, thing)), limits)
        triples = sorted(set(capped), key=str)
        if not triples:
            return Answer("unknown")
    order: dict[object, int] = {subject: i for i, subject in enumerate(subjects)}
    triples.sort(key=lambda triple: (order.get(triple.subject, len(order)), str(triple)))
    return _written(triples, job.graph, capped=capped.capped)


def _overview(store: ox.Store) -> Answer:
    text = "SELECT ?g (COUNT(*) AS ?triples) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY ?g"
    result = store.query(text)
    assert isinstance(result, ox.QuerySolutions)
    body = "".join(table_pieces(("graph", "triples"), map(tuple, result), "csv"))
    # A triple in two graphs counts once in their union.
    union = _Opened(store).ask("SELECT (COUNT(*) AS ?triples) { ?s ?p ?o }").values()
    return Answer("ok", kind="overview", format_="csv", rows=int(union[0][0]), body=body.encode())
