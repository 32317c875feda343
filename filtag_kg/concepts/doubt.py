"""What speaks against a link that was found by a label: signs that ``benchmarks/concepts.py`` measures.

::

    unsure      the confidence is below 0.6
    capitals    the sense is written in capitals that the label does not have (*ok*: O.K., *it*: information
                technology), all of them or where the word has a sense that is written as the label is
    other name  the concept's preferred label is another word, and it is not the first sense of this one (*crank*:
                methamphetamine)
    rare        the source's corpus has the word in another sense more than three times as often (*orange*: the tree)
    alone       no other class is linked near it: to what shares a concept with it that at most a quarter of all
                concepts lie below (*NORMAL*: convention, beside eye diseases)

    trust       the confidence, halved by each sign but the first; a link is doubtful if that is below 0.6

Links by a class's id, and those that a person has decided on, are never doubtful.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from filtag_kg.concepts.sense_choice import all_above

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filtag_kg.concepts.links import Link, Links
    from filtag_kg.concepts.source import ConceptSource, Sense

_QUARTER = 4
_RARE = 3


@dataclass(frozen=True, slots=True)
class DoubtfulLink:
    """A link that is probably wrong, described for a reviewer.

    Parameters
    ----------
    class_id, label : str
        The class.
    concept : str
        IRI of the concept that it is linked to.
    meaning : str
        The concept's label, and what it is a kind of.
    signs : tuple of str
        What speaks against the link besides a low confidence.
    alternative : str or None
        What else the label most probably means, in the same words.
    """

    class_id: str
    label: str
    concept: str
    meaning: str
    confidence: float
    signs: tuple[str, ...]
    alternative: str | None


def doubtful_links(links: Links, source: ConceptSource) -> list[DoubtfulLink]:
    """Return the links that are probably wrong, the least trusted first."""
    return [
        DoubtfulLink(
            class_id=link.class_id,
            label=link.class_label,
            concept=link.concept,
            meaning=concept_text(link.concept, source),
            confidence=link.confidence,
            signs=link.signs,
            alternative=concept_text(link.others[0][0], source) if link.others else None,
        )
        for link in links.doubtful
    ]


def concept_text(concept: str, source: ConceptSource) -> str:
    """Return a concept's label, and what it is a kind of."""
    above = next((source.concept(edge.end).label for edge in source.edges(concept, "IsA")), None)
    return source.concept(concept).label + (f" (a kind of {above})" if above is not None else "")


def signs_of_doubt(word: str, index: int, senses: Sequence[Sense], label: str) -> tuple[str, ...]:
    """Return what speaks against a sense of a word, whatever the other classes are.

    Parameters
    ----------
    word : str
        As the class's label spells it.
    index : int
        Of the sense among `senses`.
    senses : sequence of Sense
        All senses of the word, in the order of the source.
    label : str
        The preferred label of the sense's concept.
    """
    sense = senses[index]
    signs = []
    raised = any(ours.islower() and theirs.isupper() for ours, theirs in zip(word, sense.lemma, strict=False))
    if raised and (sense.lemma.isupper() or any(other.lemma == word for other in senses)):
        signs.append("capitals")
    if index and label.casefold() != sense.lemma.casefold():
        signs.append("other name")
    if sense.count * _RARE < max(other.count for other in senses):
        signs.append("rare")
    return tuple(signs)


def mark_lone_links(links: Sequence[Link], source: ConceptSource) -> list[Link]:
    """Return links, those by a label alone with the sign *alone* where no other link leads near."""
    above = all_above([link.concept for link in links], source)
    size = {concept: source.size(concept) for concept in above}
    largest = max(size.values(), default=0)
    near = {concept for concept in above if size[concept] * _QUARTER <= largest}
    n_links = Counter(concept for link in links for concept in near.intersection(above[link.concept]))
    return [
        replace(link, signs=(*link.signs, "alone"))
        if link.by_label_alone and all(n_links[concept] <= 1 for concept in above[link.concept])
        else link
        for link in links
    ]
