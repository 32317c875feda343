"""The profile: how strongly each class activates each filter.

Making one takes a pass over the images, which may take hours; everything after it takes seconds. On disk it is an
``.npz`` file of plain arrays, read by :func:`~filtag_kg.npz.read_npz`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.files import writing
from filtag_kg.json_values import mismatch, parse_json
from filtag_kg.names import nfc
from filtag_kg.npz import read_npz
from filtag_kg.profile.exemplars import Exemplars
from filtag_kg.profile.metadata import METADATA
from filtag_kg.profile.references import References

_Number = TypeVar("_Number", bound=np.number[Any])

# How far rounding, as in merging, may take a number out of its range.
_ROUNDING = 1e-6
_ARRAYS = ("mean", "count", "class_ids", "class_labels", "layer_names", "layer_offsets", "metadata")
_EXEMPLARS = ("exemplar_names", "exemplar_image", "exemplar_activation")
_REFERENCES = ("reference_names", "reference_classes", "reference_activations")


@dataclass(frozen=True, slots=True, repr=False)
class Profile:
    """Mean and variance of the activation ā(m,i,d) over the images d of each class (paper, section 2.1).

    Parameters
    ----------
    mean : float64 array of shape (n_classes, n_filters), in [0, 1]
        z_c(m,i), the mean activation of each filter over the class's images, layers side by side.
    variance : float64 array of shape (n_classes, n_filters), or None
        Population variance over the class's images; None where only the means were kept.
    count : int64 array of shape (n_classes,)
        Images seen of each class.
    class_ids, class_labels : tuple of str, of length n_classes
        In Unicode's normal form C. Ids are unique; labels need not be. The profile of a part of the images may have
        no class.
    layer_names : tuple of str, of length n_layers
        In forward order.
    layer_offsets : int64 array of shape (n_layers + 1,)
        The filters of layer m are the columns ``layer_offsets[m]:layer_offsets[m + 1]``.
    metadata : mapping of str to JSON values
        How the profile was made: network, weights' hash, images, versions, start and end of the pass, notes.
    held_out : tuple of str
        Names of the images that are not in the profile but kept for evaluation, sorted.
    exemplars : Exemplars, optional
        The images that activate each filter most.
    references : References, optional
        A random sample of the images with their activations in the last layers.

    Raises
    ------
    ValueError
        If the shapes do not fit together, a class id or layer name occurs twice, or a value is out of range.
    """

    mean: NDArray[np.float64]
    variance: NDArray[np.float64] | None
    count: NDArray[np.int64]
    class_ids: tuple[str, ...]
    class_labels: tuple[str, ...]
    layer_names: tuple[str, ...]
    layer_offsets: NDArray[np.int64]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    held_out: tuple[str, ...] = ()
    exemplars: Exemplars | None = None
    references: References | None = None

    def __post_init__(self) -> None:
        _check_names("class_ids", self.class_ids)
        _check_names("layer_names", self.layer_names)
        _check_text("class_labels", self.class_labels)
        for names in ("class_ids", "class_labels"):
            object.__setattr__(self, names, tuple(map(nfc, getattr(self, names))))
        _check_names("class_ids", self.class_ids)
        self._check_shapes()
        if (self.count < 1).any():
            raise ValueError("count must be at least 1 for every class")
        _check_range("mean", self.mean, 1)
        if self.variance is not None:
            # The largest variance of numbers in [0, 1]: half of them are 0 and half 1.
            _check_range("variance", self.variance, 0.25)
        if (problem := mismatch(self.metadata, METADATA)) is not None:
            raise ValueError(f"metadata: {problem}")
        if len(self.metadata.get("layer_kinds", self.layer_names)) != len(self.layer_names):
            raise ValueError(f"metadata: layer_kinds must name {len(self.layer_names)} layers")

    def __repr__(self) -> str:
        n_classes, n_filters = self.mean.shape
        return f"<Profile of {n_classes:,} classes on {n_filters:,} filters of {len(self.layer_names)} layers>"

    def _check_shapes(self) -> None:
        offsets = self.layer_offsets
        if not self.layer_names:
            raise ValueError("layer_names must name at least one")
        if offsets.shape != (len(self.layer_names) + 1,) or offsets[0] != 0:
            raise ValueError(f"layer_offsets must have {len(self.layer_names) + 1} entries, from 0")
        if np.any(offsets[1:] <= offsets[:-1]):
            raise ValueError("every layer must have at least one filter, so layer_offsets must rise")
        shape = (len(self.class_ids), int(offsets[-1]))
        if self.mean.shape != shape or (self.variance is not None and self.variance.shape != shape):
            raise ValueError(f"mean and variance must have shape {shape}, got {self.mean.shape}")
        if self.count.shape != shape[:1] or len(self.class_labels) != shape[0]:
            raise ValueError(f"count and class_labels must name {shape[0]} classes")
        if self.exemplars is not None and len(self.exemplars.image) != shape[1]:
            raise ValueError(f"exemplars must be those of {shape[1]} filters")
        if self.references is not None:
            if self.references.classes.shape[1] != shape[0]:
                raise ValueError(f"reference_classes must be of {shape[0]} classes")
            if shape[1] - self.references.activations.shape[1] not in offsets[:-1]:
                raise ValueError("reference_activations must be of the last layers")


def _check_names(array: str, names: tuple[str, ...]) -> None:
    if not all(isinstance(name, str) and name for name in names) or len(set(names)) != len(names):
        raise ValueError(f"{array} must be unique, and not empty")
    _check_text(array, names)


def _check_text(array: str, texts: tuple[str, ...]) -> None:
    try:
        "".join(texts).encode()
    except (TypeError, UnicodeEncodeError):
        raise ValueError(f"{array} must be Unicode text") from None
    if any(text.endswith("\0") for text in texts):
        raise ValueError(f"{array} must not end with a NUL character, which NumPy's files lose")


def _check_range(array: str, values: NDArray[np.float64], most: float) -> None:
    # Written so that NaN fails, too.
    if values.size and not (values.min() >= -_ROUNDING and values.max() <= most + _ROUNDING):
        raise ValueError(f"{array} must be in [0, {most:g}]")


def save_profile(profile: Profile, path: Path) -> None:
    """Write a profile; the file is whole or not there, and the same profile gives the same bytes."""
    with writing(path) as file:
        write_profile(profile, file)


def write_profile(profile: Profile, file: BinaryIO) -> None:
    """Write a profile to an open file."""
    arrays: dict[str, NDArray[Any]] = {
        "mean": profile.mean,
        "count": profile.count,
        "class_ids": np.array(profile.class_ids, dtype=np.str_),
        "class_labels": np.array(profile.class_labels, dtype=np.str_),
        "layer_names": np.array(profile.layer_names, dtype=np.str_),
        "layer_offsets": profile.layer_offsets,
        "metadata": np.array(json.dumps(profile.metadata, sort_keys=True, ensure_ascii=False)),
    }
    if profile.variance is not None:
        arrays["variance"] = profile.variance
    if profile.held_out:
        arrays["held_out"] = np.array(profile.held_out, dtype=np.str_)
    if profile.exemplars is not None:
        arrays["exemplar_names"] = np.array(profile.exemplars.names, dtype=np.str_)
        arrays["exemplar_image"] = profile.exemplars.image
        arrays["exemplar_activation"] = profile.exemplars.activation
    if profile.references is not None:
        arrays["reference_names"] = np.array(profile.references.names, dtype=np.str_)
        arrays["reference_classes"] = profile.references.classes
        arrays["reference_activations"] = profile.references.activations
    np.savez_compressed(file, allow_pickle=False, **arrays)


def load_profile(path: Path, *, means_alone: bool = False) -> Profile:
    """Read a profile that :func:`save_profile` wrote.

    Parameters
    ----------
    means_alone : bool
        Leave out variance, exemplars and references: this halves the second that reading 1,000 classes takes.

    Raises
    ------
    FiltagError
        If the file is missing, is not a profile, or is damaged.
    """
    try:
        with path.open("rb") as file:
            return read_profile(file, str(path), means_alone=means_alone)
    except FileNotFoundError:
        raise FiltagError(f"no profile at {path}: check the path, or make one", commands=("profile",)) from None
    except OSError as error:
        raise FiltagError(f"{path} cannot be read ({error.strerror}): check the path and its permissions") from None


def read_profile(file: BinaryIO, name: str, *, means_alone: bool = False) -> Profile:
    """Read a profile from an open file, which messages call `name`.

    Raises
    ------
    FiltagError
        If the file is not a profile, or is damaged.
    """
    wanted = {*_ARRAYS, "held_out"} | (set() if means_alone else {"variance", *_EXEMPLARS, *_REFERENCES})
    try:
        arrays = read_npz(file, wanted)
        missing = next((array for array in _ARRAYS if array not in arrays), None)
        if missing is not None:
            raise FiltagError(f"{name} is no profile: it has no array {missing!r}; make one", commands=("profile",))
        return Profile(
            mean=_numbers(arrays, "mean", np.float64),
            variance=_numbers(arrays, "variance", np.float64) if "variance" in arrays else None,
            count=_numbers(arrays, "count", np.int64),
            class_ids=_texts(arrays, "class_ids"),
            class_labels=_texts(arrays, "class_labels"),
            layer_names=_texts(arrays, "layer_names"),
            layer_offsets=_numbers(arrays, "layer_offsets", np.int64),
            # Names of images need not be UTF-8.
            metadata=parse_json(str(arrays["metadata"]), surrogates=True),
            held_out=_texts(arrays, "held_out") if "held_out" in arrays else (),
            exemplars=_exemplars(arrays) if "exemplar_names" in arrays else None,
            references=_references(arrays) if "reference_names" in arrays else None,
        )
    except (ValueError, KeyError) as error:
        message = f"{name} is not a readable profile ({reason_of(error)}); make it anew"
        raise FiltagError(message, commands=("profile",)) from None


def _exemplars(arrays: Mapping[str, NDArray[Any]]) -> Exemplars:
    return Exemplars(
        _texts(arrays, "exemplar_names"),
        _numbers(arrays, "exemplar_image", np.int32),
        _numbers(arrays, "exemplar_activation", np.float32),
    )


def _references(arrays: Mapping[str, NDArray[Any]]) -> References:
    if arrays["reference_classes"].dtype != np.bool_:
        raise ValueError("reference_classes is not a table of booleans")
    return References(
        _texts(arrays, "reference_names"),
        arrays["reference_classes"],
        _numbers(arrays, "reference_activations", np.float16),
    )


def _numbers(arrays: Mapping[str, NDArray[Any]], name: str, dtype: type[_Number]) -> NDArray[_Number]:
    """Return an array of numbers as another type, if that changes no number."""
    array = arrays[name]
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise ValueError(f"{name} holds {array.dtype.name}, where {np.dtype(dtype).name} should be")
    # What becomes infinite is out of range, and refused later.
    with np.errstate(over="ignore", invalid="ignore"):
        cast = array.astype(dtype, copy=False)
    if issubclass(dtype, np.integer) and not np.array_equal(cast, array):
        raise ValueError(f"{name} holds a number that is too large")
    return cast


def _texts(arrays: Mapping[str, NDArray[Any]], name: str) -> tuple[str, ...]:
    array = arrays[name]
    if array.ndim != 1 or array.dtype.kind != "U":
        raise ValueError(f"{name} is not a list of texts")
    return tuple(array.tolist())
