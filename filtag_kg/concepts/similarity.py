"""How alike two concepts are, by what lies above both of them.

::

    ic(c)      -ln(size(c) / size of all): how much is said by calling something a c
    shared     the highest ic of what lies at or above both concepts
    Lin        2 shared / (ic(a) + ic(b)), in [0, 1]: 1 for one concept, 0 if they share what holds of everything   [1]_

Two concepts are *near* if Lin's similarity is at least 0.5, the *same kind* if they are near and one lies at or below
the other (*beagle* and *dog*, not *beagle* and *living thing*), and *equal* if they are one.

References
----------
.. [1] Lin 1998, An Information-Theoretic Definition of Similarity, section 4
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAR = 0.5
"""The least similarity of near concepts."""


class Closeness(IntEnum):
    """How close two concepts are; each includes those after it in rank."""

    DIFFERENT = 0
    NEAR = 1
    SAME_KIND = 2
    EQUAL = 3


@dataclass(frozen=True, slots=True, eq=False)
class Similarities:
    """How alike concepts of one sequence are to those of another.

    Parameters
    ----------
    lin : float32 array of shape (n_a, n_b), in [0, 1]
    closeness : int8 array of shape (n_a, n_b)
        Values of `Closeness`.
    """

    lin: NDArray[np.float32]
    closeness: NDArray[np.int8]


def similarities(
    a: Sequence[str], b: Sequence[str], above: Mapping[str, Sequence[str]], share: Callable[[str], float]
) -> Similarities:
    """Compare concepts.

    Parameters
    ----------
    a, b : sequence of str, of length n_a and n_b
        IRIs.
    above : mapping of str to sequence of str
        All that lies at or above each concept.
    share : callable
        From a concept to the share of all concepts that lie at or below it, in (0, 1].
    """
    above_a, above_b = ([frozenset(above.get(concept, (concept,))) for concept in each] for each in (a, b))
    shared = sorted(set().union(*above_a) & set().union(*above_b))
    known = {concept: -np.log(share(concept)) for concept in {*shared, *a, *b}}
    lin = np.zeros((len(a), len(b)), dtype=np.float32)
    rows, columns = _members(above_a), _members(above_b)
    for concept in sorted(shared, key=lambda each: (known[each], each)):
        lin[np.ix_(rows[concept], columns[concept])] = known[concept]
    ends = np.add.outer([known[concept] for concept in a], [known[concept] for concept in b])
    # In sources with rough sizes what lies above may be the smaller one.
    lin = np.divide(2 * lin, np.maximum(ends, 2 * lin), out=np.zeros_like(lin), where=ends > 0, casting="same_kind")
    equal = np.array(a, dtype=object)[:, None] == np.array(b, dtype=object)[None, :]
    lin[equal] = 1.0
    related = np.zeros(lin.shape, dtype=np.bool_)
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            related[i, j] = one in above_b[j] or other in above_a[i]
    near = lin >= NEAR
    closeness = near.astype(np.int8) + (near & related) + equal
    return Similarities(lin, closeness.astype(np.int8))


def _members(above: Sequence[frozenset[str]]) -> dict[str, list[int]]:
    members: dict[str, list[int]] = {}
    for index, concepts in enumerate(above):
        for concept in concepts:
            members.setdefault(concept, []).append(index)
    return members
