"""Keras, imported late and quietly."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
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
    they are turned down here unless the user has said how loud they shall be. Of what processor there is it says
    so on stderr, however loud (but for TF_CPP_MIN_LOG_LEVEL=0); that is held back while it starts, and given out
    if it does not.

    Raises
    ------
    MissingExtraError
        If Keras or its backend is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    quiet = os.environ["TF_CPP_MIN_LOG_LEVEL"] != "0" and "tensorflow" not in sys.modules
    os.environ.setdefault("ABSL_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    try:
        with _held_back_stderr() if quiet else nullcontext():
            import keras
    except ModuleNotFoundError as error:
        if error.name not in ("keras", "tensorflow", "jax", "torch"):
            raise
        raise MissingExtraError("TensorFlow" if error.name == "keras" else error.name) from None
    module: ModuleType = keras
    return module


@contextmanager
def _held_back_stderr() -> Iterator[None]:
    """Hold back what is written on the file of stderr, by whatever language; give it out if the block raises."""
    try:
        terminal = os.dup(2)
    except OSError:  # There is none, as under some services.
        yield
        return
    with tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            held.seek(0)
            os.write(terminal, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
