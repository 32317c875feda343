"""The semantic report: what filters have in common, by concept, layer and network, in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filtag_kg.concepts import COHERENT_Q
from filtag_kg.errors import FiltagError
from filtag_kg.files import replacing_directory
from filtag_kg.kg import KG
from filtag_kg.output_paths import check_directory_output
from filtag_kg.report.comparison import Comparison, compare, networks_csv
from filtag_kg.report.grouping import GroupedRun, group_run, groups_csv, layers_csv
from filtag_kg.report.grouping_markdown import semantic_markdown
from filtag_kg.report.runs import Run, read_runs
from filtag_kg.report.site import Site, write_comparison, write_site
from filtag_kg.views import read_facts

_MARKER = "filtag-report.json"
"""Names what a report made: a folder with anything else in it is not replaced."""

__all__ = ["SemanticReport", "check_report_folder", "semantic_report", "write_report"]


@dataclass(frozen=True, slots=True, eq=False)
class SemanticReport:
    """The grouped runs of one or several KGs, and the comparison of those with the same rule.

    Parameters
    ----------
    q : float
        The level below which q-values count.
    grouped : tuple of GroupedRun
        By KG and rule, in the order given.
    comparisons : tuple of Comparison
    """

    q: float
    grouped: tuple[GroupedRun, ...]
    comparisons: tuple[Comparison, ...]

    def of(self, kg: KG) -> tuple[GroupedRun, ...]:
        """Return the runs of one KG."""
        return tuple(each for each in self.grouped if each.run.kg == kg.manifest["id"])

    @property
    def files(self) -> dict[str, str]:
        """The text of each file of the report."""
        files = {
            "semantic.md": semantic_markdown(self.grouped, self.comparisons, q=self.q),
            "groups.csv": groups_csv(self.grouped),
            "layers.csv": layers_csv(self.grouped),
        }
        if len({each.run.kg for each in self.grouped}) > 1:
            files["networks.csv"] = networks_csv(self.comparisons)
        return files


def semantic_report(kgs: Sequence[KG], *, rule: str | None = None, q: float = COHERENT_Q) -> SemanticReport:
    """Group the filters of KGs, and compare the KGs if there are several.

    Parameters
    ----------
    kgs : sequence of KG
    rule : str, optional
        One rule alone, which every KG must have; all of each, if left out.
    q : float, in (0, 1]
        The level below which q-values count.

    Raises
    ------
    FiltagError
        If a KG has no such rule, is damaged or given twice, or `q` is no level.
    """
    if not 0 < q <= 1:
        raise FiltagError(f"{q:g} is no level for q-values: give a number above 0 and at most 1")
    first: dict[str, Path] = {}
    for kg in kgs:
        if kg.manifest["id"] in first:
            raise FiltagError(f"{first[kg.manifest['id']]} and {kg.path} are the same KG: give it once")
        first[kg.manifest["id"]] = kg.path
    rules = () if rule is None else (rule,)
    grouped = tuple(
        group_run(run, q=q, higher=_higher(kg, run) if run.too_few() else {})
        for kg in kgs
        for run in read_runs(kg, rules)
    )
    return SemanticReport(q, grouped, tuple(compare(grouped)))


def _higher(kg: KG, run: Run) -> dict[str, tuple[tuple[str, str, int], ...]]:
    facts = read_facts(kg, run.rule)
    network = facts.network_named(run.network)
    return {layer: facts.layer(network, layer).higher for layer in network.layer_names}


def check_report_folder(output: Path, *, force: bool = False) -> None:
    """Make sure that a report may be put at `output`.

    Raises
    ------
    FiltagError
        If something is there already: a report without `force`, or anything that is no report; or if it cannot be
        written.
    """
    place = check_directory_output(output)
    if not place.exists() or not any(place.iterdir()):
        return
    if not _is_report(place):
        raise FiltagError(f"{output} exists and is no report, so it is not replaced: choose another -o")
    if not force:
        raise FiltagError(f"{output} already holds a report: choose another -o, or replace it with --force")


def _is_report(folder: Path) -> bool:
    """Return whether a folder holds what a report left, and nothing else on its first level."""
    try:
        made = json.loads((folder / _MARKER).read_text(encoding="utf-8"))["files"]
        return isinstance(made, list) and {path.name for path in folder.iterdir()} <= {*made, _MARKER}
    except (OSError, ValueError, KeyError, TypeError):
        return False


def write_report(
    report: SemanticReport,
    output: Path,
    *,
    sites: Sequence[Site] = (),
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a report into its folder, whole or not there.

    Parameters
    ----------
    report : SemanticReport
    output : Path
    sites : sequence of Site
        The pages of each KG: of one beside the report's own files, of several each in a folder named by its KG's id,
        with a page before them that compares them.
    force : bool
        Replace a report that is there.
    progress : callable, optional
        Called with the pages of a KG written, and in all.

    Raises
    ------
    FiltagError
        As `check_report_folder`, or if it cannot be written.
    """
    check_report_folder(output, force=force)
    with replacing_directory(output, partial(check_report_folder, force=force)) as room:
        for name, text in report.files.items():
            (room / name).write_text(text, encoding="utf-8")
        if len(sites) == 1:
            write_site(sites[0], room, progress)
        elif sites:
            folders = [str(site.facts.kg.manifest["id"]) for site in sites]
            for folder, site in zip(folders, sites, strict=True):
                (room / folder).mkdir()
                write_site(site, room / folder, progress)
            of = [(folder, site.facts) for folder, site in zip(folders, sites, strict=True)]
            write_comparison(of, report.comparisons, room)
        made = sorted(path.name for path in room.iterdir())
        (room / _MARKER).write_text(json.dumps({"files": made}) + "\n", encoding="utf-8")
