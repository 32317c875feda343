"""A network with filters for one thing, for two, and for nothing, on the demo's 200 classes."""

from __future__ import annotations

from functools import cache

import numpy as np

from filtag_kg import Profile, wordnet
from filtag_kg.concepts import Hierarchy, build_hierarchy, link_classes
from filtag_kg.demo import demo_profile

THEMES = ("dog", "motor vehicle", "insect", "bottle", "food", "clothing", "aquatic bird", "geological formation")
MIXED = {40: ("dog", "motor vehicle"), 41: ("insect", "bottle")}
"""Of the layer *deep*, beside eight filters for nothing before them and four for each theme."""


@cache
def demo_hierarchy() -> Hierarchy:
    """Return the hierarchy above the demo's classes."""
    demo = demo_profile()
    return build_hierarchy(link_classes(demo.class_ids, demo.class_labels, wordnet()), wordnet())


@cache
def mixed_profile() -> Profile:
    """Return the profile of such a network."""
    demo, isa = demo_profile(), demo_hierarchy()
    rows = [isa.class_ids.index(class_id) for class_id in demo.class_ids]
    column_of = {concept.label: column for column, concept in enumerate(isa.concepts)}
    below = {theme: isa.below[rows, column_of[theme]] for theme in THEMES}
    rng = np.random.default_rng(7)
    shallow = rng.uniform(0, 0.3, (len(rows), 6))
    deep = rng.uniform(0, 0.1, (len(rows), 42))
    for column in range(42):
        single = THEMES[(column - 8) // 4 : (column - 8) // 4 + 1] if column >= 8 else ()
        themes = MIXED.get(column, single)
        for theme in themes:
            deep[below[theme], column] += rng.uniform(0.4, 0.6, below[theme].sum())
    return Profile(
        mean=np.hstack([shallow, deep]),
        variance=None,
        count=np.full(len(rows), 5, dtype=np.int64),
        class_ids=demo.class_ids,
        class_labels=demo.class_labels,
        layer_names=("shallow", "deep"),
        layer_offsets=np.array([0, 6, 48]),
        metadata={
            "network": "mixed",
            "identifier": "mixed-0123456789ab",
            "weights_sha256": "0123456789ab" + 52 * "0",
            "images": {"sha256": 64 * "e"},
            "versions": {"keras": "3.0"},
            "started": "2026-01-01T00:00:00+00:00",
            "ended": "2026-01-01T01:00:00+00:00",
        },
    )
