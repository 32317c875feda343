"""The command line: each command opens something, makes one library call and prints.

This module imports next to nothing, so that Ctrl-C during the imports of the rest does not end in a traceback.
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
    """Import the commands on first use."""
    if name == "app":
        from filtag_kg.cli.commands import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def main() -> None:
    """Run the command line and exit.

    The exit code is 1 for a user's mistake, with one line on stderr; 2 for wrong usage; 128 plus the signal's number,
    without a message, if a signal (Ctrl-C, a closed terminal, a request to end) stopped the command.
    """
    stopped_by: list[int] = []

    def stop(number: int, _frame: object) -> None:
        stopped_by.append(number)
        raise KeyboardInterrupt

    def end(number: int, _frame: object) -> None:
        os._exit(128 + (stopped_by or [number])[0])

    _on_signals(stop)
    sys.unraisablehook = _repeat_interrupt
    _open_closed_streams()
    try:
        code = _run()
        # Nothing is left to clean up: from here on a signal ends the process at once.
        _on_signals(end)
    except BaseException:
        # A library may have turned the interrupt into another error.
        if not stopped_by:
            raise
        _on_signals(end)
        code = 1
    code = _flush(code)
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
        # Whoever reads our output, such as `head`, has seen enough.
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
    """Set the handler of the signals that stop a command, except those that the caller ignores, as ``nohup`` does."""
    for name in _STOPPING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


def _repeat_interrupt(unraisable: sys.UnraisableHookArgs) -> None:
    """Interrupt again a moment later, if the first came where Python cannot raise: in a destructor or a callback."""
    if unraisable.exc_type is KeyboardInterrupt:
        threading.Timer(0.02, _thread.interrupt_main).start()
    else:
        sys.__unraisablehook__(unraisable)


def _open_closed_streams() -> None:
    """Open closed standard streams, or the next file that is opened would take their place.

    A closed stdout is opened for reading, so that writing to it fails: that output would be lost.
    """
    for number, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def _flush(code: int) -> int:
    """Write what is buffered, and return the exit code; left to Python, a full disk would end in a traceback."""
    from filtag_kg.cli.console import print_error

    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            if stream is sys.stdout and not isinstance(error, BrokenPipeError):
                # The command may have reported it already.
                if code == 0:
                    print_error(_what_failed(error))
                code = code or 1
            # The rest stays in the buffer, which Python flushes again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return code
