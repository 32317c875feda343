"""What a KG says of one thing, for an assistant: the words and figures of pages and terminal, as JSON.

A list that may be long is ``{"total": …, "items": […]}``, so it never looks whole when it is not.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from filtag_kg.concepts import ConceptInLayer
from filtag_kg.kg import KgRun, attribution_of, licences_of_own_data
from filtag_kg.server.assistant.pictures import filter_pictures
from filtag_kg.server.jobs import Answer, ViewJob
from filtag_kg.views import (
    SOURCE_TEXTS,
    FilterLine,
    FilterRun,
    FilterView,
    InCommon,
    LoadedKg,
    Match,
    NetworkLayers,
    RunResults,
    SearchIndex,
    TaggedFilter,
    ablation_text,
    chance_text,
    classes_named,
    concepts_named,
    count_clear,
    filter_name,
    named_filter,
    rule_sentence,
    statement_text,
    surest_first,
)

Record = dict[str, Any]
_T = TypeVar("_T")


def make_view(loaded: LoadedKg, index: SearchIndex, job: ViewJob) -> Answer:
    """Return what the KG says, as JSON.

    Raises
    ------
    FiltagError
        If the KG has no such thing.
    """
    arguments = job.arguments
    pictures: list[tuple[str, bytes]] = []
    match job.view:
        case "overview":
            record = _overview(loaded)
        case "search":
            record = _found(loaded, index, arguments["words"], arguments["limit"])
        case "filter":
            record = _filter(loaded, arguments)
        case "pictures":
            network = loaded.network_named(arguments.get("network"))
            view = named_filter(loaded, network, arguments["layer"], arguments["filter"])
            record, pictures = filter_pictures(view, arguments["most"])
        case "layer":
            record = _layer(loaded, arguments)
        case "class":
            class_ids = classes_named(arguments["class"], loaded.concepts.class_ids, loaded.concepts.class_labels)
            record = {"classes": [_class(loaded, class_id, arguments) for class_id in class_ids]}
        case _:
            iris = concepts_named(loaded, arguments["concept"])
            record = {"concepts": [_concept(loaded, iri, arguments) for iri in iris]}
    encoded = [(media_type, base64.b64encode(content).decode("ascii")) for media_type, content in pictures]
    return Answer("ok", kind="view", format_="json", body=json.dumps([record, encoded]).encode())


def _some(items: Sequence[_T], most: int, record: Callable[[_T], Record]) -> Record:
    return {"total": len(items), "items": [record(item) for item in items[:most]]}


def _network_and_run(loaded: LoadedKg, arguments: Mapping[str, Any]) -> tuple[NetworkLayers, RunResults]:
    network = loaded.network_named(arguments.get("network"))
    return network, loaded.run_named(arguments.get("rule"), network.network)


def _rule(run: KgRun) -> Record:
    return {"rule": run.rule, "what_it_does": rule_sentence(run)}


# The KG


def _overview(loaded: LoadedKg) -> Record:
    manifest = loaded.kg.manifest
    attribution = attribution_of(manifest)
    images = manifest["inputs"].get("profile", {}).get("images", {})
    return {
        "kg": manifest["id"],
        "title": attribution.title,
        "by": list(attribution.creators),
        "built": manifest["built"],
        "images": images.get("read"),
        "counts": manifest["counts"],
        "licences_of_its_own_data": licences_of_own_data(manifest),
        "licences_of_concepts": list(dict.fromkeys(manifest["licences"].values())),
        "networks": [_network(loaded, network) for network in loaded.networks.values()],
        "ablations": [ablation_text(ablation) for ablation in loaded.ablations],
    }


def _network(loaded: LoadedKg, network: NetworkLayers) -> Record:
    view, (first, *_) = loaded.network(network), loaded.runs_of(network.network)
    mixed = loaded.mixed.get(network.network)
    return {
        "network": network.label,
        "identifier": network.network,
        "filters": network.n_filters,
        "filters_that_clearly_respond_to_one_kind_of_thing": count_clear(loaded, network),
        "filters_that_respond_to_two_unrelated_things": None if mixed is None else len(mixed.filters),
        "rules": [
            {
                **_rule(run),
                "run": run.run_id,
                "labels_checked_on_new_images": run.run_id in loaded.checks.run_ids,
                "clear_themes": run.too_few() or sum(line.coherent for line in view.layers[run.run_id]),
            }
            for run in view.runs
        ],
        f"layers_by_{first.run.rule}": [
            {
                "layer": line.layer,
                "kind": line.kind,
                "filters": line.filters,
                "marked": line.tagged,
                "by_several_classes": line.several,
                "clear_themes": None if first.run.too_few() else line.coherent,
            }
            for line in view.layers[first.run.run_id]
        ],
        "most_frequent_themes": _some(loaded.kinds(first), 10, _counted),
    }


def _counted(row: tuple[str, str, int]) -> Record:
    identifier, label, filters = row
    return {"label": label, "id": identifier, "filters": filters}


def _found(loaded: LoadedKg, index: SearchIndex, words: str, limit: int) -> Record:
    # One more than asked for tells whether there are more.
    matches = index.find(words, limit + 1)
    return {
        "matches": [_match(loaded, match) for match in matches[:limit]],
        "there_are_more": len(matches) > limit,
        "these_only_come_near": any(match.is_near for match in matches),
    }


def _match(loaded: LoadedKg, match: Match) -> Record:
    layer = filter_ = None
    if match.place is not None:
        network, column = loaded.networks[match.place[0]], match.place[1]
        index, filter_ = network.layer_and_filter(column)
        layer = network.layer_names[index]
    about = {"kind": match.kind, "label": match.label, "about": match.detail, "why": match.why}
    return {**about, "layer": layer, "filter": filter_, "iri": match.iri}


# A filter


def _filter(loaded: LoadedKg, arguments: Mapping[str, Any]) -> Record:
    network = loaded.network_named(arguments.get("network"))
    view = named_filter(loaded, network, arguments["layer"], arguments["filter"])
    name, rule, most = view.name, arguments.get("rule"), arguments["limit"]
    assert name is not None
    chosen = loaded.run_named(rule, network.network).run
    # Left out, the rule that says most of the filter may be any.
    run_id = name.run.run_id if rule is None and name.run is not None else chosen.run_id
    run = next(each for each in view.runs if each.run.run_id == run_id)
    return {
        "layer": view.layer,
        "filter": view.filter,
        "filters_of_layer": view.n_filters,
        "network": network.label,
        "iri": view.iri,
        "responds_to": name.text,
        "sentence": name.sentence,
        "clearly": name.clear,
        "figures": name.figures,
        "mixed": None if view.mixed is None else {"sentence": view.mixed.sentence, "figures": view.mixed.figures},
        **_rule(run.run),
        "other_rules": [each.run.rule for each in view.runs if each is not run],
        "tags": _tags(loaded, view, run, most),
        "what_tags_share": _shared(run, run.kinds, most),
        "said_of_what_tags_it": _shared(run, run.features, most),
        "pictures_of_these_activate_it_more": _some(
            view.higher,
            most,
            lambda row: {"pictures_of": row.name, "activation": row.mean, "others": row.others, "q_value": row.q_value},
        ),
        "strongest_pictures": _some(
            view.exemplars,
            most,
            lambda row: {"class": row.label, "class_id": row.class_id, "activation": row.activation},
        ),
        "similar_filters": _some(
            run.neighbours,
            most,
            lambda near: {
                "layer": near.layer,
                "filter": near.filter,
                "shared_tags": near.shared,
                "similarity": near.similarity,
                "theme": None if near.kind is None else near.kind.label,
            },
        ),
    }


def _tags(loaded: LoadedKg, view: FilterView, run: FilterRun, most: int) -> Record:
    checked = run.run.run_id in loaded.checks.run_ids
    tags = _some(
        run.tags,
        most,
        lambda tag: {
            "class": tag.label,
            "class_id": tag.class_id,
            "rank": tag.rank,
            "activation": tag.activation,
            "contrast": tag.contrast,
            "score": tag.score,
            "concept": tag.concept_label,
        },
    )
    for tag in tags["items"] if checked else ():
        label = loaded.checks.of_tag(run.run.run_id, view.layer, view.filter, tag["class_id"])
        tag["on_new_images"] = None if label is None else label.status
    if any(tag.score is not None for tag in run.tags):
        tags["score_means"] = run.run.score_meaning
    return tags


def _shared(run: FilterRun, shared: Sequence[InCommon], most: int) -> Record:
    def record(in_common: InCommon) -> Record:
        row = in_common.row
        few = bool(run.run.too_few(row.relation, row.source))
        return {
            "what": row.label if run.run.is_kind(row) else statement_text(row.relation, row.label),
            "tags": row.support,
            "of": row.tags,
            "how_sure": f"too few classes to tell, {chance_text(row, few=True)}" if few else chance_text(row),
            "q_value": row.q_value,
            "p_adjusted": row.p_adjusted,
            "source": SOURCE_TEXTS.get(row.source, row.source),
            "path": " → ".join(step.label for step in run.way(in_common)),
            "concept": row.concept,
        }

    return _some(shared, most, record)


# Layer, class and concept


def _layer(loaded: LoadedKg, arguments: Mapping[str, Any]) -> Record:
    network, table = _network_and_run(loaded, arguments)
    view, most = loaded.layer(network, arguments["layer"]), arguments["limit"]
    run = next(each for each in view.runs if each.run.run_id == table.run.run_id)
    start = int(network.offsets[view.index])
    surest = surest_first(loaded, network, range(start, start + view.n_filters))
    names = [filter_name(loaded, network, column) for column in surest]
    uneven = bool(run.classes) and run.classes[0][2] > run.classes[-1][2]
    clear = [(column - start, name) for column, name in zip(surest, names, strict=True) if name.clear]
    return {
        "layer": view.layer,
        "index": view.index,
        "kind": view.kind,
        "network": network.label,
        "iri": view.iri,
        **_rule(table.run),
        "filters": run.line.filters,
        "marked": run.line.tagged,
        "by_several_classes": run.line.several,
        "clear_themes": table.run.too_few() or run.line.coherent,
        "filters_that_clearly_respond_to_one_kind_of_thing": _some(
            clear, most, lambda row: {"filter": row[0], "responds_to": row[1].text, "figures": row[1].figures}
        ),
        "themes": _some(run.concepts, most, _counted),
        # Where all classes mark equally many filters, none of them marks most.
        "classes_that_mark_most_filters": _some(run.classes if uneven else (), most, _counted),
    }


def _class(loaded: LoadedKg, class_id: str, arguments: Mapping[str, Any]) -> Record:
    _, table = _network_and_run(loaded, arguments)
    view, most = loaded.class_(class_id), arguments["limit"]
    tagged = view.filters.get(table.run.run_id, ())
    return {
        "class": view.label,
        "class_id": view.class_id,
        "iri": view.iri,
        "concept": view.concept_label,
        "concept_iri": view.concept,
        "confidence_of_the_link": view.confidence,
        "above": [step.label for step in view.above],
        "also_mentions": [other.label for other in view.others],
        "excludes": [step.label for step in view.excluded],
        **_rule(table.run),
        "filters": _some(sorted(tagged, key=_strongest_first), most, _tagged),
        "where_the_nearest_kind_appears": _in_layers(view.layers.get(table.run.run_id, ()), table.run),
    }


def _strongest_first(row: TaggedFilter) -> tuple[bool, float, bool, float]:
    return row.score is None, -(row.score or 0.0), row.activation is None, -(row.activation or 0.0)


def _tagged(row: TaggedFilter) -> Record:
    return {
        **_place(row.line),
        "rank": row.rank,
        "activation": row.activation,
        "contrast": row.contrast,
        "score": row.score,
        "theme": None if row.line.kind is None else row.line.kind.label,
    }


def _place(line: FilterLine) -> Record:
    return {"layer": line.layer, "filter": line.filter}


def _concept(loaded: LoadedKg, iri: str, arguments: Mapping[str, Any]) -> Record:
    _, table = _network_and_run(loaded, arguments)
    most, run = arguments["limit"], table.run
    view = loaded.concept(iri, most=most)
    features: dict[str, list[str]] = {}
    for feature in view.features:
        source = SOURCE_TEXTS.get(feature.source, feature.source)
        features.setdefault(source, []).append(statement_text(feature.relation, feature.label))
    return {
        "concept": view.label,
        "iri": view.iri,
        "also_called": list(view.alt_labels),
        "above": [row.label for row in view.broader],
        "below": _some([row for row in view.narrower if row.classes], most, lambda row: {"concept": row.label}),
        "said_of_it": {source: _some(texts, most, lambda text: {"what": text}) for source, texts in features.items()},
        "classes": _some(view.classes, most, lambda row: {"class": row[1], "class_id": row[0]}),
        **_rule(run),
        "filters_with_this_theme": {
            "total": len(table.with_concept(iri)),
            "items": [
                {
                    **_place(line),
                    "as": "kind" if run.is_kind(row) else statement_text(row.relation, row.label),
                    "tags": row.support,
                    "of": row.tags,
                    "how_sure": chance_text(row, few=bool(run.too_few(row.relation, row.source))),
                    "q_value": row.q_value,
                    "p_adjusted": row.p_adjusted,
                }
                for line, row in view.filters.get(run.run_id, ())
            ],
        },
        "filters_with_most_tags_of_it": {
            "total": view.n_tagged.get(run.run_id, 0),
            "items": [
                {**_place(line), "tags": tags, "of": line.tags} for line, tags in view.tagged.get(run.run_id, ())
            ],
        },
        "where_it_appears": _in_layers(view.layers.get(run.run_id, ()), run),
        "ablations": [ablation_text(ablation) for ablation in view.ablations],
    }


def _in_layers(rows: Iterable[ConceptInLayer], run: KgRun) -> list[Record]:
    few = bool(run.too_few())
    kept = ("label", "layer", "filters", "separation", "low", "high", "concentration")
    records = [{name: value for name, value in asdict(row).items() if name in kept} for row in rows]
    return [{**record, "filters": None if few else record["filters"]} for record in records]
