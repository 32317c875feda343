"""The files of a KG that have an address: what the graph calls downloads, and pictures."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from filtag_kg.errors import FiltagError
from filtag_kg.graph import DataIris, file_media_type
from filtag_kg.kg import KG, open_kg, profile_graph_of, runs_of
from filtag_kg.names import name_in_path
from filtag_kg.server.negotiation import CSV, GZIP, JPEG, NQUADS, NUMPY, PNG, TSV, Format

_THUMBNAIL = re.compile("[0-9]+[.]jpg")
_ACCEPTS_GZIP = re.compile(
    r"(?:^|,)\s*(?:(?:x-)?gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[\d.]+\s*)?(?:,|$)", re.IGNORECASE
)
_PIECE = 1 << 16
_FORMATS = {each.media_types[0]: each for each in (CSV, TSV, NQUADS, NUMPY)}


_PNG = re.compile(r"[A-Za-z0-9_-]+[.]png")


@dataclass(frozen=True, slots=True)
class KgFile:
    """A file that has an address.

    Parameters
    ----------
    formats : tuple of Format
        That it can be sent in, the preferred first.
    packed : bool
        Whether it is compressed with gzip on disk.
    """

    path: Path
    formats: tuple[Format, ...]
    packed: bool = False

    def response(self, request: Request, format_: Format, media_type: str, headers: dict[str, str]) -> Response:
        """Return the file in one of its formats. Where it is sent as it is on disk, clients may ask for a part."""
        content_type = format_.content_type(media_type)
        if not self.packed or format_ == GZIP:
            return FileResponse(self.path, media_type=content_type, headers=headers)
        headers = {**headers, "Vary": "Accept, Accept-Encoding"}
        if _ACCEPTS_GZIP.search(request.headers.get("accept-encoding", "")):
            return FileResponse(self.path, media_type=content_type, headers={**headers, "Content-Encoding": "gzip"})
        return StreamingResponse(_unpacked(self.path), media_type=content_type, headers=headers)


class KgFiles:
    """Finds the files of a KG by the addresses that its graph gives them.

    Parameters
    ----------
    folder : Path
        The KG's directory, which may be replaced meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kg: tuple[tuple[int, int], KG] | None = None

    async def find(self, path: str) -> KgFile | None:
        """Return the file at a path below the base; None if there is none.

        Parameters
        ----------
        path : str
            Percent-encoded as in the data.
        """
        if not any(kind in path for kind in ("/file/", "/exemplar/", "/visualization/")):
            return None
        return await run_in_threadpool(self._find, path)

    def _find(self, path: str) -> KgFile | None:
        try:
            kg = self._current()
        except (FiltagError, OSError):  # It is being replaced.
            return None
        found = _distribution(kg, path) or _thumbnail(kg, path) or _visualization(kg, path)
        return found if found is not None and found.path.is_file() else None

    def _current(self) -> KG:
        status = (self._folder / "filtag.json").stat()
        stamp = status.st_mtime_ns, status.st_ino
        if self._kg is None or self._kg[0] != stamp:
            self._kg = stamp, open_kg(self._folder)
        return self._kg[1]


def _distribution(kg: KG, path: str) -> KgFile | None:
    match [name_in_path(part) for part in path.split("/")]:
        case ["dataset", id_, "file", name] if id_ == kg.manifest["id"]:
            try:
                format_ = _FORMATS[file_media_type(name)]
            except KeyError:
                return None
            packed = name.endswith(".gz")
            return KgFile(kg.path / name, (GZIP, format_) if packed else (format_,), packed)
    return None


def _thumbnail(kg: KG, path: str) -> KgFile | None:
    iris = DataIris(kg.manifest["parameters"]["base"])
    iri = iris.base + path
    for run in runs_of(kg):
        graph = profile_graph_of(kg, run, iris)
        if graph and iri.startswith(f"{graph}/exemplar/"):
            file = iri.removeprefix(f"{graph}/exemplar/")
            found = kg.path / run.folder / "exemplars" / file
            if _THUMBNAIL.fullmatch(file) and found.is_file():
                return KgFile(found, (JPEG,))
    return None


def _visualization(kg: KG, path: str) -> KgFile | None:
    match [name_in_path(part) for part in path.split("/")]:
        case ["network", _, "visualization", name] if _PNG.fullmatch(name):
            for folder in ("", *(build["folder"] for build in kg.manifest.get("added", ()))):
                file = kg.path / folder / "visualizations" / name
                if file.is_file():
                    return KgFile(file, (PNG,))
    return None


def _unpacked(path: Path) -> Iterator[bytes]:
    with gzip.open(path) as file:
        while piece := file.read(_PIECE):
            yield piece
