"""Whether the labels of a KG are true, as far as they were checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from filtag_kg.concepts import CommonConcept
from filtag_kg.kg import KG, CheckedLabel, RunCheck, read_label_checks

_SHOWN = 12
_Key = tuple[str, str, int, str, str, str]
"""Run id, layer, filter, class id or concept, relation and source."""


@dataclass(frozen=True, eq=False)
class LabelChecks:
    """The checks of a KG's runs.

    Parameters
    ----------
    kg : KG or None
        Whose tables they are, read at the first use.
    run_ids : tuple of str
        The runs whose labels were checked.
    """

    kg: KG | None = None
    run_ids: tuple[str, ...] = ()

    @cached_property
    def runs(self) -> Mapping[str, RunCheck]:
        """The checks by run id.

        Raises
        ------
        FiltagError
            If a table is missing or damaged.
        """
        checks = {} if self.kg is None or not self.run_ids else read_label_checks(self.kg)
        return {run_id: checks[run_id] for run_id in self.run_ids}

    def of_tag(self, run_id: str, layer: str, filter_: int, class_id: str) -> CheckedLabel | None:
        """Return what was found of a tag; None if its run was not checked."""
        return self._label((run_id, layer, filter_, class_id, "", ""))

    def of_common(self, run_id: str, row: CommonConcept) -> CheckedLabel | None:
        """Return what was found of a common concept; None if its run was not checked."""
        return self._label((run_id, row.layer, row.filter, row.concept, row.relation, row.source))

    def best(self, run_id: str, most: int = _SHOWN) -> list[CheckedLabel]:
        """Return confirmed labels of a run: the one that fits best of each filter, and of these the best."""
        return self._first(run_id, "confirmed", most, sign=-1)

    def worst(self, run_id: str, most: int = _SHOWN) -> list[CheckedLabel]:
        """Return labels of a run that are not confirmed: the one that fits worst of each filter, the worst first."""
        return self._first(run_id, "not confirmed", most, sign=1)

    def _first(self, run_id: str, status: str, most: int, *, sign: int) -> list[CheckedLabel]:
        labels = [row for row in self.runs[run_id].labels if row.status == status and row.correlation is not None]
        # Stable, so equals stay in the order of the run.
        labels.sort(key=lambda row: sign * (row.correlation or 0.0))
        of_filters: dict[tuple[str, int], CheckedLabel] = {}
        for row in labels:
            of_filters.setdefault((row.layer, row.filter), row)
        return list(of_filters.values())[:most]

    def _label(self, key: _Key) -> CheckedLabel | None:
        return self._labels.get(key) if key[0] in self.run_ids else None

    @cached_property
    def _labels(self) -> dict[_Key, CheckedLabel]:
        return {
            (run_id, row.layer, row.filter, row.label_id, row.relation, row.source): row
            for run_id, check in self.runs.items()
            for row in check.labels
        }
