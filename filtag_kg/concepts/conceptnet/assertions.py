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

LICENCE = "https://creativecommons.org/licenses/by-sa/4.0/"
"""The licence of ConceptNet as a whole."""

_FIELDS = 5
_TERM = re.compile(r"/c/[a-z]+(?:[_-][a-z]+)*/[^/\x00-\x20\x7f-\xa0][^\x00-\x20\x7f-\xa0]*")
_NOT_IN_IRIS = re.compile(r'[<>"{}|\\^`]')
# ConceptNet's largest are below 100.
_MOST_WEIGHT = 1e6
_LICENCE = re.compile(r"cc:([a-z-]+)/([\d.]+)")


@dataclass(frozen=True, slots=True)
class Assertion:
    """One line of the dump: what an index keeps of it.

    Parameters
    ----------
    relation : str
        Without ``/r/``.
    start, end : str
        Paths of terms: ``/c/en/dog/n/wn/animal``.
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
        If the line is not an assertion; the message says why.
    """
    fields = line.rstrip("\r\n").split("\t")
    if len(fields) != _FIELDS:
        raise ValueError(f"{len(fields)} fields between tabs where an assertion has {_FIELDS}")
    _, relation, start, end, text = fields
    if not (is_term(start) and is_term(end)):
        raise ValueError("the third and fourth fields are not two terms such as /c/en/dog")
    try:
        more = json.loads(text)
        weight, dataset, licence = more["weight"], more["dataset"], more["license"]
        f"{dataset}{licence}".encode()
    except (ValueError, TypeError, LookupError, RecursionError):
        weight = dataset = licence = None
    if not (is_weight(weight) and isinstance(dataset, str) and isinstance(licence, str)):
        raise ValueError("the fifth field is not a JSON object with weight, dataset and license") from None
    return Assertion(relation.removeprefix("/r/"), start, end, float(weight), dataset, licence_iri(licence))


def is_term(path: object) -> bool:
    """Return whether a value is the path of a term: a language and a word, maybe with a sense.

    Examples
    --------
    >>> is_term("/c/en/dog/n"), is_term("/c/en")
    (True, False)
    """
    return isinstance(path, str) and _TERM.fullmatch(path) is not None


def is_in_iris(path: str) -> bool:
    """Return whether a term can be part of an IRI as it is; few cannot, and none of these is a kind of thing."""
    return _NOT_IN_IRIS.search(path) is None


def is_weight(value: object) -> bool:
    """Return whether a JSON value can be the weight of an assertion: a finite number from 0."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST_WEIGHT


def licence_iri(name: str) -> str:
    """Return the IRI of a licence from ConceptNet's short name.

    Examples
    --------
    >>> licence_iri("cc:by-sa/4.0")
    'https://creativecommons.org/licenses/by-sa/4.0/'
    """
    match = _LICENCE.fullmatch(name)
    return f"https://creativecommons.org/licenses/{match[1]}/{match[2]}/" if match else name


def text_of(path: str) -> str:
    """Return the word of a term, in plain spelling.

    Examples
    --------
    >>> text_of("/c/en/golden_retriever/n/wn/animal")
    'golden retriever'
    """
    return path.split("/")[3].replace("_", " ")


def part_of_speech(path: str) -> str:
    """Return the letter of a term's part of speech; empty where the term has none.

    Examples
    --------
    >>> part_of_speech("/c/en/dog/n/wn/animal"), part_of_speech("/c/en/dog")
    ('n', '')
    """
    parts = path.split("/")
    return parts[4] if len(parts) > 4 else ""
