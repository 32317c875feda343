"""What a folder of misclassifications says of itself, ``errors.json``, and how the folder is read by reports."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from filtag_kg.errors import FiltagError
from filtag_kg.explain.confusions import Confusion, read_confusions
from filtag_kg.explain.misclassifications import MisclassificationAnalysis
from filtag_kg.json_values import Shape, mismatch, named, parse_json, whole_number

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
    if folder.is_file():
        raise FiltagError(f"{folder} is a file: give the folder that it is in")
    rows = read_confusions(folder / "confusions.csv")
    path = folder / _NAME
    try:
        value = parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return rows
    except OSError as error:
        raise FiltagError(f"{path} cannot be read ({error.strerror}): classify the images anew") from None
    except ValueError as error:
        raise FiltagError(f"{path} cannot be read ({error}): classify the images anew") from None
    if (problem := mismatch(value, _SHAPE)) is not None:
        raise FiltagError(f"{path} is damaged ({problem}): classify the images anew")
    if value["network"] not in networks:
        raise FiltagError(
            f"{folder} has the mistakes of {value['network']}, and the KG is about {', '.join(sorted(networks))}: "
            "give the mistakes of its network"
        )
    return rows
