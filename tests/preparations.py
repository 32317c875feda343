"""How images are prepared in tests that have no network."""

from __future__ import annotations

from typing import Any

from filtag_kg.network import Preparation
from filtag_kg.network.scaling import named_scaling


def to(height: int, width: int, channels: int = 3, **options: Any) -> Preparation:
    """Squash images to a size, and leave their pixels as they are."""
    return Preparation((height, width), named_scaling("none", channels), **options)
