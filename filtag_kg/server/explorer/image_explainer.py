"""Explain dropped images: decoded in the pool, classified in a process of its own, which holds TensorFlow."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import multiprocessing
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from filtag_kg.errors import FiltagError
from filtag_kg.explain import Explanation, ImagePixels, explain_pixels
from filtag_kg.kg import KG, open_kg
from filtag_kg.profile import recorded_network_file
from filtag_kg.server.confinement import die_with_parent
from filtag_kg.server.jobs import DecodeJob
from filtag_kg.server.pool import Pool

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

__all__ = ["ImageExplainer", "NetworkChoice"]

_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class NetworkChoice:
    """Which network explains images, as ``filtag explain`` takes it.

    Parameters
    ----------
    network : str, optional
        Left out, the one that the KG was made of.
    preprocess : str, optional
    classes : Path, optional
    """

    network: str | None = None
    preprocess: str | None = None
    classes: Path | None = None


class ImageExplainer:
    """Answers what a network makes of an image, one at a time.

    Parameters
    ----------
    path : Path
        The KG's directory.
    choice : NetworkChoice
    """

    def __init__(self, path: Path, choice: NetworkChoice) -> None:
        self._path = path
        self._choice = choice
        self._turn = asyncio.Lock()
        self._process: SpawnProcess | None = None
        self._line: Connection | None = None

    def missing(self, kg: KG) -> str | None:
        """Return what keeps the server from explaining images, in a line; None if nothing does."""
        if importlib.util.find_spec("keras") is None:
            return "this needs TensorFlow, which is not installed where filtag serve runs: pip install 'filtag-kg[cpu]'"
        if self._choice.network is None:
            try:
                recorded_network_file(kg.manifest["inputs"].get("profile", {}), "the KG")
            except FiltagError as error:
                return str(error)
        return None

    async def explain(self, pool: Pool, image: bytes, name: str, rule: str | None) -> Explanation:
        """Explain an image.

        It is decoded in the pool, in a process that is confined and ends with it; the network gets its pixels.
        Cancelled, an image that waits or is decoded is dropped; one that the network has is finished, for nobody.

        Parameters
        ----------
        pool : Pool
        image : bytes
            The file.
        name : str
            What it is called.
        rule : str, optional
            The KG's first, if left out.

        Raises
        ------
        FiltagError
            If it cannot be explained, or takes too long.
        """
        if not image:
            raise FiltagError("no image was sent: drop one")
        async with self._turn:
            height, width = await self._ask("size")
            answer = await pool.ask(DecodeJob(name, height, width, image))
            if answer.status != "ok":
                raise FiltagError(answer.line)
            pixels = np.frombuffer(answer.body, np.uint8).reshape(height, width, 3)
            decoded = ImagePixels(name, hashlib.sha256(image).hexdigest(), pixels)
            found: Explanation = await self._ask("explain", decoded, rule)
            return found

    def close(self) -> None:
        """End the process, and all that it started."""
        process, self._process, self._line = self._process, None, None
        if process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(int(process.pid or 0), signal.SIGKILL)
            process.kill()
            process.join()

    async def _ask(self, *message: object) -> Any:  # noqa: ANN401 - what it is asked for
        """Have the process answer; one that was cancelled meanwhile is ended only by others' impatience."""
        if self._line is None or self._process is None or not self._process.is_alive():
            self.close()
            self._start()
        line = self._line
        assert line is not None
        asking = asyncio.get_running_loop().run_in_executor(None, _exchange, line, message)
        try:
            answer = await asyncio.wait_for(asyncio.shield(asking), timeout=_PATIENCE_S)
        except TimeoutError:
            self.close()
            raise FiltagError(
                f"the image was not explained within {_PATIENCE_S:.0f} s: try a smaller one, or filtag explain"
            ) from None
        except (EOFError, OSError):
            self.close()
            raise FiltagError("the process that explains images ended: try again, or use filtag explain") from None
        except asyncio.CancelledError:
            # The turn is given up when the line is free again: another's question would get this one's answer.
            await asyncio.wait({asking}, timeout=_PATIENCE_S)
            if not asking.done():
                self.close()
            raise
        if isinstance(answer, str):
            raise FiltagError(answer)
        return answer

    def _start(self) -> None:
        # From the event loop's thread: the kernel ends the process with the thread that started it.
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._path, self._choice), daemon=True)
        self._process.start()
        theirs.close()


def _exchange(line: Connection, message: object) -> Any:  # noqa: ANN401 - what it is asked for
    line.send(message)
    return line.recv()


def _serve(line: Connection, path: Path, choice: NetworkChoice) -> None:
    """Tell the size of the network's images, and explain those that come over a line, until it is closed."""
    os.setpgid(0, 0)  # Ctrl-C is for the server, which ends this process and what it started itself.
    die_with_parent()
    # TensorFlow writes of processors and graphics cards there. Python is still heard.
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from filtag_kg.network import Network
    from filtag_kg.profile import recorded_network

    network: Network | None = None
    while True:
        try:
            message = line.recv()
        except EOFError:
            return
        try:
            kg = open_kg(path)
            if network is None:
                made_of = kg.manifest["inputs"].get("profile", {})
                network = recorded_network(
                    made_of, "the KG", choice.network, preprocess=choice.preprocess, classes=choice.classes
                )
            match message:
                case ("explain", ImagePixels() as image, rule):
                    line.send(explain_pixels(kg, network, image, rule=rule))
                case _:
                    line.send(network.input_size)
        except FiltagError as error:
            line.send(str(error))
