"""Load-test the endpoint: 32 clients, each sending its next request after an answer, and a cross product every second.

The server is a real ``filtag serve``; the clients are another process. Four of five requests are good: all named
queries with their examples in turn, as JSON or CSV. The fifth is bad: malformed, an update, a service call,
a wrong parameter, an unknown name. Cross products arrive once a second, whatever became of the earlier
ones: all rows, their number, or sorted. There are few different requests, so a cache soon has all answers:
``--cache 0`` computes each anew. Server and clients share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import httpx

from filtag_kg.query import catalogue

CROSS = "{ ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
CROSS_PRODUCTS = (f"SELECT * {CROSS}", f"SELECT (COUNT(*) AS ?n) {CROSS}", f"SELECT * {CROSS} ORDER BY ?c ?f ?i")
BAD = (
    ("/sparql?query=SELECT%20*%20%7B", 400),
    ("/sparql?query=DROP%20ALL", 403),
    ("/sparql?query=" + quote("SELECT * { SERVICE <http://example.org/> { ?s ?p ?o } }"), 403),
    ("/queries/tags-of-filter?layer=head_conv", 400),
    ("/queries/no-such-query", 404),
)
GOOD_A_BAD = 4


@dataclass
class Seen:
    """What the clients saw."""

    good: list[float] = field(default_factory=list)
    by_query: dict[str, list[float]] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    bad: list[float] = field(default_factory=list)
    bad_otherwise: Counter[str] = field(default_factory=Counter)
    cross: Counter[str] = field(default_factory=Counter)
    answered: list[float] = field(default_factory=list)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kg", type=Path, help="serve this KG; default: that of the demo's profile, built anew")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--cache", default="64", help="the server's --cache, in MB")
    parser.add_argument("--slowest", action="store_true", help="say which named queries took longest")
    options = parser.parse_args()
    if options.url:
        seen = asyncio.run(load(options.url, options.clients, options.seconds))
        report(seen, options.seconds, options.slowest)
        return
    print(
        f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before; Python "
        f"{platform.python_version()}, pyoxigraph {version('pyoxigraph')}, uvicorn {version('uvicorn')}\n"
    )
    with tempfile.TemporaryDirectory() as room:
        kg = options.kg or build(Path(room) / "kg")
        serve_and_load(kg, options)


def build(path: Path) -> Path:
    """Build the demo's KG."""
    filtag = Path(sys.executable).with_name("filtag")
    subprocess.run([filtag, "demo", "-q", "-o", path], check=True, stdout=subprocess.DEVNULL)
    return path


