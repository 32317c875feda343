"""Whose a KG's own data is: its title, its creators and the licence that they give."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from filtag_kg.errors import FiltagError
from filtag_kg.graph.nquads import iri
from filtag_kg.images import similar_names

SPDX = "https://spdx.org/licenses/"
"""What the IRIs of licences begin with that SPDX lists."""

_BEGINS_AS_IRI = re.compile(r"https?://|urn:|did:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attribution:
    """What a user says of their own data: the profile, the tags, and what the graph says of them.

    Parameters
    ----------
    title : str, optional
        Of the dataset.
    creators : tuple of str
        Names, or IRIs such as ``https://orcid.org/0000-0002-1825-0097``.
    licence : str, optional
        An IRI, or the id that SPDX gives it, such as ``CC-BY-4.0``. Without one, no licence is claimed.

    Raises
    ------
    FiltagError
        If a text is empty, has line breaks, or is not what it should be.
    """

    title: str | None = None
    creators: tuple[str, ...] = ()
    licence: str | None = None

    def __post_init__(self) -> None:
        """Check each text."""
        if isinstance(self.creators, str):
            raise TypeError(f"creators is a tuple of texts, got {self.creators!r}")
        if self.title is not None:
            _check_line(self.title, "a title", "title")
        for creator in self.creators:
            _check_line(creator, "the name of a creator, or an IRI", "creators")
            if is_iri(creator):
                _check_iri(creator, "creators")
        if self.licence is not None:
            licence_iri(self.licence)

    def record(self) -> dict[str, Any]:
        """Return what the manifest says, without what is not given."""
        licence = None if self.licence is None else licence_iri(self.licence)
        record = {"title": self.title, "creators": list(self.creators), "licence": licence}
        return {name: value for name, value in record.items() if value}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Attribution:
        """Return what a manifest says."""
        return cls(record.get("title"), tuple(record.get("creators", ())), record.get("licence"))


def is_iri(text: str) -> bool:
    """Return whether a text is meant as an IRI rather than as a name."""
    return _BEGINS_AS_IRI.match(text) is not None


def licence_iri(text: str) -> str:
    """Return the IRI of a licence.

    Parameters
    ----------
    text : str
        An IRI, or an SPDX id in any case.

    Raises
    ------
    FiltagError
        If it is neither.

    >>> licence_iri("cc-by-4.0")
    'https://spdx.org/licenses/CC-BY-4.0'
    """
    if is_iri(text):
        return _check_iri(text, "licence")
    known = _spdx_ids()
    if text.casefold() in known:
        return SPDX + known[text.casefold()]
    similar = similar_names(text, known.values())
    meant = f" (did you mean {' or '.join(similar)}?)" if similar else ""
    raise FiltagError(
        f"{text!r} is not a licence{meant}: give an IRI, or an id from https://spdx.org/licenses such as CC-BY-4.0",
        options=("licence",),
    )


@cache
def _spdx_ids() -> dict[str, str]:
    """Return the ids of SPDX's licence list 3.27.0, by their form without case."""
    text = files("filtag_kg.graph").joinpath("spdx_licences.txt").read_text(encoding="ascii")
    return {id_.casefold(): id_ for id_ in text.split()}


def _check_line(text: str, what: str, option: str) -> None:
    if not text.strip() or not text.isprintable():
        raise FiltagError(f"{text!r} is not {what}: give one line of text", options=(option,))


def _check_iri(text: str, option: str) -> str:
    try:
        iri(text)
        has_name = bool(text.rpartition(":")[2].strip("/"))
    except ValueError:
        has_name = False
    if not has_name:
        raise FiltagError(f"{text!r} is not an IRI: give all of it, without spaces", options=(option,))
    return text
