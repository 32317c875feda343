"""Good examples of users' files, for `fuzz.py` to damage."""

from __future__ import annotations

import collections
import contextlib
import io
import json
import pickle
import sys
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from filtag_kg.profile import Profile
    from filtag_kg.profile.tally import Tally

CLASSES = {
    "n02087394": "Rhodesian ridgeback", "n02088466": "bloodhound", "n02090379": "redbone", "n02123045": "tabby",
    "n02124075": "Egyptian cat", "n02814533": "beach wagon", "n03770679": "minivan", "n04285008": "sports car",
}  # fmt: skip


def example_profile() -> Profile:
    """Return a small profile with all that a profile may have."""
    from filtag_kg.profile import Exemplars, Profile

    rng = np.random.default_rng(0)
    image = rng.integers(-1, 3, (6, 2), dtype=np.int32)
    return Profile(
        mean=rng.random((8, 6)),
        variance=rng.random((8, 6)) / 4,
        count=np.full(8, 5, dtype=np.int64),
        class_ids=tuple(CLASSES),
        class_labels=tuple(CLASSES.values()),
        layer_names=("shallow", "deep"),
        layer_offsets=np.array([0, 2, 6]),
        metadata={
            "network": "toy", "identifier": "toy-0123456789ab", "weights_sha256": 64 * "0", "input_size": [8, 8],
            "layers_option": "conv", "precision": "float32", "layer_kinds": ["Conv2D", "Conv2D"],
            "images": {"source": "a.tar", "sha256": 64 * "f", "read": 40, "unreadable": 1},
            "unreadable": [["a.png", "cut"]],
            "constant": {"deep": 1}, "few": {}, "notes": ["unreadable: a.png (cut)"], "versions": {"keras": "3.0"},
            "started": "2026-01-01T00:00:00+00:00", "ended": "2026-01-01T01:00:00+00:00",
        },
        exemplars=Exemplars(("a.png", "b.png", "c.png"), image, np.where(image >= 0, 0.5, 0).astype(np.float32)),
    )  # fmt: skip


def example_kg(folder: Path) -> Path:
    """Build a small KG, once in a directory, with thumbnails and pictures."""
    from filtag_kg import Provenance, Rule, tag_filters, wordnet
    from filtag_kg.kg import WHERE, Visualization, build_kg, open_kg, write_visualizations

    path = folder / "kg"
    if not path.exists():
        profile = example_profile()
        tags = tag_filters(profile, [Rule("q", 0.5), Rule("k", 1)], network="toy-0123456789ab")
        build_kg(path, tags, wordnet(), Provenance.of_profile(profile), profile=profile)
        (path / "exemplars").mkdir()
        (path / "exemplars" / "0.jpg").write_bytes(b"")
        (path / "exemplars" / "exemplars.csv").write_text(
            "layer_index,layer,filter,rank,image,class_id,activation,thumbnail\n"
            "1,deep,0,1,a.png,n02087394,0.75,0.jpg\n1,deep,1,1,b.png,n02088466,0.5,0.jpg\n"
        )
        regions = "0.25,0,0.75,0.5,0.3,0.1,0.6,0.4,0,0,1,1"
        (path / "exemplars" / "where.csv").write_text(f"{','.join(WHERE.columns)}\n1,0,1,{regions}\n1,1,1,{regions}\n")
        np.save(path / "exemplars" / "maps.npy", np.arange(2 * 14 * 14, dtype=np.uint8).reshape(2, 14, 14))
        row = Visualization("toy-0123456789ab", "deep", 2, "feature-visualisation", 0, 9, 1.5)
        write_visualizations(open_kg(path), [row, replace(row, filter=1)], [b"one", b"two"])
    return path


def of_kg(name: str) -> Callable[[Path], bytes]:
    """Return what reads a file of the small KG."""
    return lambda folder: (example_kg(folder) / name).read_bytes()


