"""The errors that FilTag-KG raises for its users' mistakes.

The message of each is one line: what is wrong, where, and what to do about it. The command line prints it
after ``error:`` and ends with exit code 1. A caller's bug stays a :class:`ValueError` or :class:`TypeError`.
"""

__all__ = ["FiltagError", "MissingExtraError"]


class FiltagError(Exception):
    """A mistake that the user can mend; the message says how."""


class MissingExtraError(FiltagError):
    """An optional package is needed that is not installed.

    Parameters
    ----------
    package : str
        The distribution that is missing.
    extra : str
        The extra of filtag-kg that brings it.
    """

    def __init__(self, package: str, extra: str = "cpu") -> None:
        super().__init__(f"this needs {package}, which is not installed: pip install 'filtag-kg[{extra}]'")
