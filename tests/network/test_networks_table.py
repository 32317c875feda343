"""The page docs/reference/networks.md against the networks that it is about."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from filtag_kg.network import network_names
from scripts.make_networks_table import END, PAGE, START, TORCH_END, TORCH_NAMES, TORCH_START, row, torch_row

ROOT = Path(__file__).resolve().parents[2]


def rows_between(start, end):
    page = PAGE.read_text(encoding="utf-8")
    lines = page.partition(start)[2].partition(end)[0].splitlines(keepends=True)
    return {re.match(r"\| `(.+?)` \|", line)[1]: line for line in lines[2:]}


@pytest.fixture(scope="module")
def table():
    return rows_between(START, END)


def test_every_network_has_a_row(keras, table):
    assert list(table) == network_names()


@pytest.mark.parametrize("name", ["efficientnet-lite0", "mobilenetv3small", "resnet50"])
def test_rows_of_small_networks(keras, table, name):
    assert table[name] == row(name)


def test_rows_of_pytorch():
    pytest.importorskip("torchvision")
    pytest.importorskip("timm")
    rows = rows_between(TORCH_START, TORCH_END)
    assert tuple(rows) == TORCH_NAMES
    for name in ("torchvision:resnet18", "torchvision:regnet_y_400mf"):
        assert rows[name] == torch_row(name)


@pytest.mark.slow
def test_all_rows(keras):
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "make_networks_table.py", "--check"],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
