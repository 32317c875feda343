from __future__ import annotations

from itertools import product
from math import log

import numpy as np
import pytest

from filtag_kg import wordnet
from filtag_kg.concepts import Closeness, similarities

WORDNET = wordnet()


def meant(*words: str) -> list[str]:
    return [WORDNET.senses(word)[0].concept for word in words]


def above(concept: str) -> tuple[str, ...]:
    reached, waiting = [concept], [concept]
    while waiting:
        for edge in WORDNET.edges(waiting.pop(), "IsA"):
            if edge.end not in reached:
                reached.append(edge.end)
                waiting.append(edge.end)
    return tuple(reached)


def share(concept: str) -> float:
    return WORDNET.size(concept) / len(WORDNET)


def test_against_lin_s_formula() -> None:
    concepts = meant("beagle", "bloodhound", "dog", "cat", "car", "red", "entity", "animal", "tiger", "oak")
    others = concepts[::-1][:7]
    found = similarities(concepts, others, {concept: above(concept) for concept in concepts}, share)
    for (i, one), (j, other) in product(enumerate(concepts), enumerate(others)):
        shared = max((-log(share(each)) for each in {*above(one)} & {*above(other)}), default=0.0)
        ends = -log(share(one)) - log(share(other))
        lin = 1.0 if one == other else 2 * shared / ends if ends else 0.0
        assert found.lin[i, j] == pytest.approx(lin, abs=1e-6)
        near = lin >= 0.5
        related = one in above(other) or other in above(one)
        expected = Closeness.EQUAL if one == other else Closeness(near + (near and related))
        assert found.closeness[i, j] == expected, (one, other)


def test_what_people_would_say() -> None:
    a, b = (
        meant("beagle", "beagle", "beagle", "beagle", "beagle"),
        meant("beagle", "dog", "bloodhound", "car", "organism"),
    )
    closeness = np.diagonal(similarities(a, b, {each: above(each) for each in (*a, *b)}, share).closeness)
    assert [Closeness(int(each)).name for each in closeness] == ["EQUAL", "SAME_KIND", "NEAR", "DIFFERENT", "DIFFERENT"]


def test_nothing_to_compare() -> None:
    assert similarities([], meant("dog"), {}, share).lin.shape == (0, 1)
    unknown = similarities(["urn:x"], ["urn:y"], {}, lambda _: 0.5)
    assert (unknown.lin.item(), unknown.closeness.item()) == (0.0, 0)
