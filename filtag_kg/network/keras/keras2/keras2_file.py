"""Read a file of Keras 2: nothing in it is run, and what Keras 3 computes otherwise is rebuilt as Keras 2 had it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filtag_kg.errors import FiltagError
from filtag_kg.json_values import parse_json
from filtag_kg.network.keras.backend import KerasModel
from filtag_kg.network.keras.keras2.model import rebuild
from filtag_kg.network.keras.keras2.weights import load_archive_weights, load_h5_weights


def keras2_version(path: Path) -> str | None:
    """Return the version of Keras that a ``.keras`` or ``.h5`` file was saved by, if it is below 3."""
    import h5py

    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            version = parse_json(archive.read("metadata.json")).get("keras_version")
    elif h5py.is_hdf5(path):
        with h5py.File(path) as file:
            version = _text(file.attrs.get("keras_version", ""))
    else:
        return None
    major = str(version).partition(".")[0]
    return str(version) if major in ("0", "1", "2") else None


def read_keras2_file(path: Path, version: str) -> KerasModel:
    """Read a file of which :func:`keras2_version` returns `version`.

    Raises
    ------
    FiltagError
        If it has what cannot be rebuilt.
    """
    import h5py

    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                rebuilt = rebuild(_object(parse_json(archive.read("config.json"))))
                with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
                    load_archive_weights(rebuilt, file)
        else:
            with h5py.File(path) as file:
                rebuilt = rebuild(_object(parse_json(_text(file.attrs["model_config"]))))
                load_h5_weights(rebuilt, file["model_weights"])
    except FiltagError as error:
        raise FiltagError(f"{path} was saved by Keras {version} and {error}") from None
    return rebuilt.model


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("its configuration is no JSON object")
    return value


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
