"""The pages of the KG that is served, as it is on disk now."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

import pyoxigraph as ox

from filtag_kg.errors import FiltagError
from filtag_kg.facts import Facts, SearchIndex, read_facts, search_index
from filtag_kg.graph import KG, PREFIXES, open_kg
from filtag_kg.query import LocalEndpoint, bind
from filtag_kg.report import Figure, GroupedRun, Pages, PageSettings, semantic_report
from filtag_kg.report import run_figures as draw_figures
from filtag_kg.server.explorer.places import ServedPlaces

__all__ = ["KGPages", "Snapshot"]

_log = logging.getLogger(__name__)
_MOST_STATEMENTS = 300
_STATEMENTS = f"""SELECT DISTINCT ?predicate ?object WHERE {{
  VALUES ?thing {{ UNDEF }} ?thing ?predicate ?object
}} ORDER BY ?predicate ?object LIMIT {_MOST_STATEMENTS}"""
_INCOMING = f"""SELECT DISTINCT ?predicate ?subject WHERE {{
  VALUES ?thing {{ UNDEF }} ?subject ?predicate ?thing
}} LIMIT {_MOST_STATEMENTS}"""
_EXTRAS = (("query", "Query"), ("compare", "Compare"), ("explain", "Explain"))


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A KG as it was read.

    Parameters
    ----------
    facts : Facts
    index : SearchIndex
    endpoint : LocalEndpoint
    pages : Pages
    """

    facts: Facts
    index: SearchIndex
    endpoint: LocalEndpoint
    pages: Pages
    _drawn: dict[str, Figure] = field(default_factory=dict)
    _grouped: list[GroupedRun] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def places(self) -> ServedPlaces:
        """Where its pages are."""
        return ServedPlaces(self.facts.iris)

    @cached_property
    def pictures(self) -> frozenset[str]:
        """The files in the KG's directory that its tables name as pictures."""
        return frozenset(
            {exemplar.thumbnail for of in self.facts.exemplars.values() for exemplar in of}
            | {picture.file for of in self.facts.visualizations.values() for picture in of}
        )

    def grouped(self) -> Sequence[GroupedRun]:
        """Return the groups of filters, worked out when they are first asked for."""
        with self._lock:
            if not self._grouped:
                self._grouped.extend(semantic_report([self.facts.kg]).grouped)
            return self._grouped

    def figure(self, name: str) -> str | None:
        """Return the SVG of a plot; None where there is none."""
        stem, _, ending = name.rpartition(".")
        drawn = self._drawn.get(stem.removesuffix("-narrow"))
        if drawn is None or ending != "svg":
            return None
        return dict(drawn.files).get(name)

    def draw(self, over: Callable[[], bool]) -> None:
        """Draw the plots, unless it is over; until it is done the first page is without."""
        for grouped, run_id in zip(self.grouped(), self.facts.runs, strict=True):
            for figure in draw_figures(grouped, self.facts, run_id, self.places.concept):
                self._drawn[figure.name] = figure
                if over():
                    return

    def overview(self) -> str:
        """Return the first page."""
        return self.pages.overview(list(self._drawn.values()))


class KGPages:
    """Pages for people, one a thing of the data; read anew when the KG on disk is another.

    Parameters
    ----------
    path : Path
        The KG's directory.

    Raises
    ------
    FiltagError
        If there is no KG.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp = self._noted = self._stamped()
        self._snapshot = _read(open_kg(path))

    @property
    def now(self) -> Snapshot:
        """The KG as it is."""
        stamp = self._stamped()
        if stamp != self._stamp:
            with self._lock:
                if stamp != self._stamp:
                    try:
                        self._snapshot = _read(open_kg(self._path))
                        self._stamp = self._noted = stamp
                    except FiltagError as error:
                        # It is being replaced, or was replaced by what is none: go on with what there was.
                        if stamp != self._noted:
                            self._noted = stamp
                            _log.warning("%s; until then the answers stay those of before", error)
        return self._snapshot

    def draw(self, over: Callable[[], bool]) -> None:
        """Draw the plots of the first page, unless it is over."""
        self.now.draw(over)

    def page(self, path: str) -> str | None:
        """Return the page of a thing by its IRI's path below the base, or by its IRI; None where there is none."""
        snapshot = self.now
        try:
            return _page(snapshot, path)
        except FiltagError:
            return None

    def mistake(self, status: int, line: str) -> str:
        """Return a page that says why a request is not answered."""
        return self.now.pages.other("missing.html", "missing", status=status, line=line)

    def _stamped(self) -> tuple[int, int] | None:
        try:
            found = (self._path / "filtag.json").stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino


def _read(kg: KG) -> Snapshot:
    facts = read_facts(kg)
    settings = PageSettings(live=True, templates=("filtag_kg.server.explorer",), extras=_EXTRAS)
    return Snapshot(facts, search_index(facts), LocalEndpoint(kg), Pages(facts, ServedPlaces(facts.iris), settings))


def _page(snapshot: Snapshot, path: str) -> str | None:
    facts, pages = snapshot.facts, snapshot.pages
    if path in facts.concepts.labels:
        return pages.concept(path)
    match [unquote(part) for part in path.split("/")]:
        case [""]:
            return snapshot.overview()
        case ["network", network, "layer", layer]:
            return pages.layer(facts.network_named(network), layer)
        case ["network", network, "layer", layer, "page", number] if number.isdecimal():
            return pages.layer(facts.network_named(network), layer, int(number))
        case ["network", network, "layer", layer, "filter", number] if number.isdecimal():
            return pages.filter(facts.network_named(network), layer, int(number))
        case ["class", class_id]:
            return pages.class_(class_id)
        case _:
            return _other(snapshot, path)


def _other(snapshot: Snapshot, path: str) -> str | None:
    """Return a page of plain statements about anything else that the graph knows."""
    iri = path if "://" in path else snapshot.facts.iris.base + path
    try:
        thing = [ox.NamedNode(iri)]
    except ValueError:
        return None
    said = snapshot.endpoint.ask(bind(_STATEMENTS, {"thing": thing})).rows
    incoming = snapshot.endpoint.ask(bind(_INCOMING, {"thing": thing})).rows
    if not said and not incoming:
        return None
    return snapshot.pages.other(
        "thing.html",
        "thing",
        iri=iri,
        said=[(_shown(snapshot, predicate), _shown(snapshot, value)) for predicate, value in said],
        incoming=[(_shown(snapshot, predicate), _shown(snapshot, subject)) for predicate, subject in incoming],
        most=_MOST_STATEMENTS,
    )


def _shown(snapshot: Snapshot, term: object) -> tuple[str, str | None]:
    """Return how a term is written, short where its prefix is known, and where its page is."""
    if not isinstance(term, ox.NamedNode):
        return (term.value if isinstance(term, ox.Literal) else str(term)), None
    iri = term.value
    short = next((f"{name}:{iri.removeprefix(at)}" for name, at in PREFIXES.items() if iri.startswith(at)), iri)
    if iri in snapshot.facts.concepts.labels:
        short = snapshot.facts.concepts.labels[iri]
    return short, snapshot.places.thing(iri)
