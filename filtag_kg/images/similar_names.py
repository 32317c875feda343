"""Suggestions for misspelt names of classes."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

_MOST_SIMILAR = 3
_MOST_NAMED = 5


def similar_names(name: str, names: Iterable[str], labels: Mapping[str, str] | None = None) -> list[str]:
    """Return the names that are spelled like `name`, best first, at most three.

    Parameters
    ----------
    names : iterable of str
        The known ones.
    labels : mapping of str to str, optional
        Labels of either side's names: so a WordNet id is similar to a folder named by its label.

    >>> similar_names("Egyptian-Cat", ["tabby", "egyptian_cat"])
    ['egyptian_cat']
    >>> similar_names("tabby", ["n02123045", "n02124075"], {"n02123045": "tabby", "n02124075": "Egyptian cat"})
    ['n02123045']
    """
    labels = labels or {}
    spelled: dict[str, str] = {}
    for known in names:
        for spelling in (known, labels.get(known, known)):
            spelled.setdefault(plain_name(spelling), known)
    wanted = dict.fromkeys(plain_name(spelling) for spelling in (name, labels.get(name, name)))
    same = [spelled[spelling] for spelling in wanted if spelling in spelled]
    close = [match for spelling in wanted for match in difflib.get_close_matches(spelling, spelled, n=_MOST_SIMILAR)]
    return list(dict.fromkeys(same or [spelled[match] for match in close]))[:_MOST_SIMILAR]


def with_similar_names(unknown: Sequence[str], names: Iterable[str], labels: Mapping[str, str] | None = None) -> str:
    """Return unknown names as a message lists them, each with the known ones similar to it.

    >>> with_similar_names(["Tabby", "zebra"], ["tabby", "lynx"])
    'Tabby (did you mean tabby?), zebra'
    """
    known = list(names)
    named = []
    for name in unknown[:_MOST_NAMED]:
        similar = similar_names(name, known, labels)
        named.append(name + (f" (did you mean {' or '.join(similar)}?)" if similar else ""))
    more = len(unknown) - _MOST_NAMED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def plain_name(name: str) -> str:
    """Return a name without what people write differently: case, Unicode's form, underscores, hyphens, spaces."""
    return " ".join(re.split(r"[\s_-]+", unicodedata.normalize("NFKC", name).casefold().strip(" _-")))
