"""Search a KG for filters, layers, classes and concepts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from filtag_kg.names import nfc
from filtag_kg.views.concept_graph import statement_text
from filtag_kg.views.loaded_kg import LoadedKg

_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Match:
    """A thing whose name matches.

    Parameters
    ----------
    kind : {"filter", "layer", "class", "concept"}
    detail : str
        What tells it from other things of the same label.
    """

    kind: str
    label: str
    detail: str
    iri: str


@dataclass(frozen=True, slots=True, eq=False)
class SearchIndex:
    """The names of everything in a KG.

    Parameters
    ----------
    names : tuple of (name, preference, Match)
        Every name in lower case, whether it is the preferred (0) or another one (1), and what it names.
    """

    loaded: LoadedKg
    names: tuple[tuple[str, int, Match], ...]

    def find(self, text: str, most: int = 20) -> list[Match]:
        """Return the matches, each thing once: whole names, then beginnings of names, words in names, and other parts.

        A number finds filters: ``992``, ``head_conv 992``, ``head_conv/992``. Only whole names come before them.
        """
        text = nfc(text)
        words = text.lower().split()
        if not words:
            return []
        wanted = " ".join(words)
        rated = []
        for name, preference, match in self.names:
            if wanted in name:
                rated.append((_closeness(name, wanted), preference, len(name), match.label, match.iri, match))
        rated.sort(key=lambda row: row[:5])
        whole = dict.fromkeys(row[5] for row in rated if row[0] == 0)
        filters = islice(self._filters(re.split(r"[\s/:#]+", text.lower().strip())), most)
        return list(dict.fromkeys([*whole, *filters, *(row[5] for row in rated)]))[:most]

    def _filters(self, words: list[str]) -> Iterator[Match]:
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
                    yield self._filter(network.network, layer, filter_)

    def _filter(self, network: str, layer: str, filter_: int) -> Match:
        loaded = self.loaded
        table = loaded.networks[network]
        runs = loaded.runs_of(network)
        kind = runs[0].coherent_kind(loaded.column(table, layer, filter_)) if runs else None
        detail = table.label if kind is None else f"{table.label}, {kind.label}"
        return Match("filter", f"{layer} {filter_}", detail, loaded.iris.filter(network, layer, filter_))


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
    statements: dict[str, set[str]] = {}
    for feature in chain.from_iterable(graph.features.values()):
        statements.setdefault(feature.concept, set()).add(statement_text(feature.relation, feature.label))
    for iri, label in graph.labels.items():
        below = len(graph.classes_below.get(iri, ()))
        said = sorted(statements.get(iri, ()))
        detail = f"{below:,} {'class' if below == 1 else 'classes'}" if below else ", ".join(said) or "feature"
        match = Match("concept", label, detail, iri)
        names.append((label.lower(), 0, match))
        names += [(text.lower(), 1, match) for text in said]
        names += [(other.lower(), 1, match) for other in graph.alt_labels.get(iri, ())]
    return SearchIndex(loaded, tuple((nfc(name), preference, match) for name, preference, match in names))


def _closeness(name: str, wanted: str) -> int:
    if name == wanted:
        return 0
    if name.startswith(wanted):
        return 1
    return 2 if f" {wanted}" in name else 3
