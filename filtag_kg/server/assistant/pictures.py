"""The pictures that activate a filter most, for an assistant to see: small, few, and lit where the filter responds."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any

from filtag_kg.errors import FiltagError, MissingExtraError
from filtag_kg.views import Exemplar, FilterView, heat_map

_HEIGHT = 160
"""In pixels; a picture of this size takes few of an assistant's tokens, and a thumbnail shows no more."""
_LARGEST = 200_000
_MOST_BYTES = 600_000
"""Of all pictures; in base64 they take a third more, and some assistants refuse answers above a megabyte."""


def filter_pictures(view: FilterView, most: int) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
    """Return a filter's strongest pictures, and what it looks for if that was drawn, with media types.

    Returns
    -------
    record : dict of str to JSON values
        What each picture is, in the order of the pictures, and how many there are.
    pictures : list of (media type, bytes)

    Raises
    ------
    FiltagError
        If the KG has no pictures of the filter.
    """
    if view.kg is None or not (view.exemplars or view.visualizations):
        raise FiltagError(f"the KG has no pictures of {view.layer}/{view.filter}: build it with the images")
    records: list[dict[str, Any]] = []
    pictures: list[tuple[str, bytes]] = []
    for exemplar in view.exemplars[:most]:
        content, lit = _exemplar(view.kg, exemplar)
        about = {"shows": exemplar.label, "class_id": exemplar.class_id, "activation": exemplar.activation}
        _add(records, pictures, content, {**about, "image": exemplar.image, "lit_where_it_responds": lit})
    for drawn in view.visualizations[: max(0, most - len(pictures))]:
        about = {"shows": f"what the filter looks for, computed by {drawn.method}"}
        _add(records, pictures, _read(view.kg / drawn.file), about)
    if not pictures:
        raise FiltagError(f"the pictures of {view.layer}/{view.filter} cannot be read: validate the KG")
    return {
        "layer": view.layer,
        "filter": view.filter,
        "responds_to": None if view.name is None else view.name.text,
        "pictures": {"total": len(view.exemplars) + len(view.visualizations), "items": records},
    }, pictures


def _add(
    records: list[dict[str, Any]],
    pictures: list[tuple[str, bytes]],
    content: tuple[str, bytes] | None,
    about: dict[str, Any],
) -> None:
    if content is not None and sum(len(known) for _, known in pictures) + len(content[1]) <= _MOST_BYTES:
        pictures.append(content)
        records.append({"number": len(pictures), **about})


def _exemplar(kg: Path, exemplar: Exemplar) -> tuple[tuple[str, bytes] | None, bool]:
    """Return a thumbnail, and whether it is lit: that needs the map and Pillow."""
    thumbnail = _read(kg / exemplar.thumbnail)
    if thumbnail is None or exemplar.where is None:
        return thumbnail, False
    try:
        return ("image/png", heat_map(thumbnail[1], exemplar.where, height=_HEIGHT)), True
    except (MissingExtraError, OSError):
        return thumbnail, False


def _read(path: Path) -> tuple[str, bytes] | None:
    """Return a picture with its media type; None if it is gone or too large."""
    media_type = mimetypes.guess_type(path.name)[0]
    try:
        if media_type is None or not media_type.startswith("image/") or path.stat().st_size > _LARGEST:
            return None
        return media_type, path.read_bytes()
    except OSError:
        return None
