"""How a command ends when its output is full, closed or no longer read, when it is stopped, when the disk is full."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from filtag_kg import Profile, save_profile
from filtag_kg.kg import KG, open_kg, runs_of

FILTAG = [sys.executable, "-c", "from filtag_kg.cli import main; main()"]
FULL = "error: cannot write the output (No space left on device): make room, or write elsewhere\n"
CLOSED = "error: cannot write the output (Bad file descriptor): make room, or write elsewhere\n"
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")


def shell(command: str, *words: object) -> subprocess.CompletedProcess[str]:
    """Run a bash command, in which "$@" is filtag with these words."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command, "bash", *FILTAG, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
    )


COMMANDS = [
    ("query", "--list"),
    ("query", "KG", "hub-filters"),
    ("query", "KG", "hub-filters", "--format", "csv"),
    ("export", "KG"),
    ("export", "KG", "--format", "csv"),
    ("show", "KG"),
    ("--help",),
]


@needs_full
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_full_or_closed_stdout_is_one_line(words: tuple[str, ...], kg: KG) -> None:
    words = tuple(str(kg.path) if word == "KG" else word for word in words)
    for command, line in (('"$@" > /dev/full', FULL), ('"$@" >&-', CLOSED)):
        done = shell(command, *words)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", line)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_reader_that_has_seen_enough(words: tuple[str, ...], kg: KG) -> None:
    words = tuple(str(kg.path) if word == "KG" else word for word in words)
    done = shell('"$@" | head -c 1 > /dev/null', *words)
    assert (done.returncode, done.stderr) == (0, "")


@needs_full
def test_notes_that_cannot_be_written_stop_nothing(profile: Profile, tmp_path: Path) -> None:
    save_profile(profile, tmp_path / "p.npz")
    for number, place in enumerate(("2> /dev/full", "2>&-", "<&- >&- 2>&-")):
        kg = tmp_path / str(number)
        done = shell(f'"$@" {place}', "build", tmp_path / "p.npz", "-o", kg)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert open_kg(kg)
        done = shell(f'"$@" {place}', "build", tmp_path / "p.npz", "-o", kg)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


@needs_full
def test_a_full_device_as_output_is_one_line(kg: KG, tmp_path: Path) -> None:
    done = shell('"$@" -o >(head -c 1 > /dev/null)', "export", kg.path)
    assert (done.returncode, done.stderr) == (0, "")
    done = shell('"$@" -o /dev/stdout > /dev/full', "export", kg.path)
    assert (done.returncode, done.stderr) == (1, "error: cannot write /dev/stdout (No space left on device)\n")


def test_a_full_disk_leaves_what_was_there(profile: Profile, tmp_path: Path) -> None:
    """The limit of a file's size stands for the disk: no file of the new KG can be whole."""
    save_profile(profile, tmp_path / "p.npz")
    kg = tmp_path / "kg"
    assert shell('"$@"', "build", tmp_path / "p.npz", "-o", kg, "-q").returncode == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for words, target in (
        (("build", tmp_path / "p.npz", "-o", kg, "--force"), kg),
        (("build", tmp_path / "p.npz", "-o", tmp_path / "new"), tmp_path / "new"),
        (("runs", kg, "--remove", "k=1"), None),
        (("report", kg), f"{kg}-report"),
        (("export", kg, "-o", tmp_path / "kg.ttl"), tmp_path / "kg.ttl"),
    ):
        done = subprocess.run(
            [*FILTAG, *map(str, words), "-q"],
            capture_output=True,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700)),
        )
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        if target is not None:
            assert done.stderr.startswith(f"error: cannot write {target} (")
        assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}, words


# Says when the command line is at work and its modules are being read.
WATCHED = """
import sys
class Watch:
    def find_spec(name, path=None, target=None):
        if name == "filtag_kg.cli.console":
            print("reading", flush=True)
            sys.stdin.readline()
sys.meta_path.insert(0, Watch)
from filtag_kg.cli import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_any_moment_ends_it_without_a_word(number: signal.Signals, kg: KG, tmp_path: Path) -> None:
    chance = random.Random(int(number))
    for words in (
        ("query", kg.path, "hub-filters"),
        ("export", kg.path, "-o", tmp_path / "kg.ttl"),
        ("concepts", "import", os.devnull, "-o", tmp_path / "index"),
    ):
        for moment in ("while it reads modules", "later", "later"):
            process = subprocess.Popen(
                [sys.executable, "-c", WATCHED, *map(str, words)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                # Whoever started the tests may have it ignored, as nohup does.
                preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
            )  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == b"reading\n"
            if moment == "later":
                process.stdin.write(b"\n")
                process.stdin.flush()
                time.sleep(chance.uniform(0, 0.7))
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
            if process.returncode == 128 + number:
                assert said == b""
            else:
                assert moment == "later"
                # It was done before; Python, as it leaves, gives the signal back to the system.
                assert process.returncode in (1 if words[0] == "concepts" else 0, -number)
                assert b"Traceback" not in said
            assert list(tmp_path.glob(".*")) == []


def test_a_build_that_is_told_to_end_leaves_nothing(profile: Profile, tmp_path: Path) -> None:
    save_profile(profile, tmp_path / "p.npz")
    kg = tmp_path / "kg"
    assert shell('"$@"', "build", tmp_path / "p.npz", "-o", kg, "--k", 1, "-q").returncode == 0
    chance = random.Random(3)
    for words in (("build", tmp_path / "p.npz", "-o", kg, "--force"), ("build", tmp_path / "p.npz", "--into", kg)):
        for _ in range(2):
            process = subprocess.Popen([*FILTAG, *map(str, words), "--q", "0.5", "-q"], stderr=subprocess.PIPE)
            end = time.monotonic() + 60
            while not list(tmp_path.glob(".kg.*")) and process.poll() is None and time.monotonic() < end:
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.3))
            process.terminate()
            _, said = process.communicate(timeout=60)
            assert process.returncode in (143, 0, 1), said  # 1: the run is there already.
            assert b"Traceback" not in said
            assert [run.rule for run in runs_of(open_kg(kg))] in (["k=1"], ["q=0.5"], ["k=1", "q=0.5"])
            assert sorted(path.name for path in tmp_path.iterdir()) == ["kg", "p.npz"]
