"""A KG with pictures: nine exemplars for each filter, and where in them it responds, all made up."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from filtag_kg.kg import EXEMPLARS, KG, WHERE, ExemplarRow, Region, WhereRow, open_kg
from filtag_kg.views import load_kg

CROP = Region(0.5, 0.25, 1.0, 0.75)
"""What every exemplar's crop shows: its right side is red, the rest is blue."""
IMAGES_OF_A_CLASS = 5
_SIDE = 64
_MAP_SIDE = 4


def pictured_copy(kg: KG, folder: Path, exemplars: int = 9) -> KG:
    """Copy a KG of one build, and add thumbnails, exemplars of each filter and activation maps.

    The images that activate filter i of a layer most are those of the i-th class and the next one.
    """
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    shutil.copytree(kg.path, folder)
    rows = list(_exemplars(kg, exemplars))
    (folder / "exemplars").mkdir()
    pixels = np.zeros((_SIDE, _SIDE, 3), np.uint8)
    pixels[..., 2] = 200
    pixels[:, _SIDE // 2 :] = (200, 0, 0)
    for name in {row.thumbnail for row in rows}:
        image.fromarray(pixels).save(folder / "exemplars" / name)
    (folder / "exemplars" / EXEMPLARS.file_name).write_text(EXEMPLARS.text(rows))
    places = [WhereRow.of(row, crop=CROP, field=Region(0.5, 0.25, 0.75, 0.5), view=Region(0, 0, 1, 1)) for row in rows]
    (folder / "exemplars" / "where.csv").write_text(WHERE.text(places))
    maps = np.zeros((len(rows), _MAP_SIDE, _MAP_SIDE), np.uint8)
    maps[:, 1:3, 2:] = 255
    np.save(folder / "exemplars" / "maps.npy", maps)
    return open_kg(folder)


def _exemplars(kg: KG, most: int) -> Iterator[ExemplarRow]:
    loaded = load_kg(kg)
    class_ids = loaded.concepts.class_ids
    for network in loaded.networks.values():
        for column in range(network.n_filters):
            layer, filter_ = network.layer_and_filter(column)
            for rank in range(1, most + 1):
                of_class, number = divmod(filter_ * IMAGES_OF_A_CLASS + rank - 1, IMAGES_OF_A_CLASS)
                class_ = of_class % len(class_ids)
                yield ExemplarRow(
                    layer_index=layer,
                    layer=network.layer_names[layer],
                    filter=filter_,
                    rank=rank,
                    image=f"{class_ids[class_]}/{number}.png",
                    class_id=class_ids[class_],
                    activation=1 / rank,
                    thumbnail=f"{class_ * IMAGES_OF_A_CLASS + number:07}.jpg",
                )
