"""Open labelled images: one archive, or several as one."""

from __future__ import annotations

import hashlib
import logging
import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.images.archive import open_archive, path_and_inside
from filtag_kg.images.folders import classes_of_folders, folder_of, stem_of
from filtag_kg.images.image_list import LIST_SUFFIXES, open_list
from filtag_kg.images.image_set import ImageRef, ImageSet
from filtag_kg.images.listing import LeftOut, readable_name
from filtag_kg.images.npz_images import NUMPY_SUFFIXES, open_npz
from filtag_kg.images.parquet import PARQUET_SUFFIXES, open_parquet, parquet_shards
from filtag_kg.images.pixels import Pixels
from filtag_kg.images.webdataset import key_of

_LOGGER = logging.getLogger(__name__)
_MOST = 1_000_000


def open_images(path: Path, *, log: bool = True) -> ImageSet:
    """List the labelled images in a folder, a tar (compressed or not), a zip, a list, Parquet or NumPy's files.

    Several are named by a pattern, as in a shell: ``train-{0000..0146}.tar``, ``{first,second}.zip``. A path may go on
    inside an archive: ``images.zip/train``. In folders and archives, an image is a file with a suffix in
    :data:`IMAGE_SUFFIXES`, its class the folder it is in, see :mod:`~filtag_kg.images.folders`. Links are followed
    where they stay inside. What is left out, such as hidden files, is counted. Labels may be beside images, see
    :mod:`~filtag_kg.images.webdataset` and :mod:`~filtag_kg.images.solutions`. A list is a table, see
    :func:`~filtag_kg.images.image_list.open_list`; for the others see :mod:`~filtag_kg.images.parquet` and
    :func:`~filtag_kg.images.npz_images.open_npz`.

    Parameters
    ----------
    log : bool
        Whether to log what is left out, in one line.

    Raises
    ------
    FiltagError
        If there is nothing at `path`, it is damaged or of another kind, has no labelled image, or has parts of a data
        set beside each other, such as ``train`` and ``val``.
    """
    paths = expand_braces(str(path))
    opened = (
        _open_one(path) if paths == [str(path)] or path.exists() else _open_shards(path, [Path(each) for each in paths])
    )
    if log:
        _log(opened)
    return opened


def _log(images: ImageSet) -> None:
    name = readable_name(images.path.name or str(images.path))
    if images.left_out:
        _LOGGER.warning("left out of %s: %s", name, images.left_out)
    if images.labels_from is not None:
        _LOGGER.warning("the labels of %s are those of %s", name, images.labels_from)
    if images.folders is not None:
        _warn_of_folders(images)


def _warn_of_folders(images: ImageSet) -> None:
    """Warn of folders of one name that are several classes, and of folders whose names look alike that are one."""
    several = [class_id for class_id in images.classes if "/" in class_id]
    if several:
        shown = f"{', '.join(several[:3])}{' …' if len(several) > 3 else ''}"
        _LOGGER.warning("folders of one name are classes of their own: %s; to join them, give a list", shown)
    folders: dict[str, set[str]] = {}
    for image in images.images:
        if not image.class_id.isascii():
            folders.setdefault(image.class_id, set()).add(posixpath.basename(posixpath.dirname(image.name)))
    for class_id, names in folders.items():
        if len(names) > 1:
            _LOGGER.warning("%d folders are called %s, in other characters: they are one class", len(names), class_id)


def _open_one(path: Path) -> ImageSet:
    try:
        return _open_by_kind(path)
    except OSError as error:
        raise FiltagError(f"{path} cannot be read ({reason_of(error)}): check the path and its permissions") from None


def _open_by_kind(path: Path) -> ImageSet:
    if path.suffix.lower() in LIST_SUFFIXES and path.is_file():
        return open_list(path)
    if path.suffix.lower() in PARQUET_SUFFIXES and path.is_file():
        return open_parquet(path)
    file, inside = path_and_inside(path)
    if file.suffix.lower() in NUMPY_SUFFIXES and file.is_file():
        return open_npz(file, inside)
    if path.is_dir() and (shards := parquet_shards(path)):
        return open_parquet(shards[0]) if len(shards) == 1 else _open_shards(path, shards)
    return open_archive(path)


def open_shard(path: Path, *, log: bool = False) -> ImageSet:
    """Open one of several shards; its images have the same names as when all shards are opened together.

    Parameters
    ----------
    log : bool
        Whether to log what is left out, in one line.
    """
    opened = _open_shards(path, [path])
    if log:
        _log(opened)
    return opened


