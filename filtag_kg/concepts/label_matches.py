"""What a label matches, of whatever lies at or below concepts: images, classes, filters."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from filtag_kg.concepts.compound import atoms, evaluate, parse_compound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from filtag_kg.concepts.links import Links


def label_matches(links: Links, class_id: str, at_or_below: Callable[[str], NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Return what the label of a class matches: the things at or below its concept, or at or below any of several.

    A formula (*dog AND NOT poodle*) matches as it says; an atom without a link matches nothing.

    Parameters
    ----------
    links : Links
        Of a run.
    class_id : str
        A class with a link.
    at_or_below : callable
        From the IRI of a concept to a bool array of shape (n_things,): which of them lie at or below it.

    Returns
    -------
    bool array of shape (n_things,)

    Raises
    ------
    KeyError
        If the class has no link.

    Examples
    --------
    >>> from filtag_kg.concepts import link_classes, wordnet
    >>> dogs = ("poodle", "beagle")
    >>> links = link_classes(("a", *dogs), ("dog AND NOT poodle", *dogs), wordnet())
    >>> def at_or_below(concept):
    ...     return np.array([concept in wordnet().at_or_above(links[dog].concept) for dog in dogs])
    >>> label_matches(links, "a", at_or_below).tolist()
    [False, True]
    """
    of_class = links.of(class_id)
    if not of_class:
        raise KeyError(class_id)

    def union(concepts: Iterable[str]) -> NDArray[np.bool_]:
        nothing = np.zeros_like(at_or_below(of_class[0].concept), dtype=np.bool_)
        return reduce(np.logical_or, map(at_or_below, concepts), nothing)

    formula = parse_compound(of_class[0].class_label)
    # A person may have given the whole label another concept.
    if formula is None or {link.text for link in of_class}.isdisjoint(text for text, _ in atoms(formula)):
        return union(links.concepts(class_id))
    return evaluate(formula, lambda text: union(link.concept for link in of_class if link.text == text))
