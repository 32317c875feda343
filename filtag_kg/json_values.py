"""Untrusted JSON: parsed strictly, and compared with the shape it should have."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

_DEEPEST = 100

Shape = Any
"""What a JSON value should be.

``str``, ``bool``, ``int`` or ``float`` (any finite number); ``[shape]``, a list of such values; ``(shape, shape)``, a
list of exactly these; ``{str: shape}``, an object with any names; ``{"name": shape, "other?": shape}``, an object with
`name`, perhaps `other`, and anything else; or a function from the value to what is wrong with it, or None.
"""

_NAMES = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}


def parse_json(text: str | bytes, *, surrogates: bool = False) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a JSON text.

    Parameters
    ----------
    surrogates : bool
        Whether texts may hold lone surrogates, as file names that are not UTF-8 do.

    Raises
    ------
    ValueError
        If it is not JSON as in RFC 8259, which excludes NaN and infinity, has a number beyond float64, or is nested too
        deeply.
    """
    try:
        value = json.loads(text, parse_constant=_refused, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    # Writing takes more stack than reading, so what was read may still be too deep.
    level = [value]
    for _ in range(_DEEPEST):
        level = [each for parent in level for each in _children(parent)]
    if level:
        raise ValueError("it is nested too deeply")
    if not surrogates:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("it holds half a character") from None
    return value


def _children(value: Any) -> Iterable[Any]:  # noqa: ANN401
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _refused(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large")
    return value


def named(value: Any) -> str | None:  # noqa: ANN401
    """Return what is wrong with a value that should be a name: any text but the empty one."""
    return None if isinstance(value, str) and value else "is not a name"


def whole_number(least: int = 0, most: int = 2**53) -> Callable[[Any], str | None]:
    """Return the shape of a whole number in [least, most].

    >>> mismatch({"filters": -1}, {"filters": whole_number()})
    'filters is not a whole number from 0'
    """

    def check(value: Any) -> str | None:  # noqa: ANN401
        fits = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        return None if fits else f"is not a whole number from {least}"

    return check


def mismatch(value: Any, shape: Shape, where: str = "") -> str | None:  # noqa: ANN401
    """Describe where and how a JSON value differs from a shape; None if it fits."""
    name = where or "it"
    if isinstance(shape, dict):
        return _object_mismatch(value, shape, where)
    if isinstance(shape, list | tuple):
        if not isinstance(value, list) or (isinstance(shape, tuple) and len(value) != len(shape)):
            return f"{name} is not a list" + (f" of {len(shape)}" if isinstance(shape, tuple) else "")
        shapes = shape if isinstance(shape, tuple) else shape * len(value)
        return next(_differing((f"{name}[{i}]", value[i], shapes[i]) for i in range(len(value))), None)
    if not isinstance(shape, type):
        problem = shape(value)
        return None if problem is None else f"{name} {problem}"
    if shape is float:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf
    else:
        fits = isinstance(value, shape) and not (shape is int and isinstance(value, bool))
    return None if fits else f"{name} is not {_NAMES[shape]}"


def _object_mismatch(value: Any, shape: Mapping[Any, Shape], where: str) -> str | None:  # noqa: ANN401
    if not isinstance(value, dict):
        return f"{where or 'it'} is not an object"
    prefix = f"{where}." if where else ""
    if str in shape:
        return next(_differing((f"{prefix}{key}", each, shape[str]) for key, each in value.items()), None)
    missing = next((key for key in shape if not key.endswith("?") and key not in value), None)
    if missing is not None:
        return f"{prefix}{missing} is missing"
    known = ((key.removesuffix("?"), each) for key, each in shape.items())
    return next(_differing((f"{prefix}{key}", value[key], each) for key, each in known if key in value), None)


def _differing(parts: Iterable[tuple[str, Any, Shape]]) -> Iterator[str]:
    for where, value, shape in parts:
        problem = mismatch(value, shape, where)
        if problem is not None:
            yield problem
