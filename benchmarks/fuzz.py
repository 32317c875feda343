"""Damage files of every kind that users may have, and check that each is refused in one line or read correctly.

Each kind of file (`fuzz_kinds.py`) has a good example, which is damaged anew for every input (`damage.py`): bits,
blocks, encodings, and, where the format is known, values, cells, arrays and members. Everything is seeded, and no data
is needed. A sample of the inputs goes through real commands.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from damage import BYTES
from fuzz_examples import profile_file
from fuzz_images import IMAGE_KINDS
from fuzz_kinds import KINDS as FILE_KINDS
from fuzz_kinds import Kind

from filtag_kg.errors import FiltagError

KINDS: Mapping[str, Kind] = {**FILE_KINDS, **IMAGE_KINDS}
_MEMORY = 6 << 30
_SECONDS = 40
_LONGEST_LINE = 2_000
_SECONDS_OF_A_COMMAND = 120


class TookTooLongError(BaseException):
    """Reading an input took too long."""


COMMANDS: Mapping[str, Sequence[Sequence[str]]] = {
    "kg": (
        ("query", "{kg}", "hub-filters"), ("query", "{kg}", "common-concepts", "layer=deep", "--format", "json"),
        ("show", "{kg}"), ("show", "{kg}", "deep", "0"), ("report", "{kg}", "-o", "{out}"), ("export", "{kg}"),
        ("export", "{kg}", "--format", "csv"), ("export", "{kg}", "--format", "graphml"), ("runs", "{kg}"),
        ("export", "{kg}", "--format", "sssom"), ("export", "{kg}", "--format", "csv", "--table", "common"),
        ("compare", "{kg}", "{kg}"), ("validate", "{kg}"), ("conformance", "draw", "{kg}", "-o", "{out}"),
        ("serve", "{kg}", "--port", "99999"), ("runs", "{kg}", "--remove", "k=1"),
    ),
    "p.npz": (("build", "{file}", "-o", "{out}"),),
    "labels.csv": (("import", "{file}", "-o", "{out}"), ("import", "{file}", "--strict", "-o", "{out}")),
    "labels.json": (("import", "{file}", "-o", "{out}"),),
    "links.sssom.tsv": (("build", "{good}", "--links", "{file}", "-o", "{out}"),),
}  # fmt: skip
"""What is run as real processes on a sample of the inputs, by the directory or file that is damaged."""


@dataclass(slots=True)
class Found:
    """The outcomes of a kind's inputs."""

    inputs: int = 0
    refused: int = 0
    accepted: int = 0
    tracebacks: int = 0
    out_of_range: int = 0
    processes: int = 0


