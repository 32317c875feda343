"""The formats of labels made by other methods: a reader each, and the table of them.

A new format is a module with its :class:`~filtag_kg.tags.labels.LabelFormat` and a line in the table.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from filtag_kg.csv_table import read_text
from filtag_kg.errors import FiltagError
from filtag_kg.tags.clip_dissect_labels import CLIP_DISSECT
from filtag_kg.tags.falcon_labels import FALCON
from filtag_kg.tags.filtag_labels import FILTAG
from filtag_kg.tags.invert_labels import INVERT
from filtag_kg.tags.label_table import FileLabels, Known, label_table
from filtag_kg.tags.labels import Label, LabelFile, LabelFormat, Unreadable
from filtag_kg.tags.milan_labels import MILAN
from filtag_kg.tags.netdissect_labels import NETDISSECT
from filtag_kg.tags.plain_labels import PLAIN
from filtag_kg.tags.summit_labels import SUMMIT
from filtag_kg.tags.table import TagTable

_LOGGER = logging.getLogger(__name__)
_BEGINNING = 65_536
"""Characters of a file that tell its format."""
_MOST_NAMED = 5
_LONGEST_NAME = 2_000
"""Characters. The longest descriptions have a few hundred, and each class has pages, IRIs and files of its name."""

LABEL_FORMATS: Mapping[str, LabelFormat] = {
    "filtag": FILTAG,
    "netdissect": NETDISSECT,
    "clip-dissect": CLIP_DISSECT,
    "milan": MILAN,
    "invert": INVERT,
    "falcon": FALCON,
    "summit": SUMMIT,
    "csv": PLAIN,
}
"""The formats, by their names."""


@dataclass(frozen=True, slots=True, eq=False)
class ImportedLabels:
    """The labels of one method.

    Parameters
    ----------
    tags : TagTable
        With a single rule, the method's name, unless the file or the user names another.
    method : str
        The name of the format.
    score_meaning : str or None
        What its scores measure; None where it gives none.
    """

    tags: TagTable
    method: str
    score_meaning: str | None


def read_labels(
    paths: Path | Sequence[Path],
    format_: str | None = None,
    *,
    class_names: Mapping[str, str] | None = None,
    known: Known | None = None,
    layers: Sequence[str] = (),
    network: str = "imported",
    name: str | None = None,
    strict: bool = False,
) -> ImportedLabels:
    """Read the labels that another method gave to filters.

    A label becomes a class. Its id is the WordNet id that the file gives; else that of the known class with this label;
    else what the file gives as its id; else the label itself. Of one label that a filter has twice, the better score
    counts.

    Parameters
    ----------
    paths : Path or sequence of Path
        Files of one method, such as those of several layers.
    format_ : str, optional
        One of :data:`LABEL_FORMATS`; left out, the files' beginnings tell.
    class_names : mapping of class id to label, optional
        Classes that the run has, whether they label a filter or not. FILTAG's files label with nothing else.
    known : Known, optional
        The layers and classes of the network, where these are known. A filter or layer beyond them is an error.
    layers : sequence of str
        The name of the layer, one for all files or one for each, where a file does not say it or calls it differently.
    network : str
        Name of the network in identifiers.
    name : str, optional
        What the run is to be called.
    strict : bool
        Whether a row that cannot be read is an error; otherwise it is left out, and logged.

    Raises
    ------
    FiltagError
        If there is no such format or a file is of none or several, a name is empty, a file is missing, or no row of it
        can be read, or it does not fit what is known.
    """
    if format_ is not None and format_ not in LABEL_FORMATS:
        raise FiltagError(f"no label format {format_!r}: choose one of {', '.join(LABEL_FORMATS)}")
    if "" in (network, name, *layers):
        raise FiltagError("the name of the network, layer or run is empty: give one, or leave it out")
    files = [_open(path) for path in ([paths] if isinstance(paths, Path) else paths)]
    if len(layers) > 1 and len(layers) != len(files):
        raise FiltagError(
            f"{len(layers)} layers are named for {len(files)} files: name one for each", options=("layer",)
        )
    names = {str(file.path): format_ or recognise(file) for file in files}
    if len(set(names.values())) > 1:
        found = ", ".join(f"{path} of {method}" for path, method in names.items())
        raise FiltagError(f"the files are of several methods ({found}): import each method on its own")
    chosen = LABEL_FORMATS[next(iter(names.values()))]
    rules = sorted({chosen.rule_of(file) for file in files}) if chosen.rule_of is not None else [chosen.method]
    if len(rules) > 1:
        raise FiltagError(f"the files are of several rules ({', '.join(rules)}): import each on its own")
    read = [
        FileLabels(
            file.path, _readable(file, chosen, strict=strict), layers[min(index, len(layers) - 1)] if layers else None
        )
        for index, file in enumerate(files)
    ]
    tags = label_table(
        read,
        rule=name or rules[0],
        rank=1 if rules[0] == "k=1" else 0,
        class_names=class_names,
        known=known,
        network=network,
        classes_alone=chosen is FILTAG and class_names is not None,
        strict=strict,
    )
    scored = bool((tags.score == tags.score).any())
    return ImportedLabels(tags, chosen.method, chosen.score_meaning if scored else None)


def read_filtag_labels(
    path: Path,
    *,
    class_names: Mapping[str, str] | None = None,
    layer: str | None = None,
    network: str = "imported",
) -> TagTable:
    """Read the tags of one layer from a file of FILTAG's authors; any row that cannot be read is an error.

    Parameters
    ----------
    class_names : mapping of class id to label, optional
        All classes of the run. Labels are matched with their case (*Cardigan* is a dog, *cardigan* a garment).
        A label that several classes share stands for them in turn, in the mapping's order: the first time the file
        names it, for the first class, then for the second. Left out, the classes are the labels in the file, which
        are then their ids, too.
    layer : str, optional
        Name of the layer; left out, it is taken from a file name like ``tags-conv5_3-k1.txt``, else the name's stem.
    network : str
        Name of the network in identifiers.

    Returns
    -------
    TagTable
        Without activations, which the file does not give, and with ranks only where k = 1.

    Raises
    ------
    FiltagError
        If the file is missing or malformed, or names a label that `class_names` does not have.
    """
    layers = () if layer is None else (layer,)
    return read_labels(path, "filtag", class_names=class_names, layers=layers, network=network, strict=True).tags


def recognise(file: LabelFile) -> str:
    """Return the name of the format of a file.

    Raises
    ------
    FiltagError
        If it is of none, or of several.
    """
    beginning = file.text[:_BEGINNING]
    names = [name for name, format_ in LABEL_FORMATS.items() if format_.recognises(beginning)]
    if len(names) == 1:
        return names[0]
    known = "; ".join(f"{name} has {LABEL_FORMATS[name].looks}" for name in names or LABEL_FORMATS)
    problem = "may be of several formats" if names else "is of no format of labels"
    raise FiltagError(f"{file.path} {problem}: {known}; name its format", options=("format_",))


def _open(path: Path) -> LabelFile:
    try:
        return LabelFile(path, read_text(path))
    except FileNotFoundError:
        raise FiltagError(f"no label file at {path}: check the path") from None
    except (OSError, UnicodeError) as error:
        raise FiltagError(f"{path} cannot be read as text ({error}): give a file of labels, in UTF-8") from None


def _readable(file: LabelFile, format_: LabelFormat, *, strict: bool) -> list[Label]:
    """Return the labels of a file; note rows that cannot be read, or refuse the first of them."""
    labels: list[Label] = []
    unreadable: list[Unreadable] = []
    for row in format_.read(file):
        if isinstance(row, Unreadable):
            unreadable.append(row)
        elif (problem := _problem_of_names(row)) is not None:
            unreadable.append(Unreadable(row.where, problem))
        else:
            labels.append(row)
    if not labels and not unreadable:
        raise FiltagError(
            f"{file.path} has no labels as {format_.method} writes them: it needs {format_.looks}, and rows",
            options=("format_",),
        )
    if unreadable and strict:
        raise FiltagError(f"{file.path}, {unreadable[0].where}: {unreadable[0].problem}")
    if not labels:
        first, rows = unreadable[0], _counted(len(unreadable))
        raise FiltagError(f"{file.path}: none of {rows} can be read; {first.where}: {first.problem}")
    _note_left_out(file.path, unreadable)
    return labels


def _problem_of_names(label: Label) -> str | None:
    """Return what is wrong with the names that a label has."""
    if label.layer == "":
        return "its layer has no name"
    for what, name in (("label", label.label), ("class id", label.class_id), ("layer", label.layer)):
        if name is not None and len(name) > _LONGEST_NAME:
            return f"a {what} of {len(name):,} characters, {name[:40]!r}…, is longer than {_LONGEST_NAME:,}"
    return None


def _note_left_out(path: Path, unreadable: Sequence[Unreadable]) -> None:
    """Log which rows were left out: the first few and how many."""
    if not unreadable:
        return
    named = "; ".join(f"{row.where}: {row.problem}" for row in unreadable[:_MOST_NAMED])
    more = "; …" if len(unreadable) > _MOST_NAMED else ""
    _LOGGER.warning("%s: left out %s that cannot be read: %s%s", path, _counted(len(unreadable)), named, more)


def _counted(rows: int) -> str:
    return f"{rows:,} row{'s' if rows != 1 else ''}"
