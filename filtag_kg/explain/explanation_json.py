"""An explanation as JSON; ``docs/how-to/explaining.md`` lists the keys, which are stable."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby

from filtag_kg.explain.class_evidence import ClassEvidence
from filtag_kg.explain.classification import Explanation
from filtag_kg.explain.evidence import Evidence
from filtag_kg.explain.kg_evidence import ImageEvidence, PairEvidence
from filtag_kg.explain.support import Support
from filtag_kg.explain.supporters import WeightedFilter
from filtag_kg.explain.verdict import verdict
from filtag_kg.explain.why_not import Carriers, WhyNot


def explanation_json(explanation: Explanation) -> str:
    """Return an explanation as the text of a JSON object that ends with a newline."""
    answer = {
        "image": {"name": explanation.image, "sha256": explanation.image_sha256},
        "network": explanation.network,
        "rule": explanation.rule,
        "run": explanation.run_id,
        "predictions": [asdict(prediction) for prediction in explanation.predictions],
        "active": explanation.n_active,
        "tagged": explanation.n_tagged,
        "support": None if explanation.support is None else _support(explanation.support),
        "tags": _evidence(explanation.labels, "class_id"),
        "concepts": _concepts(explanation.concepts),
        "layers": [
            {
                "layer_index": index,
                "layer": layer,
                "filters": [
                    {
                        "filter": filter_.filter,
                        "activation": filter_.activation,
                        "tags": [{"class_id": class_id, "label": label} for class_id, label in filter_.tags],
                        "concepts": [{"concept": concept, "label": label} for concept, label in filter_.concepts],
                    }
                    for filter_ in filters
                ],
            }
            for (index, layer), filters in groupby(
                explanation.active, lambda filter_: (filter_.layer_index, filter_.layer)
            )
        ],
        "why_not": None if explanation.why_not is None else _why_not(explanation.why_not),
        "by": explanation.by,
        "verdict": list(verdict(explanation)),
        "evidence": None if explanation.evidence is None else _class_evidence(explanation.evidence),
        "regions_of": [
            {"kind": each.kind, "id": each.id, "label": each.label, "filters": _weighted(each.filters)}
            for each in explanation.regions_of
        ],
        "notes": list(explanation.notes),
    }
    return json.dumps(answer, indent=2, ensure_ascii=False) + "\n"


def _support(support: Support) -> Mapping[str, object]:
    return {**asdict(support), "supported": support.supported}


def _evidence(rows: Iterable[Evidence], identity: str) -> list[dict[str, object]]:
    return [{identity: row.id, "label": row.label, "filters": row.filters, "layers": list(row.layers)} for row in rows]


def _concepts(rows: Sequence[Evidence]) -> list[dict[str, object]]:
    return [
        said | {"basis": row.basis, "observed": row.observed, "expected": row.expected, "score": row.score}
        for said, row in zip(_evidence(rows, "concept"), rows, strict=True)
    ]


def _class_evidence(evidence: ImageEvidence) -> Mapping[str, object]:
    return {
        "layers": list(evidence.layers),
        "filters": evidence.filters,
        "references": evidence.references,
        "predicted": None if evidence.predicted is None else _judged(evidence.predicted),
        "first": [_judged(each) for each in evidence.first],
    }


def _judged(class_: ClassEvidence) -> Mapping[str, object]:
    return {**asdict(class_), "supported": class_.supported}


def _weighted(filters: Iterable[WeightedFilter]) -> list[Mapping[str, object]]:
    return [asdict(each) for each in filters]


def _pair(evidence: PairEvidence) -> Mapping[str, object]:
    return {
        "log_ratio": evidence.log_ratio,
        "for_why": _weighted(evidence.for_why),
        "for_not": _weighted(evidence.for_why_not),
        "why_concepts": [asdict(each) for each in evidence.why_concepts],
        "not_concepts": [asdict(each) for each in evidence.why_not_concepts],
    }


def _why_not(why_not: WhyNot) -> Mapping[str, object]:
    return {
        "why": {**_support(why_not.why), "confidence": why_not.why_confidence},
        "not": {**_support(why_not.why_not), "confidence": why_not.why_not_confidence},
        "only_why": _carriers(why_not.only_why),
        "only_not": _carriers(why_not.only_why_not),
        "both": _carriers(why_not.both),
        "evidence": None if why_not.evidence is None else _pair(why_not.evidence),
    }


def _carriers(carriers: Carriers) -> Mapping[str, object]:
    return {
        "filters": [{"layer": layer, "filter": index} for layer, index in carriers.filters],
        "layers": [{"layer": layer, "filters": count} for layer, count in carriers.layers],
        "concepts": _evidence(carriers.concepts, "concept"),
    }
