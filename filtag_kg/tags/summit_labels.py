"""Summit's JSON: which channels are among the most active for many images of a class.

``imagenet.json`` is a list of classes, each with its ``synset``, ``name`` and ``topChannels``: for each layer its
channels ``{"c": 12, "i": 318}``, *i* being the number of images. ``ag-270.json`` is the attribution graph of the
network's class 270: for each layer its channels ``{"channel": 12, "count": 318, …}``. Channels count from 0.

References
----------
Hohman et al. 2019, Summit: Scaling Deep Learning Interpretability by Visualizing Activation and Attribution
Summarizations; https://github.com/fredhohman/summit-data
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from filtag_kg.errors import FiltagError
from filtag_kg.json_values import parse_json
from filtag_kg.network import imagenet_class_ids
from filtag_kg.tags.labels import Label, LabelFile, LabelFormat, Rows, Unreadable, filter_index, plain, score_of

_CLASSES = re.compile(r'\s*\[\s*(?:$|\{.*"topChannels")', re.DOTALL)
_GRAPH = re.compile(r'\s*\{.*"channel"\s*:', re.DOTALL)
_GRAPH_NAME = re.compile(r".*?([0-9]+)")


def _recognises(beginning: str) -> bool:
    return _CLASSES.match(beginning) is not None or _GRAPH.match(beginning) is not None


def _read(file: LabelFile) -> Rows:
    try:
        value = parse_json(file.text)
    except (ValueError, RecursionError) as error:
        raise FiltagError(f"{file.path} is not JSON ({error}): give Summit's file as it is") from None
    if isinstance(value, list):
        for number, class_ in enumerate(value, start=1):
            yield from _of_class(f"class {number}", class_)
    elif isinstance(value, dict):
        class_id = _class_of_graph(file)
        for layer, channels in value.items():
            yield from _of_layer(f"layer {layer}", layer, channels, ("channel", "count"), class_id, class_id)


def _of_class(where: str, class_: Any) -> Rows:  # noqa: ANN401 - any JSON value
    if not (isinstance(class_, dict) and isinstance(class_.get("topChannels"), dict)):
        yield Unreadable(where, "it has no topChannels")
        return
    class_id, name = class_.get("synset"), class_.get("name")
    if not (isinstance(class_id, str) and class_id):
        yield Unreadable(where, "it has no synset")
        return
    label = plain(name) if isinstance(name, str) and plain(name) else class_id
    for layer, channels in class_["topChannels"].items():
        yield from _of_layer(f"{where}, layer {layer}", layer, channels, ("c", "i"), class_id, label)


def _of_layer(
    where: str,
    layer: str,
    channels: Any,  # noqa: ANN401 - any JSON value
    keys: tuple[str, str],
    class_id: str,
    label: str,
) -> Rows:
    if not isinstance(channels, list):
        yield Unreadable(where, "it has no list of channels")
        return
    for number, channel in enumerate(channels, start=1):
        try:
            filter_, count = _numbers(channel, keys)
        except ValueError as error:
            yield Unreadable(f"{where}, channel {number}", str(error))
        else:
            yield Label(where, filter_, label, layer=layer, class_id=class_id, score=count)


def _numbers(channel: Any, keys: tuple[str, str]) -> tuple[int, float | None]:  # noqa: ANN401 - any JSON value
    if not isinstance(channel, Mapping) or not all(
        isinstance(channel.get(key), int) and not isinstance(channel[key], bool) for key in keys
    ):
        raise ValueError(f"{str(channel)[:40]!r} has not the whole numbers {' and '.join(keys)}")
    return filter_index(str(channel[keys[0]]), name="channel"), score_of(str(channel[keys[1]]), name="count")


def _class_of_graph(file: LabelFile) -> str:
    """Return the WordNet id of ImageNet's class that the name of a graph's file counts."""
    match = _GRAPH_NAME.fullmatch(file.path.stem)
    ids = imagenet_class_ids()
    if match is None or int(match[1]) >= len(ids):
        raise FiltagError(
            f"{file.path}: Summit's graph of a class is named after its number among ImageNet's {len(ids):,}, "
            "ag-270.json for instance: give the file its name back"
        )
    return ids[int(match[1])]


SUMMIT = LabelFormat(
    "summit",
    _recognises,
    _read,
    'JSON with "topChannels" of classes, or with "channel" and "count" by layer',
    "images of the class for which the channel is among the most active of its layer",
)
"""Channels count from 0."""
