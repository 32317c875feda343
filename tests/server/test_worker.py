"""A worker alone, at the other end of a socket."""

from __future__ import annotations

import socket
import threading

import pytest

from filtag_kg.kg import KG
from filtag_kg.query import Endpoint
from filtag_kg.server.jobs import PREFIX, Answer, PageJob, pack, unpack_answer
from filtag_kg.server.limits import Limits
from filtag_kg.server.worker import work


def receive(end: socket.socket) -> Answer:
    with end.makefile("rb") as incoming:
        head, body = PREFIX.unpack(incoming.read(PREFIX.size))
        return unpack_answer(incoming.read(head), incoming.read(body))


def test_a_fault_in_a_page_is_no_lack_of_memory(kg: KG, capsys: pytest.CaptureFixture[str]) -> None:
    def make_page(endpoint: Endpoint, job: PageJob) -> Answer:
        raise KeyError(job.page)

    ours, its = socket.socketpair()
    worker = threading.Thread(target=work, args=(its, kg.path / "store", Limits(), make_page))
    worker.start()
    with ours:
        assert receive(ours).status == "ready"
        for _ in range(2):
            ours.sendall(pack(PageJob("mixed", {})))
            answer = receive(ours)
            assert (answer.status, answer.line) == (
                "damaged",
                "a fault of FilTag-KG itself (KeyError): please report it",
            )
    worker.join()
    its.close()
    assert "KeyError: 'mixed'" in capsys.readouterr().err
