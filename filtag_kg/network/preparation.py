"""How an image becomes what a network takes: framed to its size, then scaled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.network.scaling import Scaling, named_scaling

RESIZES = ("squash", "crop", "pad")
"""How an image of another aspect becomes one of the network's: each side by itself, cut, or filled up with black."""
INTERPOLATIONS = ("bilinear", "bicubic", "lanczos", "nearest")
COLOURS = ("rgb", "bgr")
MOST_PIXELS = 89_478_485
"""Of an image, whether read or resized: the most that Pillow deems safe."""
# A share such as 224 / 256 is rounded, and a size divided by it must not become smaller.
_ROUNDING = 1e-6
# Of a profile from a stranger: how channels are scaled is a matrix.
_MOST_CHANNELS = 1_024


@dataclass(frozen=True, slots=True)
class Framing:
    """Where an image lies in what a network takes, in pixels of the latter.

    Parameters
    ----------
    size : tuple of int
        (height, width) of what the network takes.
    resized : tuple of int
        (width, height) of the whole image once it is resized.
    left, top : int
        Where the image's corner lies; below 0 where the image is cut, above where it is filled up.
    """

    size: tuple[int, int]
    resized: tuple[int, int]
    left: int
    top: int

    def seen(self) -> tuple[float, float, float, float]:
        """Return the part of the image that the network sees: left, top, right and bottom, as shares of its sides."""
        left, top, right, bottom = self._overlap()
        width, height = self.resized
        return (
            (left - self.left) / width,
            (top - self.top) / height,
            (right - self.left) / width,
            (bottom - self.top) / height,
        )

    def filled(self) -> tuple[float, float, float, float]:
        """Return where that part lies in what the network takes, as shares of its sides."""
        left, top, right, bottom = self._overlap()
        height, width = self.size
        return left / width, top / height, right / width, bottom / height

    def _overlap(self) -> tuple[int, int, int, int]:
        height, width = self.size
        right, bottom = self.left + self.resized[0], self.top + self.resized[1]
        return max(0, self.left), max(0, self.top), min(width, right), min(height, bottom)


