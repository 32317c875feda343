"""The pass over the exemplars alone: a thumbnail of each image, and where in it the filters respond."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from filtag_kg.errors import FiltagError
from filtag_kg.images import (
    ImageRef,
    ImageSet,
    UnreadableImageError,
    framing_of,
    network_input,
    thumbnail,
    upright_size,
)
from filtag_kg.kg.activation_maps import View
from filtag_kg.kg.exemplars import EXEMPLARS, ExemplarRow
from filtag_kg.kg.responses import Responses, SeenImage
from filtag_kg.kg.where import WhereRow
from filtag_kg.network import Network
from filtag_kg.profile import Exemplars, Profile

_MOST_AT_ONCE = 256
_MOST_BYTES_AT_ONCE = 2**29
_BATCH_SIZE = 32


def write_exemplars(
    profile: Profile,
    images: ImageSet,
    folder: Path,
    network: Network | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[tuple[ExemplarRow, WhereRow | None]]:
    """Write ``exemplars.csv`` and a numbered JPEG for each image in it; with the network, also where filters respond.

    Each image is read once.

    Parameters
    ----------
    profile : Profile
        With exemplars.
    images : ImageSet
        Open; the ones that the profile was made from.
    folder : Path
        Empty.
    network : Network, optional
        The one that the profile was made with.
    progress : callable, optional
        Called with the number of images done and of all.

    Returns
    -------
    list of (ExemplarRow, WhereRow or None)
        The rows of ``exemplars.csv`` and ``where.csv``.

    Raises
    ------
    FiltagError
        If an exemplar is not among the images, or cannot be read any more, or the network has other filters.
    """
    exemplars = profile.exemplars
    assert exemplars is not None
    by_name = {image.name: image for image in images.images}
    missing = next((name for name in exemplars.names if name not in by_name), None)
    if missing is not None:
        raise FiltagError(f"{missing} is not in {images.path}: give the images that the profile was made from")
    chosen = [by_name[name] for name in exemplars.names]
    # Numbers, for images may be called anything.
    thumbnails = {image: f"{number:07}.jpg" for number, image in enumerate(chosen)}
    rows = list(_rows(profile, exemplars, by_name, list(thumbnails.values())))
    if network is None or not rows:
        responses = None
    else:
        _check_filters(profile, network)
        responses = Responses(network, rows, folder, int(profile.metadata.get("batch_size", _BATCH_SIZE)))

    def prepare(image: ImageRef, content: bytes) -> SeenImage | None:
        try:
            (folder / thumbnails[image]).write_bytes(thumbnail(content))
            if network is None:
                return None
            size = upright_size(content)
            view = View.of(size, framing_of(images, image, size, network.preparation))
            return SeenImage(image.name, network_input(images, image, content, network.preparation), view)
        except UnreadableImageError as error:
            raise FiltagError(f"{image.name} in {images.path} cannot be read any more ({error})") from None

    done = 0
    most = _MOST_AT_ONCE if responses is None else responses.batch_size
    for batch in _prepared(images.only(chosen), most, prepare):
        if responses is not None:
            responses.add([each for each in batch if each is not None])
        done += len(batch)
        if progress is not None:
            progress(done, len(chosen))
    regions: Sequence[WhereRow | None] = [None] * len(rows) if responses is None else responses.write()
    path = folder / EXEMPLARS.file_name
    with path.open("w", encoding="utf-8", errors=EXEMPLARS.errors, newline="") as file:
        EXEMPLARS.write(rows, file)
    return list(zip(rows, regions, strict=True))


def _check_filters(profile: Profile, network: Network) -> None:
    of_profile = zip(
        profile.layer_names, (profile.layer_offsets[1:] - profile.layer_offsets[:-1]).tolist(), strict=True
    )
    if list(of_profile) != [(layer.name, layer.n_filters) for layer in network.layers]:
        raise FiltagError(
            f"{network.name} has other layers than the profile: give the network that the profile was made with",
            options=("network",),
        )


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


def _prepared(
    images: ImageSet, most: int, prepare: Callable[[ImageRef, bytes], SeenImage | None]
) -> Iterator[list[SeenImage | None]]:
    """Yield what is prepared of images, some at a time, while threads prepare the next ones."""
    with ThreadPoolExecutor(thread_name_prefix="exemplar") as pool:
        waiting: list[Future[SeenImage | None]] = []
        for block in _blocks(images, most):
            started = [pool.submit(prepare, image, images.read(image)) for image in block]
            if waiting:
                yield [each.result() for each in waiting]
            waiting = started
        if waiting:
            yield [each.result() for each in waiting]


def _blocks(images: ImageSet, most: int) -> Iterator[list[ImageRef]]:
    """Yield images in reading order, so many at once as may be in memory undecoded."""
    block: list[ImageRef] = []
    size = 0
    for image in images.reading_order:
        if block and (len(block) == most or size + images.sizes[image.name] > _MOST_BYTES_AT_ONCE):
            yield block
            block, size = [], 0
        block.append(image)
        size += images.sizes[image.name]
    if block:
        yield block
