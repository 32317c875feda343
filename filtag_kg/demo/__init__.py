"""The profile that the package brings, so that everything after the pass can be tried at once.

``scripts/make_demo_profile.py`` makes it; its metadata says of which network and images.
"""

from __future__ import annotations

from pathlib import Path

from filtag_kg.profile import Profile, load_profile
from filtag_kg.tags import Rule

__all__ = ["DEMO_RULES", "demo_profile"]

DEMO_RULES = (Rule("q", 0.01, "contrast"), Rule("k", 1))
"""First by contrast, because a few filters are active for every image: by the paper's k = 1, the other rule, five
filters of the last layer collect nearly all of the classes and say nothing."""


def demo_profile() -> Profile:
    """Return the profile of EfficientNet-Lite0 over 200 classes of Tiny ImageNet, means alone, in half precision."""
    return load_profile(Path(__file__).with_name("efficientnet-lite0.npz"))
