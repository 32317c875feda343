"""The documentation's commands, run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.server.servers import Server

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "endpoint.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"^```bash\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE) for line in block.splitlines()
]


def test_there_are_commands() -> None:
    assert len(COMMANDS) == 6


@pytest.mark.parametrize("command", COMMANDS)
def test_each_finds_something(command: str, server: Server, tmp_path: Path) -> None:
    (tmp_path / "query.rq").write_text("SELECT ?n { ?c skos:notation ?n }")
    done = subprocess.run(
        command.replace("curl", "curl --silent --show-error --fail", 1), shell=True, cwd=tmp_path, text=True,
        env={**os.environ, "SERVER": server.url}, capture_output=True, check=True,
    )  # fmt: skip
    assert re.search("tabby|n02123045|02084071-n|layer,filter|sparql-service-description", done.stdout)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("block", re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
def test_each_client_finds_something(block: str, server: Server) -> None:
    names: dict[str, Any] = {}
    exec(block.replace("http://127.0.0.1:8000", server.url), names)
    assert "tabby" in names["labels"] if "labels" in names else list(names["filters"])[:2] == ["layer", "filter"]
