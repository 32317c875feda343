"""Read files that name classes: the ids and labels of a data set's classes, or of a network's outputs."""

from __future__ import annotations

import re
from pathlib import Path

from filtag_kg.csv_table import read_text, text_lines
from filtag_kg.errors import FiltagError
from filtag_kg.names import nfc


def class_names(path: Path | str) -> dict[str, str]:
    """Return the label of each class id, in the file's order.

    Each line holds one class: its id, a tab, comma, semicolon or space, and its label (``n01440764, tench``). Either
    may be quoted as spreadsheets do. Empty lines are skipped. Labels may occur twice: ImageNet has two classes named
    *crane*.

    Raises
    ------
    FiltagError
        If the file cannot be read as UTF-8 text, a line is not such a pair, an id occurs twice, or there is
        no class.
    """
    path = Path(path)
    try:
        lines = text_lines(read_text(path))
    except OSError as error:
        raise FiltagError(
            f"cannot read the class names {path} ({error.strerror}): name a file of lines 'id, label'"
        ) from None
    except UnicodeDecodeError:
        raise FiltagError(f"cannot read the class names {path}: save the file as UTF-8 text") from None
    names: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        plain = _unquoted(line.strip())
        # A label may contain semicolons; one that separates follows an id without spaces.
        separators = ("\t", ";", ",") if re.match(r"[^\t,;\s]+\s*;", plain) else ("\t", ",")
        separator = next((mark for mark in separators if mark in plain), None)
        class_id, *rest = (nfc(_unquoted(field.strip())) for field in plain.split(separator, maxsplit=1))
        label = " ".join("".join(rest).split())
        if not class_id or not label:
            raise FiltagError(
                f"{path}, line {number}: {line.strip()[:60]!r} is not a class: write its id, a comma and its label"
            )
        if class_id in names:
            raise FiltagError(f"{path}, line {number}: class id {class_id!r} occurs twice: give each class one line")
        names[class_id] = label
    if not names:
        raise FiltagError(f"{path} names no class: write one 'id, label' a line")
    return names


def classes_in_order(path: Path | str) -> dict[str, str]:
    """Return the label of each class of a network, in the order of its outputs; an empty one where none is given.

    Each line holds one class id; a label may follow it after a comma or a tab.

    Raises
    ------
    FiltagError
        If the file cannot be read as UTF-8 text, an id is empty or occurs twice, or there is no class.
    """
    path = Path(path)
    try:
        lines = text_lines(read_text(path))
    except OSError as error:
        raise FiltagError(f"cannot read the classes in {path} ({error.strerror}): check the path") from None
    except UnicodeDecodeError:
        raise FiltagError(f"{path} is not text in UTF-8: give a class id a line") from None
    advice = "give one class id a line, in the order of the network's outputs"
    labels: dict[str, str] = {}
    for line in lines:
        if not line.strip():
            continue
        class_id, *label = (_unquoted(part.strip()) for part in re.split(r"[,\t]", nfc(line), maxsplit=1))
        if not class_id:
            raise FiltagError(f"{path} names no class, or an empty one: {advice}")
        if class_id in labels:
            raise FiltagError(f"{path} names {class_id!r} twice: {advice}")
        labels[class_id] = " ".join("".join(label).split())
    if not labels:
        raise FiltagError(f"{path} names no class, or an empty one: {advice}")
    return labels


def _unquoted(text: str) -> str:
    """Return a cell without the quotes that a spreadsheet put around it."""
    quoted = len(text) > 1 and text[0] == text[-1] == '"' and '"' not in text[1:-1].replace('""', "")
    return text[1:-1].replace('""', '"').strip() if quoted else text
