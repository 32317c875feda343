"""What a filter looks for: pictures made to excite it, from noise, by following the gradient.

The two that FILTAG's authors compared their tags with. *Activation maximisation* with minimal regularisation (Erhan,
Bengio, Courville and Vincent 2009, section 3.1) changes the pixels. *Feature visualisation* (Olah, Mordvintsev and
Schubert 2017) changes a spectrum in decorrelated colours, and asks for what stands being moved, scaled and turned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError
from filtag_kg.explain.filter_objective import Objective, filter_objective
from filtag_kg.explain.gradients import Gradient, compile_step
from filtag_kg.explain.image_parametrisation import (
    decorrelated_colour,
    frequency_scale,
    image_of_spectrum,
    spectrum_shape,
)
from filtag_kg.explain.transformations import random_views, seen
from filtag_kg.kg import VISUALIZATION_METHODS
from filtag_kg.names import nfc
from filtag_kg.network import Layer, Network, Tensor, import_keras

__all__ = ["DEFAULT_STEPS", "FilterPicture", "find_layer", "visualize"]

DEFAULT_STEPS = 192

# Erhan et al. keep the norm of the image. A photograph's pixels lie about so far from mid-grey.
_CONTRAST = 0.25
# How long a step of theirs is, as a share of that norm.
_STEP = 0.1
# Adam (Kingma and Ba 2015, algorithm 1), with the step size and the start of Lucid.
_LEARNING_RATE, _BETA_1, _BETA_2, _EPSILON = 0.05, 0.9, 0.999, 1e-8
_START = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class FilterPicture:
    """A picture that was made to excite a filter.

    Parameters
    ----------
    layer : str
    filter : int
    method : str
        One of `filtag_kg.graph.VISUALIZATION_METHODS`.
    seed, steps : int
    activation : float
        The mean of the filter's feature map over `pixels`, not scaled.
    grey : float
        The same of an even mid-grey, to compare with.
    pixels : uint8 array of shape (height, width, 3), RGB
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
    """Make pictures of what filters look for, each method of a batch of filters in turn.

    Parameters
    ----------
    network : Network
    layer : str
        One of its layers.
    filters : sequence of int
        Their indices in the layer.
    methods : sequence of str
    steps : int
        How often each picture is changed.
    seed : int
        Of the noise that a picture starts from, which is another for each filter and method, and of the views, which
        are the same for all.
    batch_size : int
        Filters at once; a batch that is not full is filled up. A filter's picture does not depend on the others of its
        batch. It may depend on the size, by which sums are rounded: over many steps that grows to other details.
    progress : callable, optional
        Told (steps done, steps in all).

    Yields
    ------
    FilterPicture
        As soon as it is made.

    Raises
    ------
    FiltagError
        If the network has no such layer or filter, or Keras runs on a backend that is not supported.
    """
    found = find_layer(network, layer, filters)
    unknown = [method for method in methods if method not in VISUALIZATION_METHODS]
    if unknown or steps < 1 or seed < 0 or batch_size < 1:
        raise ValueError(f"methods, steps, seed or batch_size: got {unknown or methods}, {steps}, {seed}, {batch_size}")
    model, objective = filter_objective(network, found)
    ascents = [_ASCENTS[method](objective, network.input_size, steps, seed) for method in methods]
    compiled = [compile_step(ascent.step, model) for ascent in ascents]
    measure = compile_step(lambda _gradient: lambda pixels, chosen: objective(pixels / 255.0, chosen)[1:], model)
    total = len(filters) * len(methods) * steps
    done = 0
    for batch in _padded_batches(filters, batch_size):
        chosen = np.eye(found.n_filters, dtype=np.float32)[list(batch.filters)]
        grey = _activations(measure, np.full((len(chosen), *network.input_size, 3), 128, np.uint8), chosen)
        for method, ascent, step in zip(methods, ascents, compiled, strict=True):
            state = ascent.start([_generator(seed, method, layer, filter_) for filter_ in batch.filters])
            for values in islice(ascent.each_step(), steps):
                state = step(chosen, *values, *state)
                done += batch.wanted
                if progress is not None:
                    progress(done, total)
            pixels = _pixels(ascent.image(state[0]))
            activations = _activations(measure, pixels, chosen)
            for place, filter_ in enumerate(batch.filters[: batch.wanted]):
                yield FilterPicture(layer, filter_, method, seed, steps, activations[place], grey[place], pixels[place])


def find_layer(network: Network, layer: str, filters: Sequence[int] = ()) -> Layer:
    """Return a layer by its name, if it has such filters.

    Raises
    ------
    FiltagError
        If it is not there or has not so many filters.
    """
    found = next((one for one in network.layers if nfc(one.name) == nfc(layer)), None)
    if found is None:
        raise FiltagError(
            f"{network.name} has no layer {layer!r}: choose from {', '.join(one.name for one in network.layers)}"
        )
    outside = next((filter_ for filter_ in filters if not 0 <= filter_ < found.n_filters), None)
    if outside is not None:
        raise FiltagError(f"layer {layer} has no filter {outside}: choose from 0 to {found.n_filters - 1}")
    return found


