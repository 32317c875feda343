"""Ways to damage a file: seeded functions from bytes to bytes."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Damage = Callable[[random.Random, bytes], bytes]


# What is done to any bytes.


def flip(rng: random.Random, content: bytes) -> bytes:
    """Flip bits."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(rng: random.Random, content: bytes) -> bytes:
    """Cut the end off."""
    return content[: rng.randrange(len(content))]


def delete(rng: random.Random, content: bytes) -> bytes:
    """Leave a block out."""
    at, size = rng.randrange(len(content)), rng.choice((1, 2, 16, 256))
    return content[:at] + content[at + size :]


def insert(rng: random.Random, content: bytes) -> bytes:
    """Put bytes in."""
    at = rng.randrange(len(content) + 1)
    return (
        content[:at] + rng.choice((rng.randbytes(rng.randrange(1, 64)), b"\0" * 9, b'"', b"\n", b"\xff")) + content[at:]
    )


def double(rng: random.Random, content: bytes) -> bytes:
    """Repeat a block elsewhere."""
    at, to, size = rng.randrange(len(content)), rng.randrange(len(content)), rng.choice((1, 16, 256))
    return content[:to] + content[at : at + size] + content[to:]


def exchange(rng: random.Random, content: bytes) -> bytes:
    """Exchange two blocks."""
    size = rng.choice((4, 32, 256))
    one, two = sorted((rng.randrange(len(content)), rng.randrange(len(content))))
    between = content[one + size : two]
    return content[:one] + content[two : two + size] + between + content[one : one + size] + content[two + size :]


def overwrite(rng: random.Random, content: bytes) -> bytes:
    """Write over some bytes."""
    at, size = rng.randrange(len(content)), rng.choice((1, 4, 8))
    return content[:at] + rng.choice((b"\xff", b"\0", b"\x7f", b"\x80"))[:1] * size + content[at + size :]


BYTES: Sequence[Damage] = (flip, flip, cut, delete, insert, double, exchange, overwrite)


# What is done to what has a form.

ODD_VALUES: Sequence[Any] = (
    None, True, False, -1, 0, 1, 0.5, -0.5, 1e308, float("nan"), float("inf"), float("-inf"), 10**30, -(10**30), 2**63,
    "", " ", "x", "nan", "../../etc/passwd", "\0", "\ud800", "\u2028", "a\nb", '"', "<", "http://a b/", "9" * 5000,
    [], {}, [[]], [None], {"": None}, {"a": [1]},
)  # fmt: skip
ODD_CELLS = (
    "", " ", "nan", "NaN", "inf", "-inf", "1e999", "1e-400", "-1", "0", "1.5", "2", "1_0", "+1", " 1", "0x1",
    "\u0661", "\u00b2", "1000000000000", "9" * 5000, "99999999999999999999", "x", "../x.png", "/etc/passwd", "\0",
    "\u2028", '"', "a\nb", "\t", ",", "=1+1", "true", "yes", "None", "{}", "\x1b[0m",
)  # fmt: skip


