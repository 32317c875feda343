"""What the pages of the served KG are made from, as it is on disk now."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from filtag_kg.errors import FiltagError
from filtag_kg.kg import open_kg
from filtag_kg.report import Figure, FilterCard, GroupedRun, Pages, PageSettings, semantic_report
from filtag_kg.report import run_figures as draw_figures
from filtag_kg.server.explorer.served_urls import ServedUrls
from filtag_kg.views import LoadedKg, Match, load_kg, search_index

_log = logging.getLogger(__name__)
_EXTRAS = (("query", "Query"), ("compare", "Compare"), ("explain", "Explain"))


class Snapshot:
    """A KG as it was read, and the groups, plots and first page that are made from it on demand.

    Threads may share one.
    """

    def __init__(self, loaded: LoadedKg) -> None:
        self.loaded = loaded
        # Read and made before workers are forked, which then share them.
        _ = loaded.checks.runs
        self.urls = ServedUrls(loaded.iris)
        self.index = search_index(loaded)
        settings = PageSettings(live=True, templates=("filtag_kg.server.explorer",), extras=_EXTRAS)
        self.pages = Pages(loaded, self.urls, settings)
        self._grouped: Sequence[GroupedRun] | None = None
        self._grouping = threading.Lock()
        self._figures: dict[str, Figure] = {}
        self.pages.galleries.prepare()
        # The first page, and the number of figures on it.
        self._overview = ("", -1)
        self._rendering = threading.Lock()

    def grouped(self) -> Sequence[GroupedRun]:
        """Return the groups of filters, computed at the first call."""
        with self._grouping:
            if self._grouped is None:
                self._grouped = semantic_report([self.loaded]).grouped
            return self._grouped

    def figure(self, file: str) -> str | None:
        """Return the SVG of a plot; None if there is none."""
        stem, _, ending = file.rpartition(".")
        figure = self._figures.get(stem.removesuffix("-narrow"))
        if figure is None or ending != "svg":
            return None
        return dict(figure.files).get(file)

    def card(self, match: Match) -> FilterCard | None:
        """Return a filter that was found as galleries show it; None of anything else."""
        if match.place is None:
            return None
        network, column = match.place
        return self.pages.galleries.card(self.loaded.networks[network], column)

    def draw(self, is_over: Callable[[], bool]) -> None:
        """Draw the first page's plots until it is over. The page shows those that are done."""
        # Nobody has to wait for the words at the first search.
        self.index.warm()
        for grouped in self.grouped():
            for figure in draw_figures(grouped, self.urls.concept):
                self._figures[figure.name] = figure
                if is_over():
                    return

    def overview(self) -> str:
        """Return the first page, rendered once for each number of plots that are done."""
        with self._rendering:
            figures = list(self._figures.values())
            page, n_figures = self._overview
            if n_figures != len(figures):
                page = self.pages.overview(figures)
                self._overview = page, len(figures)
            return page


class KGPages:
    """The snapshot of a KG, replaced when the KG on disk is.

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
        self._reading = threading.Lock()
        self._stamp = self._warned_stamp = self._current_stamp()
        self._snapshot = self._read()

    @property
    def now(self) -> Snapshot:
        """The KG as it is, or as it was while another thread reads it."""
        stamp = self._current_stamp()
        if stamp != self._stamp and self._reading.acquire(blocking=False):
            try:
                self._snapshot = self._read()
                self._stamp = self._warned_stamp = stamp
            except FiltagError as error:
                # It is being replaced, or what replaced it is not a KG: keep the old one.
                if stamp != self._warned_stamp:
                    self._warned_stamp = stamp
                    _log.warning("%s; until then, the answers stay as they were", error)
            finally:
                self._reading.release()
        return self._snapshot

    def warm(self) -> None:
        """Make the first page before anybody asks for it."""
        try:
            self.now.overview()
        except FiltagError as error:
            _log.warning("the first page cannot be made: %s", error)

    def draw(self, is_over: Callable[[], bool]) -> None:
        """Draw the plots of the first page until it is over."""
        try:
            self.now.draw(is_over)
        except FiltagError as error:
            _log.warning("the first page has no plots: %s", error)

    def _read(self) -> Snapshot:
        return Snapshot(load_kg(open_kg(self._path)))

    def _current_stamp(self) -> tuple[int, int] | None:
        """Return what changes when a KG is replaced; None if there is none."""
        try:
            status = (self._path / "filtag.json").stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino
