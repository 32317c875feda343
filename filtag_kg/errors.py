"""The errors that FilTag-KG raises for its users' mistakes.

A caller's bug stays a :class:`ValueError` or :class:`TypeError`.
"""


class FiltagError(Exception):
    """A mistake that the user can mend.

    The library, the pages and the command line all show the message, so it names no option of a command. What mends the
    mistake there goes into `options` and `commands`, and the command line puts it behind the message.

    Parameters
    ----------
    message : str
        One line: what is wrong, where, and what to do about it.
    options : tuple of str
        Parameters that mend it, by their names in Python: ``force``, ``keep_going``.
    commands : tuple of str
        Commands that mend it: ``build``, ``concepts import``.
    """

    def __init__(self, message: str, *, options: tuple[str, ...] = (), commands: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.options = options
        self.commands = commands


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


def reason_of(error: BaseException) -> str:
    """Return what a foreign error says, in a few words: the system's, or its first line."""
    return (getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__)[:200]
