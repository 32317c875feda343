"""Where filters respond, from image to KG: a blob whose place is known, seen by a filter that looks for blobs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import filtag_kg as flt
from filtag_kg.errors import FiltagError
from filtag_kg.kg import Region, open_kg, validate_kg
from filtag_kg.network import import_keras
from filtag_kg.views import Exemplar

pytest.importorskip("keras", reason="the cpu extra is not installed")
Image = pytest.importorskip("PIL.Image", reason="decoding needs Pillow")

SIDE, KERNEL = 56, 9
# EXIF orientation, and what undoes it.
UPRIGHT = {1: None, 3: "ROTATE_180", 5: "TRANSPOSE", 6: "ROTATE_90", 8: "ROTATE_270"}


def blob_detector(padding: str, threshold: float = 200.0) -> Any:
    """Return a network whose first filter responds to bright blobs, and the second to dark ones."""
    keras = import_keras()
    layers = keras.layers
    image = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(2, KERNEL, padding=padding, activation="relu", name="blob")(image)
    x = layers.Conv2D(2, 3, strides=2, padding=padding, name="next")(x)
    model = keras.Model(image, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    across = np.arange(KERNEL) - KERNEL // 2
    blob = np.exp(-(across[:, None] ** 2 + across**2) / 4)
    kernel = np.repeat((blob - blob.mean())[:, :, None], 3, axis=2)
    model.get_layer("blob").set_weights([np.stack([kernel, -kernel], axis=-1), np.full(2, -threshold)])
    return model


def blob_image(width: int, height: int, x: float, y: float) -> Any:
    """Return a grey image with a bright blob at some share of its sides."""
    rows, columns = np.mgrid[:height, :width]
    distance = ((columns - x * width) / width) ** 2 + ((rows - y * height) / height) ** 2
    pixels = 60 + 190 * np.exp(-distance * SIDE**2 / 8)
    return Image.fromarray(np.repeat(pixels.astype(np.uint8)[:, :, None], 3, axis=2))


# Name, width, height, orientation, and the blob's place in the upright image.
IMAGES = [
    ("wide", 120, 80, 1, 0.45, 0.3),
    ("tall", 70, 140, 1, 0.6, 0.55),
    ("turned", 120, 80, 6, 0.4, 0.7),
    ("mirrored", 70, 140, 5, 0.62, 0.35),
    ("upside_down", 90, 90, 3, 0.25, 0.8),
    ("square", 90, 90, 8, 0.7, 0.2),
]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    for index, (name, width, height, orientation, x, y) in enumerate(IMAGES):
        image = blob_image(width, height, x, y)
        if (turn := UPRIGHT[orientation]) is not None:
            image = image.transpose(Image.Transpose[turn])
        exif = Image.Exif()
        exif[274] = orientation
        path = folder / f"class{index % 2}" / f"{name}.jpg"
        path.parent.mkdir(exist_ok=True)
        image.save(path, quality=95, exif=exif)
    return folder


def blobs(kg: flt.KnowledgeGraph) -> dict[str, Exemplar]:
    """Return the exemplars of the blob detector by the names of their images."""
    return {Path(exemplar.image).stem: exemplar for exemplar in kg.filter("blob", 0).exemplars}


def inside(region: Region, x: float, y: float) -> bool:
    return region.left <= x <= region.right and region.top <= y <= region.bottom


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
def test_a_blob_is_shown_where_it_is(padding: str, resize: str, images: Path, tmp_path: Path) -> None:
    kg = flt.run(blob_detector(padding), images, tmp_path / "kg", resize=resize, options=flt.PassOptions(batch_size=4))
    found = blobs(kg)
    assert set(found) == {name for name, *_ in IMAGES}
    for name, width, height, _, x, y in IMAGES:
        where = found[name].where
        assert where is not None
        # What the network saw, in shares of the image.
        shorter = min(width, height)
        if resize == "crop":
            expected = (0.5 - shorter / width / 2, 0.5 - shorter / height / 2)
            np.testing.assert_allclose((where.view.left, where.view.top), expected, atol=0.01)
            np.testing.assert_allclose((1 - where.view.right, 1 - where.view.bottom), expected, atol=0.01)
        else:
            assert where.view == Region(0, 0, 1, 1)
        # The hottest part of the map, moved to the image.
        row, column = divmod(int(where.map.argmax()), len(where.map))
        step = where.view.width / len(where.map), where.view.height / len(where.map)
        assert abs(where.view.left + (column + 0.5) * step[0] - x) < step[0]
        assert abs(where.view.top + (row + 0.5) * step[1] - y) < step[1]
        # The kernel's square around the blob.
        assert inside(where.crop, x, y)
        np.testing.assert_allclose((where.field.left + where.field.right) / 2, x, atol=0.04)
        np.testing.assert_allclose((where.field.top + where.field.bottom) / 2, y, atol=0.04)
        shown = SIDE if resize == "squash" else None
        if shown is not None:
            np.testing.assert_allclose([where.field.width, where.field.height], KERNEL / SIDE, atol=0.04)
        np.testing.assert_allclose(where.crop.width * width, where.crop.height * height, rtol=0.02)
    assert max(exemplar.where.map.max() for exemplar in found.values() if exemplar.where is not None) == 255
    assert not validate_kg(open_kg(tmp_path / "kg")).findings


def test_without_maps_a_kg_is_as_before(images: Path, tmp_path: Path) -> None:
    kg = flt.run(blob_detector("same"), images, tmp_path / "kg", maps=False)
    assert {exemplar.where for exemplar in blobs(kg).values()} == {None}
    assert sorted(path.name for path in (tmp_path / "kg" / "exemplars").iterdir() if path.suffix != ".jpg") == [
        "exemplars.csv"
    ]


def test_arrays_are_seen_as_they_are(tmp_path: Path) -> None:
    size = SIDE, SIDE
    pictures = [blob_image(*size, x, y) for *_, x, y in IMAGES]
    pixels = np.stack([np.asarray(picture) for picture in pictures])
    labels = [index % 2 for index in range(len(IMAGES))]
    kgs = [
        flt.run(blob_detector("same"), (array, labels), tmp_path / name)
        for name, array in (("pixels", pixels), ("ready", pixels.astype(np.float32)))
    ]
    wholes, fractions = (list(blobs(kg).values()) for kg in kgs)
    assert [exemplar.where for exemplar in wholes] == [exemplar.where for exemplar in fractions]
    for exemplar in wholes:
        assert exemplar.where is not None
        assert exemplar.where.view == Region(0, 0, 1, 1)


def test_memory_is_bounded_however_many_maps_an_image_has(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = flt.PassOptions(batch_size=4)
    model = blob_detector("same")
    together = blobs(flt.run(model, images, tmp_path / "together", options=options))
    # One map at a time.
    monkeypatch.setattr("filtag_kg.kg.responses._MOST_NUMBERS", 1)
    alone = blobs(flt.run(model, images, tmp_path / "alone", options=options))
    for name, exemplar in together.items():
        first, second = exemplar.where, alone[name].where
        assert first == second
        assert first is not None
        assert second is not None
        assert np.array_equal(first.map, second.map)


def test_another_network_is_refused(images: Path, tmp_path: Path) -> None:
    profile = flt.profile(blob_detector("same"), images)
    keras = import_keras()
    image = keras.Input((SIDE, SIDE, 3))
    other = flt.from_keras(keras.Model(image, keras.layers.Conv2D(3, 3, name="blob")(image)))
    tags = flt.tag_filters(profile, [flt.Rule("k", 1)], network="toy")
    from filtag_kg.images import open_images
    from filtag_kg.kg import build_kg

    with open_images(images) as opened, pytest.raises(FiltagError, match="has other layers than the profile"):
        build_kg(
            tmp_path / "kg",
            tags,
            flt.wordnet(),
            flt.Provenance.of_profile(profile),
            profile=profile,
            images=opened,
            network=other,
        )
