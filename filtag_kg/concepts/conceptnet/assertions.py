"""ConceptNet's assertions: the lines of its dump.

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
from typing import TYPE_CHECKING

from filtag_kg.concepts.conceptnet.term_paths import encoded_path, term_path

if TYPE_CHECKING:
    from collections.abc import Mapping

CITATION = (
    "This work includes data from ConceptNet 5, which was compiled by the Commonsense Computing Initiative and is "
    "freely available under the Creative Commons Attribution-ShareAlike license (CC BY-SA 4.0) from https://conceptnet.io."
)
"""The attribution that ConceptNet asks for."""
LICENCE = "https://creativecommons.org/licenses/by-sa/4.0/"
"""The licence of ConceptNet as a whole."""

_FIELDS = 5
# ConceptNet's largest are below 100.
_MOST_WEIGHT = 1e6
_SHORT_LICENCE = re.compile(r"cc:([a-z-]+)/([\d.]+)", re.ASCII)
_REST = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*"
_ADDRESS = re.compile(rf"https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?:[/?]{_REST})?(?:#{_REST})?")


@dataclass(frozen=True, slots=True)
class Assertion:
    """One line of the dump, or one edge of the web API.

    Parameters
    ----------
    relation : str
        Without ``/r/``.
    start, end : str
        Paths of terms in IRIs: ``/c/en/dog/n/wn/animal``.
    dataset : str
        A path in IRIs: ``/d/wordnet/3.1``.
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
        If the line is not an assertion; the message says why.
    """
    fields = line.rstrip("\r\n").split("\t")
    if len(fields) != _FIELDS:
        raise ValueError(f"{len(fields)} fields between tabs where an assertion has {_FIELDS}")
    _, relation, start, end, text = fields
    try:
        more = json.loads(text)
        weight, dataset, licence = more["weight"], more["dataset"], more["license"]
    except (ValueError, TypeError, LookupError, RecursionError):
        weight = dataset = licence = None
    if not (is_weight(weight) and isinstance(dataset, str) and isinstance(licence, str)):
        raise ValueError("the fifth field is not a JSON object with weight, dataset and license") from None
    return assertion(relation, start, end, weight, dataset, licence)


def assertion(relation: str, start: str, end: str, weight: float, dataset: str, licence: str) -> Assertion:
    """Return an assertion from what ConceptNet calls its parts.

    Raises
    ------
    ValueError
        If one of them cannot be what it should be; the message says which.
    """
    ends = term_path(start), term_path(end)
    if not dataset.startswith("/"):
        raise ValueError("the data set is not a path such as /d/wordnet/3.1")
    try:
        dataset = encoded_path(dataset)
    except UnicodeEncodeError:
        raise ValueError("the data set is not Unicode") from None
    return Assertion(relation.removeprefix("/r/"), *ends, float(weight), dataset, licence_iri(licence))


def is_weight(value: object) -> bool:
    """Return whether a JSON value can be the weight of an assertion: a finite number from 0."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST_WEIGHT


def licence_iri(name: str) -> str:
    """Return the IRI of a licence from ConceptNet's short name, or a web address as it is.

    Raises
    ------
    ValueError
        If it is neither.

    Examples
    --------
    >>> licence_iri("cc:by-sa/4.0")
    'https://creativecommons.org/licenses/by-sa/4.0/'
    """
    if match := _SHORT_LICENCE.fullmatch(name):
        return f"https://creativecommons.org/licenses/{match[1]}/{match[2]}/"
    if not is_address(name):
        raise ValueError("the licence is neither a name such as cc:by/4.0 nor an address")
    return name


def is_address(value: object) -> bool:
    """Return whether a value is a web address that can be an IRI as it is."""
    return isinstance(value, str) and _ADDRESS.fullmatch(value) is not None


def skipped_text(skipped: Mapping[str, int], name: str) -> str:
    """Return in one line how many things were skipped, and why.

    Examples
    --------
    >>> skipped_text({"not UTF-8": 2, "the file is on fire": 1}, "line"), skipped_text({"not UTF-8": 1}, "line")
    ('3 lines skipped: not UTF-8 (2), the file is on fire (1)', '1 line skipped: not UTF-8')
    """
    total = sum(skipped.values())
    reasons = (f"{reason} ({count:,})" if len(skipped) > 1 else reason for reason, count in sorted(skipped.items()))
    return f"{total:,} {name}{'s' if total > 1 else ''} skipped: {', '.join(reasons)}"
