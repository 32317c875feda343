"""Estimate what a pass over ImageNet costs: images per second, bytes moved, memory, hours, by number of GPUs.

What a network computes and what the pass keeps is counted from the network itself. The time to decode an image and
to add up its activations is measured here. What a GPU sustains is assumed, and printed as an assumption.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from inputs import made_picture

from filtag_kg.images import decode
from filtag_kg.network import KerasEngine, Network, Preparation, load_network

NETWORKS = ("vgg16", "resnet50", "inceptionv3", "efficientnet-lite0")
GPUS = (1, 8, 64)


@dataclass(frozen=True)
class DataSet:
    """A data set's size, as its makers give it."""

    name: str
    images: int
    classes: int
    bytes: float


IMAGENETS = (
    DataSet("ImageNet-1k", 1_281_167, 1_000, 147.9e9),
    DataSet("ImageNet-21k", 14_197_122, 21_841, 1.31e12),
)


def main() -> None:
    """Print a table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teraflops", type=float, default=25, help="assumed: what a GPU sustains")
    parser.add_argument("--cores", type=int, default=16, help="assumed: processor cores beside each GPU")
    options = parser.parse_args()
    networks = [load_network(name, weights=None) for name in NETWORKS]
    decoding = {network.input_size: decode_seconds(network.preparation) for network in networks}
    adding = {network.name: adding_seconds(network.n_filters) for network in networks}
    decoded = ", ".join(f"{1e3 * seconds:.1f} ms for {h} × {w}" for (h, w), seconds in sorted(decoding.items()))
    print(
        f"Measured on {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}:", end=" "
    )
    print(f"a core decodes a JPEG of 500 × 375 pixels in {decoded}.")
    print(f"Assumed: {options.teraflops:g} TFLOP/s sustained a GPU, {options.cores} cores beside it.\n")
    for data in IMAGENETS:
        columns = ["GFLOP an image", "GPU, images/s", "decoded/s", "added up/s", "moments", "from the GPUs"]
        print("|", " | ".join([data.name, *columns, *(f"{n} GPU" for n in GPUS)]), "|")
        print("|---|" + "--:|" * (len(columns) + len(GPUS)))
        for network in networks:
            limits = (
                options.teraflops * 1e12 / operations(network),
                options.cores / decoding[network.input_size],
                1 / adding[network.name],
            )
            print(row(network, data, limits))
        print()


def row(network: Network, data: DataSet, limits: tuple[float, float, float]) -> str:
    """Return a network's row; the lowest limit, in images per second and GPU, decides."""
    memory = data.classes * network.n_filters * 16
    speed = min(limits)
    return (
        f"| {network.name} | {operations(network) / 1e9:.1f} | "
        + "".join(f"{limit:,.0f} | " for limit in limits)
        + f"{memory / 1e9:.2f} GB | {data.images * network.n_filters * 4 / 1e9:,.0f} GB |"
        + "".join(f" {duration(data.images / speed / gpus)} |" for gpus in GPUS)
    )


def duration(seconds: float) -> str:
    """Return a time in readable units."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def operations(network: Network) -> float:
    """Return the floating-point operations of one image: two for each multiplication of a convolution or Dense."""
    total = 0.0
    assert isinstance(network.engine, KerasEngine)
    for layer in network.engine.model.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        shape = tuple(kernel.shape)
        if type(layer).__name__ == "DepthwiseConv2D":
            total += 2 * math.prod(layer.output.shape[1:]) * math.prod(shape[:2])
        else:
            total += 2 * math.prod(layer.output.shape[1:]) * math.prod(shape[:-1])
    return total


def adding_seconds(n_filters: int) -> float:
    """Return the seconds it takes to add an image's activations to its class's moments."""
    from filtag_kg.profile.moments import Moments

    moments = Moments.empty(8, n_filters)
    activations = np.random.default_rng(0).random((64, n_filters), np.float32)
    start = time.thread_time()
    for index, of_image in enumerate(activations):
        moments.add(index % 8, of_image)
    return (time.thread_time() - start) / len(activations)


def decode_seconds(preparation: Preparation) -> float:
    """Return the processor seconds it takes to decode a JPEG of ImageNet's usual size."""
    with tempfile.TemporaryDirectory() as folder:
        content = made_picture(Path(folder) / "made.jpg", 0).read_bytes()
    seconds = []
    for _ in range(50):
        start = time.thread_time()
        decode(content, preparation)
        seconds.append(time.thread_time() - start)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
