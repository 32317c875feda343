"""The semantic report: what filters have in common, by concept, layer and network, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filtag_kg.errors import FiltagError
from filtag_kg.files import replacing_directory
from filtag_kg.kg import KG
from filtag_kg.report.comparison import Comparison, compare, networks_csv
from filtag_kg.report.grouping import GroupedRun, check_level, group_run, groups_csv, layers_csv
from filtag_kg.report.grouping_markdown import semantic_markdown
from filtag_kg.report.own_folder import OwnFolder
from filtag_kg.report.site import Site, write_comparison, write_site
from filtag_kg.views import LoadedKg

_FOLDER = OwnFolder("a report", "filtag-report.json")


@dataclass(frozen=True, slots=True, eq=False)
class SemanticReport:
    """The grouped runs of one or several KGs, and the comparison of those with the same rule.

    Parameters
    ----------
    q : float
        The level below which q-values count.
    grouped : tuple of GroupedRun
        By KG, then by rule.
    """

    q: float
    grouped: tuple[GroupedRun, ...]
    comparisons: tuple[Comparison, ...]

    def of_kg(self, kg: KG) -> tuple[GroupedRun, ...]:
        """Return the runs of one KG."""
        return tuple(grouped for grouped in self.grouped if grouped.kg == kg.manifest["id"])

    @property
    def files(self) -> dict[str, str]:
        """The text of each file of the report."""
        files = {
            "semantic.md": semantic_markdown(self.grouped, self.comparisons, q=self.q),
            "groups.csv": groups_csv(self.grouped),
            "layers.csv": layers_csv(self.grouped),
        }
        if len({grouped.kg for grouped in self.grouped}) > 1:
            files["networks.csv"] = networks_csv(self.comparisons)
        return files


def semantic_report(kgs: Sequence[LoadedKg]) -> SemanticReport:
    """Group the filters of KGs, and compare the KGs if there are several.

    Parameters
    ----------
    kgs : sequence of LoadedKg
        One or several, read with the same level `q`.

    Raises
    ------
    FiltagError
        If a KG is given twice, or the level is not above 0 and at most 1.
    """
    check_level(kgs[0].q)
    path_of: dict[str, Path] = {}
    for kg in (loaded.kg for loaded in kgs):
        if kg.manifest["id"] in path_of:
            raise FiltagError(f"{path_of[kg.manifest['id']]} and {kg.path} are the same KG: give it once")
        path_of[kg.manifest["id"]] = kg.path
    grouped = tuple(group_run(loaded, table) for loaded in kgs for table in loaded.runs.values())
    return SemanticReport(kgs[0].q, grouped, tuple(compare(grouped)))


def check_report_folder(output: Path, *, force: bool = False) -> None:
    """Make sure that a report may be written to `output`.

    Raises
    ------
    FiltagError
        If there is a report already and no `force`, if there is anything else, or if it cannot be written.
    """
    _FOLDER.check(output, force=force)


def write_report(
    report: SemanticReport,
    output: Path,
    *,
    sites: Sequence[Site] = (),
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a report into its folder, all of it or nothing.

    Parameters
    ----------
    sites : sequence of Site
        The pages of each KG. Those of a single KG lie beside the report's own files; those of several lie in folders
        named after the KGs' ids, with a first page that compares the KGs.
    force : bool
        Replace an existing report.
    progress : callable, optional
        Called with the number of pages written and of all pages, for each KG.

    Raises
    ------
    FiltagError
        As `check_report_folder`, or if it cannot be written.
    """
    check_report_folder(output, force=force)
    with replacing_directory(output, partial(check_report_folder, force=force)) as folder:
        for name, text in report.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        if len(sites) == 1:
            write_site(sites[0], folder, progress)
        elif sites:
            facts_by_folder = []
            for site in sites:
                kg_id = str(site.loaded.kg.manifest["id"])
                (folder / kg_id).mkdir()
                write_site(site, folder / kg_id, progress)
                facts_by_folder.append((kg_id, site.loaded))
            write_comparison(facts_by_folder, report.comparisons, folder)
        _FOLDER.mark(folder)
