"""A network with a filter for each of red, green and blue, and a KG of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from filtag_kg.kg import KG
from filtag_kg.network import Network
from tests.colours import colours_kg, load_colours, save_colours


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return load_colours(*save_colours(tmp_path_factory.mktemp("network")))


@pytest.fixture(scope="module")
def colours(network: Network, tmp_path_factory: pytest.TempPathFactory) -> KG:
    return colours_kg(network, tmp_path_factory.mktemp("kg") / "kg")


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[tuple[int, int, int]], Path]:
    """Paint a picture of one colour."""

    def paint(colour: tuple[int, int, int]) -> Path:
        from PIL import Image

        Image.new("RGB", (20, 10), colour).save(tmp_path / "picture.png")
        return tmp_path / "picture.png"

    return paint
