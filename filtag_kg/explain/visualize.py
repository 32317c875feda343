"""What a filter looks for: pictures that excite it, made from noise by following the gradient.

FILTAG's authors compared their tags with pictures of two methods. *Activation maximisation* with minimal regularisation
(Erhan, Bengio, Courville and Vincent 2009, section 3.1) changes the pixels. *Feature visualisation* (Olah, Mordvintsev
and Schubert 2017) changes a spectrum in decorrelated colours, and looks for what survives being moved, scaled and
turned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.explain.filter_objective import Objective, filter_objective
from filtag_kg.explain.image_parametrisation import (
    decorrelated_colour,
    frequency_scale,
    image_of_spectrum,
    spectrum_shape,
)
from filtag_kg.explain.transformations import apply_view, random_views
from filtag_kg.kg import VISUALIZATION_METHODS
from filtag_kg.names import nfc
from filtag_kg.network import CompiledStep, Differentiable, Gradient, Layer, Network, Ops, Tensor

DEFAULT_STEPS = 192

# Erhan et al. keep the norm of the image: here the typical distance of a photograph's pixels from mid-grey.
_CONTRAST = 0.25
# The length of the first step, as a share of that norm.
_STEP = 0.1
# Adam (Kingma and Ba 2015, algorithm 1), with the step size and the start of Lucid.
_LEARNING_RATE, _BETA_1, _BETA_2, _EPSILON = 0.05, 0.9, 0.999, 1e-8
_START = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class FilterPicture:
    """A picture made to excite a filter.

    Parameters
    ----------
    method : str
        One of `filtag_kg.kg.VISUALIZATION_METHODS`.
    activation : float
        The mean of the filter's feature map for `pixels`, not scaled.
    grey : float
        The same for an even mid-grey, for comparison.
    pixels : uint8 array of shape (height, width, channels), RGB or grey
    """

    layer: str
    filter: int
    method: str
    seed: int
    steps: int
    activation: float
    grey: float
    pixels: NDArray[np.uint8]


def visualize(
    network: Network,
    layer: str,
    filters: Sequence[int],
    *,
    methods: Sequence[str] = VISUALIZATION_METHODS,
    steps: int = DEFAULT_STEPS,
    seed: int = 0,
    batch_size: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[FilterPicture]:
    """Make pictures of what filters look for: batch by batch, each method in turn.

    Parameters
    ----------
    layer : str
        One of its layers.
    filters : sequence of int
        Their indices in the layer.
    steps : int
        How often each picture is changed.
    seed : int
        Of the noise that pictures start from, which differs by filter and method, and of the views, which do not.
    batch_size : int
        Filters at once. A filter's picture does not depend on the others in its batch, but may depend on the batch
        size: it decides how sums are rounded, which over many steps changes details.
    progress : callable, optional
        Called with the steps done and the steps in all.

    Yields
    ------
    FilterPicture
        As soon as it is made.

    Raises
    ------
    FiltagError
        If the network has no such layer or filter, or what runs it computes no gradients.
    """
    chosen_layer = find_layer(network, layer, filters)
    unknown = [method for method in methods if method not in VISUALIZATION_METHODS]
    if unknown or steps < 1 or seed < 0 or batch_size < 1:
        raise ValueError(f"methods, steps, seed or batch_size: got {unknown or methods}, {steps}, {seed}, {batch_size}")
    channels = network.preparation.channels
    if channels not in (1, 3):
        raise FiltagError(f"{network.name} takes {channels} channels, which no picture shows: visualize needs 1 or 3")
    function = network.differentiable(chosen_layer)
    objective = filter_objective(function)
    shape = (*network.input_size, channels)
    ascents = [_ASCENTS[method](function.ops, objective, shape) for method in methods]
    compiled = [function.compile(ascent.step) for ascent in ascents]
    measure = function.compile(lambda _gradient, pixels, chosen: objective(pixels / 255.0, chosen)[1:])
    total = len(filters) * len(methods) * steps
    done = 0
    for batch in _padded_batches(filters, batch_size):
        chosen = np.eye(chosen_layer.n_filters, dtype=np.float32)[list(batch.filters)]
        grey = _activations(function, measure, np.full((len(chosen), *shape), 128, np.uint8), chosen)
        for method, ascent, step in zip(methods, ascents, compiled, strict=True):
            state = ascent.start([_generator(seed, method, layer, filter_) for filter_ in batch.filters])
            for inputs in ascent.inputs(steps, seed):
                state = step(chosen, *inputs, *state)
                done += batch.wanted
                if progress is not None:
                    progress(done, total)
            pixels = _pixels(function.to_numpy(ascent.image(state[0])))
            activations = _activations(function, measure, pixels, chosen)
            for i, filter_ in enumerate(batch.filters[: batch.wanted]):
                yield FilterPicture(layer, filter_, method, seed, steps, activations[i], grey[i], pixels[i])


def find_layer(network: Network, layer: str, filters: Sequence[int] = ()) -> Layer:
    """Return a layer by its name.

    Raises
    ------
    FiltagError
        If there is no such layer, or it lacks one of the filters.
    """
    for candidate in network.layers:
        if nfc(candidate.name) == nfc(layer):
            missing = next((filter_ for filter_ in filters if not 0 <= filter_ < candidate.n_filters), None)
            if missing is not None:
                raise FiltagError(f"layer {layer} has no filter {missing}: choose from 0 to {candidate.n_filters - 1}")
            return candidate
    names = ", ".join(candidate.name for candidate in network.layers)
    raise FiltagError(f"{network.name} has no layer {layer!r}: choose from {names}")


_State = tuple[Any, ...]


class _Ascent(Protocol):
    """A way from noise to a picture, for an objective and pictures of a size."""

    def start(self, generators: list[np.random.Generator]) -> _State:
        """Return the state before the first step, a row for each generator: the picture's parameters come first."""

    def inputs(self, steps: int, seed: int) -> Iterator[_State]:
        """Yield what each step needs besides the state: arrays that are the same for all filters."""

    def step(self, gradient: Gradient, chosen: Tensor, *inputs_and_state: Tensor) -> _State:
        """Return the next state for the chosen filters."""

    def image(self, parameters: Tensor) -> Tensor:
        """Return the images of parameters, in [0, 1]."""


