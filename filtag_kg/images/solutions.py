"""The files that label the flat validation folders of ImageNet and Tiny ImageNet.

``LOC_val_solution.csv``
    Kaggle's: ``ImageId,PredictionString``, the latter a WordNet id and a box, and perhaps more of both.
``ILSVRC2012_validation_ground_truth.txt``
    The development kit's: in line n the number of the class of image n. Numbers are not in the order of WordNet ids;
    ``meta.mat`` beside it says which id each is.
``imagenet_2012_validation_synset_labels.txt``
    TensorFlow's: in line n the WordNet id of image n.
``val_annotations.txt``
    Tiny ImageNet's: file, WordNet id and box, separated by tabs.
"""

from __future__ import annotations

import csv
import io
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.images.file_labels import FileLabels, Files

_KAGGLE = "LOC_val_solution.csv"
_KIT = "ILSVRC2012_validation_ground_truth.txt"
_TENSORFLOW = "imagenet_2012_validation_synset_labels.txt"
_TINY = "val_annotations.txt"
_META = "meta.mat"
_NAMES = (_KAGGLE, _KIT, _TENSORFLOW, _TINY)
_NUMBERED = re.compile(r"ILSVRC2012_val_(\d{8})")
_WORDNET_ID = re.compile(r"n\d{8}")
# The kit as it unpacks, and Kaggle's folder: its solution is above ILSVRC/Data/CLS-LOC/val.
_BESIDE = (".", "data", "ILSVRC2012_devkit_t12/data")
_KAGGLE_ABOVE = 4

_ADVICE = f"put {_KAGGLE}, or {_KIT} with {_META}, beside the images"


def solution_labels(files: Files) -> FileLabels | None:
    """Return the labels of images in one folder, if a file among them or beside them is one of the solutions.

    Raises
    ------
    FiltagError
        If the solution cannot be read, or does not label all of the images.
    """
    if not files.are_flat:
        return None
    images = files.images
    for solution in _solutions(files):
        labels = solution.labels()
        named = {name: labels.get(PurePosixPath(name).stem) for name in images}
        class_ids = {name: found for name, found in named.items() if found is not None}
        if not class_ids:
            continue  # It is the solution of other images.
        if len(class_ids) < len(images):
            missing = next(name for name in images if name not in class_ids)
            raise FiltagError(
                f"{solution.name} has no label of {missing} in {files.where}, and of {len(images) - len(class_ids):,} "
                "images in all: remove them, or give a list of images with their labels"
            )
        return FileLabels(class_ids, used=set(solution.used), source=solution.source)
    return None


def how_to_label(name: str) -> str | None:
    """Return what to do about an image without a label, if it is one of ImageNet's validation."""
    return _ADVICE if _NUMBERED.fullmatch(PurePosixPath(name).stem) else None


class _Solution:
    """A file with labels, among the images (then it is in `used`) or outside (then it is the `source`)."""

    def __init__(self, name: str, text: Callable[[str], str], content: Callable[[str], bytes | None]) -> None:
        self.name = name
        self.used: set[str] = set()
        self.source: Path | None = None
        self._text = text
        self._content = content

    def labels(self) -> dict[str, tuple[str, ...]]:
        """Return the classes of each image, by its name without the suffix."""
        text = self._text(self.name)
        kind = PurePosixPath(self.name).name
        if kind == _KAGGLE:
            return dict(self._kaggle(text))
        if kind == _TINY:
            return {
                PurePosixPath(cells[0]).stem: (cells[1].strip(),)
                for cells in (line.split("\t") for line in text.splitlines())
                if len(cells) > 1
            }
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        if all(_WORDNET_ID.fullmatch(line) for line in lines):
            class_ids: Mapping[str, str] = {line: line for line in lines}
        else:
            class_ids = self._ids_of_numbers()
        unknown = next((line for line in lines if line not in class_ids), None)
        if unknown is not None:
            raise FiltagError(f"{self.name} has a line {unknown[:40]!r}, which is no class of ImageNet: {_ADVICE}")
        return {f"ILSVRC2012_val_{number:08}": (class_ids[line],) for number, line in enumerate(lines, 1)}

    def _kaggle(self, text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        for cells in csv.reader(io.StringIO(text, newline="")):
            class_ids = tuple(dict.fromkeys(_WORDNET_ID.findall(" ".join(cells[1:2]))))
            if class_ids:
                yield PurePosixPath(cells[0]).stem, class_ids

    def _ids_of_numbers(self) -> dict[str, str]:
        content = self._content(posixpath.join(posixpath.dirname(self.name), _META))
        if content is None:
            raise FiltagError(
                f"{self.name} numbers the classes in an order of its own, and {_META}, which explains it, is not "
                f"beside it: copy it there from the same kit, or take {_KAGGLE}"
            )
        from scipy.io import loadmat

        try:
            synsets = loadmat(io.BytesIO(content), squeeze_me=True)["synsets"]
            return {str(int(row["ILSVRC2012_ID"])): str(row["WNID"]) for row in synsets}
        except Exception as error:  # noqa: BLE001
            # Broad on purpose: a damaged file makes SciPy raise anything.
            raise FiltagError(
                f"{_META} beside {self.name} cannot be read ({reason_of(error)}): copy it again"
            ) from None


def _solutions(files: Files) -> Iterator[_Solution]:
    inside = {posixpath.basename(name): name for name in files.names}
    for kind in _NAMES:
        if kind in inside:
            solution = _Solution(inside[kind], files.text, files.content)
            solution.used = {inside[kind], posixpath.join(posixpath.dirname(inside[kind]), _META)}
            yield solution
    # A path inside an archive leads nowhere.
    top = next((path for path in (files.where, *files.where.parents) if path.exists()), files.where).resolve()
    above = [*top.parents][:_KAGGLE_ABOVE]
    candidates = [(above[0] / folder, kind) for folder in _BESIDE for kind in _NAMES if above]
    for folder, kind in candidates + [(folder, _KAGGLE) for folder in above[1:]]:
        path = folder / kind
        if path.is_file():
            solution = _Solution(str(path), _read_text, _read_bytes)
            solution.source = path
            yield solution


def _read_text(name: str) -> str:
    try:
        return Path(name).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FiltagError(f"{name} cannot be read ({reason_of(error)}): copy it again, or remove it") from None


def _read_bytes(name: str) -> bytes | None:
    return Path(name).read_bytes() if Path(name).is_file() else None
