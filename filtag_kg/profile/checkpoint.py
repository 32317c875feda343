"""The state of an unfinished pass, on disk, so it can be resumed.

A checkpoint is an ``.npz`` file of plain arrays beside the profile to be made. A lock keeps a second process
from working on the same one; the system releases it when the process ends, for whatever reason.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from filtag_kg.errors import FiltagError, reason_of
from filtag_kg.files import only_writer
from filtag_kg.json_values import mismatch, parse_json
from filtag_kg.npz import read_npz
from filtag_kg.output_paths import check_file_output, destination_of, is_stream, sibling

_Restored = TypeVar("_Restored")


@dataclass(slots=True)
class Checkpoint:
    """Where the state of an unfinished pass is saved, and how often.

    Parameters
    ----------
    seconds : float
        The least time between two checkpoints.
    """

    path: Path
    seconds: float
    _last: float = 0.0

    def load(
        self, inputs: Mapping[str, Any], restore: Callable[[dict[str, Any], dict[str, NDArray[Any]]], _Restored]
    ) -> _Restored | None:
        """Return the state of the interrupted pass, if there is one.

        Parameters
        ----------
        inputs : mapping of str to JSON values
            What the pass's results depend on.
        restore : callable
            From the saved JSON values and arrays to the state; ValueError where they are not what they should be.

        Raises
        ------
        FiltagError
            If the interrupted pass had other inputs, or its checkpoint is damaged.
        """
        self._last = time.monotonic()
        if not self.path.exists():
            return None
        try:
            with self.path.open("rb") as file:
                arrays = read_npz(file)
            state = _state(arrays)
            saved_inputs = state.pop("inputs")
            different = next((name for name, value in inputs.items() if saved_inputs.get(name) != value), None)
            if different is not None:
                raise FiltagError(
                    f"{self.path} is of a pass with another {different}: finish that pass, or start anew",
                    options=("restart",),
                )
            return restore(state, arrays)
        except (OSError, ValueError) as error:
            raise FiltagError(
                f"{self.path} is no readable checkpoint ({reason_of(error)}): start anew", options=("restart",)
            ) from None

    def due(self) -> bool:
        """Return whether it is time for the next checkpoint."""
        return time.monotonic() - self._last >= self.seconds

    def save(self, inputs: Mapping[str, Any], state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write a checkpoint; the previous one stays until this one is whole.

        Raises
        ------
        FiltagError
            If it cannot be written.
        """
        text = json.dumps({"inputs": dict(inputs), **state}, ensure_ascii=True)
        unfinished = sibling(self.path, ".new")
        try:
            with unfinished.open("wb") as file:
                np.savez(file, allow_pickle=False, state=np.array(text), **arrays)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.path)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()
            raise FiltagError(
                f"cannot write the checkpoint {self.path} ({error.strerror}): make room, then run the same again"
            ) from None
        self._last = time.monotonic()

    def remove(self) -> None:
        """Remove it: the pass is finished, or starts anew."""
        for path in (self.path, sibling(self.path, ".new")):
            path.unlink(missing_ok=True)


def _state(arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    # Names of images need not be UTF-8.
    state: dict[str, Any] = parse_json(str(arrays.pop("state", "")), surrogates=True)
    problem = mismatch(state, {"inputs": {}})
    if problem is not None:
        raise ValueError(problem)
    return state


@contextmanager
def checkpointing(output: Path, *, seconds: float = 60.0, restart: bool = False) -> Iterator[Checkpoint | None]:
    """Yield the checkpoint of the pass that makes `output`, and remove it at the end.

    If the body raises, the checkpoint stays, and the next pass resumes from it.

    Parameters
    ----------
    output : Path
        The file to be made.
    seconds : float
        The least time between two checkpoints.
    restart : bool
        Whether to discard an interrupted pass.

    Yields
    ------
    Checkpoint or None
        None if the output is a device or a pipe: no pass to it can be resumed.

    Raises
    ------
    FiltagError
        If another process is making the same output, or its folder cannot be written.
    """
    if is_stream(output):
        yield None
        return
    path = sibling(destination_of(output), ".partial")
    for each in (path, sibling(path, ".new")):
        check_file_output(each)
    with only_writer(output):
        checkpoint = Checkpoint(path, seconds)
        if restart:
            checkpoint.remove()
        yield checkpoint
        checkpoint.remove()
