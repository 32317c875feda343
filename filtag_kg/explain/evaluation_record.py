"""What an evaluation's folder says of itself, ``evaluation.json``, and how the folder is read by reports."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from filtag_kg.explain.evaluation import Evaluation
from filtag_kg.explain.evaluation_columns import HitsRow, read_hits
from filtag_kg.explain.folder_record import check_is_folder, read_folder_record
from filtag_kg.images import ImageSet
from filtag_kg.json_values import Shape, named, whole_number
from filtag_kg.network import Network
from filtag_kg.profile import software_versions

_NAME = "evaluation.json"


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """What an evaluation was made from.

    Parameters
    ----------
    network : str
        The network's identifier.
    images, images_sha256 : str
        Name of the folder or archive of the test images, and the digest of its content.
    n_images, n_classes : int
        Images that were read, and their classes.
    top1 : float or None
        The network's accuracy on them, in [0, 1].
    permutations, resamples, seed : int
        Of the null, and of the intervals; 0 where there are none.
    versions : mapping of str to str
        Of the software.
    """

    network: str
    images: str
    images_sha256: str
    n_images: int
    n_classes: int
    top1: float | None
    permutations: int
    resamples: int
    seed: int
    notes: tuple[str, ...]
    versions: Mapping[str, str]


def _share(value: object) -> str | None:
    is_share = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return None if value is None or is_share else "is not a number from 0 to 1"


_SHAPE: Mapping[str, Shape] = {
    "network": named,
    "images": str,
    "images_sha256": str,
    "n_images": whole_number(1),
    "n_classes": whole_number(1),
    "top1": _share,
    "permutations": whole_number(),
    "resamples": whole_number(),
    "seed": whole_number(),
    "notes": [str],
    "versions": {str: str},
}


def evaluation_record(
    evaluation: Evaluation, network: Network, images: ImageSet, *, permutations: int, resamples: int, seed: int
) -> EvaluationRecord:
    """Return the record of an evaluation that was made with these arguments."""
    hits = evaluation.hits
    return EvaluationRecord(
        network=network.identifier,
        images=images.path.name,
        images_sha256=images.sha256(),
        n_images=int(hits.images.sum()),
        n_classes=int((hits.images > 0).sum()),
        top1=None if evaluation.top1 is None else round(evaluation.top1, 6),
        permutations=permutations,
        resamples=resamples,
        seed=seed,
        notes=evaluation.notes,
        versions=software_versions(network),
    )


def write_evaluation_record(record: EvaluationRecord, folder: Path) -> None:
    """Write ``evaluation.json`` into the folder of an evaluation."""
    text = json.dumps(asdict(record), indent=2, ensure_ascii=False)
    (folder / _NAME).write_text(f"{text}\n", encoding="utf-8")


def read_evaluation(folder: Path, networks: Collection[str]) -> tuple[list[HitsRow], EvaluationRecord | None]:
    """Read the folder of an evaluation.

    Parameters
    ----------
    networks : collection of str
        Identifiers of the networks that it may be about.

    Returns
    -------
    rows : list of HitsRow
    record : EvaluationRecord or None
        None for a folder of an earlier version, which does not say what it is about.

    Raises
    ------
    FiltagError
        If it is missing or damaged, or about another network.
    """
    check_is_folder(folder)
    rows = read_hits(folder / "hits.csv")
    value = read_folder_record(folder / _NAME, _SHAPE, networks, what="evaluation", again="evaluate anew")
    return rows, None if value is None else EvaluationRecord(**value | {"notes": tuple(value["notes"])})