class _ActivationMaximisation:
    """x* = argmax h(x) where ‖x‖ = ρ (Erhan et al. 2009, section 3.1), x the pixels' distance from mid-grey."""

    def __init__(self, ops: Ops, objective: Objective, shape: tuple[int, int, int]) -> None:
        self._ops = ops
        self._objective = objective
        self._shape = shape
        self._norm = _CONTRAST * np.sqrt(float(np.prod(shape)))

    def start(self, generators: list[np.random.Generator]) -> _State:
        noise = np.stack([random.uniform(-1, 1, self._shape) for random in generators])
        norm = np.sqrt(np.sum(noise**2, axis=(1, 2, 3), keepdims=True))
        return (np.float32(0.5 + noise * self._norm / norm),)

    def inputs(self, steps: int, _seed: int) -> Iterator[_State]:
        # Ever shorter steps: steps of one length would circle around the maximum.
        for done in range(steps):
            yield (np.float32(_STEP * self._norm * (1 - done / steps)),)

    def step(self, gradient: Gradient, chosen: Tensor, length: Tensor, images: Tensor) -> _State:
        ops = self._ops
        uphill = gradient(lambda x: ops.sum(self._objective(x, chosen)[0]), images)
        moved = images + length * _with_norm(ops, uphill, 1.0) - 0.5
        return (ops.clip(0.5 + _with_norm(ops, moved, self._norm), 0.0, 1.0),)

    def image(self, parameters: Tensor) -> Tensor:
        return parameters


