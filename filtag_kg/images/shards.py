"""Open labelled images: one archive, or several as one."""

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

_LOGGER = logging.getLogger(__name__)
_MOST = 1_000_000


def open_images(path: Path, *, log: bool = True) -> ImageSet:
    """List the labelled images in a folder, a tar (compressed or not), a zip, or in several of these.

    Several are named by a pattern, as in a shell: ``train-{0000..0146}.tar``, ``{first,second}.zip``. An image is a
    file with a suffix in :data:`IMAGE_SUFFIXES`; its class is the folder it is in. Links are followed where they stay
    inside. What is left out, such as hidden files, is counted.

    Parameters
    ----------
    log : bool
        Whether to log what is left out, in one line.

    Raises
    ------
    FiltagError
        If there is nothing at `path`, it is damaged or of another kind, or has no image in a class folder.
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
        _warn_of_same_names(opened)
    return opened


def _warn_of_same_names(images: ImageSet) -> None:
    """Warn of a class whose images are in several folders: their names look alike but differ in their characters."""
    folders: dict[str, set[str]] = {}
    for image in images.images:
        if not image.class_id.isascii():
            folders.setdefault(image.class_id, set()).add(posixpath.basename(posixpath.dirname(image.name)))
    for class_id, names in folders.items():
        if len(names) > 1:
            _LOGGER.warning("%d folders are called %s, in other characters: they are one class", len(names), class_id)


def open_shard(path: Path) -> ImageSet:
    """Open one of several shards; its images have the same names as when all shards are opened together."""
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
    # One shard after the other, so a shard's batches are the same wherever it is read.
    images: list[ImageRef] = []
    sizes: dict[str, int] = {}
    shard_numbers: dict[str, int] = {}
    inside: dict[str, ImageRef] = {}
    left_out = LeftOut()
    for number, shard in enumerate(opened):
        left_out.update(shard.left_out)
        for image in shard.reading_order:
            name = f"{shard.path.name}/{image.name}"
            images.append(ImageRef(image.class_id, name))
            sizes[name] = shard.sizes[image.name]
            shard_numbers[name] = number
            inside[name] = image

    def read(name: str) -> bytes:
        return opened[shard_numbers[name]].read(inside[name])

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
    )


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
