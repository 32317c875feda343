"""What the pages of the KG that is served are made of, as it is on disk now."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from filtag_kg.errors import FiltagError
from filtag_kg.kg import KG, open_kg
from filtag_kg.report import Figure, GroupedRun, Pages, PageSettings, semantic_report
from filtag_kg.report import run_figures as draw_figures
from filtag_kg.server.explorer.served_urls import ServedUrls
from filtag_kg.views import Facts, SearchIndex, read_facts, search_index

__all__ = ["KGPages", "Snapshot"]

_log = logging.getLogger(__name__)
_EXTRAS = (("query", "Query"), ("compare", "Compare"), ("explain", "Explain"))


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A KG as it was read.

    Parameters
    ----------
    facts : Facts
    index : SearchIndex
    pages : Pages
    """

    facts: Facts
    index: SearchIndex
    pages: Pages
    _drawn: dict[str, Figure] = field(default_factory=dict)
    _grouped: list[GroupedRun] = field(default_factory=list)
    _overviews: dict[int, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _overview_lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def places(self) -> ServedUrls:
        """Where its pages are."""
        return ServedUrls(self.facts.iris)

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
        """Return the first page, made once for each number of plots that were drawn."""
        with self._overview_lock:
            drawn = list(self._drawn.values())
            if self._overviews.get(len(drawn)) is None:
                self._overviews.clear()
                self._overviews[len(drawn)] = self.pages.overview(drawn)
            return self._overviews[len(drawn)]


class KGPages:
    """What is read of a KG to make its pages; read anew when the KG on disk is another.

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
        """The KG as it is; as it was, while another thread reads it."""
        stamp = self._stamped()
        if stamp != self._stamp and self._lock.acquire(blocking=False):
            try:
                self._snapshot = _read(open_kg(self._path))
                self._stamp = self._noted = stamp
            except FiltagError as error:
                # It is being replaced, or was replaced by what is none: go on with what there was.
                if stamp != self._noted:
                    self._noted = stamp
                    _log.warning("%s; until then the answers stay those of before", error)
            finally:
                self._lock.release()
        return self._snapshot

    def draw(self, over: Callable[[], bool]) -> None:
        """Draw the plots of the first page, unless it is over."""
        try:
            self.now.draw(over)
        except FiltagError as error:
            _log.warning("the first page has no plots: %s", error)

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
    return Snapshot(facts, search_index(facts), Pages(facts, ServedUrls(facts.iris), settings))