def _with_norm(ops: Ops, images: Tensor, norm: float) -> Tensor:
    """Scale each image to a norm; one of zeros stays as it is."""
    now = ops.sqrt(ops.sum(ops.square(images), axis=(1, 2, 3), keepdims=True))
    is_zero = ops.equal(now, 0)
    return images * ops.where(is_zero, 0.0, norm / ops.where(is_zero, 1.0, now))


class _FeatureVisualisation:
    """Adam on a spectrum in decorrelated colours, through random views (Olah et al. 2017)."""

    def __init__(self, ops: Ops, objective: Objective, shape: tuple[int, int, int]) -> None:
        height, width, _ = shape
        self._ops = ops
        self._objective = objective
        self._shape = shape
        # Lucid divides by 4, so that the first steps do not saturate the colours.
        self._scale = np.float32(frequency_scale(height, width) / 4)
        self._transform = image_of_spectrum(ops, height, width)

    def start(self, generators: list[np.random.Generator]) -> _State:
        shape = spectrum_shape(*self._shape)
        spectra = np.stack([random.normal(0, _START, shape) for random in generators]).astype(np.float32)
        return spectra, np.zeros_like(spectra), np.zeros_like(spectra)

    def inputs(self, steps: int, seed: int) -> Iterator[_State]:
        for done, view in enumerate(islice(random_views(*self._shape[:2], seed), steps), 1):
            rate = _LEARNING_RATE * np.sqrt(1 - _BETA_2**done) / (1 - _BETA_1**done)
            yield view.indices, view.weights, np.float32(rate)

    def step(
        self,
        gradient: Gradient,
        chosen: Tensor,
        indices: Tensor,
        weights: Tensor,
        rate: Tensor,
        spectra: Tensor,
        mean: Tensor,
        square: Tensor,
    ) -> _State:
        ops = self._ops

        def value(x: Tensor) -> Tensor:
            return ops.sum(self._objective(apply_view(ops, self.image(x), indices, weights), chosen)[0])

        uphill = gradient(value, spectra)
        mean = _BETA_1 * mean + (1 - _BETA_1) * uphill
        square = _BETA_2 * square + (1 - _BETA_2) * ops.square(uphill)
        return spectra + rate * mean / (ops.sqrt(square) + _EPSILON), mean, square

    def image(self, parameters: Tensor) -> Tensor:
        return decorrelated_colour(self._ops, self._transform(self._ops.multiply(parameters, self._scale)))


_ASCENTS: dict[str, Callable[[Ops, Objective, tuple[int, int, int]], _Ascent]] = dict(
    zip(VISUALIZATION_METHODS, (_ActivationMaximisation, _FeatureVisualisation), strict=True)
)


@dataclass(frozen=True, slots=True)
class _Batch:
    filters: tuple[int, ...]
    wanted: int


def _padded_batches(filters: Sequence[int], batch_size: int) -> Iterator[_Batch]:
    """Yield batches of equal size, which decides how sums are rounded; the last filter is repeated to fill the last."""
    for start in range(0, len(filters), batch_size):
        batch = tuple(filters[start : start + batch_size])
        yield _Batch(batch + batch[-1:] * (batch_size - len(batch)), len(batch))


def _generator(seed: int, method: str, layer: str, filter_: int) -> np.random.Generator:
    """Return the filter's own generator, whichever other filters are visualised."""
    digest = hashlib.sha256(f"{seed}\0{method}\0{layer}\0{filter_}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def _pixels(images: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.round(np.clip(images, 0, 1) * 255).astype(np.uint8)


def _activations(
    function: Differentiable, measure: CompiledStep, pixels: NDArray[np.uint8], chosen: NDArray[np.float32]
) -> list[float]:
    (activations,) = measure(pixels.astype(np.float32), chosen)
    return [float(activation) for activation in function.to_numpy(activations)]