def _open_shards(pattern: Path, paths: Sequence[Path]) -> ImageSet:
    repeated = next((name for name, count in Counter(path.name for path in paths).items() if count > 1), None)
    if repeated is not None:
        raise FiltagError(f"two shards of {pattern} are called {repeated}: give each a name of its own")
    opened = _open_all(paths)
    # One shard after the other, so a shard's batches are the same wherever it is read.
    images: list[ImageRef] = []
    sizes: dict[str, int] = {}
    shard_numbers: dict[str, int] = {}
    inside: dict[str, ImageRef] = {}
    left_out = LeftOut()
    labelled, folders = _labelled(opened)
    for number, (shard, refs) in enumerate(zip(opened, labelled, strict=True)):
        left_out.update(shard.left_out)
        for image in refs:
            name = f"{shard.path.name}/{image.name}"
            images.append(replace(image, name=name))
            sizes[name] = shard.sizes[image.name]
            shard_numbers[name] = number
            inside[name] = image

    def read(name: str) -> bytes:
        return opened[shard_numbers[name]].read(inside[name])

    def pixels(name: str) -> Pixels | None:
        return opened[shard_numbers[name]].pixels(inside[name])

    def close() -> None:
        for shard in opened:
            shard.close()

    return ImageSet(
        pattern,
        images,
        sizes=sizes,
        read=read,
        close=close,
        digest=lambda: combined_sha256(shard.sha256() for shard in opened),
        reading_order=images,
        shards=shard_numbers,
        left_out=left_out,
        folders=folders,
        labels_from=next((shard.labels_from for shard in opened if shard.labels_from), None),
        pixels=pixels if any(shard.has_arrays for shard in opened) else None,
        ready_made=any(shard.ready_made for shard in opened),
        labels={class_id: label for shard in opened for class_id, label in shard.labels.items()},
    )


def _open_all(paths: Sequence[Path]) -> list[ImageSet]:
    opened: list[ImageSet] = []
    try:
        opened.extend(map(_open_one, paths))
        _refuse_same_keys(opened)
        _refuse_mixed_arrays(opened)
    except FiltagError:
        for shard in opened:
            shard.close()
        raise
    return opened


def _refuse_mixed_arrays(shards: Sequence[ImageSet]) -> None:
    if len({shard.ready_made for shard in shards}) > 1:
        raise FiltagError(
            f"{shards[0].path} and the other shards are pixels in part, and in part what a network takes: give those "
            "of one kind"
        )


def _refuse_same_keys(shards: Sequence[ImageSet]) -> None:
    """Refuse two shards of samples with one key, which most likely are the same."""
    first: dict[str, ImageSet] = {}
    for shard in shards:
        if not shard.keyed:
            continue
        for key in sorted({key_of(image.name) for image in shard.images}):
            if key in first:
                raise FiltagError(
                    f"two shards, {first[key].path.name} and {shard.path.name}, have a sample {key}: a key names one "
                    "sample, so leave out the shard that is there twice, or give the samples other keys"
                )
            first[key] = shard


def _labelled(shards: Sequence[ImageSet]) -> tuple[list[Sequence[ImageRef]], dict[str, str] | None]:
    """Return the images of each shard in reading order, labelled by the folders of all shards together.

    A shard alone may have one folder ``indoor`` where all have two.
    """
    if any(shard.folders is None for shard in shards):
        return [shard.reading_order for shard in shards], None
    folders = [{folder_of(image.name) for image in shard.images} for shard in shards]
    stems = [stem_of(shard.path) for shard in shards]
    classes, paths = classes_of_folders(list(zip(stems, folders, strict=True)))
    return [
        [replace(image, class_id=class_of[folder_of(image.name)]) for image in shard.reading_order]
        for shard, class_of in zip(shards, classes, strict=True)
    ], paths


def expand_braces(pattern: str) -> list[str]:
    """Expand ``{0000..0146}`` and ``{a,b}`` as a shell would; of several braces the leftmost varies slowest.

    >>> expand_braces("train-{08..10}.tar")
    ['train-08.tar', 'train-09.tar', 'train-10.tar']
    >>> expand_braces("{a,b}/{1..2}.zip")
    ['a/1.zip', 'a/2.zip', 'b/1.zip', 'b/2.zip']
    >>> expand_braces("plain.tar")
    ['plain.tar']

    Raises
    ------
    FiltagError
        If a range goes down, or gives more than a million names.
    """
    match = re.search(r"\{(?:(\d+)\.\.(\d+)|([^{},]*(?:,[^{},]*)+))\}", pattern)
    if match is None:
        return [pattern]
    first, last, choices = match.groups()
    if choices is not None:
        middles = choices.split(",")
    else:
        if not int(first) <= int(last) < int(first) + _MOST:
            raise FiltagError(f"{match[0]} in {pattern} is no range of shards: write the lower number first")
        width = max(len(first), len(last)) if first.startswith("0") or last.startswith("0") else 0
        middles = [f"{number:0{width}}" for number in range(int(first), int(last) + 1)]
    return [
        pattern[: match.start()] + middle + rest for middle in middles for rest in expand_braces(pattern[match.end() :])
    ]


def combined_sha256(digests: Iterable[str]) -> str:
    """Return one SHA-256 for several shards, independent of their order; for one shard, its own.

    >>> combined_sha256(["ab"])
    'ab'
    >>> combined_sha256(["ab", "cd"]) == combined_sha256(["cd", "ab"])
    True
    """
    first, *others = sorted(digests)
    if not others:
        return first
    return hashlib.sha256("".join(f"{digest}\n" for digest in (first, *others)).encode()).hexdigest()