_State = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Ascent:
    """A way from noise to a picture.

    Parameters
    ----------
    start : callable
        From a generator for each filter to what the steps begin with, the picture's parameters first.
    each_step : callable
        Yields without end what a step needs besides: arrays that are the same for all filters.
    step : callable
        From the backend's gradient to a function of chosen filters, these arrays and a state to the next state.
    image : callable
        From parameters to images in [0, 1].
    """

    start: Callable[[list[np.random.Generator]], _State]
    each_step: Callable[[], Iterator[_State]]
    step: Callable[[Gradient], Callable[..., _State]]
    image: Callable[[Tensor], Tensor]


def _activation_maximisation(objective: Objective, size: tuple[int, int], steps: int, _seed: int) -> _Ascent:
    """x* = argmax h(x) where ‖x‖ = ρ (Erhan et al. 2009, section 3.1), x the pixels' distance from mid-grey."""
    ops = import_keras().ops
    norm = _CONTRAST * np.sqrt(3.0 * size[0] * size[1])

    def start(generators: list[np.random.Generator]) -> _State:
        noise = np.stack([random.uniform(-1, 1, (*size, 3)) for random in generators])
        now = np.sqrt(np.sum(noise**2, axis=(1, 2, 3), keepdims=True))
        return (np.float32(0.5 + noise * norm / now),)

    def shares() -> Iterator[_State]:
        # Long steps first, then ever shorter ones: of one length they would circle about the maximum.
        for done in range(steps):
            yield (np.float32(_STEP * norm * (1 - done / steps)),)

    def step(gradient: Gradient) -> Callable[..., _State]:
        def ascend(chosen: Tensor, length: Tensor, images: Tensor) -> _State:
            uphill = gradient(lambda x: ops.sum(objective(x, chosen)[0]), images)
            moved = images + length * _of_norm(uphill, 1.0) - 0.5
            return (ops.clip(0.5 + _of_norm(moved, norm), 0.0, 1.0),)

        return ascend

    return _Ascent(start, shares, step, lambda images: images)


def _of_norm(images: Tensor, norm: float) -> Tensor:
    ops = import_keras().ops
    now = ops.sqrt(ops.sum(ops.square(images), axis=(1, 2, 3), keepdims=True))
    nothing = ops.equal(now, 0)
    return images * ops.where(nothing, 0.0, norm / ops.where(nothing, 1.0, now))


def _feature_visualisation(objective: Objective, size: tuple[int, int], _steps: int, seed: int) -> _Ascent:
    """Adam on a spectrum in decorrelated colours, through random views (Olah et al. 2017)."""
    ops = import_keras().ops
    shape = spectrum_shape(*size)
    # Lucid divides by 4, so that the first steps do not saturate the colours.
    scale = np.float32(frequency_scale(*size) / 4)
    transform = image_of_spectrum(*size)

    def image(spectra: Tensor) -> Tensor:
        return decorrelated_colour(transform(ops.multiply(spectra, scale)))

    def start(generators: list[np.random.Generator]) -> _State:
        spectra = np.stack([random.normal(0, _START, shape) for random in generators]).astype(np.float32)
        return spectra, np.zeros_like(spectra), np.zeros_like(spectra)

    def views() -> Iterator[_State]:
        for done, one in enumerate(random_views(*size, seed), 1):
            rate = _LEARNING_RATE * np.sqrt(1 - _BETA_2**done) / (1 - _BETA_1**done)
            yield one.places, one.weights, np.float32(rate)

    def step(gradient: Gradient) -> Callable[..., _State]:
        def ascend(
            chosen: Tensor, places: Tensor, weights: Tensor, rate: Tensor, spectra: Tensor, mean: Tensor, square: Tensor
        ) -> _State:
            def value(x: Tensor) -> Tensor:
                return ops.sum(objective(seen(image(x), places, weights), chosen)[0])

            uphill = gradient(value, spectra)
            mean = _BETA_1 * mean + (1 - _BETA_1) * uphill
            square = _BETA_2 * square + (1 - _BETA_2) * ops.square(uphill)
            return spectra + rate * mean / (ops.sqrt(square) + _EPSILON), mean, square

        return ascend

    return _Ascent(start, views, step, image)


_ASCENTS: dict[str, Callable[[Objective, tuple[int, int], int, int], _Ascent]] = dict(
    zip(VISUALIZATION_METHODS, (_activation_maximisation, _feature_visualisation), strict=True)
)


@dataclass(frozen=True, slots=True)
class _Batch:
    filters: tuple[int, ...]
    wanted: int


def _padded_batches(filters: Sequence[int], batch_size: int) -> Iterator[_Batch]:
    """Yield batches of one size, by which sums are rounded; the last is filled up with its last filter."""
    for start in range(0, len(filters), batch_size):
        some = tuple(filters[start : start + batch_size])
        yield _Batch(some + some[-1:] * (batch_size - len(some)), len(some))


def _generator(seed: int, method: str, layer: str, filter_: int) -> np.random.Generator:
    """Return a generator that no other filter has, and that does not depend on which others are asked for."""
    digest = hashlib.sha256(f"{seed}\0{method}\0{layer}\0{filter_}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def _pixels(images: Tensor) -> NDArray[np.uint8]:
    array: NDArray[np.float32] = import_keras().ops.convert_to_numpy(images)
    return np.round(np.clip(array, 0, 1) * 255).astype(np.uint8)


def _activations(measure: Callable[..., _State], pixels: NDArray[np.uint8], chosen: NDArray[np.float32]) -> list[float]:
    (found,) = measure(pixels.astype(np.float32), chosen)
    return [float(value) for value in import_keras().ops.convert_to_numpy(found)]
