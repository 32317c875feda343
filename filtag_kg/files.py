"""Files and directories that are whole or not there."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filtag_kg.errors import FiltagError

__all__ = ["replacing", "sha256_of"]


@contextmanager
def replacing(target: Path, *, directory: bool = False, overwrite: bool = True) -> Iterator[Path]:
    """Yield a temporary sibling of `target` to be written, and put it in the target's place at the end.

    If the body raises, the sibling is removed and the target stays as it was.

    Parameters
    ----------
    target : Path
        The file or directory to make or to replace.
    directory : bool
        Whether the sibling is an empty directory, rather than a file yet to be created.
    overwrite : bool
        Whether a target that is there by the end may be replaced.

    Raises
    ------
    FiltagError
        If the target's folder cannot be made or written, the disk is full, or the target appeared meanwhile.
    """
    target = target.absolute()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        room = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise FiltagError(
            f"cannot write {target} ({error.strerror}): choose another place with -o or mend its permissions"
        ) from None
    unfinished = room / target.name
    try:
        if directory:
            unfinished.mkdir()
        yield unfinished
        if target.exists() and not overwrite:
            raise FiltagError(f"{target} was made by another process meanwhile: it was left as it is")
        if directory and target.exists():
            # A rename replaces a file at once but no directory with content: move the old one aside first.
            target.rename(room / "replaced")
        unfinished.replace(target)
    except OSError as error:
        raise FiltagError(f"cannot write {target} ({error.strerror or error}): nothing was changed") from None
    finally:
        shutil.rmtree(room, ignore_errors=True)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
