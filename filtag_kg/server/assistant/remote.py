"""What a remote endpoint answers, in place of workers: named queries and SPARQL, in threads that wait for it."""

from __future__ import annotations

import asyncio
import logging
from contextvars import ContextVar

from filtag_kg.errors import FiltagError
from filtag_kg.query import RemoteEndpoint, Unanswered, bound_text, find_query, warn_of_misspellings
from filtag_kg.server.assistant.rows import checked_query, missing, rows_of
from filtag_kg.server.jobs import Answer, Job, RowsJob
from filtag_kg.server.limits import Limits

_notes: ContextVar[list[str]] = ContextVar("notes")


class RemoteAnswers:
    """Asks an endpoint.

    Parameters
    ----------
    limits : Limits
        Of which `max_rows` matters here; the endpoint has its own.
    """

    def __init__(self, endpoint: RemoteEndpoint, limits: Limits) -> None:
        self._endpoint = endpoint
        self._limits = limits
        log = logging.getLogger("filtag_kg.query")
        log.addHandler(_OfThisAnswer(logging.WARNING))
        log.propagate = False

    async def ask(self, job: Job) -> Answer:
        """Answer a job."""
        assert isinstance(job, RowsJob)
        return await asyncio.to_thread(self._answer, job)

    def _answer(self, job: RowsJob) -> Answer:
        notes: list[str] = []
        _notes.set(notes)
        try:
            text = self._text(job, notes)
            result = self._endpoint.ask(text)
            if job.name is None:
                warn_of_misspellings(self._endpoint, text, len(result.rows))
        except FiltagError as error:
            return Answer("invalid", str(error))
        rows = rows_of(result, job.offset, job.limit, self._limits.max_rows)
        return Answer("ok", kind="rows", format_="json", rows=rows.total, notes=tuple(notes), body=rows.pack())

    def _text(self, job: RowsJob, notes: list[str]) -> str:
        if job.name is None:
            return checked_query(job.text)[0]
        text = bound_text(self._endpoint, find_query(job.name), job.parameters)
        if isinstance(text, Unanswered):
            raise FiltagError(missing(text, notes, "ask for names with sparql"))
        return text


class _OfThisAnswer(logging.Handler):
    """Keeps what is logged for the answer of the thread that logs it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        notes = _notes.get(None)
        if notes is not None:
            notes.append(record.getMessage())
