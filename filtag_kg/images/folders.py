"""Which class a folder of images stands for.

A class is called by its folder. Where the folders of all images end alike (``n01443537/images``), that end says nothing
and is left out. Where several folders have one name, as many folders above belong to the name as it takes to tell them
apart: ``church/indoor`` and ``library/indoor``. So two folders are never one class.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from filtag_kg.names import nfc

Folder = tuple[str, ...]
"""The names of a folder and those above it, from the top, in Unicode's normal form C."""

_PART_OF_DATA = re.compile(r"(train|training|val|valid|validation|dev|test|testing|eval)([_-]?(set|data|\d{2,4}))?")


def folder_of(name: str) -> Folder:
    """Return the folder of an image, given its path with ``/``; empty for one at the top.

    >>> folder_of("./train/dog/x.jpg"), folder_of("/data/x.jpg"), folder_of("../x.jpg")
    (('train', 'dog'), ('data',), ())
    """
    parts = posixpath.dirname(posixpath.normpath(name)).split("/")
    return tuple(nfc(part) for part in parts if part not in ("", ".", ".."))


def stem_of(archive: Path) -> str:
    """Return the name of an archive without its endings, by which its only folder at the top is often called."""
    return archive.name.partition(".")[0]


def parts_of_data(folders: Iterable[Folder]) -> list[str]:
    """Return folders beside each other that are parts of a data set, such as ``train`` and ``val``; empty if none are.

    >>> parts_of_data([("train", "dog"), ("val", "dog"), ("train", "cat")])
    ['train', 'val']
    >>> parts_of_data([("train",), ("bus",), ("train_station",)])
    []
    """
    beside: dict[Folder, set[str]] = defaultdict(set)
    for folder in folders:
        for depth, part in enumerate(folder):
            if _PART_OF_DATA.fullmatch(part.casefold()):
                beside[folder[:depth]].add(part)
    several = min(((above, parts) for above, parts in beside.items() if len(parts) > 1), default=None)
    return [] if several is None else ["/".join((*several[0], part)) for part in sorted(several[1])]


def classes_of_folders(
    shards: Sequence[tuple[str, Collection[Folder]]],
) -> tuple[list[dict[Folder, str]], dict[str, str]]:
    """Return what class each folder of one or several archives is.

    Parameters
    ----------
    shards : sequence of (str, collection of folders)
        The name of each archive without its ending, and the folders of its images.

    Returns
    -------
    classes : list of dict
        For each archive the class id of each folder.
    paths : dict of str to str
        From a class id to the path of its folder, where that is not just the class id.
    """
    renamed = _without_top(shards)
    class_of = class_of_each([name for names in renamed for name in names.values()])
    classes = [{folder: class_of[name] for folder, name in names.items()} for names in renamed]
    paths = {class_id: "/".join(name) for name, class_id in class_of.items()}
    return classes, {class_id: path for class_id, path in paths.items() if path != class_id}


def _without_top(shards: Sequence[tuple[str, Collection[Folder]]]) -> list[dict[Folder, Folder]]:
    """Return for each archive its folders without a first one that is called as the archive.

    A folder ``train-07`` in ``train-07.tar`` says nothing of classes, unless it is all that tells one from another.
    """
    stripped = []
    for stem, folders in shards:
        top = nfc(stem)
        redundant = all(len(folder) > 1 and folder[0] == top for folder in folders)
        stripped.append({folder: folder[1:] if redundant else folder for folder in folders})
    if len({name for names in stripped for name in names.values()}) > 1:
        return stripped
    return [{folder: folder for folder in folders} for _, folders in shards]


def class_of_each(folders: Collection[Folder]) -> dict[Folder, str]:
    """Return the class id of each folder, which no other folder has; empty for the top.

    >>> class_of_each([("a", "n01", "images"), ("a", "n02", "images")])
    {('a', 'n01', 'images'): 'n01', ('a', 'n02', 'images'): 'n02'}
    >>> list(class_of_each([("church", "indoor"), ("library", "indoor"), ("bar",)]).values())
    ['church/indoor', 'library/indoor', 'bar']
    """
    distinct = dict.fromkeys(folders)
    names = {folder: folder for folder in distinct}
    while (
        len(names) > 1 and all(len(name) > 1 for name in names.values()) and len({x[-1] for x in names.values()}) == 1
    ):
        names = {folder: name[:-1] for folder, name in names.items()}
    alike: dict[str, list[Folder]] = defaultdict(list)
    for name in names.values():
        alike["".join(name[-1:])].append(name)
    lengths = {last: _telling_apart(group) for last, group in alike.items()}
    return {folder: "/".join(name[-lengths["".join(name[-1:])] :]) for folder, name in names.items()}


def _telling_apart(folders: Sequence[Folder]) -> int:
    """Return how many names from the end tell all folders apart."""
    # Sorted by their ends, the folders with the longest shared end are neighbours.
    by_end = sorted(folders, key=lambda folder: folder[::-1])
    return 1 + max((_shared_end(one, other) for one, other in pairwise(by_end)), default=0)


def _shared_end(one: Folder, other: Folder) -> int:
    return next(
        (depth for depth, (x, y) in enumerate(zip(one[::-1], other[::-1], strict=False)) if x != y),
        min(len(one), len(other)),
    )


def contradiction(records: Sequence[Mapping[str, str]]) -> tuple[str, str] | None:
    """Return two folders that are one class, or two classes that are one folder, in several listings; None if none are.

    Parameters
    ----------
    records : sequence of mapping
        From class ids to the folders that they stand for.
    """
    folder_of_class: dict[str, str] = {}
    class_of_folder: dict[str, str] = {}
    for record in records:
        for class_id, folder in record.items():
            if folder_of_class.setdefault(class_id, folder) != folder:
                return folder_of_class[class_id], folder
            if class_of_folder.setdefault(folder, class_id) != class_id:
                return class_of_folder[folder], class_id
    return None
