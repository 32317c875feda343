"""Read links that a person has decided on, from SSSOM/TSV: ``links.sssom.tsv``, reviewed and fed back.

The file may be as a spreadsheet writes it: with semicolons or commas, in UTF-16, lines sorted, columns moved. Read are
the class (``subject_id``), the concept (``object_id``, or ``sssom:NoTermFound`` for a class without one), and, if
present, ``predicate_id``, ``confidence``, ``mapping_justification``, ``match_string`` and ``predicate_modifier``. A
class may have several rows: all its links.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filtag_kg.csv_table import read_sheet, read_text
from filtag_kg.errors import FiltagError
from filtag_kg.names import name_in_path, nfc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from filtag_kg.concepts.source import ConceptSource

BY_HAND = "semapv:ManualMappingCuration"
_JUSTIFICATION = re.compile(r"semapv:[A-Za-z]+")
# Predicates by which a class lies at or below its concept, or shows it among other things.
_PREDICATES = ("skos:exactMatch", "skos:closeMatch", "skos:broadMatch", "skos:relatedMatch")
_NOTHING = "https://w3id.org/sssom/NoTermFound"
_PREFIXES = {"pwn30": "http://wordnet-rdf.princeton.edu/pwn30/", "sssom": "https://w3id.org/sssom/"}


@dataclass(frozen=True, slots=True)
class CuratedLink:
    """What a class means, according to a file.

    Parameters
    ----------
    concept : str or None
        IRI of the concept; None for a class that gets no link.
    confidence : float, in (0, 1]
    justification, predicate : str
        CURIEs of SSSOM's slots.
    text : str
        The words of the label that it is about; empty for the whole label.
    negated : bool
        Whether the label excludes the concept.
    """

    concept: str | None
    confidence: float = 1.0
    justification: str = BY_HAND
    predicate: str = _PREDICATES[0]
    text: str = ""
    negated: bool = False


def read_curated_links(
    path: Path, class_ids: Sequence[str], source: ConceptSource
) -> Mapping[str, tuple[CuratedLink, ...]]:
    """Return the links of an SSSOM/TSV file, by class id, in its order; rows about classes not of the run are ignored.

    Parameters
    ----------
    class_ids : sequence of str
        Of the run. A row's class is the last part of its ``subject_id``, percent-decoded.
    source : ConceptSource
        It must have the concepts.

    Raises
    ------
    FiltagError
        If the file cannot be read, is not SSSOM/TSV, or a row is wrong: with the line.
    """
    prefixes, rows = _read_sssom(path)
    known = {nfc(class_id): class_id for class_id in class_ids}
    links: dict[str, list[CuratedLink]] = {}
    for where, row in rows:
        class_id = known.get(nfc(name_in_path(re.split(r"[/#:]", row["subject_id"])[-1])))
        if class_id is None:
            continue
        link, others = _link(row, prefixes, source, where), links.setdefault(class_id, [])
        if any((other.concept, other.text) == (link.concept, link.text) for other in others):
            raise FiltagError(f"{where}: class {class_id!r} has this link already: leave one")
        if any((other.concept is None) != (link.concept is None) for other in others):
            raise FiltagError(f"{where}: class {class_id!r} cannot have a link and sssom:NoTermFound: leave one")
        others.append(link)
    return {class_id: tuple(of_class) for class_id, of_class in links.items()}


def check_sssom(path: Path) -> None:
    """Make sure that a file is SSSOM/TSV, and that every link has two ends and a confidence in (0, 1].

    Raises
    ------
    FiltagError
        If it is not: with the line.
    """
    for where, row in _read_sssom(path)[1]:
        if not row["subject_id"] or not row["object_id"]:
            raise FiltagError(f"{where}: a link without subject_id or object_id: correct or remove the line")
        _confidence(row, where)


def _read_sssom(path: Path) -> tuple[Mapping[str, str], list[tuple[str, Mapping[str, str]]]]:
    """Return the prefixes of an SSSOM/TSV file and its rows, each with its file and line."""
    try:
        sheet = read_sheet(read_text(path), ("subject_id", "object_id"))
    except OSError as error:
        raise FiltagError(f"cannot read the links {path} ({error.strerror}): name an SSSOM/TSV file") from None
    except UnicodeDecodeError:
        raise FiltagError(f"cannot read the links {path}: save the file as UTF-8 text") from None
    except csv.Error as error:
        raise FiltagError(f"{path} cannot be read as TSV ({error}): correct it") from None
    if sheet is None:
        raise FiltagError(f"{path} is not SSSOM/TSV: it needs a line of column names with subject_id and object_id")
    prefixes = _PREFIXES | _curie_map(sheet.comments, path)
    return prefixes, [(f"{path}, line {line}", row) for line, row in sheet.rows]


def _confidence(row: Mapping[str, str], where: str) -> float:
    text = row.get("confidence") or "1"
    try:
        # In half of the world spreadsheets write 0,95, and anywhere they may write 95%.
        confidence = float(text.rstrip("% ").replace(",", ".")) / (100 if text.endswith("%") else 1)
    except ValueError:
        confidence = 0.0
    if not 0 < confidence <= 1:
        raise FiltagError(f"{where}: confidence {row['confidence'][:60]!r} is not a number above 0 and at most 1")
    return confidence


def _link(row: Mapping[str, str], prefixes: Mapping[str, str], source: ConceptSource, where: str) -> CuratedLink:
    prefix, _, rest = row["object_id"].partition(":")
    concept = prefixes[prefix] + rest if prefix in prefixes else row["object_id"]
    predicate = row.get("predicate_id") or _PREDICATES[0]
    justification = row.get("mapping_justification") or BY_HAND
    confidence = _confidence(row, where)
    if predicate not in _PREDICATES:
        raise FiltagError(f"{where}: no predicate {predicate[:60]!r} here: choose {' or '.join(_PREDICATES)}")
    if not _JUSTIFICATION.fullmatch(justification):
        raise FiltagError(f"{where}: {justification[:60]!r} is not a justification: write {BY_HAND}")
    if concept == _NOTHING:
        return CuratedLink(None)
    try:
        source.concept(concept)
    except KeyError:
        raise FiltagError(
            f"{where}: {source.name} has no concept {row['object_id'][:200]!r}: look it up, or write sssom:NoTermFound"
        ) from None
    negated = row.get("predicate_modifier", "") == "Not"
    return CuratedLink(concept, confidence, justification, predicate, row.get("match_string", ""), negated)


def _curie_map(comments: Sequence[str], path: Path) -> dict[str, str]:
    """Return the prefixes that the header declares; the header is YAML behind ``#``."""
    import yaml

    try:
        # All scalars are read as text, so an odd date or number is not an error.
        header = yaml.load("\n".join(comments), Loader=yaml.BaseLoader)  # noqa: S506 - it creates no objects
    except (yaml.YAMLError, RecursionError):
        raise FiltagError(f"{path}: the lines that begin with # are not YAML: write them as SSSOM does") from None
    declared = header.get("curie_map") if isinstance(header, dict) else None
    if not isinstance(declared, dict):
        return {}
    return {prefix: base for prefix, base in declared.items() if isinstance(prefix, str) and isinstance(base, str)}
