"""Time the pass over the images against the bare network.

Both run in one process: the bare compiled network on a batch that lies in memory, and the whole of
``collect`` from the image files. After a warm-up the two take turns; medians are compared, and the ratio is
what counts.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from filtag_kg.images import ImageSet, batches, open_images
from filtag_kg.network import Network, Tensor, import_keras, load_network
from filtag_kg.profile.collect import collect


def bare_network(network: Network, batch: np.ndarray) -> Callable[[], Tensor]:
    """Return a function that runs the compiled network, head and all, on a batch in memory."""
    import tensorflow as tf

    ops = import_keras().ops

    def scores(pixels: Tensor) -> Tensor:
        return network.model(network.preprocess(ops.cast(pixels, "float32")), training=False)

    graph = tf.function(
        scores, input_signature=[tf.TensorSpec(batch.shape, tf.uint8)], jit_compile=False, autograph=False
    )
    tensor = tf.constant(batch)
    return lambda: graph(tensor).numpy()


def limited(images: ImageSet, per_class: int) -> ImageSet:
    """Keep the first images of each class."""
    if per_class:
        by_class = [[x for x in images.images if x.class_id == class_id][:per_class] for class_id in images.classes]
        images.images = images.reading_order = tuple(image for of_class in by_class for image in of_class)
    return images


def seconds_bare(bare: Callable[[], Tensor], batch_size: int, n_images: int) -> float:
    """Return the seconds per image of the bare network."""
    repeats = max(1, n_images // batch_size)
    start = time.perf_counter()
    for _ in range(repeats):
        bare()
    return (time.perf_counter() - start) / (repeats * batch_size)


def seconds_pass(network: Network, images: ImageSet, batch_size: int, workers: int | None) -> tuple[float, float]:
    """Return the seconds per image of our pass, and those that it took to start: tracing and the first batch."""
    ticks: list[tuple[float, int]] = []
    start = time.perf_counter()
    collect(
        network,
        images,
        batch_size=batch_size,
        workers=workers,
        keep_going=True,
        progress=lambda done, _: ticks.append((time.perf_counter(), done)),
    )
    (first, n_first), (last, n_last) = ticks[0], ticks[-1]
    return (last - first) / (n_last - n_first), first - start


def main() -> None:
    """Measure, and print the ratio with what it was measured on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="efficientnet-lite0")
    parser.add_argument("--weights", default="imagenet", choices=("imagenet", "none"))
    parser.add_argument("--layers", default="conv")
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=0, help="images, the first of each class; 0: all")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    weights = None if options.weights == "none" else options.weights
    network = load_network(options.network, layers=options.layers, weights=weights)
    with open_images(options.images) as images:
        limited(images, -(-options.limit // len(images.classes)))
        batch = next(iter(batches(images, network.input_size, options.batch_size))).pixels
        bare = bare_network(network, batch)
        bare_times, our_times, starts = [], [], []
        for round_ in range(options.rounds + 1):
            bare_time = seconds_bare(bare, len(batch), len(images.images))
            our_time, start = seconds_pass(network, images, options.batch_size, options.workers)
            if round_ > 0:
                bare_times.append(bare_time)
                our_times.append(our_time)
                starts.append(start)
    bare_median, our_median = statistics.median(bare_times), statistics.median(our_times)
    ratio = statistics.median(x / y for x, y in zip(bare_times, our_times, strict=True))
    print(f"network      {network.identifier}, {len(network.layers)} layers, {network.n_filters} filters")
    print(f"input        {options.images.name}, {len(images.images)} images, batches of {options.batch_size}")
    print(f"machine      {platform.machine()}, {os.cpu_count()} processors; {versions()}")
    print(f"bare network {1 / bare_median:8.1f} images/s")
    print(f"our pass     {1 / our_median:8.1f} images/s, after {statistics.median(starts):.1f} s to start")
    print(f"ratio        {ratio:8.3f} (median of {options.rounds} rounds, warm-up left out)")


def versions() -> dict[str, str]:
    """Return the versions that a figure depends on."""
    from importlib.metadata import version

    keras = import_keras()
    import tensorflow as tf

    return {"python": platform.python_version(), "keras": keras.__version__, "tensorflow": tf.__version__} | {
        name: version(name) for name in ("numpy", "pillow")
    }


if __name__ == "__main__":
    main()
