"""The command line: open, one library call, print. No logic of its own.

This module imports next to nothing, so that who stops a command while Python still reads the rest sees no traceback.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["app", "main"]

_STOPPING = ("SIGINT", "SIGTERM", "SIGHUP")


def __getattr__(name: str) -> object:
    """Import the commands when they are asked for."""
    if name == "app":
        from filtag_kg.cli.commands import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def main() -> None:
    """Run the command line and leave.

    The exit code is 1 for a user's mistake, in one line on stderr; 2 for wrong usage; 128 and the signal's number for
    what Ctrl-C, a closed terminal or a request to end has stopped, without a word.
    """
    stopped_by: list[int] = []

    def stop(number: int, _frame: object) -> None:
        stopped_by.append(number)
        raise KeyboardInterrupt

    _on_signals(stop)
    sys.unraisablehook = _again_if_interrupt
    _open_closed_streams()
    try:
        code = _run()
    except BaseException:
        # A library may have made another error of it.
        if not stopped_by:
            raise
        code = 1
    # Nothing is left to be tidied up: from here on a signal ends it at once.
    _on_signals(lambda number, _frame: os._exit(128 + number))
    code = _flushed(code)
    sys.exit(128 + stopped_by[0] if stopped_by else code)


def _run() -> int:
    from filtag_kg.cli.console import print_error
    from filtag_kg.errors import FiltagError

    try:
        from filtag_kg.cli.commands import app

        app()
    except FiltagError as error:
        hints = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
        print_error(f"{error}{hints}")
        return 1
    except SystemExit as leaving:
        # Whoever read our output has seen enough.
        if isinstance(leaving.__context__, BrokenPipeError):
            return 0
        return leaving.code if isinstance(leaving.code, int) else 0
    except BrokenPipeError:
        return 0
    except OSError as error:
        print_error(_what_failed(error))
        return 1
    return 0


def _what_failed(error: OSError) -> str:
    reason = error.strerror or str(error)
    if error.filename is None:
        return f"cannot write the output ({reason}): make room, or write elsewhere"
    return f"cannot use {os.fsdecode(error.filename)} ({reason}): check the path and its permissions"


def _on_signals(handler: Callable[[int, object], object]) -> None:
    """Let signals that mean to stop be handled, but those that the caller wants to be ignored, as ``nohup`` does."""
    for name in _STOPPING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


def _again_if_interrupt(unraisable: sys.UnraisableHookArgs) -> None:
    """Interrupt once more, a moment later, if Python was where it could not raise it: in a destructor or a callback."""
    if unraisable.exc_type is KeyboardInterrupt:
        threading.Timer(0.02, _thread.interrupt_main).start()
    else:
        sys.__unraisablehook__(unraisable)


def _open_closed_streams() -> None:
    """Put something in the place of standard streams that are closed, or the next file to be opened would be one.

    What is written to a closed stdout must fail, as that is an output that is lost.
    """
    for number, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def _flushed(code: int) -> int:
    """Write out what is left, and return the exit code; Python would complain of a full disk in a traceback."""
    from filtag_kg.cli.console import print_error

    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            if stream is sys.stdout and not isinstance(error, BrokenPipeError):
                # The same may have been told already.
                if code == 0:
                    print_error(_what_failed(error))
                code = code or 1
            # What cannot be written stays in the buffer, which is flushed once more at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return code
