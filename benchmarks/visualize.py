"""Time pictures of what filters look for, and check that the same seed gives the same picture.

    python benchmarks/visualize.py [--network NET] [--layer L --filter I ...] [--steps N]

For each layer, one filter is drawn twice by each method; the first time includes compiling its graph. Loading the
network is timed separately. The mean of the feature map is compared with that for noise and for mid-grey.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from importlib.metadata import version

import numpy as np

from filtag_kg.explain import FilterPicture, visualize
from filtag_kg.explain.filter_objective import filter_objective
from filtag_kg.explain.visualize import DEFAULT_STEPS
from filtag_kg.kg import VISUALIZATION_METHODS
from filtag_kg.network import Network, import_keras, load_network

LAYERS = ("stem_conv", "block3b_expand", "block5c_expand", "block6d_project", "head_conv")


def timed(network: Network, layer: str, filter_: int, method: str, steps: int) -> tuple[FilterPicture, float]:
    """Return a picture and how long it took."""
    start = time.perf_counter()
    (picture,) = visualize(network, layer, [filter_], methods=[method], steps=steps)
    return picture, time.perf_counter() - start


def noise_activation(network: Network, layer: str, filter_: int) -> float:
    """Return the mean of the feature map over pictures of noise."""
    found = next(one for one in network.layers if one.name == layer)
    objective = filter_objective(network.differentiable(found))
    pixels = np.random.default_rng(0).uniform(size=(8, *network.input_size, 3)).astype(np.float32)
    chosen = np.eye(found.n_filters, dtype=np.float32)[[filter_] * 8]
    return float(np.mean(import_keras().ops.convert_to_numpy(objective(pixels, chosen)[1])))


def main() -> None:
    """Measure, and print the figures and the machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="efficientnet-lite0")
    parser.add_argument("--layer", action="append", metavar="L")
    parser.add_argument("--filter", type=int, default=5, metavar="I")
    parser.add_argument("--steps", type=int, default=DEFAULT_STEPS)
    options = parser.parse_args()
    start = time.perf_counter()
    network = load_network(options.network)
    loading = time.perf_counter() - start
    packages = ", ".join(f"{name} {version(name)}" for name in ("keras", "numpy"))
    backend = import_keras().backend.backend()
    print(
        f"network  {network.identifier}, {network.input_size[0]} × {network.input_size[1]}, loaded in {loading:.1f} s"
    )
    print(
        f"machine  {platform.machine()}, {os.cpu_count()} processors; {backend}; python {platform.python_version()}, "
        f"{packages}"
    )
    print(f"load     {os.getloadavg()[0]:.1f} at the start; {options.steps} steps, one filter at a time\n")
    print("| layer | filter | method | s | ms a step | mean of the map | of noise | of mid-grey | the same again |")
    print("|---|--:|---|--:|--:|--:|--:|--:|---|")
    for layer in options.layer or LAYERS:
        noise = noise_activation(network, layer, options.filter)
        for method in VISUALIZATION_METHODS:
            picture, seconds = timed(network, layer, options.filter, method, options.steps)
            again, _ = timed(network, layer, options.filter, method, options.steps)
            same = "yes" if np.array_equal(picture.pixels, again.pixels) else "no"
            print(
                f"| {layer} | {options.filter} | {method} | {seconds:.1f} | {seconds / options.steps * 1000:.0f} "
                f"| {picture.activation:.3g} | {noise:.3g} | {picture.grey:.3g} | {same} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