def fuzz(name: str, inputs: int, seed: int, processes: int) -> tuple[Found, Counter[str]]:
    """Damage one kind of file many times."""
    kind = KINDS[name]
    found, mistakes = Found(), Counter[str]()
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        good = kind.make(folder)
        path = folder / kind.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(good)
        problem = kind.read(path)
        if problem is not None:
            raise AssertionError(f"the good example of {name}: {problem}")
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = _memory_now() + _MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
        signal.signal(signal.SIGALRM, _took_too_long)
        for number in range(inputs):
            rng = random.Random(f"{seed} {name} {number}")
            damages = [*BYTES, *kind.damages * (len(BYTES) // max(1, len(kind.damages)))]
            content = rng.choice(damages)(rng, good)
            path.write_bytes(content)
            (folder / "last").write_text(str(number))
            what = _outcome(kind, path)
            found.inputs += 1
            if what == "refused":
                found.refused += 1
            elif what == "accepted":
                found.accepted += 1
            else:
                found.out_of_range += what.startswith("accepted")
                found.tracebacks += not what.startswith("accepted")
                mistakes[what] += 1
            if number < processes:
                for line in _command_mistakes(kind, path, folder, rng):
                    found.tracebacks += 1
                    mistakes[line] += 1
                found.processes += 1
    return found, mistakes


def _memory_now() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    return pages * resource.getpagesize()


def _took_too_long(*_: object) -> None:
    raise TookTooLongError


def _outcome(kind: Kind, path: Path) -> str:
    """Return ``refused``, ``accepted``, or what is wrong, in one line."""
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    try:
        wrong = kind.read(path)
    except FiltagError as error:
        line = str(error)
        return (
            "refused"
            if "\n" not in line and len(line) < _LONGEST_LINE
            else f"refused in no single line: {line[:200]!r}"
        )
    except TookTooLongError:
        return f"took more than {_SECONDS} s"
    except Exception as error:  # noqa: BLE001 - it is what is looked for
        last = traceback.extract_tb(error.__traceback__)
        ours = next((frame for frame in reversed(last) if "filtag_kg" in frame.filename), last[-1])
        at = f"{Path(ours.filename).name}:{ours.lineno}"
        return f"{type(error).__name__} at {at}: {' '.join(str(error).split())[:120]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return "accepted" if wrong is None else f"accepted, though {wrong}"


def _command_mistakes(kind: Kind, path: Path, folder: Path, rng: random.Random) -> list[str]:
    """Run a command on the damaged file as a user would."""
    commands = COMMANDS.get(kind.file.partition("/")[0])
    if not commands:
        return []
    good = folder / "good.npz"
    if not good.exists():
        profile_file(folder)
    names = {"kg": folder / "kg", "file": path, "good": good, "out": folder / "out" / str(rng.random())}
    command = [part.format(**names) for part in rng.choice(commands)]
    done = subprocess.run(
        [sys.executable, "-c", "from filtag_kg.cli import main; main()", *command, "-q"],
        capture_output=True, timeout=_SECONDS_OF_A_COMMAND, check=False,
    )  # fmt: skip
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    shown = f"filtag {command[0]}, exit code {done.returncode}: {' | '.join(lines[-2:])[:200]}"
    whole = done.returncode in (0, 1, 2) and not any(line.startswith("Traceback") for line in lines)
    one_line = done.returncode != 1 or command[0] == "validate" or [line[:6] for line in lines] == ["error:"]
    return [] if whole and one_line else [shown]


def main() -> None:
    """Fuzz the chosen kinds, each in a process of its own, and print the outcomes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}; all, if left out")
    parser.add_argument("--inputs", type=int, default=2000, help="damaged files of each kind")
    parser.add_argument("--processes", type=int, default=20, help="of these, run commands on so many as real processes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--within", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = sorted(set(options.kinds) - KINDS.keys())
    if unknown:
        parser.error(f"no kind {unknown[0]}")
    if options.within:
        logging.disable(logging.WARNING)  # Notes of rows that are left out are thousands.
        found, mistakes = fuzz(options.kinds[0], options.inputs, options.seed, options.processes)
        print(json.dumps({"found": asdict(found), "mistakes": mistakes.most_common()}))
        return
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, seed {options.seed}")
    print(f"{'kind':<12} {'inputs':>6} {'refused':>8} {'accepted':>8} {'tracebacks':>10} {'out of range':>12} {'s':>5}")
    bad = 0
    for name in options.kinds or KINDS:
        start = time.perf_counter()
        arguments = [name, "--within", *(f"--{key}={getattr(options, key)}" for key in ("inputs", "processes", "seed"))]
        done = subprocess.run([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True, check=False)
        seconds = time.perf_counter() - start
        if done.returncode:
            print(f"{name:<12} ended with {done.returncode} after {seconds:.0f} s", flush=True)
            bad += 1
            continue
        answer = json.loads(done.stdout.splitlines()[-1])
        row = Found(**answer["found"])
        print(
            f"{name:<12} {row.inputs:>6,} {row.refused:>8,} {row.accepted:>8,} {row.tracebacks:>10,} "
            f"{row.out_of_range:>12,} {seconds:>5.0f}",
            flush=True,
        )
        for what, times in answer["mistakes"]:
            print(f"    {times} x {what}", flush=True)
        bad += row.tracebacks + row.out_of_range
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    main()
