"""What a network's outputs are, decided once for the network and never by a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError

Outputs = Literal["softmax", "logits", "sigmoid", "logit", "sigmoids", "independent-logits", "none"]
"""What the numbers of an output are.

========================  ==========================================================================================
``softmax``               probabilities of classes of which an image has one
``logits``                the same before the softmax
``sigmoid``               one number p, for two classes: the second has p, the first 1 − p
``logit``                 the same before the sigmoid
``sigmoids``              a probability for each class, of which an image may have several
``independent-logits``    the same before the sigmoid
``none``                  no classes: features, or images
========================  ==========================================================================================
"""

OUTPUTS: tuple[str, ...] = get_args(Outputs)


@dataclass(frozen=True, slots=True)
class OutputLayer:
    """The output of a network.

    Parameters
    ----------
    size : int
        Numbers for an image; of a map, its channels.
    outputs : str
        What they are, one of `OUTPUTS`.
    is_map : bool
        Whether there is a number for each channel and place, as in segmentation; the mean over the places counts.
    """

    size: int
    outputs: Outputs
    is_map: bool = False

    @property
    def n_classes(self) -> int:
        """The number of classes that an image may have."""
        return {"none": 0, "sigmoid": 2, "logit": 2}.get(self.outputs, self.size)

    def confidences(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the confidence in each class.

        Parameters
        ----------
        scores : float32 array of shape (n_images, size)

        Returns
        -------
        float64 array of shape (n_images, n_classes), in [0, 1]
        """
        values = scores.astype(np.float64)
        match self.outputs:
            case "none":
                return np.empty((len(values), 0))
            case "logits":
                exponentials = np.exp(values - values.max(axis=1, keepdims=True))
                return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))
            case "logit" | "independent-logits":
                values = _sigmoid(values)
        # Rounding may take a probability a hair beyond 1.
        values = np.clip(values, 0, 1)
        return np.hstack([1 - values, values]) if self.outputs in ("sigmoid", "logit") else values


def output_layer(
    size: int,
    last: str,
    *,
    is_map: bool = False,
    n_class_ids: int = 0,
    chosen: str | None = None,
    where: str,
) -> OutputLayer:
    """Decide what a network's outputs are.

    Parameters
    ----------
    size : int
        Numbers for an image; of a map, its channels.
    last : str
        What the operation that makes them applies to each: ``softmax``, ``sigmoid``; ``linear`` after a dense layer or
        something like it, which may be logits; or anything else, such as ``relu``.
    n_class_ids : int
        How many classes the user or the network's maker names; 0 if none.
    chosen : str, optional
        One of `OUTPUTS`, where the user knows better.
    where : str
        The network as the user named it, for messages.

    Raises
    ------
    FiltagError
        If `chosen` is unknown or cannot be, or another number of classes is named.
    """
    if chosen is not None:
        outputs = _chosen(size, chosen, where)
    elif last == "softmax" and size > 1:
        outputs = "softmax"
    elif last == "sigmoid":
        outputs = "sigmoid" if size == 1 else "sigmoids"
    elif last == "linear" and (n_class_ids or not is_map):
        outputs = "logit" if size == 1 else "logits"
    else:
        outputs = "logits" if n_class_ids else "none"
    layer = OutputLayer(size, outputs, is_map)
    if n_class_ids not in (0, layer.n_classes):
        said = f"{size} outputs" + (f", for {layer.n_classes} classes" if layer.n_classes != size else "")
        raise FiltagError(
            f"{where} has {said}, and {n_class_ids} classes are given: they must be as many", options=("classes",)
        )
    return layer


def _chosen(size: int, chosen: str, where: str) -> Outputs:
    kinds: tuple[Outputs, ...] = get_args(Outputs)
    for outputs in kinds:
        if outputs == chosen:
            if (size == 1) != (outputs in ("sigmoid", "logit")) and outputs != "none":
                raise FiltagError(
                    f"the outputs of {where} cannot be {chosen}: it has {size}"
                    + (", choose sigmoid, logit or none" if size == 1 else ""),
                    options=("outputs",),
                )
            return outputs
    raise FiltagError(f"no outputs {chosen!r}: choose {', '.join(OUTPUTS[:-1])} or {OUTPUTS[-1]}", options=("outputs",))


def _sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    # Without an overflow for either sign.
    exponentials = np.exp(-np.abs(values))
    return np.asarray(np.where(values >= 0, 1, exponentials) / (1 + exponentials))
