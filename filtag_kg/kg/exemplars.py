"""Thumbnails of the images that activate each filter most, and the table that says which they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from filtag_kg.csv_table import csv_writer
from filtag_kg.errors import FiltagError
from filtag_kg.images import ImageRef, ImageSet, UnreadableImageError, thumbnail
from filtag_kg.profile import Exemplars, Profile

__all__ = ["EXEMPLAR_COLUMNS", "write_exemplars"]

EXEMPLAR_COLUMNS = ("layer_index", "layer", "filter", "rank", "image", "class_id", "activation", "thumbnail")
_MOST_AT_ONCE = 256
_MOST_BYTES_AT_ONCE = 2**29


def write_exemplars(profile: Profile, images: ImageSet, folder: Path) -> None:
    """Write ``exemplars.csv`` and a numbered JPEG for each image in it.

    Parameters
    ----------
    profile : Profile
        With exemplars.
    images : ImageSet
        Open; those that the profile was made of.
    folder : Path
        Empty.

    Raises
    ------
    FiltagError
        If an exemplar is not among the images, or cannot be read any more.
    """
    found = profile.exemplars
    assert found is not None
    by_name = {image.name: image for image in images.images}
    missing = next((name for name in found.names if name not in by_name), None)
    if missing is not None:
        raise FiltagError(f"{missing} is not in {images.path}: give the images that the profile was made of")
    thumbnails = _write_thumbnails([by_name[name] for name in found.names], images, folder)
    with (folder / "exemplars.csv").open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        table = csv_writer(file)
        table.writerow(EXEMPLAR_COLUMNS)
        table.writerows(_rows(profile, found, by_name, thumbnails))


def _rows(
    profile: Profile, found: Exemplars, by_name: Mapping[str, ImageRef], thumbnails: Sequence[str]
) -> Iterator[tuple[object, ...]]:
    for layer, name in enumerate(profile.layer_names):
        start, end = profile.layer_offsets[layer : layer + 2]
        for column in range(start, end):
            best = zip(found.image[column], found.activation[column], strict=True)
            for rank, (place, activation) in enumerate(best, 1):
                if place >= 0:
                    image = by_name[found.names[place]]
                    value = f"{activation:.6g}"
                    yield layer, name, column - start, rank, image.name, image.class_id, value, thumbnails[place]


def _write_thumbnails(chosen: list[ImageRef], images: ImageSet, folder: Path) -> list[str]:
    """Return the thumbnails' names, in the order of the images; numbers, for images may be called anything."""
    names = {image: f"{place:07}.jpg" for place, image in enumerate(chosen)}

    def write(image: ImageRef, content: bytes) -> None:
        try:
            (folder / names[image]).write_bytes(thumbnail(content))
        except UnreadableImageError as error:
            raise FiltagError(f"{image.name} in {images.path} cannot be read any more ({error})") from None

    with ThreadPoolExecutor(thread_name_prefix="thumbnail") as pool:
        for block in _blocks(images.only(chosen)):
            list(pool.map(write, block, [images.read(image) for image in block]))
    return list(names.values())


def _blocks(images: ImageSet) -> Iterator[list[ImageRef]]:
    """Yield images in reading order, so many at once as may be in memory undecoded."""
    block: list[ImageRef] = []
    size = 0
    for image in images.reading_order:
        if block and (len(block) == _MOST_AT_ONCE or size + images.sizes[image.name] > _MOST_BYTES_AT_ONCE):
            yield block
            block, size = [], 0
        block.append(image)
        size += images.sizes[image.name]
    if block:
        yield block
