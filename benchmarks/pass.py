"""Time the pass over the images against the bare network, and against the method of FILTAG's scripts.

In one process, alternating, after a warm-up that does not count:

- bare: the whole compiled network on a batch in memory;
- ours: the whole of ``collect`` from JPEG files, without its start-up;
- the limit: what decoding and the bare network leave to the same processors, 1 / (1 / bare + decoding / processors);
- published: one image at a time through ``predict``, all feature maps copied to the host, min–max scaling per layer
  there, the mean of each map. NumPy scales, which is faster than scikit-learn's MinMaxScaler in the scripts.

With ``--onnx``, instead: networks of torchvision with random weights, exported to ONNX, on images in memory. Bare is
onnxruntime's session of the exported file as a user opens it. Its threads wait for each other, so other work on the
machine slows it down more than the pass, whose threads do not; the ratio of processor time, with a bare session of one
thread, leaves that out.

With ``--torch``, instead: networks of torchvision with random weights, on images in memory, against their own graph
with batch norms folded and channels last, and against the plain ``model(x)``. All of it in one thread and in processor
time, which other work on the machine hardly changes.

The medians of the rounds' ratios count; absolute speeds are the machine's. Peak memory is measured in separate
processes, for some images and for four times as many.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from inputs import made_images

from filtag_kg.images import ImageSet, batches, decode, open_images
from filtag_kg.network import KerasEngine, Network, Tensor, from_torch, import_keras, load_network, scaled
from filtag_kg.network.torch.engine import TorchEngine
from filtag_kg.network.torch.running import IMAGES_AT_A_TIME
from filtag_kg.profile import PassOptions, collect

NETWORKS = ("vgg16", "inceptionv3", "mobilenetv2", "efficientnet-lite0")
# Of torchvision, and the share of the bare session's speed that the pass should have.
ONNX_NETWORKS = {"resnet50": 0.65, "mobilenet_v2": 0.50, "vgg16": 0.85}
# Of torchvision, and the share of the bare folded network's speed that the pass should have.
TORCH_NETWORKS = {"resnet50": 0.88, "mobilenet_v2": 0.82, "vgg16": 0.92}


def main() -> None:
    """Measure each network, and print a table and the machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", action="append", help=f"may be repeated; by default {', '.join(NETWORKS)}")
    parser.add_argument("--weights", default="none", choices=("imagenet", "none"))
    parser.add_argument("--images", type=Path, help="by default JPEGs of ImageNet's usual size, made here")
    parser.add_argument("--limit", type=int, default=192, help="images")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--published", type=int, default=8, help="images a round for the published way; 0: leave out")
    parser.add_argument("--memory", action="store_true", help="measure the peak memory too")
    parser.add_argument("--onnx", action="store_true", help=f"ONNX networks: {', '.join(ONNX_NETWORKS)}")
    parser.add_argument("--torch", action="store_true", help=f"PyTorch networks: {', '.join(TORCH_NETWORKS)}")
    parser.add_argument("--peak-of", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.onnx:
        onnx_table(options)
        return
    if options.torch:
        torch_table(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = options.images or made_images(Path(folder), options.limit)
        if options.peak_of:
            print(json.dumps(peak_memory(options, path)))
            return
        print(f"machine  {platform.machine()}, {os.cpu_count()} processors; {versions()}")
        print(f"images   {path.name}, {options.limit}; batches of {options.batch_size}; {options.rounds} rounds\n")
        columns = "filters | bare, images/s | ours, images/s | ours / bare | ours / limit | ours / published"
        print(f"| network | {columns} | peak memory |")
        print("|---|--:|--:|--:|--:|--:|--:|--:|")
        for name in options.network or NETWORKS:
            print(row(name, options, path), flush=True)


def row(name: str, options: argparse.Namespace, path: Path) -> str:
    """Return a network's row of the table."""
    network = load_network(name, weights=None if options.weights == "none" else options.weights)
    with open_images(path) as opened:
        images = limited(opened, options.limit)
        batch = next(iter(batches(images, network.preparation, options.batch_size))).pixels
        bare = bare_network(network, batch)
        published = published_way(network, images)
        rounds = [
            (
                seconds_bare(bare, len(batch), len(images.images)),
                seconds_decoding(network, images),
                seconds_pass(network, images, options.batch_size, options.workers),
                published(options.published) if options.published else float("nan"),
            )
            for _ in range(options.rounds + 1)
        ]
    bare_times, decoding, our_times, published_times = np.array(rounds[1:]).T
    to_bare = np.median(bare_times / our_times)
    to_limit = np.median((bare_times + decoding / (os.cpu_count() or 1)) / our_times)
    to_published = np.median(published_times / our_times)
    speeds = f"{1 / np.median(bare_times):.1f} | {1 / np.median(our_times):.1f}"
    filters = f"{network.n_filters:,}"
    del network, bare, published
    gc.collect()
    import_keras().backend.clear_session()
    memory = peak_memories(name, options) if options.memory else ""
    return f"| {name} | {filters} | {speeds} | {to_bare:.3f} | {to_limit:.3f} | {to_published:.1f} | {memory} |"


def bare_network(network: Network, batch: np.ndarray) -> Callable[[], object]:
    """Return a function that runs the compiled network, head and all, on a batch in memory."""
    keras = import_keras()
    assert isinstance(network.engine, KerasEngine)
    model = network.engine.model

    def scores(pixels: Tensor) -> Tensor:
        return model(scaled(network.preparation.scaling, keras.ops.cast(pixels, "float32")), training=False)

    if keras.backend.backend() == "jax":
        import jax

        graph = jax.jit(scores)
        on_device = jax.device_put(batch)
        return lambda: graph(on_device).block_until_ready()
    import tensorflow as tf

    compiled = tf.function(
        scores, input_signature=[tf.TensorSpec(batch.shape, tf.uint8)], jit_compile=False, autograph=False
    )
    tensor = tf.constant(batch)
    return lambda: compiled(tensor).numpy()


def published_way(network: Network, images: ImageSet) -> Callable[[int], float]:
    """Return a function from a number of images to the seconds per image of the published method."""
    keras = import_keras()
    engine = network.engine
    assert isinstance(engine, KerasEngine)
    maps = keras.Model(engine.model.inputs[0], [engine.tensors[layer.feature_map] for layer in network.layers])

    def seconds(n_images: int) -> float:
        start = time.perf_counter()
        for image in images.images[:n_images]:
            pixels = decode(images.read(image), network.preparation)
            prepared = keras.ops.convert_to_numpy(scaled(network.preparation.scaling, pixels[None].astype(np.float32)))
            for feature_maps in maps.predict(prepared, verbose=0):
                low, high = feature_maps.min(), feature_maps.max()
                ((feature_maps - low) / max(high - low, np.finfo(np.float32).tiny)).mean(axis=(0, 1, 2))
        return (time.perf_counter() - start) / n_images

    return seconds


def seconds_bare(bare: Callable[[], object], batch_size: int, n_images: int) -> float:
    """Return the seconds per image of the bare network."""
    repeats = max(1, n_images // batch_size)
    start = time.perf_counter()
    for _ in range(repeats):
        bare()
    return (time.perf_counter() - start) / (repeats * batch_size)


def seconds_decoding(network: Network, images: ImageSet, n_images: int = 48) -> float:
    """Return the processor seconds that it takes to decode an image."""
    chosen = images.images[:n_images]
    start = time.thread_time()
    for image in chosen:
        decode(images.read(image), network.preparation)
    return (time.thread_time() - start) / len(chosen)


def seconds_pass(network: Network, images: ImageSet, batch_size: int, workers: int | None) -> float:
    """Return the seconds per image of our pass, from its first batch to its last."""
    ticks: list[tuple[float, int]] = []
    collect(
        network,
        images,
        PassOptions(batch_size, workers, keep_going=True),
        progress=lambda done, _: ticks.append((time.perf_counter(), done)),
    )
    (first, n_first), (last, n_last) = ticks[0], ticks[-1]
    return (last - first) / (n_last - n_first)


def peak_memories(name: str, options: argparse.Namespace) -> str:
    """Return the peak memory of the pass over some images, and over four times as many."""
    peaks = []
    for n_images in (options.limit, 4 * options.limit):
        command = [sys.executable, __file__, "--peak-of", name, "--limit", str(n_images)]
        command += ["--batch-size", str(options.batch_size), "--weights", options.weights]
        command += ["--images", str(options.images)] if options.images else []
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        peaks.append(json.loads(done.stdout))
    return " → ".join(f"{peak / 1e9:.2f} GB" for peak in peaks)


def peak_memory(options: argparse.Namespace, path: Path) -> int:
    """Return the peak memory of this process, in bytes, after the pass."""
    network = load_network(options.peak_of, weights=None if options.weights == "none" else options.weights)
    with open_images(path) as images:
        pass_options = PassOptions(options.batch_size, keep_going=True)
        collect(network, limited(images, options.limit), pass_options)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def onnx_table(options: argparse.Namespace) -> None:
    """Print the table of ONNX networks."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("onnxruntime", "onnx", "torch", "torchvision", "numpy"))
    print(f"machine  {platform.machine()}, {os.cpu_count()} processors; Python {platform.python_version()}, {packages}")
    print(f"images   in memory, {options.limit}; batches of {options.batch_size}; {options.rounds} rounds\n")
    print("| network | filters | bare, images/s | ours, images/s | ours / bare | in processor time | wanted |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.network or ONNX_NETWORKS:
            print(onnx_row(name, Path(folder) / f"{name}.onnx", options), flush=True)


def onnx_row(name: str, path: Path, options: argparse.Namespace) -> str:
    """Return a network's row of the table of ONNX networks."""
    import onnxruntime
    import torch
    import torchvision

    torch.manual_seed(0)
    module = torchvision.models.get_model(name, weights=None).eval()
    batches_of_any_size = ({0: torch.export.Dim("batch")},)
    image = torch.rand(2, 3, 224, 224)
    torch.onnx.export(module, (image,), path, dynamo=True, dynamic_shapes=batches_of_any_size, verbose=False)
    network = load_network(str(path), preprocess="imagenet")
    ours = network.compile(options.batch_size)
    pixels = np.random.default_rng(0).integers(0, 256, (options.batch_size, 224, 224, 3)).astype(np.uint8)
    image_name = onnxruntime.InferenceSession(path).get_inputs()[0].name
    ready = {image_name: pixels.transpose(0, 3, 1, 2).astype(np.float32) / 255}

    def bare(threads: int) -> Callable[[], object]:
        session_options = onnxruntime.SessionOptions()
        session_options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, session_options, providers=["CPUExecutionProvider"])
        return lambda: session.run(None, ready)

    ways = (bare(0), lambda: ours(pixels), bare(1))
    rounds = []
    for _ in range(options.rounds + 1):
        for way in ways:
            start, processor = time.perf_counter(), time.process_time()
            seconds_bare(way, options.batch_size, options.limit)
            rounds.append((time.perf_counter() - start, time.process_time() - processor))
    seconds = np.reshape(rounds, (options.rounds + 1, len(ways), 2))[1:]
    ratio = np.median(seconds[:, 0, 0] / seconds[:, 1, 0])
    in_processor_time = np.median(seconds[:, 2, 1] / seconds[:, 1, 1])
    speeds = " | ".join(f"{options.limit / np.median(seconds[:, way, 0]):.1f}" for way in (0, 1))
    wanted = ONNX_NETWORKS.get(name, "")
    return f"| {name} | {network.n_filters:,} | {speeds} | {ratio:.2f} | {in_processor_time:.2f} | {wanted} |"


def torch_table(options: argparse.Namespace) -> None:
    """Print the table of PyTorch networks."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "torchvision", "numpy"))
    print(f"machine  {platform.machine()}, {os.cpu_count()} processors; Python {platform.python_version()}, {packages}")
    print(f"images   in memory; batches of {options.batch_size}; {options.rounds} rounds\n")
    print("| network | filters | ours / bare | wanted | … at as many images at a time | ours / model(x) |")
    print("|---|--:|--:|--:|--:|--:|")
    for name in options.network or TORCH_NETWORKS:
        print(torch_row(name, options), flush=True)


def torch_row(name: str, options: argparse.Namespace) -> str:
    """Return a network's row of the table of PyTorch networks."""
    import torch
    import torchvision

    torch.set_num_threads(1)
    torch.manual_seed(0)
    module = torchvision.models.get_model(name, weights=None).eval()
    network = from_torch(module, 224, preprocess="imagenet", device="cpu")
    assert isinstance(network.engine, TorchEngine)
    folded = network.engine.module
    ours = network.compile(options.batch_size)
    pixels = np.random.default_rng(0).integers(0, 256, (options.batch_size, 224, 224, 3)).astype(np.uint8)
    channels_last = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    contiguous = channels_last.contiguous()
    ways: tuple[Callable[[], object], ...] = (
        lambda: folded(channels_last),
        lambda: [folded(part) for part in channels_last.split(IMAGES_AT_A_TIME)],
        lambda: module(contiguous),
        lambda: ours(pixels),
    )
    rounds = []
    with torch.inference_mode():
        for _ in range(options.rounds + 1):
            for way in ways:
                start = time.process_time()
                way()
                rounds.append(time.process_time() - start)
    seconds = np.reshape(rounds, (options.rounds + 1, len(ways)))[1:]
    bare, bare_in_parts, plain = np.median(seconds[:, :3] / seconds[:, 3:], axis=0)
    wanted = TORCH_NETWORKS.get(name, "")
    return f"| {name} | {network.n_filters:,} | {bare:.2f} | {wanted} | {bare_in_parts:.2f} | {plain:.2f} |"


def limited(images: ImageSet, n_images: int) -> ImageSet:
    """Keep the first images of each class."""
    per_class = -(-n_images // len(images.classes))
    kept = [[x for x in images.images if x.class_id == class_id][:per_class] for class_id in images.classes]
    return images.only(image for of_class in kept for image in of_class)


def versions() -> str:
    """Return the versions that a figure depends on."""
    backend = import_keras().backend.backend()
    package = "tensorflow-cpu" if backend == "tensorflow" and platform.machine() == "x86_64" else backend
    named = ["keras", package, "numpy", "pillow"]
    found = [f"Python {platform.python_version()}"]
    for name in named:
        try:
            found.append(f"{name} {version(name)}")
        except ModuleNotFoundError:
            continue
    return ", ".join(found)


if __name__ == "__main__":
    main()
