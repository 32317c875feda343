"""Errors as the server answers them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from filtag_kg.errors import FiltagError

GONE = 499
"""The status when the client has left, so nobody reads it."""
_LONGEST_ECHO = 200


def shorten(text: str) -> str:
    """Return what a client sent as an error repeats it: of a long text, the beginning."""
    return text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}…"


def shorten_all(line: str, typed: Iterable[str]) -> str:
    """Return a line with all long texts that a client sent shortened, whether quoted as in Python or not."""
    for text in typed:
        if len(text) > _LONGEST_ECHO:
            for written in (repr(text)[1:-1], text):
                line = line.replace(written, shorten(written))
    return line


class RequestError(FiltagError):
    """An HTTP status with one line that says what was wrong and what to do.

    Parameters
    ----------
    headers : mapping of str to str
        Further headers, such as ``Allow``.
    """

    def __init__(self, status: int, line: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(line)
        self.status = status
        self.line = " ".join(line.split())
        self.headers = dict(headers or {})
