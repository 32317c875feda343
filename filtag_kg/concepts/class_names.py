"""Read a file of class names: the ids and labels of a data set's classes."""

from __future__ import annotations

from pathlib import Path

from filtag_kg.errors import FiltagError

__all__ = ["class_names"]


def class_names(path: Path | str) -> dict[str, str]:
    """Return class id -> label, in the file's order.

    Each line holds one class: its id, a tab, comma or space, and its label (``n01440764, tench``). Empty
    lines are passed over. Labels may occur twice: ImageNet has two classes named *crane*.

    Raises
    ------
    FiltagError
        If the file cannot be read as UTF-8 text, a line is not such a pair, an id occurs twice, or there is
        no class.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
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
        separator = next((mark for mark in "\t," if mark in line), None)
        class_id, *rest = (field.strip() for field in line.strip().split(separator, maxsplit=1))
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
