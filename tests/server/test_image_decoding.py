"""Strangers' images, decoded by workers of a real pool."""

from __future__ import annotations

import asyncio
import io
import os
import socket
from pathlib import Path

import numpy as np
import pyoxigraph as ox
import pytest
from PIL import Image

from filtag_kg.images import decode
from filtag_kg.server import Limits
from filtag_kg.server.jobs import Answer, DecodeJob
from filtag_kg.server.pool import Pool
from tests.preparations import to
from tests.server.servers import Server, alive, children, wait_until


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pixels") / "store"
    ox.Store(str(path)).flush()
    return path


def picture(width: int, height: int) -> bytes:
    colours = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(colours).save(file, "PNG")
    return file.getvalue()


def workers() -> set[int]:
    return {worker for fork_server in children(os.getpid()) for worker in children(fork_server) if alive(worker)}


async def asked(store: Path, jobs: list[DecodeJob]) -> tuple[list[Answer], set[int], set[int]]:
    """Ask one after the other; return also which workers there were before and are after."""
    async with Pool(store, Limits(workers=1)).open() as pool:
        while len(workers()) < 3:
            await asyncio.sleep(0.05)
        before = workers()
        answers = [await pool.ask(job) for job in jobs]
        while len(workers() & before) == len(before):
            await asyncio.sleep(0.05)
        return answers, before, workers()


def test_pixels_are_those_that_are_decoded_here(store: Path) -> None:
    image = picture(40, 30)
    (answer,), before, after = asyncio.run(asked(store, [DecodeJob("x.png", to(8, 12).metadata(), image)]))
    assert (answer.status, answer.kind) == ("ok", "pixels")
    assert answer.body == decode(image, to(8, 12)).tobytes()
    # The process that decoded it is gone, before the pool is.
    assert len(before - after) == 1


def test_what_is_no_image_is_a_line(store: Path) -> None:
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) (w) file pop\n"
    jobs = [
        DecodeJob("a.jpg", to(8, 8).metadata(), content) for content in (b"no image", postscript, picture(40, 30)[:200])
    ]
    answers, _, _ = asyncio.run(asked(store, jobs))
    assert [answer.status for answer in answers] == ["invalid"] * 3
    for answer in answers:
        assert answer.line.startswith("a.jpg is not a readable image (")
        assert answer.line.endswith("): give a JPEG, PNG or the like")
        assert "\n" not in answer.line


def test_images_whose_clients_leave_while_they_send_are_no_error(server: Server) -> None:
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    head = b"POST /explain HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 9000\r\n\r\n"
    # More than may be received at once, if those that left still counted.
    for _ in range(20):
        with socket.create_connection((host, int(port))) as client:
            client.sendall(head + b"x" * 100)
    # The small KG's network is not at hand, which is said of an image that came whole.
    answer = server.client.post("/explain", content=b"x", headers={"Content-Type": "image/png"})
    assert answer.status_code == 400


def test_more_images_than_are_received_at_once_are_sent_away(server: Server) -> None:
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    head = (
        b"POST /explain HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 9000\r\n"
        b"Expect: 100-continue\r\n\r\n"
    )
    waiting = []
    for _ in range(8):
        client = socket.create_connection((host, int(port)))
        client.settimeout(60)
        client.sendall(head)
        assert client.recv(1000).startswith(b"HTTP/1.1 100 ")
        waiting.append(client)
    answer = server.client.post("/explain", content=b"x", headers={"Content-Type": "image/png"})
    assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (
        503,
        "too many images wait: try again in a few seconds\n",
        "5",
    )
    for client in waiting:
        client.close()
    wait_until(
        lambda: server.client.post("/explain", content=b"x", headers={"Content-Type": "image/png"}).status_code == 400
    )
