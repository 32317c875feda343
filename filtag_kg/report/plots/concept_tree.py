"""The concepts of coherent filters as a tree of few levels, for plots that show parts of a whole.

The IsA hierarchy is a directed graph many levels deep. It becomes a tree that a person can take in:

1. Each concept gets one parent: the most specific (with most concepts above it), ties to the lower IRI.
2. A concept without filters of its own and with one child is replaced by the child.
3. While a path has too many levels, the least informative of its concepts without filters of their own is removed: its
   largest child has nearly all of its filters, or it has nearly all of its parent's. Its children move up.
4. What is still deeper is counted with the concept above it on the last level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from filtag_kg.report.grouping import GroupedRun


@dataclass(frozen=True, slots=True)
class TreeConcept:
    """A concept of a tree, and the filters at and below it.

    Parameters
    ----------
    concept, label : str
        Its IRI and label; both empty for a root that is no concept, which holds those with nothing above them.
    filters : int
        Coherent filters whose first common concept is this one; on the last level also those of concepts below it.
    children : tuple of TreeConcept
        Those with most filters first; equals by label and concept.
    """

    concept: str
    label: str
    filters: int
    children: tuple[TreeConcept, ...]

    @property
    def total(self) -> int:
        """The filters of this concept and of all below it."""
        return self.filters + sum(child.total for child in self.children)


@dataclass(slots=True)
class _Node:
    concept: str
    filters: int = 0
    total: int = 0
    children: list[_Node] = field(default_factory=list)


def concept_tree(
    grouped: GroupedRun, parents: Mapping[str, Sequence[str]], labels: Mapping[str, str], *, levels: int = 3
) -> TreeConcept | None:
    """Return the first common concepts of a run's coherent filters as a tree, by IsA.

    Parameters
    ----------
    parents : mapping of IRI to IRIs
        The concepts directly above each, without cycles; none of a concept that is missing.
    labels : mapping of IRI to label
        The IRI takes the place of a missing label.
    levels : int, at least 1
        Below the root.

    Returns
    -------
    TreeConcept or None
        None without a coherent filter.
    """
    if levels < 1:
        raise ValueError(f"a tree of {levels} levels has no concepts")
    filters = {concept: count for concept, _, count in grouped.kinds}
    if not filters:
        return None
    root = _contracted(_tree(filters, parents))
    if root.filters:
        # The root has no ring, and a concept with filters of its own must have one.
        root = _Node("", children=[root])
    _count(root)
    while len(path := _longest_path(root)) - 1 > levels:
        _shorten(path, levels)
    return _frozen(root, labels)


def _tree(filters: Mapping[str, int], parents: Mapping[str, Sequence[str]]) -> _Node:
    """Return the tree of the concepts of filters and all above them, below a root without a name."""
    above: dict[str, frozenset[str]] = {}

    def all_above(concept: str) -> frozenset[str]:
        if concept not in above:
            direct = parents.get(concept, ())
            above[concept] = frozenset(direct).union(*(all_above(parent) for parent in direct))
        return above[concept]

    parent_of: dict[str, str] = {}
    for concept in filters:
        child = concept
        while child and child not in parent_of:
            direct = parents.get(child, ())
            parent_of[child] = min(direct, key=lambda iri: (-len(all_above(iri)), iri), default="")
            child = parent_of[child]
    nodes = {concept: _Node(concept, filters.get(concept, 0)) for concept in ("", *parent_of)}
    for concept, parent in sorted(parent_of.items()):
        nodes[parent].children.append(nodes[concept])
    return nodes[""]


def _contracted(node: _Node) -> _Node:
    node.children = [_contracted(child) for child in node.children]
    return node.children[0] if len(node.children) == 1 and not node.filters else node


def _count(node: _Node) -> int:
    node.total = node.filters + sum(map(_count, node.children))
    return node.total


def _longest_path(node: _Node) -> list[_Node]:
    """Return the nodes from the root to the deepest; of equals, by the lower IRI."""
    below = [_longest_path(child) for child in node.children]
    return [node, *min(below, key=lambda path: (-len(path), path[0].concept), default=[])]


def _shorten(path: Sequence[_Node], levels: int) -> None:
    """Remove the least informative concept of a path; if all have filters of their own, cut it at the last level."""
    inner = [(parent, node) for parent, node in pairwise(path[:-1]) if not node.filters]
    if not inner:
        last = path[levels]
        last.filters, last.children = last.total, []
        return
    parent, least = min(inner, key=lambda pair: (_informativeness(*pair), pair[1].concept))
    parent.children = [node for node in parent.children if node is not least] + least.children


def _informativeness(parent: _Node, node: _Node) -> int:
    """Return how many filters a concept sets apart: from its largest child, or from its siblings, whichever is less."""
    return min(node.total - max(child.total for child in node.children), parent.total - node.total)


def _frozen(node: _Node, labels: Mapping[str, str]) -> TreeConcept:
    children = [_frozen(child, labels) for child in node.children]
    return TreeConcept(
        concept=node.concept,
        label=labels.get(node.concept, node.concept),
        filters=node.filters,
        children=tuple(sorted(children, key=lambda child: (-child.total, child.label, child.concept))),
    )
