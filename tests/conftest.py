"""What several tests stand on: a small network's profile, and the KG built from it."""

from __future__ import annotations

import gc
import logging
import os
import random
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

# Before NumPy and PyTorch read it: several processes of tests share the processors, and threads that wait spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import settings

from filtag_kg import Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.kg import KG, build_kg
from tests.mixed_filters import mixed_profile

CLASSES = {
    "n02087394": "Rhodesian ridgeback",
    "n02088466": "bloodhound",
    "n02090379": "redbone",
    "n02123045": "tabby",
    "n02124075": "Egyptian cat",
    "n02814533": "beach wagon",
    "n03770679": "minivan",
    "n04285008": "sports car",
}

# What is tried is the same in every run, and however long it takes: a busy machine is no fault.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.load_profile("suite")


def pytest_collection_finish() -> None:
    # The frameworks are millions of objects that stay: a tenth of the time went into looking for garbage among them.
    gc.collect()
    gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    # pytest-randomly shuffles the tests; seeds of its own, another in each run, would change what they try.
    config.option.randomly_reset_seed = False
    # Triton crashes the process if TensorFlow was loaded before it; PyTorch takes None for "not installed".
    sys.modules.setdefault("triton", None)  # type: ignore[arg-type]


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup() -> Generator[None, object, object]:
    """Seed each fixture, whatever its scope and whoever asks first: Keras takes its weights' seeds from `random`."""
    seed()
    return (yield)


def pytest_runtest_call() -> None:
    """Seed each test."""
    seed()


def seed() -> None:
    """Let networks and arrays that name no seed of their own be the same in every run and order."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(0)


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Leave the package's log as it was: a command sets its level and keeps records from the root logger."""
    log = logging.getLogger("filtag_kg")
    before = (log.handlers[:], log.propagate, log.level)
    yield
    log.handlers[:], log.propagate = before[:2]
    log.setLevel(before[2])


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data that lies beside a developer's checkout and is not ours to publish."""
    path = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not path.is_dir():
        pytest.skip("the real data is not here: expected it in ../shared/data")
    return path


@pytest.fixture(scope="session")
def profile() -> Profile:
    """Two layers: in `deep`, filter 0 is for dogs, 1 for cats, 2 for cars, 3 a little for sports cars."""
    deep = np.array(
        [
            [0.9, 0.1, 0.1, 0.05],
            [0.8, 0.2, 0.1, 0.05],
            [0.7, 0.3, 0.2, 0.05],
            [0.2, 0.9, 0.1, 0.05],
            [0.3, 0.8, 0.2, 0.05],
            [0.1, 0.1, 0.9, 0.05],
            [0.1, 0.2, 0.8, 0.05],
            [0.2, 0.1, 0.7, 0.25],
        ]
    )
    shallow = np.tile([0.5, 0.25], (8, 1)) + np.linspace(0, 0.01, 8)[:, None]
    return Profile(
        mean=np.hstack([shallow, deep]),
        variance=np.full((8, 6), 0.01),
        count=np.full(8, 5, dtype=np.int64),
        class_ids=tuple(CLASSES),
        class_labels=tuple(CLASSES.values()),
        layer_names=("shallow", "deep"),
        layer_offsets=np.array([0, 2, 6]),
        metadata={
            "network": "toy",
            "identifier": "toy-0123456789ab",
            "weights_sha256": "0123456789ab" + 52 * "0",
            "images": {"sha256": 64 * "f"},
            "versions": {"keras": "3.0"},
            "started": "2026-01-01T00:00:00+00:00",
            "ended": "2026-01-01T01:00:00+00:00",
        },
    )


@pytest.fixture(scope="session")
def kg(profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> KG:
    tags = tag_filters(profile, [Rule("k", 1), Rule("q", 0.5)], network="toy-0123456789ab")
    provenance = Provenance.of_profile(profile)
    return build_kg(tmp_path_factory.mktemp("kg") / "kg", tags, wordnet(), provenance, profile=profile)


@pytest.fixture(scope="session")
def mixed_kg(tmp_path_factory: pytest.TempPathFactory) -> KG:
    """A KG of 200 classes, in which two filters are mixed: for dogs and cars, and for insects and bottles."""
    profile = mixed_profile()
    tags = tag_filters(profile, [Rule("k", 1), Rule("q", 0.1)], network="mixed-0123456789ab")
    provenance = Provenance.of_profile(profile)
    return build_kg(tmp_path_factory.mktemp("mixed") / "kg", tags, wordnet(), provenance, profile=profile)


@pytest.fixture(scope="session")
def vgg(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> KG:
    """FILTAG's own tags of VGG16's last convolutional layer."""
    from filtag_kg.class_names import class_names
    from filtag_kg.tags import read_filtag_labels

    folder = shared_data / "filtag-vgg16"
    tags = read_filtag_labels(folder / "tags-conv5_3-k1.txt", class_names=class_names(folder / "wnid-names.txt"))
    return build_kg(tmp_path_factory.mktemp("vgg") / "vgg", tags, wordnet(), Provenance("vgg16"))


@pytest.fixture(scope="session")
def stated_vgg(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> KG:
    """The same tags, with what ConceptNet says of them beside WordNet."""
    from filtag_kg.class_names import class_names
    from filtag_kg.concepts import concept_source
    from filtag_kg.tags import read_filtag_labels

    folder = shared_data / "filtag-vgg16"
    tags = read_filtag_labels(folder / "tags-conv5_3-k1.txt", class_names=class_names(folder / "wnid-names.txt"))
    source = concept_source("wordnet,conceptnet")
    return build_kg(tmp_path_factory.mktemp("stated") / "vgg", tags, source, Provenance("vgg16"))
