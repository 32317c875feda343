"""The page of a network's misclassifications: what was taken for what, how near by meaning, and what the tags say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filtag_kg.errors import FiltagError
from filtag_kg.explain import (
    Group,
    Misclassification,
    MisclassificationAnalysis,
    class_confusions,
    confusions,
    confusions_csv,
    misclassifications_csv,
)
from filtag_kg.files import replacing_directory
from filtag_kg.graph import xml_text
from filtag_kg.output_paths import check_directory_output
from filtag_kg.report.jinja import environment

__all__ = ["Kind", "Speaking", "errors_page", "kinds", "refuse_existing", "speaking", "write_errors"]

_MOST_KINDS = 24
_MOST_CONFUSIONS = 40
_MOST_CLASSES = 40
_MOST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Kind:
    """The misclassifications on one kind of thing.

    Parameters
    ----------
    group : Group
    misclassified : int
    same, near, far : float, in [0, 1]
        Shares of them: taken for the same kind of thing; for another, but with a near concept in common; neither.
    """

    group: Group
    misclassified: int
    same: float
    near: float
    far: float


@dataclass(frozen=True, slots=True)
class Speaking:
    """For which class the tags of the active filters speak, in how many misclassifications.

    Parameters
    ----------
    true, predicted, equal : int
        More of the active filters carry the one, the other, or as many carry both.
    unknown : int
        The KG does not have both classes.
    """

    true: int
    predicted: int
    equal: int
    unknown: int

    @property
    def compared(self) -> int:
        """Misclassifications of which the KG has both classes."""
        return self.true + self.predicted + self.equal


def kinds(misclassified: Sequence[Misclassification]) -> list[Kind]:
    """Return the misclassifications on each kind of thing, those with most first; equals by label."""
    of: dict[Group, list[Misclassification]] = {}
    for row in misclassified:
        of.setdefault(row.true_group, []).append(row)
    found = []
    for group, members in of.items():
        same = sum(row.true_group == row.predicted_group for row in members)
        near = sum(row.agree and row.true_group != row.predicted_group for row in members)
        total = len(members)
        found.append(Kind(group, total, same / total, near / total, (total - same - near) / total))
    return sorted(found, key=lambda kind: (-kind.misclassified, kind.group.label, kind.group.id))


def speaking(misclassified: Sequence[Misclassification]) -> Speaking:
    """Count for which class the tags speak."""
    pairs = [
        (row.true_filters, row.predicted_filters)
        for row in misclassified
        if row.true_filters is not None and row.predicted_filters is not None
    ]
    return Speaking(
        true=sum(true > predicted for true, predicted in pairs),
        predicted=sum(true < predicted for true, predicted in pairs),
        equal=sum(true == predicted for true, predicted in pairs),
        unknown=len(misclassified) - len(pairs),
    )


def errors_page(found: MisclassificationAnalysis) -> str:
    """Return the page as HTML: whole in itself, a few hundred kilobytes however many misclassifications there are."""
    misclassified = found.misclassified
    surest = sorted(
        misclassified,
        key=lambda row: (row.shared is None, -row.confidence, row.true_id, row.image),
    )[:_MOST_SHOWN]
    shares = [share for row in surest for share in (row.true_share, row.predicted_share) if share]
    taken, classes, of_kind = confusions(misclassified), class_confusions(misclassified), kinds(misclassified)
    return xml_text(
        environment()
        .get_template("errors.html")
        .render(
            found=found,
            same=sum(row.true_group == row.predicted_group for row in misclassified),
            agree=sum(row.agree for row in misclassified),
            speaking=speaking(misclassified),
            kinds=of_kind[:_MOST_KINDS],
            n_kinds=len(of_kind),
            confusions=taken[:_MOST_CONFUSIONS],
            n_confusions=len(taken),
            classes=classes[:_MOST_CLASSES],
            n_class_pairs=len(classes),
            misclassified=surest,
            largest=max(shares, default=1.0),
        )
    )


def write_errors(found: MisclassificationAnalysis, output: Path) -> None:
    """Write ``errors.csv``, ``confusions.csv`` and ``errors.html`` into a new directory, whole or not there.

    Raises
    ------
    FiltagError
        If the directory is there already, or cannot be written.
    """
    refuse_existing(output)
    with replacing_directory(output, refuse_existing) as room:
        (room / "errors.csv").write_text(misclassifications_csv(found.misclassified), encoding="utf-8")
        (room / "confusions.csv").write_text(confusions_csv(confusions(found.misclassified)), encoding="utf-8")
        (room / "errors.html").write_text(errors_page(found), encoding="utf-8")


def refuse_existing(output: Path) -> None:
    """Make sure that nothing is at `output`, before minutes are spent on it.

    Raises
    ------
    FiltagError
        If something is, or no directory can be put there.
    """
    if check_directory_output(output).exists():
        raise FiltagError(f"{output} exists and is not replaced: choose another -o")