def dump_lines() -> bytes:
    """Return a few lines of ConceptNet's dump."""
    facts = [("dog", "animal"), ("cat", "animal"), ("animal", "thing"), ("dog/n/wn/animal", "animal/n")]
    more = json.dumps({"dataset": "/d/wordnet/3.1", "license": "cc:by/4.0", "sources": [], "weight": 2.0})
    lines = [f"/a/[x]\t/r/IsA\t/c/en/{start}\t/c/en/{end}\t{more}" for start, end in facts]
    return ("\n".join([*lines, f"/a/[y]\t/r/HasA\t/c/en/dog\t/c/en/tail\t{more}"]) + "\n").encode()


def index_file(folder: Path) -> bytes:
    """Return an index of that dump."""
    from filtag_kg.concepts import import_dump

    (folder / "dump.csv").write_bytes(dump_lines())
    import_dump(folder / "dump.csv", folder / "good.sqlite")
    return (folder / "good.sqlite").read_bytes()


def profile_file(folder: Path) -> bytes:
    """Return a profile."""
    from filtag_kg.profile import save_profile

    save_profile(example_profile(), folder / "good.npz")
    return (folder / "good.npz").read_bytes()


INPUTS = {"images": "0" * 64, "seed": 0}


def empty_tally() -> Tally:
    """Return what a pass has found before its first image."""
    from filtag_kg.profile import PassOptions
    from filtag_kg.profile.tally import Tally

    return Tally.empty(3, [2, 4], PassOptions(exemplars=2))


def checkpoint_file(folder: Path) -> bytes:
    """Return a checkpoint of a pass."""
    from filtag_kg.profile import Checkpoint

    state, arrays_ = empty_tally().state()
    arrays_["count"][:] = 2
    state |= {"done": 7, "unreadable": [["a", "a/x.png", "cut"]], "constant": [[0, 2]]}
    Checkpoint(folder / "good", 0).save(INPUTS, state, arrays_)
    return (folder / "good").read_bytes()


def keras_file(ending: str) -> Callable[[Path], bytes]:
    """Return what makes a file of a small network."""

    def make(folder: Path) -> bytes:
        from filtag_kg.network import import_keras

        keras = import_keras()
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input((8, 8, 3)),
                keras.layers.Conv2D(4, 3, activation="relu", name="one"),
                keras.layers.BatchNormalization(name="norm"),
                keras.layers.GlobalAveragePooling2D(name="mean"),
                keras.layers.Dense(2, activation="softmax", name="out"),
            ]
        )
        with contextlib.redirect_stderr(io.StringIO()):
            model.save(folder / f"good{ending}")
        return (folder / f"good{ending}").read_bytes()

    return make


def legacy_file(_folder: Path) -> bytes:
    """Return a checkpoint as PyTorch wrote it before 1.6."""

    # The rows of pickles, and two small storages.
    class Storage:
        def __init__(self, key: str) -> None:
            self.key = key

    class Tensor:
        def __init__(self, key: str) -> None:
            self.key = key

        def __reduce__(self) -> tuple[Any, ...]:
            return _rebuild_tensor_v2, (Storage(self.key), 0, (2, 2), (2, 1), False, collections.OrderedDict())

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: object) -> object:
            return ("storage", FloatStorage, value.key, "cpu", 4, None) if isinstance(value, Storage) else None

    modules = {name: types.ModuleType(name) for name in ("torch", "torch._utils")}
    modules["torch"].FloatStorage, modules["torch._utils"]._rebuild_tensor_v2 = FloatStorage, _rebuild_tensor_v2
    sys.modules.update(modules)
    file = io.BytesIO()
    for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(value, file, protocol=2)
    Pickler(file, protocol=2).dump(collections.OrderedDict(a=Tensor("0"), b=Tensor("1")))
    pickle.dump(["0", "1"], file, protocol=2)
    for _ in range(2):
        file.write((4).to_bytes(8, "little") + np.arange(4, dtype="<f4").tobytes())
    return file.getvalue()


def _rebuild_tensor_v2(*_: object) -> None:
    """Stand in for PyTorch's function of the name."""


class FloatStorage:
    """Stand in for PyTorch's class of the name."""


_rebuild_tensor_v2.__module__ = "torch._utils"
FloatStorage.__module__ = "torch"
FloatStorage.__qualname__ = "FloatStorage"
