"""Samples of a webdataset: ``000123.jpg`` with its class in ``000123.cls`` or ``000123.json``.

The key of a sample is a path up to the first dot of its last part; what follows is the kind of file
(https://github.com/webdataset/webdataset).
"""

from __future__ import annotations

import posixpath
from typing import Any

from filtag_kg.errors import FiltagError
from filtag_kg.images.file_labels import FileLabels, Files
from filtag_kg.images.labelled_files import label_of
from filtag_kg.images.listing import IMAGE_SUFFIXES
from filtag_kg.json_values import parse_json

# Of several the first counts.
_KEYS = ("label", "labels", "cls", "class", "classes", "class_id", "class_name", "category")
_MOST_BYTES = 2**20


def webdataset_labels(files: Files) -> FileLabels | None:
    """Return the classes of samples, or None if these are no samples.

    Files ``.cls`` beside images tell that they are samples. Files ``.json`` do so if no image is in a folder: in
    folders of classes they may hold anything.

    Raises
    ------
    FiltagError
        If a file that should name a class does not.
    """
    kinds = ("cls", "json") if files.are_at_top else ("cls",)
    if not any(name.lower().endswith(kinds) for name in files.names):
        return None
    keys = {name: _key_and_kind(name) for name in files.names}
    images = [name for name in files.images if "." + keys[name][1] in IMAGE_SUFFIXES]
    beside = {(key, kind): name for name, (key, kind) in keys.items() if kind in kinds}
    of_key: dict[str, str] = {}
    for name in images:
        key = keys[name][0]
        found = next((beside[key, kind] for kind in kinds if (key, kind) in beside), None)
        if found is not None:
            of_key[key] = found
    if not of_key:
        return None
    wanted = set(of_key.values())
    class_ids = {name: _classes(files, name) for name in files.names if name in wanted}
    return FileLabels(
        {name: class_ids[of_key[keys[name][0]]] for name in images if keys[name][0] in of_key},
        used={*beside.values()},
        without="images without a class in a .cls or .json file of their name",
        keyed=True,
    )


def key_of(name: str) -> str:
    """Return the key of a sample, given the path of a file of it.

    >>> key_of("train/000123.seg.png")
    'train/000123'
    """
    return _key_and_kind(name)[0]


def _key_and_kind(name: str) -> tuple[str, str]:
    folder, last = posixpath.split(name)
    stem, _, kind = last.partition(".")
    return posixpath.join(folder, stem), kind.lower()


def _classes(files: Files, name: str) -> tuple[str, ...]:
    text = files.text(name, _MOST_BYTES)
    if name.lower().endswith(".cls"):
        class_ids = [label_of(line) for line in text.splitlines() if line.strip()]
    else:
        class_ids = _classes_in_json(files, name, text)
    if not class_ids or not all(class_ids):
        raise FiltagError(f"{name} in {files.where} names no class: write one into it, or remove the sample")
    return tuple(dict.fromkeys(class_ids))


def _classes_in_json(files: Files, name: str, text: str) -> list[str]:
    try:
        content = parse_json(text)
    except ValueError as error:
        raise FiltagError(f"{name} in {files.where} is not JSON ({error}): mend it, or remove the sample") from None
    value: Any = content
    if isinstance(content, dict):
        key = next((key for key in _KEYS if key in content), None)
        if key is None:
            raise FiltagError(
                f"{name} in {files.where} names no class, but {', '.join(content)[:60] or 'nothing'}: give the class "
                "as label, or in a .cls file"
            )
        value = content[key]
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str | int) and not isinstance(each, bool) for each in values):
        raise FiltagError(f"{name} in {files.where} has a label that is neither text nor a whole number: write one")
    return [label_of(str(each)) for each in values]