def serve_and_load(kg: Path, options: argparse.Namespace) -> None:
    """Start the server and the clients, and watch the server meanwhile."""
    filtag = Path(sys.executable).with_name("filtag")
    server = subprocess.Popen(
        [filtag, "serve", str(kg), "--port", "0", "--cache", options.cache], stderr=subprocess.PIPE, text=True
    )
    assert server.stderr is not None
    found = re.search(r"http://\S+/", server.stderr.readline())
    assert found is not None
    url = found[0].rstrip("/")
    httpx.get(f"{url}/sparql", params={"query": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"})
    clients = subprocess.Popen(
        [sys.executable, __file__, "--url", url, "--clients", str(options.clients), "--seconds", str(options.seconds)]
        + ["--slowest"] * options.slowest
    )
    looks = {}
    begin = time.monotonic()
    for when in (0.0, min(10.0, options.seconds / 3), options.seconds - 1):
        time.sleep(max(0, begin + when - time.monotonic()))
        looks[when] = look(server.pid)
    clients.wait()
    time.sleep(2)
    looks[options.seconds + 2] = look(server.pid)
    server.send_signal(signal.SIGTERM)
    code = server.wait(10)
    print("\nafter | server, MB | workers, MB | server's threads | processes\n---|---|---|---|---")
    for when, (own, others, threads, processes) in looks.items():
        print(f"{when:.0f} s | {own:.0f} | {others:.0f} | {threads} | {processes}")
    print(f"\nended by SIGTERM with exit code {code}")


def look(pid: int) -> tuple[float, float, int, int]:
    """Return the resident memory of the server and of its workers in MB, its threads, and the number of processes."""
    family = [pid]
    for parent in family:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            family += map(int, task.read_text().split())
    status = {each: _status(each) for each in family}
    memory = [status[each].get("VmRSS", 0) / 1024 for each in family]
    return memory[0], sum(memory[1:]), status[pid]["Threads"], len(family)


def _status(pid: int) -> dict[str, int]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {name: int(number) for name, number in re.findall(r"^(VmRSS|Threads):\s+(\d+)", "\n".join(lines), re.M)}


async def load(url: str, clients: int, seconds: float) -> Seen:
    """Ask until the time is over."""
    seen = Seen()
    end = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=clients * 4)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
        asking = [asyncio.create_task(ask(client, i, end, seen)) for i in range(clients)]
        crossing = asyncio.create_task(cross(client, end, seen))
        await asyncio.gather(*asking, crossing)
    return seen


async def ask(client: httpx.AsyncClient, number: int, end: float, seen: Seen) -> None:
    """Be a client: four good questions, a bad one, and so on."""
    queries = catalogue()
    turn = itertools.count(number * 7)
    while time.monotonic() < end:
        for i in itertools.islice(turn, GOOD_A_BAD):
            query = queries[i % len(queries)]
            params = {**query.example, "format": ("json", "csv")[i % 2]}
            start = time.monotonic()
            status, body = await _get(client, f"/queries/{query.name}", params)
            seen.good.append(time.monotonic() - start)
            seen.by_query.setdefault(query.name, []).append(seen.good[-1])
            seen.answered.append(time.monotonic())
            if status != 200:
                seen.failed[f"{query.name}: {status} {body[:80]}"] += 1
        address, expected = BAD[next(turn) % len(BAD)]
        start = time.monotonic()
        status, body = await _get(client, address)
        seen.bad.append(time.monotonic() - start)
        seen.answered.append(time.monotonic())
        if status != expected:
            seen.bad_otherwise[f"{address}: {status} {body[:80]}"] += 1


async def cross(client: httpx.AsyncClient, end: float, seen: Seen) -> None:
    """Send a cross product a second."""
    running = []

    async def send(text: str) -> None:
        status, body = await _get(client, "/sparql", {"query": text})
        seen.cross[f"{status} {'' if status == 200 else re.sub(r'[0-9.]+', 'N', body)[:60].strip()}"] += 1

    for text in itertools.cycle(CROSS_PRODUCTS):
        if time.monotonic() >= end:
            break
        running.append(asyncio.create_task(send(text)))
        await asyncio.sleep(1)
    await asyncio.gather(*running)


async def _get(client: httpx.AsyncClient, address: str, params: dict[str, str] | None = None) -> tuple[int, str]:
    try:
        answer = await client.get(address, params=params)
    except httpx.HTTPError as error:
        return 0, repr(error)
    return answer.status_code, "" if answer.status_code == 200 else answer.text


def report(seen: Seen, seconds: float, slowest: bool) -> None:
    """Print what the clients saw."""
    good = sorted(seen.good)
    gaps = [b - a for a, b in itertools.pairwise(sorted(seen.answered))]
    p50, p95, p99 = (good[int(share * (len(good) - 1))] for share in (0.5, 0.95, 0.99))
    failed = sum(seen.failed.values())
    print("target | figure | \n---|---|---")
    print(f"good queries answered | {len(good) - failed:,}, {(len(good) - failed) / seconds:.0f} a second |")
    _say("no failed good query", f"{failed}", failed == 0)
    _say(
        "p95 of good queries < 1 s",
        f"p50 {p50:.2f} s, p95 {p95:.2f} s, p99 {p99:.2f} s, most {good[-1]:.2f} s",
        p95 < 1,
    )
    otherwise = sum(seen.bad_otherwise.values())
    bad = statistics.median(seen.bad)
    _say(
        "bad queries refused as they should be",
        f"{len(seen.bad) - otherwise} of {len(seen.bad)}, median {bad:.2f} s",
        not otherwise,
    )
    _say("answers throughout: longest gap < 1 s", f"{max(gaps):.2f} s", max(gaps) < 1)
    crossed = "; ".join(f"{number} × {what}" for what, number in seen.cross.most_common())
    print(f"cross products | {crossed} |")
    for what, number in (seen.failed + seen.bad_otherwise).most_common(10):
        print(f"    {number} × {what}", file=sys.stderr)
    if slowest:
        for name, times in sorted(seen.by_query.items(), key=lambda item: -statistics.median(item[1]))[:8]:
            print(f"    {name}: median {statistics.median(times):.2f} s, most {max(times):.2f} s", file=sys.stderr)


def _say(target: str, figure: str, met: bool) -> None:
    print(f"{target} | {figure} | {'met' if met else 'missed'}")


if __name__ == "__main__":
    main()
