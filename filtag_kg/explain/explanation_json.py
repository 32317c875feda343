"""An explanation as JSON; ``docs/explaining.md`` lists the keys, which are stable."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import groupby

from filtag_kg.explain.classification import Explanation
from filtag_kg.explain.evidence import Evidence
from filtag_kg.explain.support import Support
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
        "concepts": _evidence(explanation.concepts, "concept"),
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
    }
    return json.dumps(answer, indent=2, ensure_ascii=False) + "\n"


def _support(support: Support) -> Mapping[str, object]:
    return {**asdict(support), "supported": support.supported}


def _evidence(rows: Iterable[Evidence], identity: str) -> list[Mapping[str, object]]:
    return [{identity: row.id, "label": row.label, "filters": row.filters, "layers": list(row.layers)} for row in rows]


def _why_not(why_not: WhyNot) -> Mapping[str, object]:
    return {
        "why": {**_support(why_not.why), "confidence": why_not.why_confidence},
        "not": {**_support(why_not.why_not), "confidence": why_not.why_not_confidence},
        "only_why": _carriers(why_not.only_why),
        "only_not": _carriers(why_not.only_why_not),
        "both": _carriers(why_not.both),
    }


def _carriers(carriers: Carriers) -> Mapping[str, object]:
    return {
        "filters": [{"layer": layer, "filter": index} for layer, index in carriers.filters],
        "layers": [{"layer": layer, "filters": count} for layer, count in carriers.layers],
        "concepts": _evidence(carriers.concepts, "concept"),
    }
