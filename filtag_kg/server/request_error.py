"""What the server answers where it does not answer the question."""

from __future__ import annotations

from collections.abc import Mapping

from filtag_kg.errors import FiltagError

__all__ = ["RequestError"]


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
