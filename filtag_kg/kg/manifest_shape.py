"""What ``filtag.json`` must contain, checked when a KG is opened."""

from __future__ import annotations

import re
from typing import Any

from filtag_kg.errors import FiltagError
from filtag_kg.graph import Attribution, DataIris, iri, is_iri
from filtag_kg.json_values import mismatch, named, whole_number
from filtag_kg.profile import METADATA

_ID = re.compile(r"[0-9a-f]{16}")
# The folder of an added build, which is never outside the KG.
_FOLDER = re.compile(r"added/[A-Za-z0-9_-]+")


def _base(value: Any) -> str | None:  # noqa: ANN401
    try:
        DataIris(value if isinstance(value, str) else "")
    except FiltagError:
        return "is not a base for IRIs"
    return None


def _folder(value: Any) -> str | None:  # noqa: ANN401
    return None if isinstance(value, str) and _FOLDER.fullmatch(value) else "is not a folder of an added build"


def _iri(value: Any) -> str | None:  # noqa: ANN401
    try:
        iri(value if isinstance(value, str) and ":" in value else " ")
    except ValueError:
        return "is not an IRI"
    return None


def _licences(value: Any) -> str | None:  # noqa: ANN401
    if not isinstance(value, dict):
        return "is not an object"
    wrong = (text for pair in value.items() for text in pair if _iri(text) is not None)
    return next((f"names {text!r}, which is not an IRI" for text in wrong), None)


def _title(value: Any) -> str | None:  # noqa: ANN401
    return None if _fits("title", value) else "is not a title"


def _creator(value: Any) -> str | None:  # noqa: ANN401
    return None if isinstance(value, str) and _fits("creators", (value,)) else "is not a creator"


def _licence(value: Any) -> str | None:  # noqa: ANN401
    return None if _fits("licence", value) and is_iri(value) else "is not the IRI of a licence"


def _fits(name: str, value: Any) -> bool:  # noqa: ANN401
    try:
        return isinstance(value, str | tuple) and bool(Attribution.of_record({name: value}))
    except FiltagError:
        return False


def _score(value: Any) -> str | None:  # noqa: ANN401
    return None if value in (None, "activation", "contrast") else "is neither activation nor contrast"


def _text_or_none(value: Any) -> str | None:  # noqa: ANN401
    return None if value is None or isinstance(value, str) else "is not text"


def _any(_: Any) -> str | None:  # noqa: ANN401
    return None


def _experiment_id(value: Any) -> str | None:  # noqa: ANN401
    return None if isinstance(value, str) and _ID.fullmatch(value) else "is not 16 hexadecimal digits"


def _experiment_kind(value: Any) -> str | None:  # noqa: ANN401
    return None if value in ("check", "ablation") else "is neither check nor ablation"


_COUNTS = dict.fromkeys(
    (
        *("layers", "filters", "classes", "linked_classes", "tags"),
        *("common_concepts", "concepts", "concepts_in_layers", "quads"),
    ),
    whole_number(),
)
_BUILD = {
    "id": named,
    "network": named,
    "inputs": {"profile?": METADATA},
    "parameters": {"base": _base, "conceptnet": _iri, "seed": whole_number(), "concepts": named},
    "licences": _licences,
    "attribution?": {"title?": _title, "creators?": [_creator], "licence?": _licence},
    "built": str,
    "counts": _COUNTS,
    "mixed?": {"tested": whole_number(), "classes_needed?": whole_number(1)},
}
_DOUBTFUL = {"class_id": str, "label": str, "meaning": str, "confidence": float, "alternative": _text_or_none}
_SHAPE = {
    **_BUILD,
    "linking": _experiment_id,
    "versions": {"software": [str]},
    "runs": [
        {
            "id": named,
            "rule": named,
            "score?": _score,
            "method?": named,
            "score_meaning?": named,
            "network?": named,
            "folder?": _folder,
            "classes_needed?": {str: whole_number(1)},
            "kinds_of": named,
        }
    ],
    "doubtful_links?": [_DOUBTFUL],
    "unlinked_classes?": [str],
    "files?": {str: {"bytes": whole_number(), "sha256": str}},
    "added?": [{**_BUILD, "folder": _folder}],
    "experiments?": [
        {"id": _experiment_id, "kind": _experiment_kind, "run": named, "folder?": _folder, "about": {str: _any}}
    ],
}


def manifest_mistake(manifest: Any) -> str | None:  # noqa: ANN401 - any JSON value
    """Return what is wrong with the parts of a manifest that this package reads; None if nothing is."""
    problem = mismatch(manifest, _SHAPE)
    if problem is not None:
        return problem
    ids = [run["id"] for run in manifest["runs"]]
    if len(set(ids)) != len(ids):
        return "runs have the same id"
    if all("folder" in run for run in manifest["runs"]):
        return "it has no run of its own"
    experiments = manifest.get("experiments", ())
    if len({*ids, *(each["id"] for each in experiments)}) != len(ids) + len(experiments):
        return "runs or experiments have the same id"
    if not {each["run"] for each in experiments} <= set(ids):
        return "an experiment is about a run that is not there"
    folders = {"", *(build["folder"] for build in manifest.get("added", ()))}
    for what, records in (("a run", manifest["runs"]), ("an experiment", experiments)):
        unknown = next((record["folder"] for record in records if record.get("folder", "") not in folders), None)
        if unknown is not None:
            return f"{what} is in {unknown}, which is not among the added builds"
    return None
