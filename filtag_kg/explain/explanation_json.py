"""An explanation as JSON, with keys that stay as they are: ``docs/explaining.md`` lists them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import groupby

from filtag_kg.explain.classification import Explanation
from filtag_kg.explain.evidence import Evidence
from filtag_kg.explain.support import Support
from filtag_kg.explain.why_not import Carriers, WhyNot

__all__ = ["explanation_json"]


def explanation_json(found: Explanation) -> str:
    """Return an explanation as the text of a JSON object, with a newline at its end."""
    answer = {
        "image": {"name": found.image, "sha256": found.image_sha256},
        "network": found.network,
        "rule": found.rule,
        "run": found.run_id,
        "predictions": [
            {"class_id": best.class_id, "label": best.label, "confidence": best.confidence}
            for best in found.predictions
        ],
        "active": found.n_active,
        "tagged": found.n_tagged,
        "support": None if found.support is None else _support(found.support),
        "tags": _evidence(found.labels, "class_id"),
        "concepts": _evidence(found.concepts, "concept"),
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
                    for filter_ in of_layer
                ],
            }
            for (index, layer), of_layer in groupby(found.active, lambda filter_: (filter_.layer_index, filter_.layer))
        ],
        "why_not": None if found.why_not is None else _why_not(found.why_not),
    }
    return json.dumps(answer, indent=2, ensure_ascii=False) + "\n"


def _support(support: Support) -> Mapping[str, object]:
    return {
        "class_id": support.class_id,
        "label": support.label,
        "filters": support.filters,
        "active": support.active,
        "rank": support.rank,
        "classes": support.classes,
        "p_filters": support.p_filters,
        "p_classes": support.p_classes,
        "supported": support.supported,
    }


def _evidence(rows: Iterable[Evidence], identity: str) -> list[Mapping[str, object]]:
    return [{identity: row.id, "label": row.label, "filters": row.filters, "layers": list(row.layers)} for row in rows]


def _why_not(contrasted: WhyNot) -> Mapping[str, object]:
    return {
        "why": {**_support(contrasted.why), "confidence": contrasted.why_confidence},
        "not": {**_support(contrasted.why_not), "confidence": contrasted.why_not_confidence},
        "only_why": _carriers(contrasted.only_why),
        "only_not": _carriers(contrasted.only_why_not),
        "both": _carriers(contrasted.both),
    }


def _carriers(carriers: Carriers) -> Mapping[str, object]:
    return {
        "filters": [{"layer": layer, "filter": index} for layer, index in carriers.filters],
        "layers": [{"layer": layer, "filters": count} for layer, count in carriers.layers],
        "concepts": _evidence(carriers.concepts, "concept"),
    }
