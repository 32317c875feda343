"""The classes of ImageNet, which most named networks tell apart."""

from __future__ import annotations

import importlib.resources


def imagenet_class_ids() -> tuple[str, ...]:
    """Return the 1,000 WordNet ids of ILSVRC 2012 in the order of the usual networks' outputs: sorted."""
    text = importlib.resources.files("filtag_kg.network").joinpath("imagenet_wnids.txt").read_text("ascii")
    return tuple(text.split())
