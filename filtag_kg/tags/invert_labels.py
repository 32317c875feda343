"""INVERT's labels as CoSy publishes them: ``neuron,concept,concept_id,metric``.

A concept is a class or a kind of classes, by its WordNet id, or a formula over several. INVERT writes formulas with
``&``, ``|`` and ``~``, others with words; they become ``AND``, ``OR`` and ``NOT``.

References
----------
Bykov et al. 2023, Labeling Neural Representations with Inverse Recognition
Kopf et al. 2024, CoSy: Evaluating Textual Explanations of Neurons
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from filtag_kg.tags.labels import Label, csv_format, filter_index, plain, score_of

_SYMBOLS = {"&": "AND", "∧": "AND", "|": "OR", "∨": "OR", "~": "NOT", "!": "NOT", "¬": "NOT"}
_SYMBOL = re.compile(r"&+|\|+|[~!¬∧∨]")
_WORD = re.compile(r"\b(?:and|or|not)\b", re.IGNORECASE)
_ID = r"[nvasr]?[0-9]+"
_ID_FORMULA = re.compile(rf"[\s()]*(?:NOT[\s()]+)*{_ID}(?:[\s()]+(?:AND|OR)[\s()]+(?:NOT[\s()]+)*{_ID})*[\s()]*")
# NLTK's name of a synset, which INVERT's metadata have.
_SYNSET = re.compile(r"(.+)\.n\.\d\d")


def in_words(formula: str) -> str:
    """Return a formula with its operators in words.

    >>> in_words("(dog | cat) & ~n02085620")
    '(dog OR cat) AND NOT n02085620'
    """
    worded = _SYMBOL.sub(lambda match: f" {_SYMBOLS[match[0][0]]} ", formula)
    return " ".join(worded.split()).replace("( ", "(").replace(" )", ")")


def id_formula(text: str) -> str | None:
    """Return the formula over ids that a cell holds, its operators in capitals; None if it is a single id or none.

    In brackets, so that it does not begin like the id of its first concept.

    >>> id_formula("n02084071 & ~n02085620"), id_formula("n02084071")
    ('(n02084071 AND NOT n02085620)', None)
    """
    worded = _WORD.sub(lambda match: match[0].upper(), in_words(text))
    if not _WORD.search(worded) or not _ID_FORMULA.fullmatch(worded) or worded.count("(") != worded.count(")"):
        return None
    return f"({worded})"


def formula_label(label: str, of_ids: str) -> str:
    """Return the label of a formula over ids, with the same operators in capitals.

    A name may hold such a word itself: in *black and gold garden spider or dog* the formula has but one operator. In a
    label that is all in capitals, the names are put in small letters.
    """
    worded = in_words(label if any(letter.islower() for letter in label) else label.lower())
    operators = _WORD.findall(of_ids)
    if [word for word in _WORD.findall(worded) if word.isupper()] == operators:
        return worded
    if [word.upper() for word in _WORD.findall(worded)] == operators:
        return _WORD.sub(lambda match: match[0].upper(), worded)
    return worded


def _labels(where: str, row: Mapping[str, str]) -> Iterator[Label]:
    neuron = filter_index(row["neuron"], name="neuron")
    score = score_of(row["metric"], "metric")
    label, class_id = plain(row["concept"]), row.get("concept_id", "")
    if (formula := id_formula(class_id)) is not None:
        yield Label(where, neuron, formula_label(label or formula[1:-1], formula), class_id=formula, score=score)
        return
    if class_id and (synset := _SYNSET.fullmatch(label)) is not None:
        label = synset[1]
    elif not class_id and set(_SYMBOL.findall(label)) - {"&", "!"}:
        label = in_words(label)
    yield Label(where, neuron, label or class_id, class_id=class_id or None, score=score)


INVERT = csv_format(
    "invert",
    ("neuron", "concept", "metric"),
    _labels,
    score_meaning="AUC: the chance that an image of the concept activates the filter more than another image does",
)
"""Neurons count from 0."""
