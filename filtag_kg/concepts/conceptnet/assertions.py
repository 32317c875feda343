"""ConceptNet's assertions, as a line of its dump has them.

A line has five fields between tabs: the assertion's URI, the relation, the start, the end, and a JSON object with
weight, data set, licence and sources [1]_.

References
----------
.. [1] ConceptNet's wiki, *Downloads*: the format of ``conceptnet-assertions-5.7.0.csv.gz``
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

__all__ = ["LICENCE", "Assertion", "licence_iri", "parse_assertion", "part_of_speech", "text_of"]

LICENCE = "https://creativecommons.org/licenses/by-sa/4.0/"
"""The licence of ConceptNet as a whole."""

_FIELDS = 5
_LICENCE = re.compile(r"cc:([a-z-]+)/([\d.]+)")


@dataclass(frozen=True, slots=True)
class Assertion:
    """One line of the dump, as far as it is kept.

    Parameters
    ----------
    relation : str
        Without ``/r/``.
    start, end : str
        Paths of terms: ``/c/en/dog/n/wn/animal``.
    weight : float
    dataset : str
        A path: ``/d/wordnet/3.1``.
    licence : str
        An IRI.
    """

    relation: str
    start: str
    end: str
    weight: float
    dataset: str
    licence: str


def parse_assertion(line: str) -> Assertion:
    """Return the assertion of a line.

    Raises
    ------
    ValueError
        If the line is no assertion; the message says why.
    """
    fields = line.rstrip("\r\n").split("\t")
    if len(fields) != _FIELDS:
        raise ValueError(f"{len(fields)} fields between tabs where an assertion has {_FIELDS}")
    _, relation, start, end, text = fields
    try:
        more = json.loads(text)
        weight, dataset, licence = float(more["weight"]), str(more["dataset"]), licence_iri(more["license"])
    except (ValueError, TypeError, LookupError):
        raise ValueError("the fifth field is no JSON object with weight, dataset and license") from None
    return Assertion(relation.removeprefix("/r/"), start, end, weight, dataset, licence)


def licence_iri(name: str) -> str:
    """Return the IRI of a licence that ConceptNet names in short.

    Examples
    --------
    >>> licence_iri("cc:by-sa/4.0")
    'https://creativecommons.org/licenses/by-sa/4.0/'
    """
    match = _LICENCE.fullmatch(name)
    return f"https://creativecommons.org/licenses/{match[1]}/{match[2]}/" if match else name


def text_of(path: str) -> str:
    """Return what a term says, in plain spelling.

    Examples
    --------
    >>> text_of("/c/en/golden_retriever/n/wn/animal")
    'golden retriever'
    """
    return path.split("/")[3].replace("_", " ")


def part_of_speech(path: str) -> str:
    """Return the letter of a term's part of speech, or nothing where the term is of any.

    Examples
    --------
    >>> part_of_speech("/c/en/dog/n/wn/animal"), part_of_speech("/c/en/dog")
    ('n', '')
    """
    parts = path.split("/")
    return parts[4] if len(parts) > 4 else ""
