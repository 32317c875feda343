"""What the server answers where it does not answer the question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from filtag_kg.errors import FiltagError

__all__ = ["GONE", "RequestError", "shortened", "shortening"]

GONE = 499
"""The status that nobody reads: the client left."""
_LONGEST_ECHO = 200


def shortened(text: str) -> str:
    """Return what was typed as an error repeats it: of a long text, its beginning."""
    return text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}…"


def shortening(line: str, typed: Iterable[str]) -> str:
    """Return a line in which long texts that were typed are shortened, quoted as in Python or not."""
    for text in typed:
        if len(text) > _LONGEST_ECHO:
            for written in (repr(text)[1:-1], text):
                line = line.replace(written, shortened(written))
    return line


class RequestError(FiltagError):
    """An HTTP status with one line that says what was wrong and what to do.

    Parameters
    ----------
    status : int
    line : str
    headers : mapping of str to str
        Further headers, such as ``Allow``.
    """

    def __init__(self, status: int, line: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(line)
        self.status = status
        self.line = " ".join(line.split())
        self.headers = dict(headers or {})
