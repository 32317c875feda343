"""Keras, imported late and quietly."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any, TypeAlias

from filtag_kg.errors import MissingExtraError

__all__ = ["KerasModel", "Operation", "Tensor", "import_keras"]

# Keras brings no types, and its tensors are another class for each backend: these names are for the reader.
KerasModel: TypeAlias = Any
Operation: TypeAlias = Any
Tensor: TypeAlias = Any


def import_keras() -> ModuleType:
    """Import Keras with the backend that the environment names (TensorFlow by default).

    TensorFlow writes its start-up notes straight to the terminal from C++, where no logger can hold them;
    they are turned down here unless the user has said how loud they shall be.

    Raises
    ------
    MissingExtraError
        If Keras or its backend is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("ABSL_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    try:
        import keras
    except ModuleNotFoundError as error:
        if error.name not in ("keras", "tensorflow", "jax", "torch"):
            raise
        raise MissingExtraError("TensorFlow" if error.name == "keras" else error.name) from None
    module: ModuleType = keras
    return module
