"""Explains dropped images. A worker decodes them; the explainer process, which holds TensorFlow, classifies them."""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from filtag_kg.errors import FiltagError
from filtag_kg.explain import Explanation, ImagePixels, LitPicture, explain_pixels, lit_pictures
from filtag_kg.kg import KG, open_kg
from filtag_kg.network import Preparation, missing_extra
from filtag_kg.profile import recorded_network_file
from filtag_kg.server.confinement import die_with_parent
from filtag_kg.server.jobs import DecodeJob
from filtag_kg.server.pool import Pool

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class NetworkChoice:
    """The network that explains images.

    Parameters
    ----------
    network : str, optional
        The one that the KG was made of, if left out.
    class_names : mapping of class id to label, optional
        Labels that replace the KG's.
    """

    network: str | None = None
    preprocess: str | None = None
    classes: Path | None = None
    class_names: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ExplainedImage:
    """An explanation, and pictures of where in the image its support comes from.

    Parameters
    ----------
    squashed : bool
        Whether the pictures do not have the image's aspect, as the network gets images whatever their aspect.
    """

    explanation: Explanation
    pictures: tuple[LitPicture, ...]
    squashed: bool


class ImageExplainer:
    """Explains images by a network, one at a time, in a process of its own.

    Parameters
    ----------
    path : Path
        The KG's directory.
    """

    def __init__(self, path: Path, choice: NetworkChoice) -> None:
        self._path = path
        self._choice = choice
        self._turn = asyncio.Lock()
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None

    def missing(self, kg: KG) -> str | None:
        """Return why the server cannot explain images, in one line; None if it can."""
        made_of = kg.manifest["inputs"].get("profile", {})
        try:
            network = self._choice.network or recorded_network_file(made_of, "the KG") or str(made_of["network"])
        except FiltagError as error:
            return str(error)
        lacking = missing_extra(network)
        return None if lacking is None else str(lacking)

    async def explain(self, pool: Pool, image: bytes, name: str, rule: str | None) -> ExplainedImage:
        """Explain an image.

        A worker decodes it, confined, and ends with it; the network gets the pixels. If this is cancelled, an image
        that waits or is being decoded is dropped; one that the network has already is finished, for nobody.

        Parameters
        ----------
        image : bytes
            The file.
        name : str
            What errors call it.
        rule : str, optional
            Count the tags of this rule; go by the evidence of the filters, if left out.

        Raises
        ------
        FiltagError
            If it cannot be explained, or takes too long.
        """
        if not image:
            raise FiltagError("no image was sent: drop one")
        async with self._turn:
            preparation: Preparation = await self._call("preparation")
            answer = await pool.ask(DecodeJob(name, preparation.metadata(), image))
            if answer.status != "ok":
                raise FiltagError(answer.line)
            pixels = np.frombuffer(answer.body, np.uint8).reshape(*preparation.size, preparation.channels)
            decoded = ImagePixels(name, hashlib.sha256(image).hexdigest(), pixels)
            explained: ExplainedImage = await self._call("explain", decoded, rule)
            return explained

    def close(self) -> None:
        """End the process, and all that it started."""
        process, self._process, self._connection = self._process, None, None
        if process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(int(process.pid or 0), signal.SIGKILL)
            process.kill()
            process.join()

    async def _call(self, *message: object) -> Any:  # noqa: ANN401 - depends on the message
        """Send the explainer process a message, and return its answer; start the process first if there is none."""
        if self._connection is None or self._process is None or not self._process.is_alive():
            self.close()
            self._start()
        connection = self._connection
        assert connection is not None
        exchange = asyncio.get_running_loop().run_in_executor(None, _exchange, connection, message)
        try:
            answer = await asyncio.wait_for(asyncio.shield(exchange), timeout=_TIMEOUT_S)
        except TimeoutError:
            self.close()
            raise FiltagError(
                f"the image was not explained within {_TIMEOUT_S:.0f} s: try a smaller one", commands=("explain",)
            ) from None
        except (EOFError, OSError):
            self.close()
            raise FiltagError("the explainer process ended: try again", commands=("explain",)) from None
        except asyncio.CancelledError:
            # Keep the turn until this answer has come, or the next message would get it.
            await asyncio.wait({exchange}, timeout=_TIMEOUT_S)
            if not exchange.done():
                self.close()
            raise
        if isinstance(answer, str):
            raise FiltagError(answer)
        return answer

    def _start(self) -> None:
        # In the event loop's thread, because the kernel ends the process with the thread that started it.
        context = multiprocessing.get_context("spawn")
        self._connection, its_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(its_end, self._path, self._choice), daemon=True)
        self._process.start()
        its_end.close()


def _exchange(connection: Connection, message: object) -> Any:  # noqa: ANN401 - depends on the message
    connection.send(message)
    return connection.recv()


def _serve(connection: Connection, path: Path, choice: NetworkChoice) -> None:
    """Be the explainer process: answer messages until the connection is closed."""
    os.setpgid(0, 0)  # Ctrl-C is for the server, which ends this process and all that it started.
    die_with_parent()
    # TensorFlow writes about processors and graphics cards there. Python keeps its own stderr.
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from filtag_kg.network import Network
    from filtag_kg.profile import recorded_network

    network: Network | None = None
    while True:
        try:
            message = connection.recv()
        except EOFError:
            return
        try:
            kg = open_kg(path)
            if network is None:
                source = kg.manifest["inputs"].get("profile", {})
                network = recorded_network(
                    source, "the KG", choice.network, preprocess=choice.preprocess, classes=choice.classes
                )
            match message:
                case ("explain", ImagePixels() as image, rule):
                    explanation = explain_pixels(kg, network, image, rule=rule, class_names=choice.class_names)
                    pictures = lit_pictures(network, image.pixels, explanation)
                    connection.send(ExplainedImage(explanation, pictures, network.preparation.resize == "squash"))
                case _:
                    connection.send(network.preparation)
        except FiltagError as error:
            connection.send(str(error))
