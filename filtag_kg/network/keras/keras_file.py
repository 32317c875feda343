"""Read a Keras model from an untrusted file: nothing in it runs, and any defect is reported in one line."""

from __future__ import annotations

import os
import re
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

from filtag_kg.errors import FiltagError
from filtag_kg.json_values import parse_json
from filtag_kg.network.keras.backend import KerasModel, import_keras
from filtag_kg.network.keras.hdf5_check import check_hdf5
from filtag_kg.network.keras.keras2 import keras2_version, read_keras2_file

_UNKNOWN_CLASS = re.compile(r"(?:Could not locate class|Unknown layer:) '([^']+)'")
# Weights hardly shrink in a zip, and a configuration by less.
_UNPACKED_RATIO = 100
_UNPACKED_ALWAYS = 256 * 2**20
_LONGEST_CONFIG = 64 * 2**20
# Keras has no error of its own for an unreadable file: layers' constructors, the zip or HDF5 underneath and the backend
# raise all of these. `RuntimeError` includes RecursionError and NotImplementedError.
_UNREADABLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    NameError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


def read_keras_file(path: Path) -> KerasModel:
    """Read a ``.keras`` or ``.h5`` file in safe mode.

    Raises
    ------
    FiltagError
        If it is missing, of another kind, damaged, contains code, or its weights are not finite.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file() raises where a name is too long for a file
        raise FiltagError(f"no network at {path}: check the path")
    version = None
    try:
        if zipfile.is_zipfile(path):
            _check_zip(path)
        check_hdf5(path)
        _refuse_weights_alone(path)
        version = keras2_version(path)
        if version is not None:
            model = read_keras2_file(path, version)
        else:
            _refuse_code(path)
            model = import_keras().saving.load_model(path, compile=False, safe_mode=True)
        _finalize(model)
        weights = model.get_weights()
    except FiltagError:
        raise
    except _errors() as error:
        raise FiltagError(_why_not(path, error, version)) from None
    if not all(np.isfinite(weight).all() for weight in weights if weight.dtype.kind == "f"):
        raise FiltagError(f"{path} has weights that are not finite numbers: save the trained network again")
    return model


def _why_not(path: Path, error: BaseException, version: str | None) -> str:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    if version is not None:
        return (
            f"{path} was saved by Keras {version} and cannot be rebuilt in Keras 3 ({reason}): open it with that "
            "version (the package tf-keras), and save a model of Keras' own layers"
        )
    if unknown := _UNKNOWN_CLASS.search(str(error)):
        return (
            f"{path} needs the class {unknown[1]}, which is code and not in the file: rebuild the network of "
            "Keras' own layers, as a functional or Sequential model, and save that"
        )
    return f"{path} cannot be loaded as a Keras network in safe mode ({reason}): save it with model.save('name.keras')"


def _finalize(model: KerasModel) -> None:
    """Let layers that copy their weights do so: reading an ``.h5`` file, Keras forgets it."""
    for layer in model._flatten_layers():
        if isinstance(layer, import_keras().layers.Normalization):
            layer.finalize_state()


def _errors() -> tuple[type[BaseException], ...]:
    """Return what reading may raise: TensorFlow, where it is the backend, has a family of errors of its own."""
    if import_keras().backend.backend() != "tensorflow":
        return _UNREADABLE
    import tensorflow as tf

    return (*_UNREADABLE, tf.errors.OpError)


def _check_zip(path: Path) -> None:
    """Refuse a zip that unpacks to far too much, and a configuration that is not a JSON object."""
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        size = path.stat().st_size
        if unpacked > max(_UNPACKED_ALWAYS, _UNPACKED_RATIO * size):
            raise ValueError(f"its {size:,} bytes unpack to {unpacked:,}")
        for name in ("config.json", "metadata.json"):
            if archive.getinfo(name).file_size > _LONGEST_CONFIG:
                raise ValueError(f"its {name} is too long")
            if not isinstance(parse_json(archive.read(name)), dict):
                raise TypeError(f"its {name} is no JSON object")


def _refuse_weights_alone(path: Path) -> None:
    import h5py

    if h5py.is_hdf5(path):
        with h5py.File(path) as file:
            if "model_config" not in file.attrs:
                raise FiltagError(
                    f"{path} holds weights without the network: build the network in Keras, model.load_weights(…), and "
                    "save it with model.save('name.keras')"
                )


def _refuse_code(path: Path) -> None:
    """Refuse an HDF5 file whose layers are pickled functions: older Keras has no safe mode for them."""
    import h5py

    if not h5py.is_hdf5(path):
        return
    with h5py.File(path) as file:
        config = file.attrs.get("model_config", "{}")
    parse_json(config)
    if "Lambda" in (config.decode() if isinstance(config, bytes) else str(config)):
        raise ValueError("it has a Lambda layer, which is code")
