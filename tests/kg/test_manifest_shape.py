"""What ``filtag.json`` must say: every part that somebody reads is checked when a KG is opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.kg import KG, open_kg


def paths(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, each in children for path in [(*before, key), *paths(each, (*before, key))]]


def changed(manifest: Any, path: tuple[Any, ...], value: object) -> Any:
    again = json.loads(json.dumps(manifest))
    at = again
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return again


def opened(folder: Path, manifest: Any) -> KG:
    folder.mkdir(exist_ok=True)
    (folder / "filtag.json").write_text(json.dumps(manifest), encoding="utf-8")
    return open_kg(folder)


def test_every_value_of_another_type_is_refused(kg: KG, tmp_path: Path) -> None:
    # What nobody reads back.
    unread = (
        "score",
        "curated_links",
        "cycles",
        "python",
        "flt",
        "profileSha256",
        "weightsSha256",
        "imagesSha256",
        "min_ic",
        "draws",
    )
    for path in paths(dict(kg.manifest)):
        if any(key in unread for key in path):
            continue
        for value in (None, [None], -1.5):
            with pytest.raises(FiltagError, match=r"^[^\n]*: build the KG anew$"):
                opened(tmp_path / "kg", changed(kg.manifest, path, value))


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        (("runs",), [], "it has no run of its own"),
        (("runs", 0, "rule"), "", "runs[0].rule is not a name"),
        (("runs", 0, "folder"), "../..", "runs[0].folder is not a folder of an added build"),
        (("runs", 0, "folder"), "added/x", "a run is in added/x, which is not among the added builds"),
        (("counts", "filters"), 10**30, "counts.filters is not a whole number from 0"),
        (("parameters", "base"), "x", "parameters.base is not a base for IRIs"),
        (("parameters", "conceptnet"), "a b", "parameters.conceptnet is not an IRI"),
        (("attribution",), {"licence": "CC-BY-4.0"}, "attribution.licence is not the IRI of a licence"),
        (("attribution",), {"licence": 4}, "attribution.licence is not the IRI of a licence"),
        (("attribution",), {"creators": [""]}, "attribution.creators[0] is not a creator"),
        (("attribution",), {"creators": [["Ada"]]}, "attribution.creators[0] is not a creator"),
        (("attribution",), {"title": None}, "attribution.title is not a title"),
        (("licences",), {"a b": "x"}, "licences names 'a b', which is not an IRI"),
        (("inputs", "profile"), [], "inputs.profile is not an object"),
    ],
)
def test_what_is_wrong_is_told(kg: KG, tmp_path: Path, path: tuple[Any, ...], value: object, what: str) -> None:
    with pytest.raises(FiltagError) as caught:
        opened(tmp_path / "kg", changed(kg.manifest, path, value))
    said = f"{tmp_path / 'kg' / 'filtag.json'} is damaged ({what}): build the KG anew"
    assert str(caught.value) == said


def test_two_runs_of_one_id_are_refused(kg: KG, tmp_path: Path) -> None:
    with pytest.raises(FiltagError, match=r"is damaged \(runs have the same id\)"):
        opened(tmp_path / "kg", {**kg.manifest, "runs": [kg.manifest["runs"][0]] * 2})
