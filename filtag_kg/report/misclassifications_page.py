"""The page of misclassifications: what was taken for what, how near by meaning, and what the filters say."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from filtag_kg.explain import (
    Group,
    Misclassification,
    MisclassificationAnalysis,
    class_confusions,
    confusions,
    confusions_csv,
    misclassification_record_json,
    misclassifications_csv,
)
from filtag_kg.files import replacing_directory
from filtag_kg.graph import xml_text
from filtag_kg.images import ImageSet, thumbnail
from filtag_kg.output_paths import check_new_directory
from filtag_kg.report.jinja import environment

_MOST_KINDS = 24
_MOST_CONFUSIONS = 40
_MOST_CLASSES = 40
_MOST_SUREST = 60


@dataclass(frozen=True, slots=True)
class MisclassifiedKind:
    """The misclassifications of one kind of thing.

    Parameters
    ----------
    same, near, far : float, in [0, 1]
        Shares of them: taken for the same kind of thing; for another, but with a near concept in common; neither.
    """

    group: Group
    images: int
    same: float
    near: float
    far: float


@dataclass(frozen=True, slots=True)
class FilterEvidence:
    """Which class the filters support, in how many misclassifications.

    Parameters
    ----------
    true, predicted, equal : int
        They support the one more, the other, or both as much.
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


def misclassified_kinds(misclassified: Sequence[Misclassification]) -> list[MisclassifiedKind]:
    """Return the misclassifications of each kind of thing, those with most first; equals by label."""
    by_group: dict[Group, list[Misclassification]] = {}
    for row in misclassified:
        by_group.setdefault(row.true_group, []).append(row)
    kinds = []
    for group, rows in by_group.items():
        same = sum(row.true_group == row.predicted_group for row in rows)
        near = sum(row.agree and row.true_group != row.predicted_group for row in rows)
        total = len(rows)
        kinds.append(MisclassifiedKind(group, total, same / total, near / total, (total - same - near) / total))
    return sorted(kinds, key=lambda kind: (-kind.images, kind.group.label, kind.group.id))


def response_evidence(misclassified: Sequence[Misclassification]) -> FilterEvidence:
    """Count which class the responses of the last layers' filters support."""
    ratios = [row.log_ratio for row in misclassified if row.log_ratio is not None]
    return FilterEvidence(
        true=sum(ratio < 0 for ratio in ratios),
        predicted=sum(ratio > 0 for ratio in ratios),
        equal=sum(ratio == 0 for ratio in ratios),
        unknown=len(misclassified) - len(ratios),
    )


def tag_evidence(misclassified: Sequence[Misclassification]) -> FilterEvidence:
    """Count which class the tags of the active filters support: that of more of them."""
    pairs = [
        (row.true_filters, row.predicted_filters)
        for row in misclassified
        if row.true_filters is not None and row.predicted_filters is not None
    ]
    return FilterEvidence(
        true=sum(true > predicted for true, predicted in pairs),
        predicted=sum(true < predicted for true, predicted in pairs),
        equal=sum(true == predicted for true, predicted in pairs),
        unknown=len(misclassified) - len(pairs),
    )


def surest_misclassifications(analysis: MisclassificationAnalysis) -> list[Misclassification]:
    """Return the misclassifications that the page shows one by one: first those between classes of the KG."""
    order = sorted(
        analysis.misclassified, key=lambda row: (row.shared is None, -row.confidence, row.true_id, row.image)
    )
    return order[:_MOST_SUREST]


def misclassified_thumbnails(analysis: MisclassificationAnalysis, images: ImageSet) -> dict[str, bytes]:
    """Return JPEGs of the images that the page shows, by their names.

    Parameters
    ----------
    images : ImageSet
        Open; the ones that were classified.
    """
    by_name = {image.name: image for image in images.images}
    shown = (by_name[row.image] for row in surest_misclassifications(analysis) if row.image in by_name)
    return {image.name: thumbnail(images.read(image)) for image in shown}


def misclassifications_page(
    analysis: MisclassificationAnalysis, thumbnails: Mapping[str, bytes] = MappingProxyType({})
) -> str:
    """Return the page as HTML without any other file; a few hundred kilobytes, however many images it is about.

    Parameters
    ----------
    thumbnails : mapping of image name to bytes
        JPEGs of the images that it shows, as far as they are known.
    """
    rows = analysis.misclassified
    surest = surest_misclassifications(analysis)
    shares = [share for row in surest for share in (row.true_share, row.predicted_share) if share]
    kinds, group_pairs, class_pairs = misclassified_kinds(rows), confusions(rows), class_confusions(rows)
    return xml_text(
        environment()
        .get_template("misclassifications.html")
        .render(
            analysis=analysis,
            n_misclassified=len(rows),
            same=sum(row.true_group == row.predicted_group for row in rows),
            near=sum(row.agree for row in rows),
            responses=response_evidence(rows),
            evidence=tag_evidence(rows),
            kinds=kinds[:_MOST_KINDS],
            n_kinds=len(kinds),
            confusions=group_pairs[:_MOST_CONFUSIONS],
            n_confusions=len(group_pairs),
            classes=class_pairs[:_MOST_CLASSES],
            n_class_pairs=len(class_pairs),
            surest=surest,
            pictures={name: f"data:image/jpeg;base64,{b64encode(jpeg).decode()}" for name, jpeg in thumbnails.items()},
            largest_share=max(shares, default=1.0),
        )
    )


def write_misclassifications(
    analysis: MisclassificationAnalysis, output: Path, thumbnails: Mapping[str, bytes] = MappingProxyType({})
) -> None:
    """Write two tables, a page and ``errors.json`` into a new directory, all of them or nothing.

    Parameters
    ----------
    thumbnails : mapping of image name to bytes
        For the page, as `misclassified_thumbnails` returns them.

    Raises
    ------
    FiltagError
        If the directory exists already, or cannot be written.
    """
    check_new_directory(output)
    with replacing_directory(output, check_new_directory) as folder:
        texts = {
            "errors.csv": misclassifications_csv(analysis.misclassified),
            "confusions.csv": confusions_csv(confusions(analysis.misclassified)),
            "errors.html": misclassifications_page(analysis, thumbnails),
            "errors.json": misclassification_record_json(analysis),
        }
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