@dataclass(frozen=True, slots=True)
class Preparation:
    """How an image becomes what a network takes.

    Parameters
    ----------
    size : tuple of int
        (height, width), in pixels.
    scaling : Scaling
        Its length is the number of channels: 1 is grey, 3 is RGB.
    name : str
        What the scaling is called: ``vgg16``, ``0..1``, ``own`` if it has no name.
    resize : str
        One of `RESIZES`.
    crop_share : float, in (0, 1]
        With ``crop``: the side of the part that is kept, as a share of the resized image's shorter side.
    interpolation : str
        One of `INTERPOLATIONS`, with antialiasing where it makes images smaller.
    """

    size: tuple[int, int]
    scaling: Scaling
    name: str = "none"
    resize: str = "squash"
    crop_share: float = 1.0
    interpolation: str = "bilinear"

    @property
    def channels(self) -> int:
        """The number of the network's input channels."""
        return len(self.scaling.order)

    @property
    def resizing(self) -> str:
        """How images are resized, in words."""
        ways = {
            "squash": "to the network's size whatever the aspect",
            "crop": f"to the network's size, the middle {self.crop_share:.4g} of the shorter side",
            "pad": "to fit into the network's size, filled up with black",
        }
        return f"{self.interpolation}, antialiased, {ways[self.resize]}"

    def framing(self, width: int, height: int) -> Framing:
        """Return where an image lies in what the network takes."""
        frame_height, frame_width = self.size
        if self.resize == "squash":
            return Framing(self.size, (frame_width, frame_height), 0, 0)
        if self.resize == "pad":
            share = min(frame_width / width, frame_height / height)
            resized = max(1, round(width * share)), max(1, round(height * share))
            return Framing(self.size, resized, (frame_width - resized[0]) // 2, (frame_height - resized[1]) // 2)
        # As torchvision and timm do: the whole is resized so that the middle has the network's size.
        kept = [int(side / self.crop_share + _ROUNDING) for side in (frame_width, frame_height)]
        scale = max(wanted / side for wanted, side in zip(kept, (width, height), strict=True))
        resized = max(frame_width, int(width * scale + _ROUNDING)), max(frame_height, int(height * scale + _ROUNDING))
        return Framing(
            self.size, resized, -round((resized[0] - frame_width) / 2), -round((resized[1] - frame_height) / 2)
        )

    def metadata(self) -> dict[str, Any]:
        """Return all of it as JSON values, as a profile records them."""
        scaling = self.scaling
        return {
            "input_size": list(self.size),
            "preprocess": self.name,
            # Of an image's channels in [0, 255]; it also tells their order.
            "scaling": scaling.matrix,
            "resizing": self.resizing,
            "preparation": {
                "resize": self.resize,
                "crop_share": self.crop_share,
                "interpolation": self.interpolation,
                "mean": list(scaling.mean),
                "std": list(scaling.std),
                "order": list(scaling.order),
            },
        }

    def sha256(self) -> str:
        """Return the hash of all that decides what the network sees; the scaling's name does not."""
        seen = {name: value for name, value in self.metadata().items() if name != "preprocess"}
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PreparationOptions:
    """What a user says of the preparation; None leaves what the network's maker says.

    Parameters
    ----------
    preprocess : str, optional
        The name of a scaling: ``none``, ``0..1``, ``-1..1``, ``imagenet``, ``efficientnet-lite0`` or a module of
        ``keras.applications`` such as ``vgg16``.
    mean, std : sequence of float, or float, optional
        A further scaling after the named one, (x − mean) / std, a number for each channel of the network or one for
        all. Without `preprocess` they are for pixels in [0, 1], as torchvision writes them.
    colours : str, optional
        ``rgb`` or ``bgr``: the order that the network expects.
    resize : str, optional
        ``squash`` (each side by itself), ``crop`` (the middle) or ``pad`` (black around it).
    crop_share : float, in (0, 1], optional
        With ``crop``: the side of the part that is kept, as a share of the resized image's shorter side.
    interpolation : str, optional
        ``bilinear``, ``bicubic``, ``lanczos`` or ``nearest``.
    """

    preprocess: str | None = None
    mean: Sequence[float] | float | None = None
    std: Sequence[float] | float | None = None
    colours: str | None = None
    resize: str | None = None
    crop_share: float | None = None
    interpolation: str | None = None

    def scales(self) -> bool:
        """Return whether a scaling is given."""
        return not (self.preprocess is None and self.mean is None and self.std is None)

    def applied(self, own: Preparation) -> Preparation:
        """Return a network's own preparation with what is given in place of it.

        Raises
        ------
        FiltagError
            If a value is unknown or out of range, or does not fit the network's channels.
        """
        resize = _one_of("resize", self.resize or own.resize, RESIZES)
        crop_share = own.crop_share if self.crop_share is None else self.crop_share
        if self.crop_share is not None and resize != "crop":
            raise FiltagError(
                "a share of the image is kept only where images are cropped: choose the resize crop",
                options=("crop_share", "resize"),
            )
        if not 0 < crop_share <= 1:
            raise FiltagError(
                f"crop_share={crop_share:g} is no share of an image: give a number above 0, up to 1",
                options=("crop_share",),
            )
        check_size(own.size, crop_share)
        scaling, name = self._scaling(own)
        return Preparation(
            own.size,
            scaling,
            name,
            resize,
            crop_share if resize == "crop" else 1.0,
            _one_of("interpolation", self.interpolation or own.interpolation, INTERPOLATIONS),
        )

    def _scaling(self, own: Preparation) -> tuple[Scaling, str]:
        channels = own.channels
        further = self.mean is not None or self.std is not None
        if self.preprocess is not None:
            scaling, name = named_scaling(self.preprocess, channels), self.preprocess
        elif further:
            scaling, name = named_scaling("0..1", channels), "0..1"
        else:
            scaling, name = own.scaling, own.name
        order = scaling.order
        if self.colours is not None:
            _one_of("colours", self.colours, COLOURS)
            if channels != 3:
                raise FiltagError(f"the network takes {channels} channels, which have no colours", options=("colours",))
            order = (0, 1, 2) if self.colours == "rgb" else (2, 1, 0)
        if not further and order == scaling.order:
            return scaling, name
        mean = _per_channel("mean", (0.0,) if self.mean is None else self.mean, channels)
        std = _per_channel("std", (1.0,) if self.std is None else self.std, channels)
        if not np.all(std > 0):
            raise FiltagError("a standard deviation must be above 0", options=("std",))
        before = np.array(scaling.std)
        return (
            Scaling(tuple((np.array(scaling.mean) + mean * before).tolist()), tuple((before * std).tolist()), order),
            "own",
        )


def check_size(size: tuple[int, int], crop_share: float = 1.0) -> None:
    """Refuse images of no size, or of one that hardly any memory holds.

    Raises
    ------
    FiltagError
        If they are.
    """
    height, width = size
    if min(size) < 1 or not height / crop_share * (width / crop_share) <= MOST_PIXELS:
        kept = f", of which {crop_share:.4g} of each side is kept" if crop_share < 1 else ""
        raise FiltagError(
            f"no network can be given images of {height} × {width} pixels{kept}: give sides from 1, and at most "
            f"{MOST_PIXELS:,} pixels",
            options=("input_size", "crop_share") if kept else ("input_size",),
        )


def recorded_preparation(metadata: Mapping[str, Any]) -> Preparation | None:
    """Return the preparation that a profile's metadata records; None where the profile is older.

    Raises
    ------
    FiltagError
        If it makes no sense, or takes more memory than there may be: a profile may come from a stranger.
    """
    recorded = metadata.get("preparation")
    if recorded is None:
        return None
    height, width = metadata["input_size"]
    mean, std, order = (tuple(recorded[name]) for name in ("mean", "std", "order"))
    scaling = Scaling(mean, std, order)
    if not (
        len(mean) == len(std) == len(order) <= _MOST_CHANNELS
        and sorted(order) == list(range(len(order)))
        and order
        and _is_finite(scaling)
    ):
        raise FiltagError("the preparation of images that is recorded makes no sense: make the profile anew")
    own = Preparation((height, width), scaling, metadata["preprocess"])
    resize = recorded["resize"]
    return PreparationOptions(
        resize=resize,
        crop_share=recorded["crop_share"] if resize == "crop" else None,
        interpolation=recorded["interpolation"],
    ).applied(own)


def height_and_width(size: int | Sequence[int]) -> tuple[int, int]:
    """Return the size of images, which may be given as the side of a square.

    Raises
    ------
    ValueError
        If it is neither a number of pixels nor two.
    FiltagError
        If hardly any memory holds such an image.
    """
    sides = (size, size) if isinstance(size, int) else tuple(size)
    if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
        raise ValueError(f"input_size must be a number of pixels or (height, width), got {size!r}")
    check_size((sides[0], sides[1]))
    return sides[0], sides[1]


def _is_finite(scaling: Scaling) -> bool:
    """Return whether pixels stay finite numbers in float32."""
    with np.errstate(all="ignore"):
        mean, std = (np.array(numbers, np.float32) for numbers in (scaling.mean, scaling.std))
        ends = np.array([(0 - mean) / std, (255 - mean) / std])
    return bool(np.isfinite(std).all() and (std > 0).all() and np.isfinite(ends).all())


def _one_of(option: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise FiltagError(
            f"no {option} {value!r}: choose {', '.join(allowed[:-1])} or {allowed[-1]}", options=(option,)
        )
    return value


def _per_channel(option: str, values: Sequence[float] | float, channels: int) -> NDArray[np.float64]:
    numbers = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if numbers.shape not in ((1,), (channels,)) or not np.isfinite(numbers).all():
        raise FiltagError(
            f"{option} has {numbers.size} numbers, and the network takes {channels} channels: give one "
            "for each, or one for all",
            options=(option,),
        )
    return np.broadcast_to(numbers, (channels,))
