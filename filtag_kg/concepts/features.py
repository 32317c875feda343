"""What the things of a kind have, are made of, are used for, are like, can do, and where they are.

WordNet says what things have and are made of, of synsets. Other sources say things of words: a statement about *dog* is
about the concept whose first sense that word is, which people mostly mean, or whose sense ConceptNet names
(``/c/en/dog/n/wn/animal``). Its end is read (`ends`), its meaning chosen (`end_senses`), and a row of statements that
say the same is believed or not (`evidence`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from filtag_kg.concepts.end_senses import end_sense, is_living
from filtag_kg.concepts.ends import NOUN_RELATIONS, Refusal, read_end
from filtag_kg.concepts.evidence import RULES, EvidenceRules, Generality, Row, believed
from filtag_kg.concepts.familiarity import plainly_named
from filtag_kg.concepts.isa_edges import strong_edges
from filtag_kg.concepts.source import FEATURES, Concept, Edge
from filtag_kg.concepts.terms import term_uri
from filtag_kg.concepts.wordnet import WordNet, wordnet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from filtag_kg.concepts.source import ConceptSource


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What one source states of the concepts of a hierarchy by one relation.

    Parameters
    ----------
    relation : str
        Of `FEATURES`, or *IsA* for kinds that are stated beside the hierarchy.
    source : str
        Name of the source.
    of : mapping of str to tuple of Concept
        What each concept has, by its IRI; sorted by IRI. What is inherited from above is not repeated. The features
        need not be in the hierarchy themselves.
    edges : tuple of Edge
        From the concepts to their features, sorted; the weight is that of all statements of a data set.
    """

    relation: str
    source: str
    of: Mapping[str, tuple[Concept, ...]]
    edges: tuple[Edge, ...]

    @property
    def inherited(self) -> bool:
        """Whether what is below a concept has its features, too. Stated kinds are those of a class alone."""
        return self.relation != "IsA"


def wordnet_features(concepts: Sequence[str], source: WordNet) -> list[Features]:
    """Return what WordNet says that concepts have and are made of."""
    parts = [edge for concept in concepts for edge in source.edges(concept, "PartOf", incoming=True)]
    materials = [edge for concept in concepts for edge in source.edges(concept, "MadeOf")]
    by_relation = {"HasA": [_as_has_a(edge) for edge in parts], "MadeOf": materials}
    return [
        features_of(relation, source.name, strong_edges(edges), {edge.end: source.concept(edge.end) for edge in edges})
        for relation, edges in by_relation.items()
        if edges
    ]


def stated_features(
    concepts: Mapping[str, Sequence[str]],
    source: ConceptSource,
    in_source: ConceptSource,
    *,
    rules: EvidenceRules = RULES,
    removed: Counter[tuple[str, str]] | None = None,
) -> list[Features]:
    """Return what people told a source of words about concepts, where it is believed.

    Parameters
    ----------
    concepts : mapping of str to sequence of str
        IRIs of concepts of `source`, each with those of the concepts above it.
    source : ConceptSource
        Where the concepts are from.
    in_source : ConceptSource
        Where the statements are from: one whose concepts are terms of ConceptNet.
    removed : Counter of (relation, rule), optional
        Gets the number of statements that are refused, and of rows that are not believed.
    """
    removed = Counter() if removed is None else removed
    synset_of = {concept: _synset(source.concept(concept)) for concept in concepts}
    generality = {
        concept: Generality(source.size(concept), frozenset(above), is_living(synset_of[concept]))
        for concept, above in concepts.items()
    }
    rows: dict[tuple[str, str, str], dict[str, Row]] = defaultdict(lambda: defaultdict(Row))
    texts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for concept in concepts:
        for relation, edge in _statements(terms_meaning(source.concept(concept), in_source), in_source):
            end = read_end(relation, in_source.concept(edge.end).label, of_living=generality[concept].living)
            if isinstance(end, Refusal):
                removed[relation, end.value] += 1
                continue
            rows[relation, end.part, end.base][concept].edges.append(edge)
            texts[end.part, end.base][end.text] += 1
    edges: dict[str, list[Edge]] = {relation: [] for relation in FEATURES}
    described: dict[str, Concept] = {}
    for (relation, part, base), of_concepts in sorted(rows.items()):
        for concept, row in believed(of_concepts, relation, generality, rules, removed).items():
            synset = None
            if relation in NOUN_RELATIONS:
                sense = end_sense(relation, base, synset_of[concept])
                if sense is None:
                    removed[relation, Refusal.TYPE.value] += 1
                    continue
                synset = sense.concept if isinstance(source.members[0], WordNet) else None
            end_concept = (
                source.concept(synset) if synset else _term(base, texts[part, base], row.edges[0].end, in_source)
            )
            if relation in NOUN_RELATIONS and end_concept.id in (concept, *(edge.start for edge in row.edges)):
                # Nothing is a part, material or place of itself.
                removed[relation, Refusal.TYPE.value] += 1
                continue
            described[end_concept.id] = end_concept
            edges[relation] += _merged(row.edges, relation, concept, end_concept.id)
    return [
        features_of(relation, in_source.name, sorted(of, key=_order), described) for relation, of in edges.items() if of
    ]


