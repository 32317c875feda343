"""Commands typed at a terminal: in this process, where TensorFlow has started already, or in one of their own."""

from __future__ import annotations

import io
import logging
import os
import signal
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from filtag_kg.cli import main

_ENVIRONMENT = {"COLUMNS": "120", "NO_COLOR": "1"}
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def process(*arguments: object, cwd: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    command = [sys.executable, "-c", "from filtag_kg.cli import main; main()", *map(str, arguments)]
    environment = {**os.environ, **_ENVIRONMENT}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, input=stdin, env=environment, check=False)


def filtag(*arguments: object, cwd: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command in this process, and leave the process as it was."""
    words = ["filtag", *map(str, arguments)]
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    handlers = [signal.getsignal(number) for number in _SIGNALS]
    log = logging.getLogger("filtag_kg")
    logged = (log.handlers[:], log.propagate, log.level)
    hook = sys.unraisablehook
    code = 0
    try:
        with (
            mock.patch.dict(os.environ, _ENVIRONMENT),
            mock.patch("sys.argv", words),
            mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8")),
            chdir(cwd or Path.cwd()),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            main()
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    finally:
        for number, handler in zip(_SIGNALS, handlers, strict=True):
            signal.signal(number, handler)
        log.handlers[:], log.propagate = logged[:2]
        log.setLevel(logged[2])
        sys.unraisablehook = hook
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(words, code, *texts)


def answer(*arguments: object, cwd: Path | None = None, stdin: str = "") -> str:
    """Run a command that must succeed, and return what it prints."""
    done = filtag(*arguments, cwd=cwd, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refusal(*arguments: object, cwd: Path | None = None, stdin: str = "") -> str:
    """Run a command that must end with exit code 1 and one line on stderr beside its notes, and return that line."""
    done = filtag(*arguments, cwd=cwd, stdin=stdin)
    assert (done.returncode, done.stdout) == (1, ""), (done.returncode, done.stdout, done.stderr)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 1, done.stderr
    return lines[0].removeprefix("error: ")
