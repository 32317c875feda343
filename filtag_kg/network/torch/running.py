"""How a prepared graph runs: a few images at a time, on its device, in its precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.network.scaling import Scaling
from filtag_kg.network.torch.backend import Tensor, import_torch

# On a processor. Feature maps of more images take more than the 32 MB of memory at a time that the C library keeps for
# the next ones; new memory from the system is filled with zeros first, which takes longer than all reductions.
IMAGES_AT_A_TIME = 8


@dataclass(frozen=True, slots=True)
class Running:
    """What a graph runs under.

    Parameters
    ----------
    device : torch.device
    precision : str
        What its layers compute in.
    fewest, most : int
        Images at a time that it takes; `most` is 0 if there is no limit.
    """

    device: Any
    precision: str
    fewest: int
    most: int

    def parts(self, pixels: NDArray[Any], scaled: Callable[[Tensor], Tensor], batch_size: int) -> Iterator[Part]:
        """Yield a batch in parts that the graph takes, in order.

        Parameters
        ----------
        pixels : array of shape (n_images, height, width, channels)
        scaled : callable
            See :func:`scaling_on`.
        batch_size : int
            The images of a whole batch.
        """
        torch = import_torch()
        at_a_time = batch_size if self.device.type != "cpu" else min(batch_size, IMAGES_AT_A_TIME)
        at_a_time = max(self.fewest, min(at_a_time, self.most) if self.most else at_a_time)
        for start in range(0, len(pixels), at_a_time):
            part = np.ascontiguousarray(pixels[start : start + at_a_time])
            # A graph for several images, or for one number of them, gets copies of the last.
            padding = [part[-1:]] * max(0, self.fewest - len(part))
            yield Part(len(part), scaled(torch.from_numpy(np.concatenate([part, *padding]))))

    @contextmanager
    def computing(self, n_images: int) -> Iterator[None]:
        """Compute in the graph's precision, without gradients.

        Raises
        ------
        FiltagError
            If PyTorch cannot.
        """
        torch = import_torch()
        precision = getattr(torch, self.precision)
        half = torch.autocast(self.device.type, precision, enabled=precision is not torch.float32)
        try:
            with torch.inference_mode(), half:
                yield
        except (RuntimeError, MemoryError, ValueError, TypeError, IndexError) as error:
            raise FiltagError(
                f"PyTorch cannot run the network on {n_images} images ({reason_of(error)}): check its input "
                "size, or give fewer images at a time",
                options=("input_size", "batch_size"),
            ) from None


@dataclass(frozen=True, slots=True)
class Part:
    """Some images of a batch.

    Parameters
    ----------
    n_images : int
    images : tensor
        What the network takes; the first `n_images` are those of the batch.
    """

    n_images: int
    images: Tensor


def scaling_on(scaling: Scaling, device: Any) -> Callable[[Tensor], Tensor]:  # noqa: ANN401
    """Return the function from pixels, (n_images, height, width, channels), to what the network takes.

    That is a view of shape (n_images, channels, height, width), with channels last in memory.
    """
    torch = import_torch()
    mean, std = (torch.tensor(x, dtype=torch.float32, device=device) for x in (scaling.mean, scaling.std))
    order = list(scaling.order)

    def scaled(pixels: Tensor) -> Tensor:
        images = pixels.to(device).to(torch.float32)
        if order != sorted(order):
            images = images[..., order]
        if any(scaling.mean):
            images = images - mean
        if any(std != 1 for std in scaling.std):
            images = images / std
        return images.permute(0, 3, 1, 2)

    return scaled
