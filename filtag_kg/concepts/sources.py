"""The concept sources by name. A new one is a module, and a line in `_KINDS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filtag_kg.concepts.combined import CombinedSource
from filtag_kg.concepts.terms import CONCEPTNET
from filtag_kg.concepts.wordnet import wordnet
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from filtag_kg.concepts.source import ConceptSource


DEFAULT_CONCEPTS = "wordnet,conceptnet"


def concept_source(names: str = DEFAULT_CONCEPTS) -> ConceptSource:
    """Open a concept source, or several with commas between them, the preferred first; WordNet always comes first.

    Parameters
    ----------
    names : str
        ``wordnet``; ``conceptnet``, the excerpt that comes with the package; ``conceptnet-dump``, the index of
        ConceptNet's dump, with the file after a colon unless it lies in its usual place; ``conceptnet-api``, with the
        service's address after a colon unless it is ConceptNet's own.

    Raises
    ------
    FiltagError
        If there is no source of a name, or it cannot be opened.
    """
    sources: dict[str, ConceptSource] = {}
    for name in names.split(","):
        source = _open(name.strip())
        if source.name in sources:
            raise FiltagError(
                f"concept source {source.name} is named twice: name each once, the preferred first",
                options=("concepts",),
            )
        sources[source.name] = source
    return source if len(sources) == 1 else CombinedSource(list(sources.values()))


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of concept source.

    Parameters
    ----------
    open : callable
        Opens the source at a location; empty text: at its usual one.
    location : str
        What a location is called; empty where there is no choice.
    """

    open: Callable[[str], ConceptSource]
    location: str = ""


def _open_excerpt(_: str) -> ConceptSource:
    from filtag_kg.concepts.conceptnet.excerpt import conceptnet_excerpt

    return conceptnet_excerpt()


def _open_index(path: str) -> ConceptSource:
    from filtag_kg.concepts.conceptnet import ConceptNetIndex, default_index

    return ConceptNetIndex(Path(path) if path else default_index())


def _open_api(url: str) -> ConceptSource:
    from filtag_kg.concepts.conceptnet.api import ConceptNetApi

    return ConceptNetApi(url or CONCEPTNET)


_KINDS = {
    "wordnet": _Kind(lambda _: wordnet()),
    "conceptnet": _Kind(_open_excerpt),
    "conceptnet-dump": _Kind(_open_index, "INDEX"),
    "conceptnet-api": _Kind(_open_api, "URL"),
}


def _open(name: str) -> ConceptSource:
    kind, _, location = name.partition(":")
    if kind in _KINDS and (not location or _KINDS[kind].location):
        return _KINDS[kind].open(location)
    *others, last = (f"{name}[:{kind.location}]" if kind.location else name for name, kind in _KINDS.items())
    raise FiltagError(f"no concept source {name!r}: choose {', '.join(others)} or {last}", options=("concepts",))
