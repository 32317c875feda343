"""Write links as SSSOM/TSV, the Simple Standard for Sharing Ontological Mappings.

The file starts with the metadata of the mapping set as commented YAML, then has one row a link, sorted by
subject; of a class with several links, the best comes first. A class without a link has no row; the header's comment
counts them. What else an ambiguous label may mean stands in the row's comment.

Two more columns appear where a label is a description or a formula: ``match_string``, the words of the label that the
row is about, and ``predicate_modifier``, which is ``Not`` for what the label excludes.

References
----------
Matentzoglu et al. 2022, A Simple Standard for Sharing Ontological Mappings (SSSOM); https://w3id.org/sssom
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from filtag_kg.concepts.doubt import concept_text
from filtag_kg.csv_table import csv_writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from filtag_kg.concepts.links import Link, Links
    from filtag_kg.concepts.source import ConceptSource

TOOL = "filtag-kg"
SSSOM_COLUMNS = (
    "subject_id",
    "subject_label",
    "predicate_id",
    "object_id",
    "object_label",
    "mapping_justification",
    "object_source_version",
    "mapping_tool",
    "confidence",
    "comment",
)
_COLUMNS_OF_PARTS = ("predicate_modifier", "match_string")
_PREFIXES = {
    "pwn30": "http://wordnet-rdf.princeton.edu/pwn30/",
    "semapv": "https://w3id.org/semapv/vocab/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
}


def sssom_text(links: Links, source: ConceptSource, *, class_iri: Callable[[str], str], mapping_set_id: str) -> str:
    """Return links as SSSOM/TSV.

    Parameters
    ----------
    links : Links
        The links.
    source : ConceptSource
        The source of the concepts, for its version and licence.
    class_iri : callable
        The IRI of a class id. Where all IRIs share what stands before their last ``/`` or ``#``, they are
        shortened with the prefix ``class``, which the header declares.
    mapping_set_id : str
        IRI that identifies this set of links.
    """
    subjects = {class_id: class_iri(class_id) for class_id in links}
    bases = {iri[: max(iri.rfind("/"), iri.rfind("#")) + 1] for iri in subjects.values()}
    prefixes = {**_PREFIXES, **({"class": bases.pop()} if len(bases) == 1 else {})}
    metadata = {
        "mapping_set_id": mapping_set_id,
        "license": source.licence,
        "comment": f"{len(links)} of {len(links.class_ids)} classes are linked",
    }
    text = io.StringIO()
    text.write("#curie_map:\n")
    # JSON strings are YAML strings, whatever characters an IRI brings.
    text.writelines(f"#  {prefix}: {json.dumps(base)}\n" for prefix, base in sorted(prefixes.items()))
    text.writelines(f"#{slot}: {json.dumps(value, ensure_ascii=False)}\n" for slot, value in metadata.items())
    versions = {member.name: f"{member.name} {member.version}" for member in source.members}
    rows = csv_writer(text, delimiter="\t")
    has_parts = any(link.text or link.negated for link in links.links)
    rows.writerow((*SSSOM_COLUMNS, *_COLUMNS_OF_PARTS) if has_parts else SSSOM_COLUMNS)
    for link in sorted(links.links, key=lambda link: subjects[link.class_id]):
        rows.writerow(
            [
                _shortened(subjects[link.class_id], prefixes),
                # A line of its own that begins with # would be a comment to readers of SSSOM.
                " ".join(link.class_label.splitlines()),
                link.predicate,
                _shortened(link.concept, prefixes),
                link.label,
                link.justification,
                versions[source.concept(link.concept).source],
                "" if link.by_hand else TOOL,
                f"{link.confidence:.6g}",
                _what_else(link, source),
                *(("Not" if link.negated else "", " ".join(link.text.splitlines())) if has_parts else ()),
            ]
        )
    return text.getvalue()


def _what_else(link: Link, source: ConceptSource) -> str:
    """Return what else a label may mean, for a reviewer: at most three concepts, with what lies above them."""
    texts = [f"{concept_text(other, source)} <{other}> {confidence:.2g}" for other, confidence in link.others[:3]]
    return f"or: {'; '.join(texts)}" if texts else ""


def _shortened(iri: str, prefixes: dict[str, str]) -> str:
    """Return an IRI as a CURIE where a prefix leaves a plain name."""
    for prefix, base in prefixes.items():
        rest = iri.removeprefix(base)
        if iri.startswith(base) and rest and not set(rest) & set("/#?"):
            return f"{prefix}:{rest}"
    return iri
