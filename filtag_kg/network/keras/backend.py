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

# Keras has no types, and its tensors have another class in each backend: these names are for the reader.
KerasModel: TypeAlias = Any
Operation: TypeAlias = Any
Tensor: TypeAlias = Any


def import_keras() -> ModuleType:
    """Import Keras with the backend that the environment names (TensorFlow by default).

    TensorFlow's C++ code writes start-up notes straight to the terminal, out of reach of any logger. They are turned
    down here unless the user has set their level. One note, about the processor, is written at every level; stderr is
    held back while TensorFlow starts (except with TF_CPP_MIN_LOG_LEVEL=0), and shown if it fails to.

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
    """Hold back what is written to the descriptor of stderr, in any language; show it if the block raises."""
    try:
        terminal = os.dup(2)
    except OSError:  # There is no stderr, as under some services.
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
