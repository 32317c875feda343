"""Class ids, labels and layers that ask much of every format: a small KG with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from filtag_kg import Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.kg import KG, build_kg

CONTROL = "".join(map(chr, [*range(1, 32), 127, 0x85]))
ODD_NAMES = (
    "n02087394",
    "..",
    ".",
    "con",
    "a/b",
    "a%2Fb",
    "?",
    "#",
    "a b",
    "a+b&c=d;e",
    "</script><script>alert(1)</script>",
    "<b>\"'&amp;",
    "Bär",
    "\ufffe\uffff\ufeff",
    "\u2028\u2029\x85",
    CONTROL,
    "\x00!",
    'quote " and \\ and \t and \n and \r end',
    "{{ 7 * 7 }}{% raw %}",
    "- yaml: [x, *y]\n# no",
    "'); DROP ALL; #",
    "]]>",
    "$1$ \\frac",
    "|_*`[x](javascript:1)",
    "long " * 60,
    "😀" * 50,
    "\u202eright to left",
    "-",
    "=1+1",
    "2",
    "filter",
    "page",
)


def odd_kg(folder: Path, ids: Sequence[str], labels: Sequence[str], layers: Sequence[str] = ("first", "second")) -> KG:
    """Build a KG of two small layers, its classes dealt out to the filters."""
    n_classes = len(ids)
    mean = np.random.default_rng(0).random((n_classes, 3 * len(layers)))
    profile = Profile(
        mean=mean,
        variance=np.full(mean.shape, 0.01),
        count=np.full(n_classes, 2),
        class_ids=tuple(ids),
        class_labels=tuple(labels),
        layer_names=tuple(layers),
        layer_offsets=np.arange(len(layers) + 1) * 3,
        metadata={"network": "odd", "identifier": "odd"},
    )
    tags = tag_filters(profile, [Rule("k", 1)], network="odd")
    return build_kg(folder / "kg", tags, wordnet(), Provenance.of_profile(profile), profile=profile)
