"""What somebody may have meant by a class's name that there is not."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

__all__ = ["plain_name", "similar_names", "with_similar_names"]

_MOST_NEAR = 3
_MOST_NAMED = 5
_NO_LABELS: Mapping[str, str] = MappingProxyType({})


def similar_names(name: str, names: Iterable[str], labels: Mapping[str, str] = _NO_LABELS) -> list[str]:
    """Return the names that are spelled like `name`, the likeliest first, at most three.

    Parameters
    ----------
    name : str
    names : iterable of str
        Those that there are.
    labels : mapping of str to str
        What names, of either side, are called besides: a WordNet id is near to a folder with its label.

    >>> similar_names("Egyptian-Cat", ["tabby", "egyptian_cat"])
    ['egyptian_cat']
    >>> similar_names("tabby", ["n02123045", "n02124075"], {"n02123045": "tabby", "n02124075": "Egyptian cat"})
    ['n02123045']
    """
    spelled: dict[str, str] = {}
    for known in names:
        for spelling in (known, labels.get(known, known)):
            spelled.setdefault(plain_name(spelling), known)
    wanted = dict.fromkeys(plain_name(spelling) for spelling in (name, labels.get(name, name)))
    same = [spelled[spelling] for spelling in wanted if spelling in spelled]
    near = [found for spelling in wanted for found in difflib.get_close_matches(spelling, spelled, n=_MOST_NEAR)]
    return list(dict.fromkeys(same or [spelled[spelling] for spelling in near]))[:_MOST_NEAR]


def with_similar_names(unknown: Sequence[str], names: Iterable[str], labels: Mapping[str, str] = _NO_LABELS) -> str:
    """Return unknown names as a message lists them, each with the known ones near to it.

    >>> with_similar_names(["Tabby", "zebra"], ["tabby", "lynx"])
    'Tabby (did you mean tabby?), zebra'
    """
    known = list(names)
    named = []
    for name in unknown[:_MOST_NAMED]:
        near = similar_names(name, known, labels)
        named.append(name + (f" (did you mean {' or '.join(near)}?)" if near else ""))
    more = len(unknown) - _MOST_NAMED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def plain_name(name: str) -> str:
    """Return a name without what people write differently: case, accents' encoding, underscores, hyphens, spaces."""
    return " ".join(re.split(r"[\s_-]+", unicodedata.normalize("NFKC", name).casefold().strip(" _-")))
