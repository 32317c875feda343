"""What a folder of results says of itself, as JSON, and whether it is about the networks of a KG."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from filtag_kg.errors import FiltagError
from filtag_kg.json_values import Shape, mismatch, parse_json


def check_is_folder(folder: Path) -> None:
    """Raise FiltagError if a file of the folder is given in its place."""
    if folder.is_file():
        raise FiltagError(f"{folder} is a file: give the folder that it is in")


def read_folder_record(
    path: Path, shape: Mapping[str, Shape], networks: Collection[str], *, what: str, again: str
) -> dict[str, Any] | None:
    """Read the record of a folder of results.

    Parameters
    ----------
    path : Path
        The record, in its folder.
    shape : mapping of str to Shape
        Its keys, of which one is ``network``, and their values.
    networks : collection of str
        Identifiers of the networks that it may be about.
    what : str
        What the folder has, such as ``mistakes``.
    again : str
        What to do if it is damaged.

    Returns
    -------
    dict or None
        None for a folder of an earlier version, which does not say what it is about.

    Raises
    ------
    FiltagError
        If it is damaged, or about another network.
    """
    try:
        value = parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FiltagError(f"{path} cannot be read ({error.strerror}): {again}") from None
    except ValueError as error:
        raise FiltagError(f"{path} cannot be read ({error}): {again}") from None
    if (problem := mismatch(value, shape)) is not None:
        raise FiltagError(f"{path} is damaged ({problem}): {again}")
    if value["network"] not in networks:
        raise FiltagError(
            f"{path.parent} has the {what} of {value['network']}, and the KG is about {', '.join(sorted(networks))}: "
            f"give the {what} of its network"
        )
    return {name: value[name] for name in shape}