def recoded(rng: random.Random, content: bytes) -> bytes:
    """Save text in another encoding."""
    text = content.decode("utf-8", "replace")
    return text.encode(rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp1252", "utf-7")), "replace")


def json_value(rng: random.Random, content: bytes) -> bytes:
    """Replace, remove or bury a value of a JSON text."""
    try:
        root = json.loads(content)
    except ValueError:
        return flip(rng, content)
    places: list[tuple[Any, Any]] = []

    def visit(value: object) -> None:
        children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, child in children:
            places.append((value, key))
            visit(child)

    visit(root)
    if not places or rng.random() < 0.02:
        return rng.choice((b"[]", b"null", b"3", b'""', b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000))
    parent, key = rng.choice(places)
    what = rng.randrange(8)
    if what == 0:
        del parent[key]
    elif what == 1:
        deep: Any = parent[key]
        for _ in range(rng.choice((1, 90, 900))):
            deep = [deep]
        parent[key] = deep
    else:
        parent[key] = rng.choice(ODD_VALUES)
    return json.dumps(root, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def cells(delimiter: str) -> Damage:
    """Return a function that damages a table: a cell, a column, a row, the header."""

    def damage(rng: random.Random, content: bytes) -> bytes:
        rows = list(
            csv.reader(io.StringIO(content.decode("utf-8", "surrogateescape"), newline=""), delimiter=delimiter)
        )
        row = rng.randrange(len(rows))
        column = rng.randrange(len(rows[row])) if rows[row] else 0
        what = rng.randrange(8)
        if what == 0:
            rows = [[cell for place, cell in enumerate(each) if place != column] for each in rows]
        elif what == 1:
            rows[row] = rows[row][:column]
        elif what == 2:
            rows[row] = [*rows[row], rng.choice(ODD_CELLS)]
        elif what == 3:
            del rows[row]
        elif rows[row]:
            rows[row][column] = rng.choice(ODD_CELLS)
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator=rng.choice(("\n", "\r\n"))).writerows(rows)
        return text.getvalue().encode("utf-8", "surrogateescape")

    return damage


def arrays(rng: random.Random, content: bytes) -> bytes:
    """Change, reshape, rename or remove an array of an ``.npz``."""
    with np.load(io.BytesIO(content)) as file:
        found: dict[str, Any] = dict(file)
    name = rng.choice(sorted(found))
    array = found[name]
    what = rng.randrange(7)
    if what == 0:
        del found[name]
    elif what == 1:
        found[name] = array.astype(rng.choice(("S", "U", "c16", "?", "V9") if array.dtype.kind != "U" else ("S", "O")))
        if found[name].dtype.kind == "O":
            found[name] = np.zeros(array.shape)
    elif what == 2:
        found[name] = array.reshape(rng.choice(((-1,), (1, -1), (-1, 1))))
    elif what == 3:
        found[name] = array[:-1] if array.ndim and len(array) else np.zeros((0,) * 3)
    elif what == 4:
        other = rng.choice(sorted(found))
        found[name], found[other] = found[other], array
    elif array.dtype.kind in "iuf":
        changed = array.astype("f8") if rng.random() < 0.3 else array.copy()
        odd = rng.choice((np.nan, np.inf, -1.0, 2.0, 0.3, 1e300, -1e-3, 0.0, 2.0**62))
        with np.errstate(all="ignore"):
            changed.flat[rng.randrange(array.size)] = odd if changed.dtype.kind == "f" else np.array(odd).astype("i8")
        found[name] = changed
    else:
        text = str(array) if not array.ndim else None
        if text is not None:
            found[name] = np.array(json_value(rng, text.encode()).decode("utf-8", "surrogatepass"))
        else:
            changed = array.astype("U99")
            changed.flat[rng.randrange(array.size)] = rng.choice(("", "\ud800", "x", str(array.flat[0]), "a\nb", "\0a"))
            found[name] = changed
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **found)
    return file.getvalue()


def members(change: Damage | None = None, name: str = "") -> Damage:
    """Return a function that damages a zip: swaps, removes, repeats or empties members, or changes a named one."""

    def damage(rng: random.Random, content: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = {entry: archive.read(entry) for entry in archive.namelist()}
        names = sorted(found)
        one, two = rng.choice(names), rng.choice(names)
        what = rng.randrange(5)
        if change is not None and what < 3:
            found[name] = change(rng, found[name])
        elif what == 3:
            found[one], found[two] = found[two], found[one]
        elif what == 4:
            del found[one]
        else:
            found[one] = found[one][: rng.randrange(len(found[one]) + 1)]
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
            for entry, data in found.items():
                archive.writestr(entry, data)
        return file.getvalue()

    return damage


def packed(change: Damage) -> Damage:
    """Return a function that damages the content of a gzip file."""
    return lambda rng, content: gzip.compress(change(rng, gzip.decompress(content)), 1, mtime=0)


def any_of(*damages: Damage) -> Damage:
    """Return a function that picks one of several."""
    return lambda rng, content: rng.choice(damages)(rng, content)


def rows_of_sqlite(rng: random.Random, content: bytes) -> bytes:
    """Write odd values into an SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "d"
        path.write_bytes(content)
        database = sqlite3.connect(path)
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        table = rng.choice(sorted(tables))
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        odd = rng.choice(
            (None, -1, 0, 1e999, "x", "", b"\xff\x00", "/c/en", "9" * 99, 2**62, "/c/en/a b", "/c/en/<", '["en"]')
        )
        try:
            if rng.random() < 0.1:
                database.execute(f"DROP TABLE {table}")
            else:
                some = "" if rng.random() < 0.5 else f" WHERE rowid % 2 = {rng.randrange(2)}"
                database.execute(f"UPDATE OR IGNORE {table} SET {rng.choice(columns)} = ?{some}", (odd,))
            database.commit()
        except sqlite3.Error:
            return flip(rng, content)
        finally:
            database.close()
        return path.read_bytes()
