"""Kinds that people told ConceptNet of a class: *boot* is a *shoe*, *bakery* a *store*.

They are plainer names than WordNet's, and other groups, but they are no hierarchy: what is said of a kind of a kind
is soon wrong (*car*, *compartment*, *space*, *time*). So they are those of the class's own words, one step up: of its
label and of the other words that mean its concept. A kind is kept

- if a sense of it lies above the class in WordNet;
- or if its first sense is of the same broad domain (WordNet's lexicographer file), the word that it is said of means
  the class first and has no other sense below the kind (a *car* that is a *compartment* is a lift's), and the kind is
  not below the class; nor, of living beings, beside it (a *wolf* is no *fox*, though a *dog* may be a *pet*), or a
  large group of animals (a *horse* is no *bird*).

Very general kinds are left out, as for features (`filtag_kg.concepts.evidence`), and those with a weight below 1.
What is said of a word that WordNet lacks, or of one of another language, cannot be compared with WordNet: it is kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filtag_kg.concepts.end_senses import is_living
from filtag_kg.concepts.evidence import RULES, Generality, is_general
from filtag_kg.concepts.features import Features, features_of
from filtag_kg.concepts.isa_edges import strong_edges
from filtag_kg.concepts.terms import term_uri
from filtag_kg.concepts.wordnet import WordNet, wordnet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filtag_kg.concepts.links import Links
    from filtag_kg.concepts.source import Concept, ConceptSource, Edge


def stated_kinds(links: Links, source: ConceptSource, in_source: ConceptSource) -> list[Features]:
    """Return the kinds of the classes of a run that a source of words states, at most one relation of features."""
    edges: set[Edge] = set()
    described: dict[str, Concept] = {}
    for link in (link for link in links.links if not link.negated):
        for edge, synset in kind_edges(source.concept(link.concept), [link.text or link.class_label], in_source):
            in_wordnet = isinstance(source.members[0], WordNet)
            if in_wordnet and synset is None:
                continue
            kind = source.concept(synset) if in_wordnet and synset else in_source.concept(edge.end)
            if kind.id != link.concept:
                described[kind.id] = kind
                edges.add(replace(edge, start=link.concept, end=kind.id))
    ordered = strong_edges(edges)
    return [features_of("IsA", in_source.name, ordered, described)] if ordered else []


def kind_edges(concept: Concept, labels: Iterable[str], in_source: ConceptSource) -> Iterator[tuple[Edge, str | None]]:
    """Yield the edges from the words of a concept to its kinds, each with the synset that the kind means.

    There is no such synset where WordNet knows none of the words.

    Parameters
    ----------
    labels : iterable of str
        Words for the concept besides its own.
    """
    words = dict.fromkeys((*labels, concept.label, *concept.alt_labels))
    is_synset = concept.source == wordnet().name
    if not is_synset and not (_is_english(concept) and any(map(wordnet().senses, words))):
        for path in concept.terms:
            term = in_source.of_class(path)
            for edge in in_source.edges(term, "IsA") if term is not None else ():
                yield edge, None
        return
    for word in words:
        first = next((sense.concept for sense in wordnet().senses(word)), None)
        meant = concept.id if is_synset else first
        term = in_source.of_class(term_uri(word))
        if meant is None or term is None:
            continue
        for edge in in_source.edges(term, "IsA"):
            kind = _kind(in_source.concept(edge.end).label, word, meant, is_first=meant == first)
            if kind is not None:
                yield edge, kind


def _is_english(concept: Concept) -> bool:
    return all(path.startswith("/c/en/") for path in concept.terms)


def _kind(word: str, said_of: str, meant: str, *, is_first: bool) -> str | None:
    """Return the sense in which a word is a kind of a synset, which another word means; None if it is none."""
    above = wordnet().at_or_above(meant)
    senses = [sense.concept for sense in wordnet().senses(word) if sense.concept != meant]
    kind = next((sense for sense in senses if sense in above), None)
    if kind is None and is_first and senses and not _is_above_any(senses, said_of):
        same_domain = wordnet().lexicographer_file(senses[0]) == wordnet().lexicographer_file(meant)
        below = meant in wordnet().at_or_above(senses[0])
        kind = senses[0] if same_domain and not below and not _are_beside(senses[0], meant) else None
    return None if kind is None or _is_general(kind) else kind


def _are_beside(kind: str, meant: str) -> bool:
    """Return whether two living beings share what is directly above the one, unless that is very general.

    What WordNet does not have below a large group of animals is beside it.
    """
    if wordnet().lexicographer_file(kind) == "animal" and wordnet().size(kind) > RULES.most_synsets_near_top:
        return True
    parents = {edge.end for edge in wordnet().edges(kind, "IsA")} & wordnet().at_or_above(meant)
    return is_living(meant) and not all(map(_is_general, parents))


def _is_general(synset: str) -> bool:
    above = wordnet().at_or_above(synset) - {synset}
    return is_general(Generality(wordnet().size(synset), above, is_living(synset)), RULES)


def _is_above_any(kinds: Iterable[str], word: str) -> bool:
    """Return whether any of these synsets lies above a sense of a word: a *car* that is a *compartment* is a lift's."""
    return any(not wordnet().at_or_above(sense.concept).isdisjoint(kinds) for sense in wordnet().senses(word))
