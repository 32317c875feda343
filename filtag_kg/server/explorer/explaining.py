"""Explain dropped images, in a process of its own: it holds TensorFlow, and can be stopped."""

from __future__ import annotations

import asyncio
import importlib.util
import multiprocessing
import os
import sys
import tempfile
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from filtag_kg.errors import FiltagError
from filtag_kg.graph import KG, open_kg
from filtag_kg.profile import remembered_file

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from filtag_kg.explain import Explanation

__all__ = ["Explaining", "NetworkChoice"]

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


class Explaining:
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
                remembered_file(kg.manifest["inputs"].get("profile", {}), "the KG")
            except FiltagError as error:
                return str(error)
        return None

    async def explain(self, image: bytes, name: str, rule: str | None) -> Explanation:
        """Explain an image.

        Parameters
        ----------
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
        async with self._turn:
            loop = asyncio.get_running_loop()
            try:
                answer = await asyncio.wait_for(
                    loop.run_in_executor(None, self._ask, image, name, rule), timeout=_PATIENCE_S
                )
            except TimeoutError:
                self.close()
                raise FiltagError(
                    f"the image was not explained within {_PATIENCE_S:.0f} s: try a smaller one, or filtag explain"
                ) from None
            except (EOFError, OSError):
                self.close()
                raise FiltagError("the process that explains images ended: try again, or use filtag explain") from None
        if isinstance(answer, str):
            raise FiltagError(answer)
        return answer

    def close(self) -> None:
        """End the process."""
        process, self._process, self._line = self._process, None, None
        if process is not None:
            process.kill()
            process.join()

    def _ask(self, image: bytes, name: str, rule: str | None) -> Explanation | str:
        if self._line is None or self._process is None or not self._process.is_alive():
            self.close()
            context = multiprocessing.get_context("spawn")
            self._line, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, self._path, self._choice), daemon=True)
            self._process.start()
            theirs.close()
        line = self._line
        line.send((image, name, rule))
        answer: Explanation | str = line.recv()
        return answer


def _serve(line: Connection, path: Path, choice: NetworkChoice) -> None:
    """Explain images that come over a line until it is closed."""
    # TensorFlow writes of processors and graphics cards there. Python is still heard.
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from filtag_kg.explain import explain_image
    from filtag_kg.network import Network
    from filtag_kg.profile import remembered_network

    os.setpgid(0, 0)  # Ctrl-C is for the server, which ends this process itself.
    network: Network | None = None
    while True:
        try:
            image, name, rule = line.recv()
        except EOFError:
            return
        file: Path | None = None
        try:
            kg = open_kg(path)
            if network is None:
                made_of = kg.manifest["inputs"].get("profile", {})
                network = remembered_network(
                    made_of, "the KG", choice.network, preprocess=choice.preprocess, classes=choice.classes
                )
            with tempfile.TemporaryDirectory() as room:
                # The name decides how an image is shown, never where it lies.
                file = Path(room) / "image"
                file.write_bytes(image)
                line.send(_named(explain_image(kg, network, file, rule=rule), name))
        except FiltagError as error:
            line.send(str(error).replace(str(file), name) if file else str(error))


def _named(found: Explanation, name: str) -> Explanation:
    from dataclasses import replace

    return replace(found, image=name)
