"""Network Dissection's ``tally.csv``: ``unit,category,label,score`` and, for each category, its best label and counts.

Units count from 1. Labels are those of the Broden data set, whose names carry a category: ``black-c`` is a colour and
``ball_pit-s`` a scene. They are read as people say them, and the class keeps Broden's name as its id, for a house
(``house``) is not the scene of one (``house-s``).

References
----------
Bau et al. 2017, Network Dissection: Quantifying Interpretability of Deep Visual Representations
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from filtag_kg.names import nfc
from filtag_kg.tags.labels import Label, csv_format, filter_index, plain, score_of

# What comes after the thing in Broden's names and before it in English: casino-indoor, plastic-opaque, mountain_snowy.
_QUALIFIED = re.compile(
    r"(?P<thing>.+)[-_](?P<qualifier>baseball|broadleaf|clear|cultivated|deep|exterior|football|home|indoor|interior"
    r"|natural|needleleaf|opaque|outdoor|public|rural|sand|snowy|soccer|urban|wild)"
)
_NAME = re.compile(r"(?P<thing>.+?)(?P<kind>-[cs])?")


def spoken(name: str, category: str = "") -> str:
    """Return a name of Broden as people say it; of a colour with a hint, for *orange* is a fruit as well.

    >>> spoken("ball_pit-s"), spoken("casino-indoor-s"), spoken("plastic-opaque"), spoken("polka-dotted")
    ('ball pit', 'indoor casino', 'opaque plastic', 'polka-dotted')
    >>> spoken("orange-c")
    'orange (color)'
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return ""
    thing, kind = match["thing"], match["kind"]
    if kind == "-c" or category == "color":
        return f"{plain(thing)} (color)"
    if (qualified := _QUALIFIED.fullmatch(thing)) is not None:
        thing = f"{qualified['qualifier']} {qualified['thing']}"
    return plain(thing.replace("-", " ") if kind == "-s" else thing)


def _labels(where: str, row: Mapping[str, str]) -> Iterator[Label]:
    name = nfc(row["label"])
    label = spoken(name, row["category"].casefold()) if name else ""
    yield Label(
        where,
        filter_index(row["unit"], name="unit", least=1),
        label,
        class_id=name if name and name != label else None,
        score=score_of(row["score"]),
    )


NETDISSECT = csv_format(
    "netdissect",
    ("unit", "category", "label", "score"),
    _labels,
    score_meaning="intersection over union of the regions where the filter is most active and those of the concept",
)
"""Units count from 1."""
