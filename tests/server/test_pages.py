"""Pages that take work: made in processes with the limits of queries. All with real servers."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from filtag_kg.kg import KG
from tests.server.servers import Server, serving, wait_until

RUNS = "/compare?kind=runs&a=k%3D1&b=q%3D0.5"
HTML = {"Accept": "text/html"}
COMPARE_SLOWLY = """
from filtag_kg.server.explorer import worker_pages

compare = worker_pages.compare


def compare_slowly(facts, inputs):
    (facts.kg.path / "tags.csv").read_bytes()
    return compare(facts, inputs)


worker_pages.compare = compare_slowly
"""
"""Python runs it at its start: comparisons read a table, so a test decides how long they take and what they need."""


@contextmanager
def serving_slowly(kg: Path, *options: str) -> Iterator[Server]:
    modules = kg.parent / "modules"
    modules.mkdir()
    (modules / "sitecustomize.py").write_text(COMPARE_SLOWLY)
    with serving(kg, "--workers", "1", *options, modules=modules) as server:
        wait_until(lambda: len(server.workers()) == 3)
        yield server


@pytest.fixture
def stuck(kg: KG, tmp_path: Path) -> Path:
    """A KG whose comparisons, once it is served, never end: they wait for a table."""
    return Path(shutil.copytree(kg.path, tmp_path / "kg"))


@contextmanager
def serving_stuck(kg: Path, *options: str) -> Iterator[Server]:
    with serving_slowly(kg, *options) as server:
        (kg / "tags.csv").unlink()
        os.mkfifo(kg / "tags.csv")
        yield server


@contextmanager
def asked(server: Server, path: str) -> Iterator[None]:
    """Ask for a page, and leave at the end."""
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        yield


@contextmanager
def writing(kg: Path) -> Iterator[None]:
    """Wait until a worker reads the table, and let it wait for more."""
    opened: list[int] = []

    def begun() -> bool:
        with suppress(OSError):
            opened.append(os.open(kg / "tags.csv", os.O_WRONLY | os.O_NONBLOCK))
        return bool(opened)

    wait_until(begun)
    try:
        yield
    finally:
        os.close(opened[0])


def test_a_page_that_takes_too_long_is_a_line_or_a_page_with_one(stuck: Path) -> None:
    line = "the page was stopped after 1 s: ask for less, or serve the KG with a longer timeout"
    with serving_stuck(stuck, "--timeout", "1") as server:
        answer = server.client.get(RUNS)
        assert (answer.status_code, answer.text) == (504, f"{line}\n")
        shown = server.client.get(RUNS, headers=HTML)
        assert shown.status_code == 504
        assert f'<p class="error" role="alert">{line}</p>' in shown.text
        # Its worker went with it, and others stand in.
        wait_until(lambda: len(server.workers()) == 3)
        assert server.client.get("/classes").status_code == 200


def test_search_queries_and_pages_are_answered_while_a_page_is_made(stuck: Path) -> None:
    paths = ("/search?q=dog&format=json", "/", "/explain")
    with (
        serving_stuck(stuck, "--timeout", "60") as server,
        ThreadPoolExecutor(1) as thread,
        asked(server, RUNS),
        writing(stuck),
    ):
        answers = thread.submit(lambda: [server.client.get(path) for path in paths]).result(60)
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        # SPARQL has places of its own.
        assert server.query("ASK {}").status_code == 200


def test_pages_that_nobody_waits_for_are_not_made(stuck: Path) -> None:
    with serving_stuck(stuck, "--timeout", "60") as server, ExitStack() as running:
        before = server.workers()
        size = _size(server)
        running.enter_context(asked(server, RUNS))
        with writing(stuck):
            with ExitStack() as waiting:
                for i in range(40):
                    # Each is another question, so none waits along with another.
                    waiting.enter_context(asked(server, f"{RUNS}&rule_a={i}"))
                # The answer to a later question: the server has read all of these.
                assert server.query("ASK {}").status_code == 200
            # The page that is made is left last: had it been left first, the next would have had its place.
            running.close()
            # It lost its worker; those that waited never had one.
            wait_until(lambda: len(server.workers() & before) == 2 and len(server.workers()) == 3)
        assert server.client.get("/classes").status_code == 200
        assert _size(server) < size + (64 << 20)


def test_equal_questions_are_answered_once(stuck: Path) -> None:
    with serving_stuck(stuck, "--timeout", "2") as server, ThreadPoolExecutor(4) as threads:
        # What a page does not depend on makes it no other page.
        answers = list(threads.map(server.client.get, [f"{RUNS}&x={i}" for i in range(4)]))
        assert [answer.status_code for answer in answers] == [504] * 4


def test_a_page_that_takes_too_much_memory_ends_alone(kg: KG, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(kg.path, tmp_path / "kg"))
    with serving_slowly(copied, "--max-memory", "256") as server:
        with (copied / "tags.csv").open("ab") as table:
            # One row of a gigabyte, all zeros, that takes no room on the disk.
            table.truncate(1 << 30)
        answer = server.client.get(RUNS)
        assert (answer.status_code, answer.text) == (
            500,
            "the process of the page ended: it needed more than 256 MB: ask for less, "
            "or serve the KG with more memory\n",
        )
        assert server.client.get("/classes").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/classes?page=" + "9" * 5000,
        "/network/toy-0123456789ab/layer/deep/filter/" + "9" * 5000,
        "/network/toy-0123456789ab/layer/deep/page/" + "9" * 5000,
        "/groups?page=٣",
    ],
)
def test_numbers_that_python_does_not_read_are_of_nothing(server: Server, path: str) -> None:
    answer = server.client.get(path, headers=HTML)
    assert answer.status_code == 404


def test_pages_follow_a_kg_that_is_built_anew(kg: KG, profile: object, tmp_path: Path) -> None:
    from filtag_kg import Provenance, Rule, tag_filters, wordnet
    from filtag_kg.kg import build_kg

    def build(k: int) -> None:
        tags = tag_filters(profile, [Rule("k", k)], network="toy-0123456789ab")  # type: ignore[arg-type]
        provenance = Provenance.of_profile(profile)  # type: ignore[arg-type]
        build_kg(tmp_path / "kg", tags, wordnet(), provenance, profile=profile, force=True)  # type: ignore[arg-type]

    build(1)
    with serving(tmp_path / "kg") as server:
        assert "k=1" in server.client.get("/groups").text
        build(2)
        wait_until(lambda: "k=2" in server.client.get("/groups").text)
        wait_until(lambda: "k=2" in server.client.get("/", headers=HTML).text)


def _size(server: Server) -> int:
    """Return the bytes of memory that the server itself takes."""
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
