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

    def scores(pixels: Tensor) -> Tensor:
        images = network.preprocess(import_keras().ops.cast(pixels, "float32"))
        return network.model(images, training=False)

    graph = tf.function(scores, input_signature=[tf.TensorSpec(batch.shape, tf.uint8)], jit_compile=False)
    tensor = tf.constant(batch)
    return lambda: graph(tensor).numpy()


def limited(images: ImageSet, per_class: int) -> ImageSet:
    """Keep the first images of each class."""
    if per_class:
        by_class = [[x for x in images.images if x.class_id == class_id][:per_class] for class_id in images.classes]
        images.images = images.reading_order = tuple(image for of_class in by_class for image in of_class)
    return images


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


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
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    weights = None if options.weights == "none" else options.weights
    network = load_network(options.network, layers=options.layers, weights=weights)
    with open_images(options.images) as images:
        limited(images, -(-options.limit // len(images.classes)))
        batch = next(iter(batches(images, network.input_size, options.batch_size))).pixels
        bare = bare_network(network, batch)
        repeats = max(1, len(images.images) // len(batch))

        def ours() -> None:
            profile = collect(network, images, batch_size=options.batch_size, workers=options.workers, keep_going=True)
            assert profile.metadata["images"]["read"] == len(images.images)

        def bare_rounds() -> None:
            for _ in range(repeats):
                bare()

        bare()
        ours()
        bare_times, our_times = [], []
        for _ in range(options.rounds):
            bare_times.append(seconds(bare_rounds) / (repeats * len(batch)))
            our_times.append(seconds(ours) / len(images.images))
    bare_median, our_median = statistics.median(bare_times), statistics.median(our_times)
    print(f"network      {network.identifier}, {len(network.layers)} layers, {network.n_filters} filters")
    print(f"input        {options.images.name}, {len(images.images)} images, batches of {options.batch_size}")
    print(f"machine      {platform.machine()}, {os.cpu_count()} processors; {versions()}")
    print(f"bare network {1 / bare_median:8.1f} images/s")
    print(f"our pass     {1 / our_median:8.1f} images/s, compilation included")
    print(f"ratio        {bare_median / our_median:8.3f}")


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
