"""A profile that is read holds what it should, whoever wrote it."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filtag_kg import Profile, save_profile
from filtag_kg.errors import FiltagError
from filtag_kg.profile import Exemplars, load_profile
from filtag_kg.profile.profile import read_profile

Arrays = dict[str, Any]


def with_exemplars(profile: Profile) -> Profile:
    image = np.array([[0, 1], [1, -1], [0, -1], [1, 0], [-1, -1], [0, 1]], np.int32)
    return replace(profile, exemplars=Exemplars(("a.png", "b.png"), image, np.where(image >= 0, 0.5, 0).astype("f4")))


@pytest.fixture
def arrays(profile: Profile, tmp_path: Path) -> Arrays:
    save_profile(with_exemplars(profile), tmp_path / "p.npz")
    with np.load(tmp_path / "p.npz") as file:
        return dict(file)


def value(name: str, at: int, changed: object) -> Callable[[Arrays], Any]:
    def change(arrays: Arrays) -> Any:
        array = arrays[name].copy()
        array.flat[at] = changed
        return array

    return change


def metadata(**changed: object) -> Callable[[Arrays], Any]:
    return lambda arrays: np.array(json.dumps({**json.loads(str(arrays["metadata"])), **changed}))


UNIQUE = "must be unique, and not empty"


@pytest.mark.parametrize(
    ("name", "change", "what"),
    [
        ("mean", value("mean", 0, np.nan), "mean must be in [0, 1]"),
        ("mean", value("mean", -1, np.inf), "mean must be in [0, 1]"),
        ("mean", value("mean", 3, 1.001), "mean must be in [0, 1]"),
        ("mean", value("mean", 3, -0.001), "mean must be in [0, 1]"),
        ("mean", lambda arrays: arrays["mean"].astype(str), "mean holds str1024, where float64 should be"),
        ("mean", lambda arrays: arrays["mean"][:, 1:], "mean and variance must have shape (8, 6), got (8, 5)"),
        ("variance", value("variance", 0, -0.1), "variance must be in [0, 0.25]"),
        ("variance", value("variance", 0, 0.3), "variance must be in [0, 0.25]"),
        ("variance", value("variance", 0, np.nan), "variance must be in [0, 0.25]"),
        ("count", value("count", 0, 0), "count must be at least 1 for every class"),
        ("count", lambda arrays: arrays["count"] + 0.5, "count holds float64, where int64 should be"),
        (
            "count",
            lambda arrays: arrays["count"].astype("u8") + np.uint64(2**63),
            "count holds a number that is too large",
        ),
        ("class_ids", value("class_ids", 0, "n02088466"), f"class_ids {UNIQUE}"),
        ("class_ids", value("class_ids", 0, ""), f"class_ids {UNIQUE}"),
        ("class_ids", value("class_ids", 0, "\udcff"), "class_ids must be Unicode text"),
        ("class_ids", lambda arrays: arrays["class_ids"][:, None], "class_ids is not a list of texts"),
        ("class_labels", value("class_labels", 0, "\udcff"), "class_labels must be Unicode text"),
        ("class_labels", lambda arrays: np.arange(8), "class_labels is not a list of texts"),
        ("layer_names", value("layer_names", 0, "deep"), f"layer_names {UNIQUE}"),
        ("layer_offsets", lambda _: np.array([1, 2, 6]), "layer_offsets must have 3 entries, from 0"),
        (
            "layer_offsets",
            lambda _: np.array([0, 6, 6]),
            "every layer must have at least one filter, so layer_offsets must rise",
        ),
        ("layer_offsets", lambda _: np.array([0.0, 2.0, 6.0]), "layer_offsets holds float64, where int64 should be"),
        (
            "exemplar_image",
            value("exemplar_image", 0, 2),
            "exemplar_image must be indices of the 2 exemplar_names, or -1",
        ),
        (
            "exemplar_image",
            value("exemplar_image", 0, -2),
            "exemplar_image must be indices of the 2 exemplar_names, or -1",
        ),
        ("exemplar_activation", value("exemplar_activation", 0, np.nan), "exemplar_activation must be in [0, 1]"),
        (
            "exemplar_names",
            value("exemplar_names", 0, "b.png"),
            "exemplar_names must be the names of images, each once",
        ),
        ("metadata", lambda _: np.array("[]"), "metadata: it is not an object"),
        ("metadata", lambda _: np.array('{"notes": NaN}'), "NaN is not JSON"),
        ("metadata", lambda _: np.array("[" * 9999), "it is nested too deeply"),
        ("metadata", metadata(identifier=3), "metadata: identifier is not a name"),
        ("metadata", metadata(images=[]), "metadata: images is not an object"),
        ("metadata", metadata(versions={"keras": 3}), "metadata: versions.keras is not text"),
        ("metadata", metadata(layer_kinds=["Conv2D"]), "metadata: layer_kinds must name 2 layers"),
        ("metadata", metadata(started="yesterday"), "metadata: started is not a time in ISO 8601"),
        ("metadata", metadata(started="0001-01-01T00:00+14:00"), "metadata: started is not a time in ISO 8601"),
        ("metadata", metadata(unreadable=[["a"]]), "metadata: unreadable[0] is not a list of 2"),
    ],
)
def test_what_no_profile_can_hold_is_refused(
    arrays: Arrays, tmp_path: Path, name: str, change: Callable[[Arrays], Any], what: str
) -> None:
    np.savez(tmp_path / "q.npz", **{**arrays, name: change(arrays)})
    with pytest.raises(FiltagError) as caught:
        load_profile(tmp_path / "q.npz")
    said = f"{tmp_path / 'q.npz'} is not a readable profile ({what}); make it anew"
    assert str(caught.value).replace("str1024", "X") == said.replace("str1024", "X")


def test_other_types_of_the_same_numbers_are_taken(arrays: Arrays, profile: Profile, tmp_path: Path) -> None:
    np.savez(
        tmp_path / "q.npz",
        **{**arrays, "mean": arrays["mean"].astype("f4"), "count": arrays["count"].astype("u1")},
    )
    again = load_profile(tmp_path / "q.npz")
    assert (again.mean.dtype, again.count.dtype) == (np.float64, np.int64)
    np.testing.assert_allclose(again.mean, profile.mean, atol=1e-7)


def test_a_hair_of_rounding_is_allowed(profile: Profile) -> None:
    replace(profile, mean=np.full_like(profile.mean, 1 + 1e-12))
    with pytest.raises(ValueError, match=r"^mean must be in \[0, 1\]$"):
        replace(profile, mean=np.full_like(profile.mean, 1.01))


def test_damaged_bytes_are_refused_or_hold_what_they_should(profile: Profile, tmp_path: Path) -> None:
    save_profile(with_exemplars(profile), tmp_path / "p.npz")
    content = (tmp_path / "p.npz").read_bytes()

    @settings(derandomize=True, max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, len(content) - 1), st.binary(max_size=8), st.integers(0, 40))
    def damage(at: int, noise: bytes, gone: int) -> None:
        with contextlib.suppress(FiltagError):
            found = read_profile(io.BytesIO(content[:at] + noise + content[at + gone :]), "p.npz")
            assert found.mean.min() >= 0
            assert found.mean.max() <= 1

    damage()
