"""Open labelled images: one archive, or several that are read as one."""

from __future__ import annotations

import hashlib
import logging
import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from filtag_kg.errors import FiltagError
from filtag_kg.images.archive import open_archive
from filtag_kg.images.image_set import ImageRef, ImageSet
from filtag_kg.images.listing import LeftOut, readable_name

__all__ = ["combined_sha256", "expand_braces", "open_images", "open_shard"]

_LOGGER = logging.getLogger(__name__)
_MOST = 1_000_000


def open_images(path: Path, *, log: bool = True) -> ImageSet:
    """List the labelled images in a folder, a tar (compressed or not), a zip, or in several of these.

    Several are named by a pattern, as shells know it: ``train-{0000..0146}.tar``, ``{first,second}.zip``. An
    image is a file whose suffix is among :data:`IMAGE_SUFFIXES`; its class is the folder that it lies in. Links are
    followed where they stay inside. What is left out, such as hidden files, is counted.

    Parameters
    ----------
    path : Path
    log : bool
        Whether to log what is left out, in one line.

    Raises
    ------
    FiltagError
        If there is nothing at `path`, it is damaged or of another kind, or holds no image in a class folder.
    """
    paths = expand_braces(str(path))
    opened = (
        _open_shards(path, [Path(each) for each in paths])
        if len(paths) > 1 and not path.exists()
        else open_archive(path)
    )
    if log and opened.left_out:
        _LOGGER.warning("left out of %s: %s", readable_name(path.name or str(path)), opened.left_out)
    if log:
        _tell_of_twins(opened)
    return opened


def _tell_of_twins(images: ImageSet) -> None:
    """Say which class has images in folders whose names look alike and are written in other characters."""
    folders: dict[str, set[str]] = {}
    for image in images.images:
        if not image.class_id.isascii():
            folders.setdefault(image.class_id, set()).add(posixpath.basename(posixpath.dirname(image.name)))
    for class_id, names in folders.items():
        if len(names) > 1:
            _LOGGER.warning("%d folders are called %s, in other characters: they are one class", len(names), class_id)


def open_shard(path: Path) -> ImageSet:
    """Open one of several shards: its images are named as they are when all shards are opened together."""
    return _open_shards(path, [path])


def _open_shards(pattern: Path, paths: Sequence[Path]) -> ImageSet:
    repeated = next((name for name, count in Counter(path.name for path in paths).items() if count > 1), None)
    if repeated is not None:
        raise FiltagError(f"two shards of {pattern} are called {repeated}: give each a name of its own")
    opened: list[ImageSet] = []
    try:
        opened.extend(open_archive(path) for path in paths)
    except FiltagError:
        for shard in opened:
            shard.close()
        raise
    placed = [
        (ImageRef(inside.class_id, f"{shard.path.name}/{inside.name}"), inside, place)
        for place, shard in enumerate(opened)
        for inside in shard.reading_order
    ]
    found = {image.name: (opened[place], inside) for image, inside, place in placed}

    left_out = LeftOut()
    for shard in opened:
        left_out.update(shard.left_out)

    def read(name: str) -> bytes:
        shard, inside = found[name]
        return shard.read(inside)

    def close() -> None:
        for shard in opened:
            shard.close()

    return ImageSet(
        pattern,
        [image for image, _, _ in placed],
        sizes={image.name: opened[place].sizes[inside.name] for image, inside, place in placed},
        read=read,
        close=close,
        digest=lambda: combined_sha256(shard.sha256() for shard in opened),
        # One shard after the other, so that a shard's batches are the same wherever it is read.
        reading_order=[image for image, _, _ in placed],
        shards={image.name: place for image, _, place in placed},
        left_out=left_out,
    )


def expand_braces(pattern: str) -> list[str]:
    """Expand ``{0000..0146}`` and ``{a,b}`` as a shell would; several braces nest from the left.

    >>> expand_braces("train-{08..10}.tar")
    ['train-08.tar', 'train-09.tar', 'train-10.tar']
    >>> expand_braces("{a,b}/{1..2}.zip")
    ['a/1.zip', 'a/2.zip', 'b/1.zip', 'b/2.zip']
    >>> expand_braces("plain.tar")
    ['plain.tar']

    Raises
    ------
    FiltagError
        If a range goes down, or the names are more than a million.
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
    """Return one SHA-256 for several shards, in whatever order they come; of one, its own.

    >>> combined_sha256(["ab"])
    'ab'
    >>> combined_sha256(["ab", "cd"]) == combined_sha256(["cd", "ab"])
    True
    """
    first, *others = sorted(digests)
    if not others:
        return first
    return hashlib.sha256("".join(f"{digest}\n" for digest in (first, *others)).encode()).hexdigest()
