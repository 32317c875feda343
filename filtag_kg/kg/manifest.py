"""A KG's manifest, ``filtag.json``: it records the size and SHA-256 of every other file of the KG."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from filtag_kg.files import is_leftover, sha256_of, writing

MANIFEST = "filtag.json"
LARGE = ("added/", "exemplars/", "graph.nq.gz", "profile.npz", "store/")
"""How the names of large files begin."""


def write_manifest(folder: Path, facts: Mapping[str, Any], *, known: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the manifest of a KG whose other files are all there.

    Parameters
    ----------
    folder : Path
        The KG's directory.
    facts : mapping of str to JSON values
        What the manifest records besides ``files``.
    known : mapping of file name to what `record_of` returned
        Records of files that need not be read again.
    """
    names = kg_file_names(folder)
    files = {name: known[name] if name in known else record_of(folder / name) for name in names}
    text = json.dumps({**facts, "files": files}, indent=2, ensure_ascii=False)
    with writing(folder / MANIFEST) as file:
        file.write(f"{text}\n".encode())


def record_of(path: Path) -> dict[str, Any]:
    """Return what the manifest records of a file: its ``bytes`` and ``sha256``."""
    return {"bytes": path.stat().st_size, "sha256": sha256_of(path)}


def kg_file_names(folder: Path) -> list[str]:
    """Return the names of the files that a manifest records, from the KG's directory, sorted.

    The store's lock and log are left out: they may change when the store is opened.
    """
    return sorted(name for name in _names_below(folder, "") if name != MANIFEST and not _is_log(name))


def file_differences(
    folder: Path, recorded: Mapping[str, Mapping[str, Any]], *, quick: bool
) -> Iterator[tuple[str, str]]:
    """Yield the name of each file that differs from what was recorded, and how it differs.

    Parameters
    ----------
    folder : Path
        The KG's directory.
    recorded : mapping of file name to what `record_of` returned
    quick : bool
        Compare only the sizes of large files.
    """
    existing = set(kg_file_names(folder))
    for name, record in sorted(recorded.items()):
        if name not in existing:
            yield name, "is missing"
            continue
        path = folder / name
        try:
            size = path.stat().st_size
            if size != record["bytes"]:
                yield name, f"has {size:,} bytes, not {record['bytes']:,}"
            elif not (quick and name.startswith(LARGE)) and sha256_of(path) != record["sha256"]:
                yield name, "has changed since it was recorded"
        except OSError as error:
            yield name, f"cannot be read ({error.strerror})"


def _names_below(folder: Path, start: str) -> Iterator[str]:
    for path in folder.iterdir():
        if path.is_dir():
            yield from _names_below(path, f"{start}{path.name}/")
        elif path.is_file() and not is_leftover(path.name):
            yield f"{start}{path.name}"


def _is_log(name: str) -> bool:
    return name.startswith(("store/LOCK", "store/LOG"))
