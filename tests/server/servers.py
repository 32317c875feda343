"""Real servers as processes of their own: ``filtag serve`` on a KG, and the same application on any Oxigraph store."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

FILTAG = Path(sys.executable).with_name("filtag")
ON_A_STORE = """
import json
import sys
from pathlib import Path
from filtag_kg.server import Limits, create_app, listen, run_app
app = create_app(Path(sys.argv[1]), Limits(**json.loads(sys.argv[2])))
run_app(app, listen("127.0.0.1", 0), lambda address: print("serving at", address, file=sys.stderr))
"""
CROSS = "{ ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


@dataclass
class Server:
    """A server that runs."""

    process: subprocess.Popen[str]
    url: str
    client: httpx.Client

    def query(self, text: str, accept: str | None = None, **params: object) -> httpx.Response:
        headers = {"Accept": accept} if accept else {}
        return self.client.get("/sparql", params={"query": text, **params}, headers=headers)  # type: ignore[dict-item]

    def stderr(self) -> str:
        """End the server, and return what it wrote since it started."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def workers(self) -> set[int]:
        """Return the process ids of the workers."""
        fork_servers = children(self.process.pid)
        return {worker for fork_server in fork_servers for worker in children(fork_server) if alive(worker)}


@contextmanager
def serving(kg: Path, *options: str, modules: Path | None = None) -> Iterator[Server]:
    """Serve a KG on a free port until the block ends; modules in a folder come before all others."""
    with _started([str(FILTAG), "serve", str(kg), "--port", "0", *options], modules) as server:
        yield server


@contextmanager
def serving_store(store: Path, limits: dict[str, object] | None = None) -> Iterator[Server]:
    """Serve any store."""
    with _started([sys.executable, "-c", ON_A_STORE, str(store), json.dumps(limits or {})]) as server:
        yield server


def children(pid: int) -> set[int]:
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # The thread has ended meanwhile.
            found |= set(map(int, task.read_text().split()))
    return found


def wait_until(what: object, seconds: float = 60) -> None:
    """Wait until a function returns something true, however busy the machine is."""
    end = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < end, f"still not so after {seconds} s"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def _started(command: list[str], modules: Path | None = None) -> Iterator[Server]:
    search_path = [] if modules is None else [str(modules)]
    search_path += filter(None, [os.environ.get("PYTHONPATH")])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(search_path)} if search_path else None
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env)
    try:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if found := re.search(r"http://\S+/", line):
                break
        else:
            raise AssertionError(f"the server did not start: {''.join(lines)}")
        with httpx.Client(base_url=found[0], timeout=60) as client:
            yield Server(process, found[0].rstrip("/"), client)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(60)
        assert process.stderr is not None
        process.stderr.close()
