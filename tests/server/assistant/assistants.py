"""An assistant for tests: the SDK's own client, which speaks with ``filtag mcp`` as a process of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from tests.server.servers import FILTAG

mcp = pytest.importorskip("mcp", reason="the mcp extra is not installed")
CROSS = "{ ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
ENDLESS = f"SELECT (COUNT(*) AS ?n) {CROSS}"
"""Takes for ever, and hardly any memory."""


@dataclass
class Assistant:
    """A connected client; the tests are not asynchronous, so its loop runs in another thread."""

    portal: BlockingPortal
    client: Any

    def call(self, tool: str, /, **arguments: Any) -> Any:
        return self.portal.call(self.client.call_tool, tool, arguments)

    def rows(self, tool: str, /, **arguments: Any) -> list[dict[str, Any]]:
        answer = self.call(tool, **arguments)
        assert not answer.is_error, text(answer)
        rows: list[dict[str, Any]] = answer.structured_content["rows"]
        return rows

    def mistake(self, tool: str, /, **arguments: Any) -> str:
        answer = self.call(tool, **arguments)
        assert answer.is_error, text(answer)
        assert answer.structured_content is None
        return text(answer)

    def record(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        answer = self.call(tool, **arguments)
        assert not answer.is_error, text(answer)
        record: dict[str, Any] = answer.structured_content
        return record

    def tools(self) -> list[Any]:
        listed: list[Any] = self.portal.call(self.client.list_tools).tools
        return listed


def text(answer: Any) -> str:
    return "\n".join(block.text for block in answer.content if block.type == "text")


@contextmanager
def assistant_of(source: Path | str, *options: str, mode: str = "auto") -> Iterator[Assistant]:
    """Start ``filtag mcp`` and connect to it until the block ends."""
    from mcp.client.stdio import stdio_client

    env = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    command = mcp.StdioServerParameters(command=str(FILTAG), args=["mcp", str(source), *options], env=env)
    with (
        Path(os.devnull).open("w") as stderr,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(mcp.Client(stdio_client(command, errlog=stderr), mode=mode)) as client,
    ):
        yield Assistant(portal, client)
