"""Links of classes to concepts as data: what each says, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType

from filtag_kg.concepts.curated_links import BY_HAND

BY_LABEL = "semapv:LexicalMatching"
"""The justification of a link whose label was looked up."""
LEAST_TRUST = 0.6
"""A link that is trusted less is doubtful."""


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
        How the two relate, a CURIE: ``skos:exactMatch``, ``skos:broadMatch`` where the concept is more general,
        ``skos:closeMatch`` of an adjective and its noun, ``skos:relatedMatch`` of what a description merely mentions.
    others : tuple of (str, float)
        What else the label may mean, with the confidence: IRIs of concepts, the most probable first.
    signs : tuple of str
        What speaks against the link besides a low confidence, in the words of `filtag_kg.concepts.doubt`.
    decided : bool
        Whether it comes from a file of links that a person has reviewed.
    text : str
        The words of the label that it is about, where the label is a description or a formula; else empty.
    negated : bool
        Whether the label says that the class does *not* mean the concept: *dog AND NOT poodle*.
    """

    class_id: str
    class_label: str
    concept: str
    label: str
    confidence: float
    justification: str
    predicate: str = "skos:exactMatch"
    others: tuple[tuple[str, float], ...] = ()
    signs: tuple[str, ...] = ()
    decided: bool = False
    text: str = ""
    negated: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.confidence <= 1:
            raise ValueError(f"the confidence of a link must be in (0, 1], not {self.confidence}")

    @property
    def by_hand(self) -> bool:
        """Whether a person made it, not a tool."""
        return self.justification == BY_HAND

    @property
    def by_label_alone(self) -> bool:
        """Whether nothing but the label led to it."""
        return self.justification == BY_LABEL and not self.decided

    @property
    def trust(self) -> float:
        """How far it can be trusted, in (0, 1]: 1 unless the label alone led to it."""
        return self.confidence * 0.5 ** len(self.signs) if self.by_label_alone else 1.0

    @property
    def doubtful(self) -> bool:
        """Whether a person should look at it."""
        return self.trust < LEAST_TRUST


@dataclass(frozen=True, slots=True)
class Links(Mapping[str, Link]):
    """The links of a run's classes: a mapping from class id to the best link, for the classes that have one.

    Parameters
    ----------
    class_ids, class_labels : tuple of str, of length n_classes
        Every class of the run, linked or not.
    links : tuple of Link
        In the order of the classes; a class's own as they are given, the best first.
    """

    class_ids: tuple[str, ...]
    class_labels: tuple[str, ...]
    links: tuple[Link, ...]
    _by_class: Mapping[str, tuple[Link, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.class_ids) != len(self.class_labels):
            raise ValueError("each class needs a label")
        by_class: dict[str, list[Link]] = {}
        for link in self.links:
            by_class.setdefault(link.class_id, []).append(link)
        meant = {(link.class_id, link.concept, link.text) for link in self.links}
        if len(meant) != len(self.links) or not by_class.keys() <= set(self.class_ids):
            raise ValueError("each link must belong to one class of the run, and lead to a concept of its own")
        in_order = {class_id: tuple(by_class[class_id]) for class_id in self.class_ids if class_id in by_class}
        object.__setattr__(self, "links", tuple(chain.from_iterable(in_order.values())))
        object.__setattr__(self, "_by_class", MappingProxyType(in_order))

    def __getitem__(self, class_id: str) -> Link:
        return self._by_class[class_id][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_class)

    def __len__(self) -> int:
        return len(self._by_class)

    def of(self, class_id: str) -> tuple[Link, ...]:
        """Return all links of a class, the best first; nothing for a class without one."""
        return self._by_class.get(class_id, ())

    def concepts(self, class_id: str) -> tuple[str, ...]:
        """Return the concepts that a class means or mentions, the best first: not those that its label excludes."""
        return tuple(dict.fromkeys(link.concept for link in self.of(class_id) if not link.negated))

    @property
    def unlinked(self) -> tuple[str, ...]:
        """Ids of the classes without a link, in the order of the run."""
        return tuple(class_id for class_id in self.class_ids if class_id not in self._by_class)

    @property
    def doubtful(self) -> tuple[Link, ...]:
        """The links that are probably wrong, the least trusted first, equals by class id."""
        return tuple(
            sorted(
                (link for link in self.links if link.doubtful),
                key=lambda link: (link.trust, link.class_id, link.concept),
            )
        )

    @property
    def same_label(self) -> Mapping[str, tuple[str, ...]]:
        """Labels that several classes have and that alone link them: the ids of these classes, by label."""
        ids: dict[str, list[str]] = {}
        for class_id, label in zip(self.class_ids, self.class_labels, strict=True):
            if class_id in self._by_class and self[class_id].justification == BY_LABEL:
                ids.setdefault(label, []).append(class_id)
        return {label: tuple(class_ids) for label, class_ids in sorted(ids.items()) if len(class_ids) > 1}
