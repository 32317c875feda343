"""The options of a pass over images."""

from __future__ import annotations

from dataclasses import dataclass

from filtag_kg.profile.exemplars import EXEMPLARS
from filtag_kg.profile.references import REFERENCES


@dataclass(frozen=True, slots=True)
class PassOptions:
    """How a pass goes over the images.

    Parameters
    ----------
    batch_size : int
        Images at a time; apart from rounding in the network, the results do not depend on it.
    workers : int, optional
        Threads that decode images; by default one per processor.
    split : float, in (0, 1), optional
        Share of each class's images to take; the others are held out, and named in the profile.
    seed : int
        Of the split.
    keep_going : bool
        Carry on however many images are unreadable, keep classes with one image, whose variance is 0, and leave out
        those with none.
    part : bool
        Whether the images are a part of those that the profile is for. What would be too little for a whole is then
        enough.
    exemplars : int
        How many images to keep for each filter, those that activate it most.
    references : int
        How many images to keep the last layers' activations of, chosen at random: explanations compare with them.
    """

    batch_size: int = 32
    workers: int | None = None
    split: float | None = None
    seed: int = 0
    keep_going: bool = False
    part: bool = False
    exemplars: int = EXEMPLARS
    references: int = REFERENCES


DEFAULT_OPTIONS = PassOptions()
