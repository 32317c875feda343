"""Thumbnails of the images that activate each filter most, and the table that says which they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from filtag_kg.csv_table import TEXT, Cell, file_beside, real, whole
from filtag_kg.errors import FiltagError
from filtag_kg.images import ImageRef, ImageSet, UnreadableImageError, thumbnail
from filtag_kg.kg.tables import Table
from filtag_kg.profile import Exemplars, Profile


@dataclass(frozen=True, slots=True)
class ExemplarRow:
    """An image that activates a filter much: a row of ``exemplars.csv``, its fields the columns in order.

    `class_id` is the image's class; of several, the one whose images activate the filter most. `thumbnail` is a file
    beside the table.
    """

    layer_index: int
    layer: str
    filter: int
    rank: int
    image: str
    class_id: str
    activation: float
    thumbnail: str


EXEMPLARS = Table(
    "exemplars.csv",
    ExemplarRow,
    {
        "layer_index": whole(),
        "layer": TEXT,
        "filter": whole(),
        "rank": whole(1),
        "image": TEXT,
        "class_id": TEXT,
        "activation": real(0, 1),
        "thumbnail": Cell(file_beside, "a file beside the table"),
    },
    errors="surrogateescape",  # Image files may be called anything.
)
_MOST_AT_ONCE = 256
_MOST_BYTES_AT_ONCE = 2**29


def write_exemplars(profile: Profile, images: ImageSet, folder: Path) -> None:
    """Write ``exemplars.csv`` and a numbered JPEG for each image in it.

    Parameters
    ----------
    profile : Profile
        With exemplars.
    images : ImageSet
        Open; the ones that the profile was made from.
    folder : Path
        Empty.

    Raises
    ------
    FiltagError
        If an exemplar is not among the images, or cannot be read any more.
    """
    exemplars = profile.exemplars
    assert exemplars is not None
    by_name = {image.name: image for image in images.images}
    missing = next((name for name in exemplars.names if name not in by_name), None)
    if missing is not None:
        raise FiltagError(f"{missing} is not in {images.path}: give the images that the profile was made from")
    thumbnails = _write_thumbnails([by_name[name] for name in exemplars.names], images, folder)
    path = folder / EXEMPLARS.file_name
    with path.open("w", encoding="utf-8", errors=EXEMPLARS.errors, newline="") as file:
        EXEMPLARS.write(_rows(profile, exemplars, by_name, thumbnails), file)


def _rows(
    profile: Profile, exemplars: Exemplars, by_name: Mapping[str, ImageRef], thumbnails: Sequence[str]
) -> Iterator[ExemplarRow]:
    row_of = {class_id: row for row, class_id in enumerate(profile.class_ids)}

    def activation_by(class_id: str, column: int) -> float:
        # A class without a row has one readable image at most, or none.
        return float(profile.mean[row_of[class_id], column]) if class_id in row_of else -1.0

    for layer, name in enumerate(profile.layer_names):
        start, end = profile.layer_offsets[layer : layer + 2]
        for column in range(start, end):
            best = zip(exemplars.image[column], exemplars.activation[column], strict=True)
            for rank, (index, activation) in enumerate(best, 1):
                if index >= 0:
                    image = by_name[exemplars.names[index]]
                    yield ExemplarRow(
                        layer_index=layer,
                        layer=name,
                        filter=column - start,
                        rank=rank,
                        image=image.name,
                        class_id=max(image.class_ids, key=lambda class_id: activation_by(class_id, column)),
                        activation=float(f"{activation:.6g}"),
                        thumbnail=thumbnails[index],
                    )


def _write_thumbnails(chosen: list[ImageRef], images: ImageSet, folder: Path) -> list[str]:
    """Return the thumbnails' names, in the order of the images; numbers, for images may be called anything."""
    names = {image: f"{number:07}.jpg" for number, image in enumerate(chosen)}

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
