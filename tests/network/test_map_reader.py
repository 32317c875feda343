"""Single feature maps: the same numbers from every framework as from the Keras model itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import filtag_kg as flt
from filtag_kg.network import Network, WantedMaps, import_keras
from tests.network.test_ablation import MAP_OF, smooth_pixels
from tests.network.test_frameworks import of_all_frameworks, toy

pytest.importorskip("keras", reason="the cpu extra is not installed")
pytest.importorskip("torch", reason="the torch extra is not installed")
pytest.importorskip("onnxruntime", reason="the onnx extra is not installed")
pytest.importorskip("onnxscript", reason="it exports to ONNX")


def expected_maps(model: Any, network: Network, pixels: Any) -> list[Any]:
    """Of each layer all feature maps, shape (n_images, n_filters, height, width), as Keras computes them."""
    outputs = [model.get_layer(MAP_OF[layer.name]).output for layer in network.layers]
    keras = import_keras()
    maps = keras.Model(model.input, outputs)(pixels / np.float32(255))
    return [keras.ops.convert_to_numpy(one).transpose(0, 3, 1, 2) for one in maps]


def some_maps(network: Network, n_images: int) -> list[WantedMaps]:
    """Of the first layer none, of the others more each, images in any order and maps more than once."""
    random = np.random.default_rng(2)
    return [
        WantedMaps(random.integers(n_images, size=7 * index), random.integers(layer.n_filters, size=7 * index))
        for index, layer in enumerate(network.layers)
    ]


@pytest.mark.parametrize("framework", ["keras", "torch", "onnx"])
def test_maps_are_those_of_the_network(framework: str, tmp_path: Path) -> None:
    model = toy()
    network = of_all_frameworks(model, tmp_path, "all", preprocess="0..1")[framework]
    pixels = smooth_pixels(11, 34, 26)
    reader = network.map_reader(11)
    # Fewer than were announced, too.
    for n_images in (11, 3):
        wanted = some_maps(network, n_images)
        got = reader.maps(pixels[:n_images], wanted)
        expected = expected_maps(model, network, pixels[:n_images])
        for maps, each, of_layer in zip(got, wanted, expected, strict=True):
            assert maps.dtype == np.float32
            assert maps.shape == (len(each.images), *of_layer.shape[2:])
            np.testing.assert_allclose(maps, of_layer[each.images, each.filters], atol=1e-5)


def test_a_network_for_one_image_at_a_time(tmp_path: Path) -> None:
    from tests.network.onnx.graphs import Graph, random_pixels
    from tests.network.onnx.test_engine import small

    g = Graph(shape=(1, 3, 8, 8))
    network = flt.load_network(str(g.save(tmp_path / "toy.onnx", small(g))), quiet=True)
    wanted = some_maps(network, 4)
    together = network.map_reader(4).maps(random_pixels(4), wanted)
    for image in range(4):
        alone = [
            WantedMaps(each.images[each.images == image] * 0, each.filters[each.images == image]) for each in wanted
        ]
        got = network.map_reader(1).maps(random_pixels(4)[image : image + 1], alone)
        for maps, all_maps, each in zip(got, together, wanted, strict=True):
            np.testing.assert_array_equal(maps, all_maps[each.images == image])
