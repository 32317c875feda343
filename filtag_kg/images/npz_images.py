"""Images and labels that NumPy saved in one file: ``np.savez("images.npz", images=…, labels=…)``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.files import sha256_of
from filtag_kg.images.array_set import array_set
from filtag_kg.images.class_ids import ClassNames
from filtag_kg.images.image_set import ImageSet
from filtag_kg.npz import NpzError, npz_names, read_npz

NUMPY_SUFFIXES = frozenset({".npz", ".npy"})

_ADVICE = "save both in one file with np.savez(…, images=…, labels=…)"
_IMAGES = {"image", "images", "img", "imgs", "x", "data", "pixels"}
_LABELS = {"label", "labels", "y", "class", "classes", "target", "targets"}
_NAMES = {"class_names", "label_names", "names"}
_PARTS = r"(train|training|val|valid|validation|dev|test|testing)"


def open_npz(path: Path, part: str = "") -> ImageSet:
    """Return the images in an ``.npz`` file; its arrays are read into memory.

    The arrays are called ``images`` and ``labels``, or ``x`` and ``y``, in the files of a part of a data set with its
    name: ``x_train``, ``train_images``. An array ``class_names`` may name the classes that numbers stand for.

    Parameters
    ----------
    part : str
        Which part to take: ``train``, or the name of an array of it. Needed where there are several.

    Raises
    ------
    FiltagError
        If it is damaged, lacks one of the two, has several parts, or its arrays are no images with labels.
    """
    if path.suffix.lower() == ".npy":
        raise FiltagError(f"{path} has images without labels, or the other way round: {_ADVICE}")
    try:
        with path.open("rb") as file:
            names = npz_names(file)
            images, labels = _chosen(path, names, part)
            class_names = [name for name in names if name.lower() in _NAMES]
            arrays = read_npz(file, {images, labels, *class_names})
    except (NpzError, OSError) as error:
        raise FiltagError(f"{path} cannot be read ({reason_of(error)}): {_ADVICE}, of numbers or text") from None
    numbered = ClassNames([str(name) for name in arrays[class_names[0]].reshape(-1).tolist()] if class_names else ())
    where = path / part if part else path
    return array_set(arrays[images], _column(arrays[labels]), numbered, path=where, digest=_digest(path, images))


def _digest(path: Path, images: str) -> Callable[[], str]:
    return lambda: hashlib.sha256(f"{sha256_of(path)}\t{images}".encode()).hexdigest()


def _column(labels: NDArray[Any]) -> NDArray[Any]:
    """Return labels without an axis of length 1, as Keras' CIFAR-10 has one."""
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels


def _chosen(path: Path, names: list[str], part: str) -> tuple[str, str]:
    """Return the names of the arrays of images and of labels."""
    parts: dict[str, dict[str, str]] = {}
    for name in names:
        of, role = _part_and_role(name)
        if role:
            parts.setdefault(of, {}).setdefault(role, name)
    whole = {of: roles for of, roles in parts.items() if len(roles) == 2}
    if part:
        asked = next((of for of, roles in whole.items() if part in (of, *roles.values())), None)
        if asked is None:
            raise FiltagError(f"{path} has no images and labels {part}, but {_listed(names)}: {_ADVICE}")
        return whole[asked]["images"], whole[asked]["labels"]
    if len(whole) > 1 and "" not in whole:
        first = next((of for of in whole if of.startswith("train")), min(whole))
        raise FiltagError(
            f"{path} holds {' and '.join(sorted(whole))}, parts of a data set that must not be mixed: give one of "
            f"them, as {path / first}"
        )
    if not whole:
        missing = "labels" if any("images" in roles for roles in parts.values()) else "images"
        raise FiltagError(f"{path} has no array {missing}, but {_listed(names)}: {_ADVICE}")
    of = "" if "" in whole else next(iter(whole))
    return whole[of]["images"], whole[of]["labels"]


def _listed(names: list[str]) -> str:
    return ", ".join(names)[:80] or "nothing"


def _part_and_role(name: str) -> tuple[str, str]:
    """Return which part of a data set an array belongs to, and whether it holds images, labels or neither.

    >>> _part_and_role("x_train"), _part_and_role("test_labels"), _part_and_role("images"), _part_and_role("weights")
    (('train', 'images'), ('test', 'labels'), ('', 'images'), ('', ''))
    """
    words = name.lower()
    match = re.fullmatch(rf"{_PARTS}[_-]?(.+)|(.+?)[_-]?{_PARTS}", words)
    of, rest = ("", words) if match is None else (match[1] or match[4], match[2] or match[3])
    return of, "images" if rest in _IMAGES else "labels" if rest in _LABELS else ""
