"""Search a KG for filters, layers, classes and concepts: by name, and by what words mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice

from filtag_kg.images import similar_names
from filtag_kg.names import nfc
from filtag_kg.views.concept_graph import statement_text
from filtag_kg.views.filter_names import filter_name, surest_first
from filtag_kg.views.loaded_kg import LoadedKg
from filtag_kg.views.word_meanings import Meaning, WordMeanings

_NUMBER = re.compile(r"[0-9]{1,9}")
_EXACT, _BEGINNING, _WORD, _BEGUN_WORD, _WITHIN = range(5)
"""How close a name is: the whole; it begins with what is sought; it has that as a word; a word begins so; any part."""
_FILTERS_SHARE = 4
"""A list has a filter for this many things that it may have at most."""
_MOST_FILTERS_OF_ONE = 3
_LEAST_WITHIN = 4
"""Fewer letters within a word count only where nothing else matches."""
_MOST_NEAR = 8


@dataclass(frozen=True, slots=True)
class Match:
    """A thing that matches.

    Parameters
    ----------
    kind : {"filter", "layer", "class", "concept"}
    detail : str
        What tells it from other things of the same label.
    why : str
        How what was sought leads to it, where that is not its name: "puppy → dog", "car has wheel".
    is_near : bool
        Whether nothing matches, and this only comes near.
    place : (network, column), optional
        Of a filter.
    """

    kind: str
    label: str
    detail: str
    iri: str
    why: str = ""
    is_near: bool = False
    place: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SearchIndex:
    """The names of everything in a KG, and what words mean in it.

    Parameters
    ----------
    names : tuple of (name, preference, Match)
        Every name in lower case, whether it is the preferred (0), another one (1) or that of a filter (2 and more, the
        surest first), and what it names.
    concepts : mapping of IRI to Match
    filters : mapping of IRI to tuple of Match
        Of a class or concept, the filters that clearly respond to it, the surest first.
    """

    loaded: LoadedKg
    names: tuple[tuple[str, int, Match], ...]
    concepts: Mapping[str, Match]
    filters: Mapping[str, tuple[Match, ...]]
    meanings: WordMeanings

    def find(self, text: str, most: int = 20) -> list[Match]:
        """Return the matches, each thing once; if there are none, what comes near in meaning or spelling.

        Whole names come first, then names with the words in them, what the words mean, beginnings of words, and parts.
        A number finds filters: ``992``, ``head_conv 992``, ``head_conv/992``. Only whole names come before them.
        """
        text = nfc(text)
        words = text.lower().split()
        if not words:
            return []
        wanted = " ".join(words)
        named = self._named(wanted)
        if len(words) > 1 and not named[_EXACT]:
            # *Mini van* for minivan
            named[_EXACT] = self._named("".join(words))[_EXACT]
        numbered = islice(self._numbered(re.split(r"[\s/:#]+", text.lower().strip())), most)
        meant = self._meant(wanted)
        matches: dict[str, Match] = {}
        filters = 0
        closest = [*named[_EXACT], *numbered, *named[_BEGINNING], *named[_WORD], *meant, *named[_BEGUN_WORD]]
        # *Bone* is in *redbone*, but *red* is not in *ingredient*.
        within = named[_WITHIN] if len(wanted) >= _LEAST_WITHIN or not closest else []
        for match in chain(closest, within):
            # Names of filters repeat those of classes and concepts, which are to be seen, too.
            if match.kind == "filter" and match.why:
                if filters >= max(_MOST_FILTERS_OF_ONE, most // _FILTERS_SHARE):
                    continue
                filters += match.iri not in matches
            matches.setdefault(match.iri, match)
        return list(matches.values())[:most] or self._near(wanted)[: min(most, _MOST_NEAR)]

    def warm(self) -> None:
        """Read what the first search would have to read."""
        self.meanings.warm()

    def _named(self, wanted: str) -> list[list[Match]]:
        """Return what has a name with the text in it, by closeness."""
        rated = []
        for name, preference, match in self.names:
            if wanted in name:
                rated.append((_closeness(name, wanted), preference, len(name), match.label, match.iri, match))
        rated.sort(key=lambda row: row[:5])
        by_closeness: list[list[Match]] = [[] for _ in range(_WITHIN + 1)]
        for closeness, *_, match in rated:
            by_closeness[closeness].append(match)
        return by_closeness

    def _meant(self, text: str) -> Iterator[Match]:
        """Yield what the text means without being its name."""
        for name in dict.fromkeys((text, *self.meanings.only_unit(text))):
            yield from self._with_filters(meaning for meaning in self.meanings.of(name) if not meaning.is_near)
        graph = self.loaded.concepts
        for meaning in self.meanings.of_phrase(text):
            class_id = graph.class_ids[meaning.class_]
            iri = self.loaded.iris.class_(class_id)
            yield Match("class", graph.class_labels[meaning.class_], class_id, iri, meaning.why)

    def _with_filters(self, meanings: Iterable[Meaning]) -> Iterator[Match]:
        """Yield concepts, and after all of them the surest filters that respond to the first ones."""
        filters: list[Match] = []
        for meaning in meanings:
            yield replace(self.concepts[meaning.concept], why=meaning.why)
            filters += self.filters.get(meaning.concept, ())[:_MOST_FILTERS_OF_ONE]
        yield from filters

    def _near(self, text: str) -> list[Match]:
        """Return what comes near a text that nothing matches: by spelling, by parts, by what it is a kind of."""
        near: list[Match] = []
        labels = {match.label.lower(): match for _, preference, match in self.names if preference == 0}
        if not self.meanings.is_known(text):
            for other in self.meanings.respelled(text):
                meant = [labels[other]] if other in labels else list(self._meant(other))
                near += (replace(match, why=_spelled(other, match.why)) for match in meant if match.kind != "filter")
            near = near or [labels[other] for other in similar_names(text, list(labels)) if other in labels]
        for part in self.meanings.parts(text):
            near += (match for match in self._meant(part) if match.kind != "filter")
        near += (replace(self.concepts[meaning.concept], why=meaning.why) for meaning in self.meanings.of(text))
        by_iri: dict[str, Match] = {}
        for match in near:
            by_iri.setdefault(match.iri, replace(match, is_near=True))
        return list(by_iri.values())

    def _numbered(self, words: list[str]) -> Iterator[Match]:
        numbers = [word for word in words if _NUMBER.fullmatch(word)]
        if not numbers:
            return
        filter_ = int(numbers[-1])
        words.remove(numbers[-1])
        others = [word for word in words if word not in ("", "filter")]
        for network in self.loaded.networks.values():
            # The last layers are the most telling: they come first.
            for index in reversed(range(len(network.layer_names))):
                layer = network.layer_names[index]
                if filter_ < network.size(index) and all(word in nfc(layer).lower() for word in others):
                    yield _filter_match(self.loaded, network.network, int(network.offsets[index]) + filter_)


def _filter_match(loaded: LoadedKg, network: str, column: int) -> Match:
    table = loaded.networks[network]
    index, filter_ = table.layer_and_filter(column)
    layer = table.layer_names[index]
    detail = f"{table.label}, {filter_name(loaded, table, column).text}"
    iri = loaded.iris.filter(network, layer, filter_)
    return Match("filter", f"{layer} {filter_}", detail, iri, place=(network, column))


def _spelled(word: str, why: str) -> str:
    return f"did you mean {word}?{f' {why}' if why else ''}"


def search_index(loaded: LoadedKg) -> SearchIndex:
    """Index the names of everything in a KG."""
    graph, iris = loaded.concepts, loaded.iris
    names: list[tuple[str, int, Match]] = []
    for network in loaded.networks.values():
        for index, layer in enumerate(network.layer_names):
            detail = f"{network.label}, {network.size(index):,} filters"
            names.append((layer.lower(), 0, Match("layer", layer, detail, iris.layer(network.network, layer))))
    for class_id, label in zip(graph.class_ids, graph.class_labels, strict=True):
        match = Match("class", label, class_id, iris.class_(class_id))
        names += [(label.lower(), 0, match), (class_id.lower(), 1, match)]
    concepts: dict[str, Match] = {}
    statements: dict[str, set[str]] = {}
    for feature in chain.from_iterable(graph.features.values()):
        statements.setdefault(feature.concept, set()).add(statement_text(feature.relation, feature.label))
    for iri, label in graph.labels.items():
        below = len(graph.classes_below.get(iri, ()))
        said = sorted(statements.get(iri, ()))
        detail = f"{below:,} {'class' if below == 1 else 'classes'}" if below else ", ".join(said) or "feature"
        match = concepts[iri] = Match("concept", label, detail, iri)
        names.append((label.lower(), 0, match))
        names += [(text.lower(), 1, match) for text in said]
        others = (other for other in graph.alt_labels.get(iri, ()) if other.lower() != label.lower())
        names += [(other.lower(), 1, replace(match, why=f"also called {other}")) for other in others]
    filters: dict[str, list[Match]] = {}
    for network in loaded.networks.values():
        for place, column in enumerate(surest_first(loaded, network)):
            responds_to = filter_name(loaded, network, column)
            if responds_to.clear:
                match = replace(_filter_match(loaded, network.network, column), why=responds_to.sentence)
                names.append((responds_to.text.lower(), 2 + place, match))
                filters.setdefault(responds_to.about, []).append(match)
    return SearchIndex(
        loaded,
        tuple((nfc(name), preference, match) for name, preference, match in names),
        concepts,
        {iri: tuple(matches) for iri, matches in filters.items()},
        WordMeanings(graph),
    )


def _closeness(name: str, wanted: str) -> int:
    if name == wanted:
        return _EXACT
    at = name.find(wanted)
    whole = re.search(rf"\b{re.escape(wanted)}\b", name)
    if whole is not None:
        return _BEGINNING if whole.start() == 0 else _WORD
    return _BEGUN_WORD if at == 0 or f" {wanted}" in name else _WITHIN