def terms_meaning(concept: Concept, in_source: ConceptSource) -> list[str]:
    """Return the concepts of a source of words that mean a concept: words it is the first sense of, and its senses."""
    paths = dict.fromkeys(path for path in concept.terms if _names(path, concept))
    if _synset(concept) == concept.id:
        words = [word for word in (concept.label, *concept.alt_labels) if _means(word, concept.id)]
        paths = dict.fromkeys(path for word in words for path in (term_uri(word), term_uri(word, "n"))) | paths
    return list(dict.fromkeys(term for path in paths if (term := in_source.of_class(path)) is not None))


def features_of(relation: str, source: str, edges: Sequence[Edge], described: Mapping[str, Concept]) -> Features:
    """Return features from their edges."""
    ends: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        ends[edge.start].add(edge.end)
    of = {concept: tuple(plainly_named(described[end]) for end in sorted(ends[concept])) for concept in sorted(ends)}
    return Features(relation, source, of, tuple(edges))


def _statements(terms: Sequence[str], source: ConceptSource) -> Iterator[tuple[str, Edge]]:
    """Yield what is stated about terms, by relation; a part that belongs to them is what they have."""
    for term in terms:
        for relation in FEATURES:
            for edge in source.edges(term, relation):
                yield relation, edge
        for edge in source.edges(term, "PartOf", incoming=True):
            yield "HasA", _as_has_a(edge)


def _as_has_a(part_of: Edge) -> Edge:
    return replace(part_of, relation="HasA", start=part_of.end, end=part_of.start)


def _synset(concept: Concept) -> str | None:
    """Return the synset that a concept is, or that its word means first."""
    if concept.source == wordnet().name:
        return concept.id
    senses = wordnet().senses(concept.label)
    return senses[0].concept if senses else None


def _means(word: str, synset: str) -> bool:
    return wordnet().senses(word)[0].concept == synset


def _names(path: str, concept: Concept) -> bool:
    """Return whether a term is a concept's alone: that of a WordNet sense may be that of another sense of the word."""
    if concept.source != wordnet().name:
        return True
    senses = (wordnet().concept(sense.concept) for sense in wordnet().senses(path.split("/")[3]))
    return next((sense.id for sense in senses if path in sense.terms), concept.id) == concept.id


def _term(base: str, texts: Counter[str], like: str, source: ConceptSource) -> Concept:
    """Return the term of a word or phrase in base forms, with an IRI such as that of another term."""
    path = term_uri(base)
    # Raw contributors' text is in base forms already: any other is nearer to what was meant.
    text = max(texts, key=lambda text: (text != base, texts[text], text))
    return Concept(like[: like.index("/c/")] + path, text, (), (path,), source.name)


def _merged(edges: Sequence[Edge], relation: str, start: str, end: str) -> list[Edge]:
    """Return an edge for each data set and licence, with the sum of the weights."""
    weights: dict[tuple[str, str], float] = defaultdict(float)
    for edge in edges:
        weights[edge.dataset, edge.licence] += edge.weight
    return [Edge(relation, start, end, weight, edges[0].source, *of) for of, weight in weights.items()]


def _order(edge: Edge) -> tuple[str, str, str, str]:
    return edge.start, edge.end, edge.dataset, edge.licence
