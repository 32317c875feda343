"""Link the classes of a run to concepts.

A class whose id is a WordNet id links to that synset, exactly. Any other class links by its label to the
word's most frequent sense as a noun. Senses that spell the word as the label does are preferred (*Cardigan*
is a dog, *cardigan* a garment): of the 1,000 labels of ImageNet 807 get the right concept, 791 without that
preference.

The confidence of a link by label is the sense's share of the word's occurrences, each sense counted once more
than its corpus count c_i (Laplace's rule) so that no sense of a rare word is impossible::

    confidence = (c_1 + 1) / sum_i (c_i + 1)    over the senses that were candidates, 1 being the one taken
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filtag_kg.concepts.source import ConceptSource

__all__ = ["Link", "Links", "link_classes", "preferred_labels"]

_BY_ID = "semapv:BackgroundKnowledgeBasedMatching"
_BY_LABEL = "semapv:LexicalMatching"


@dataclass(frozen=True, slots=True)
class Link:
    """A class and the concept that it means, in the slots of SSSOM.

    Parameters
    ----------
    class_id, class_label : str
        The class.
    concept : str
        IRI of the concept.
    label : str
        The concept's preferred label.
    confidence : float, in (0, 1]
        How probable it is that the class means this concept.
    justification : str
        How the link was found, a term of the Semantic Mapping Vocabulary: the class id is WordNet's own
        (``semapv:BackgroundKnowledgeBasedMatching``) or the label was looked up (``semapv:LexicalMatching``).
    predicate : str
        How the two relate, a CURIE.
    """

    class_id: str
    class_label: str
    concept: str
    label: str
    confidence: float
    justification: str
    predicate: str = "skos:exactMatch"

    def __post_init__(self) -> None:
        if not 0 < self.confidence <= 1:
            raise ValueError(f"the confidence of a link must be in (0, 1], not {self.confidence}")


@dataclass(frozen=True, slots=True)
class Links(Mapping[str, Link]):
    """The links of a run's classes: a mapping from class id to link, for the classes that have one.

    Parameters
    ----------
    class_ids, class_labels : tuple of str, of length n_classes
        Every class of the run, linked or not.
    links : tuple of Link
        One at most for each class.
    """

    class_ids: tuple[str, ...]
    class_labels: tuple[str, ...]
    links: tuple[Link, ...]
    _of: Mapping[str, Link] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.class_ids) != len(self.class_labels):
            raise ValueError("each class needs a label")
        of = {link.class_id: link for link in self.links}
        if len(of) != len(self.links) or not of.keys() <= set(self.class_ids):
            raise ValueError("each link must belong to one class of the run, and each class has one link at most")
        in_order = {class_id: of[class_id] for class_id in self.class_ids if class_id in of}
        object.__setattr__(self, "links", tuple(in_order.values()))
        object.__setattr__(self, "_of", MappingProxyType(in_order))

    def __getitem__(self, class_id: str) -> Link:
        return self._of[class_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def __len__(self) -> int:
        return len(self._of)

    @property
    def unlinked(self) -> tuple[str, ...]:
        """Ids of the classes without a link, in the order of the run."""
        return tuple(class_id for class_id in self.class_ids if class_id not in self._of)


def link_classes(class_ids: Sequence[str], class_labels: Sequence[str], source: ConceptSource) -> Links:
    """Link classes to the concepts of a source, by their ids where those name concepts, else by their labels.

    Parameters
    ----------
    class_ids, class_labels : sequence of str, of length n_classes
        The classes; ids must be unique, labels need not be.
    source : ConceptSource
        Where the concepts come from.

    Raises
    ------
    ValueError
        If a class id occurs twice.
    """
    twice = [class_id for class_id, count in Counter(class_ids).items() if count > 1]
    if twice:
        raise ValueError(f"class ids must be unique; {twice[0]!r} occurs twice")
    found = (_link(class_id, label, source) for class_id, label in zip(class_ids, class_labels, strict=True))
    return Links(tuple(class_ids), tuple(class_labels), tuple(link for link in found if link is not None))


def preferred_labels(class_ids: Sequence[str], source: ConceptSource) -> tuple[str, ...]:
    """Return a readable label for each class id: that of the concept it names, else the id itself."""
    concepts = map(source.of_class, class_ids)
    return tuple(
        class_id if concept is None else source.concept(concept).label
        for class_id, concept in zip(class_ids, concepts, strict=True)
    )


def _link(class_id: str, class_label: str, source: ConceptSource) -> Link | None:
    concept = source.of_class(class_id)
    if concept is not None:
        return Link(class_id, class_label, concept, source.concept(concept).label, 1.0, _BY_ID)
    word = " ".join(class_label.replace("_", " ").split())
    senses = source.senses(word)
    candidates = [sense for sense in senses if sense.lemma == word] or list(senses)
    if not candidates:
        return None
    taken = candidates[0]
    confidence = (taken.count + 1) / sum(sense.count + 1 for sense in candidates)
    return Link(class_id, class_label, taken.concept, source.concept(taken.concept).label, confidence, _BY_LABEL)
