"""What a folder of misclassifications says of itself, ``errors.json``, and how the folder is read by reports."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from filtag_kg.explain.confusions import Confusion, read_confusions
from filtag_kg.explain.folder_record import check_is_folder, read_folder_record
from filtag_kg.explain.misclassifications import MisclassificationAnalysis
from filtag_kg.json_values import Shape, named, whole_number

_NAME = "errors.json"
_SHAPE: Mapping[str, Shape] = {
    "network": named,
    "rule": str,
    "images": str,
    "n_images": whole_number(),
    "n_classes": whole_number(),
    "n_misclassified": whole_number(),
    "notes": [str],
}


def misclassification_record_json(analysis: MisclassificationAnalysis) -> str:
    """Return the text of ``errors.json``."""
    values = {
        "network": analysis.network,
        "rule": analysis.rule,
        "images": analysis.source,
        "n_images": analysis.n_images,
        "n_classes": analysis.n_classes,
        "n_misclassified": len(analysis.misclassified),
        "notes": analysis.notes,
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def read_misclassifications(folder: Path, networks: Collection[str]) -> list[Confusion]:
    """Read the confusions of a folder of misclassifications.

    Parameters
    ----------
    networks : collection of str
        Identifiers of the networks that it may be about. A folder of an earlier version does not say which it is about.

    Raises
    ------
    FiltagError
        If it is missing or damaged, or about another network.
    """
    check_is_folder(folder)
    rows = read_confusions(folder / "confusions.csv")
    read_folder_record(folder / _NAME, _SHAPE, networks, what="mistakes", again="classify the images anew")
    return rows
