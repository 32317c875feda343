"""The concept sources by name."""

from __future__ import annotations

from filtag_kg.concepts.source import ConceptSource
from filtag_kg.concepts.wordnet import wordnet
from filtag_kg.errors import FiltagError

__all__ = ["concept_source"]

_SOURCES = {"wordnet": wordnet}


def concept_source(name: str) -> ConceptSource:
    """Open a concept source.

    Raises
    ------
    FiltagError
        If there is none of that name.
    """
    if name not in _SOURCES:
        raise FiltagError(f"no concept source {name!r}: choose {' or '.join(_SOURCES)}")
    return _SOURCES[name]()
