"""The concept sources by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from filtag_kg.concepts.combined import CombinedSource
from filtag_kg.concepts.wordnet import wordnet
from filtag_kg.errors import FiltagError

if TYPE_CHECKING:
    from filtag_kg.concepts.source import ConceptSource

__all__ = ["concept_source"]

_NAMES = "wordnet, conceptnet[:INDEX] or conceptnet-api[:URL]"


def concept_source(names: str) -> ConceptSource:
    """Open a concept source, or several with commas between them, the preferred first.

    Parameters
    ----------
    names : str
        ``wordnet``; ``conceptnet``, the index of its dump, with the file after a colon unless it lies at its usual
        place; ``conceptnet-api``, with the service's address after a colon unless it is ConceptNet's own.

    Raises
    ------
    FiltagError
        If there is none of a name, or it cannot be opened.
    """
    opened = [_open(name.strip()) for name in names.split(",")]
    twice = [source.name for place, source in enumerate(opened) if source.name in {one.name for one in opened[:place]}]
    if twice:
        raise FiltagError(f"concept source {twice[0]} is named twice: name each once, the preferred first")
    return opened[0] if len(opened) == 1 else CombinedSource(opened)


def _open(name: str) -> ConceptSource:
    kind, _, place = name.partition(":")
    if kind == "wordnet" and not place:
        return wordnet()
    if kind == "conceptnet":
        from filtag_kg.concepts.conceptnet import ConceptNetIndex, default_index

        return ConceptNetIndex(Path(place) if place else default_index())
    if kind == "conceptnet-api":
        from filtag_kg.concepts.conceptnet.api import ConceptNetApi

        return ConceptNetApi(place) if place else ConceptNetApi()
    raise FiltagError(f"no concept source {name!r}: choose {_NAMES}")
