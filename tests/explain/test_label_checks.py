from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest

from filtag_kg import FiltagError, Profile, Provenance, Rule, TagTable, tag_filters, wordnet
from filtag_kg.concepts import q_values
from filtag_kg.explain import SCORES, LabelCheck, add_label_check, check_labels, label_scores
from filtag_kg.explain.checked_labels import checked_labels
from filtag_kg.explain.label_classes import link_test_classes
from filtag_kg.explain.observed_images import ObservedImages
from filtag_kg.images import ImageSet, open_images
from filtag_kg.kg import KG, CheckedLabel, build_kg, read_label_checks, remove_run, validate_kg
from filtag_kg.network import Network
from filtag_kg.query import LocalEndpoint
from filtag_kg.views import load_kg
from tests.colours import colours_kg

CLASSES = {
    "n02087394": (1.0, 0.1, 0.1),  # Rhodesian ridgeback: red
    "n02088466": (0.9, 0.2, 0.1),  # bloodhound
    "n02123045": (0.1, 1.0, 0.1),  # tabby: green
    "n03770679": (0.1, 0.1, 1.0),  # minivan: blue
    "n02814533": (0.2, 0.1, 0.9),  # beach wagon
    "n02930766": (0.5, 0.5, 0.5),  # cab
    "n03100240": (0.4, 0.4, 0.5),  # convertible
    "n04285008": (0.5, 0.4, 0.4),  # sports car
}


def paint(folder: Path, class_id: str, number: int, colour: tuple[float, ...]) -> None:
    from PIL import Image

    rng = np.random.default_rng([number, int(class_id[1:])])
    pixels = np.clip(np.array(colour) * 255 + rng.normal(0, 25, (8, 8, 3)), 0, 255).astype(np.uint8)
    (folder / class_id).mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / class_id / f"{number}.png")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images")
    for class_id, colour in CLASSES.items():
        for number in range(6):
            paint(path, class_id, number, colour)
    return path


@pytest.fixture(scope="module")
def test(folder: Path) -> Iterator[ImageSet]:
    with open_images(folder) as images:
        yield images


@pytest.fixture(scope="module")
def found(colours: KG, network: Network, test: ImageSet) -> LabelCheck:
    return check_labels(colours, network, test, batch_size=7)


def row_of(found: LabelCheck, run: int, filter_: int, label: str, layer: str = "last") -> CheckedLabel:
    rows = list(found.runs.values())[run]
    (row,) = [row for row in rows if (row.layer, row.filter, row.label) == (layer, filter_, label)]
    return row


def test_every_label_of_every_run_is_checked(found: LabelCheck, colours: KG) -> None:
    loaded = load_kg(colours)
    assert list(found.runs) == list(loaded.runs)
    assert (found.images, found.classes, found.network) == (48, 8, colours.manifest["network"])
    for run_id, rows in found.runs.items():
        table = loaded.runs[run_id]
        tags = [row for row in rows if row.kind == "tag"]
        assert len(tags) == len(table.column)
        assert len(rows) - len(tags) == sum(map(len, table.common.values()))
        assert {row.rule for row in rows} == {table.run.rule}
        assert all(row.status != "not testable" and row.positives == 6 * row.classes for row in rows)
        order = [(row.layer, row.filter) for row in rows]
        assert order == sorted(order, key=lambda key: (["first", "last"].index(key[0]), key[1]))
    assert any("8 classes are few" in note for note in found.notes)


def test_a_rule_that_tags_too_much_to_be_confirmed_is_noted(found: LabelCheck) -> None:
    many = [note for note in found.notes if "of all pairs of a filter and a class" in note]
    assert len(many) == len(found.runs)
    for note, rows in zip(many, found.runs.values(), strict=True):
        tags = [row for row in rows if row.kind == "tag"]
        pairs = 8 * sum({"first": 2, "last": 3}[layer] for layer in {row.layer for row in tags})
        assert note.startswith(f"{tags[0].rule} tags {len(tags) / pairs:.1%} of all pairs of a filter and a class")


def test_a_row_is_what_the_parts_say(found: LabelCheck, network: Network, test: ImageSet) -> None:
    from filtag_kg.profile import observations

    (batch,) = observations(network, test, batch_size=100)
    classes = [image.class_id for image in batch.images]
    layer = batch.activations[:, 2:5].T
    dogs = np.isin(classes, ["n02087394", "n02088466"])
    row = row_of(found, 0, 0, "dog")
    scores = label_scores(layer, dogs[np.newaxis])
    assert row.kind == "concept"
    assert (row.classes, row.positives) == (2, 12)
    for name in ("correlation", "cosine", "auprc", "f1", "iou", "auc"):
        values = getattr(scores, name)[:, 0]
        assert getattr(row, name) == pytest.approx(values[0], abs=1e-5)
        assert getattr(row, f"{name}_filters") == pytest.approx(values[1:].mean(), abs=1e-5)
    assert row.auc == 1
    assert row.auc_labels == pytest.approx(0.5, abs=0.06)
    assert row.correlation_labels == pytest.approx(0, abs=0.1)
    assert row.target_share == 1
    assert row.other_share == pytest.approx(1 / 6, abs=1e-6)
    assert row.u_test_p is not None
    assert row.u_test_p < 1e-5
    assert row.p_filters == pytest.approx(1 / 3, abs=1e-5)


def test_a_tag_is_compared_with_all_other_classes(found: LabelCheck) -> None:
    row = row_of(found, 0, 1, "tabby")
    assert row.label_id == "n02123045"
    assert row.p_labels == 1 / 8
    assert row.auc_labels == pytest.approx(0.5)
    assert row.f1_labels == pytest.approx(1 / 8)
    assert row.correlation_labels == pytest.approx(0, abs=1e-6)


def test_q_values_are_over_all_labels_of_all_runs(found: LabelCheck) -> None:
    rows = [row for of_run in found.runs.values() for row in of_run]
    p = np.array([row.p_value for row in rows], dtype=np.float64)
    np.testing.assert_allclose([row.q_value for row in rows], q_values(p), rtol=1e-4)
    assert all((row.status == "confirmed") == (row.q_value < 0.05) for row in rows if row.q_value is not None)


def test_the_batch_size_changes_nothing_and_one_run_can_be_chosen(
    found: LabelCheck, colours: KG, network: Network, test: ImageSet
) -> None:
    again = check_labels(colours, network, test, batch_size=48)
    for run_id, rows in again.runs.items():
        for row, before in zip(rows, found.runs[run_id], strict=True):
            assert [*map(type, astuple(row))] == [*map(type, astuple(before))]
            assert astuple(row) == pytest.approx(astuple(before), abs=2e-6)
    alone = check_labels(colours, network, test, rules=["k=1:contrast"])
    assert list(alone.runs) == list(found.runs)[1:]
    with pytest.raises(FiltagError, match=r"^no rule 'k=9'"):
        check_labels(colours, network, test, rules=["k=9"])


def test_a_check_joins_the_kg_and_replaces_the_one_before(found: LabelCheck, network: Network, tmp_path: Path) -> None:
    kg = colours_kg(network, tmp_path / "kg")
    kg = add_label_check(kg, found)
    assert validate_kg(kg).findings == ()
    checks = read_label_checks(kg)
    assert list(checks) == list(found.runs)
    for run_id, rows in found.runs.items():
        assert checks[run_id].labels == rows
        assert checks[run_id].about["images"] == 48
        assert checks[run_id].about["confirmed"] == sum(row.status == "confirmed" for row in rows)
    again = add_label_check(kg, replace(found, images=47))
    assert validate_kg(again).findings == ()
    assert {check.about["images"] for check in read_label_checks(again).values()} == {47}
    rest = remove_run(again, "k=1:contrast")
    assert list(read_label_checks(rest)) == list(found.runs)[:1]


def test_every_statement_is_about_a_label_of_the_graph(found: LabelCheck, network: Network, tmp_path: Path) -> None:
    kg = add_label_check(colours_kg(network, tmp_path / "kg"), found)
    n_labels = sum(map(len, found.runs.values()))
    text = "SELECT (COUNT(DISTINCT ?label) AS ?n) { ?label flt:confirmed ?c ; flt:checkQValue ?q ; flt:filter ?f }"
    assert LocalEndpoint(kg).ask(text).values() == [(str(n_labels),)]


@pytest.mark.parametrize(
    ("labels", "classes", "reason"),
    [
        ({"n02084071": "dog"}, 2, ""),
        ({"anything": "dog"}, 2, ""),
        ({"anything": "(dog OR cat) AND NOT bloodhound"}, 2, ""),
        ({"anything": "a dog beside a parked car"}, 7, ""),
        ({"n02084071": "dog", "n02087394": "ridgeback"}, 2, ""),
        ({"n01503061": "bird"}, 0, "no image of it"),
        ({"n00001930": "physical entity"}, 8, "every image is of it"),
        ({"asdfgh": "asdfgh"}, 0, "no image of it"),
    ],
)
def test_the_label_of_another_method_stands_for_the_classes_at_or_below_its_concept(
    labels: dict[str, str], classes: int, reason: str, network: Network, test: ImageSet, tmp_path: Path
) -> None:
    n = len(labels)
    zeros, unknown = np.zeros(n, dtype=np.int64), np.full(n, np.nan)
    tags = TagTable(
        network=network.identifier,
        layer_names=("first", "last"),
        n_filters=(2, 3),
        class_ids=tuple(labels),
        class_labels=tuple(labels.values()),
        rules=("milan",),
        rule=zeros,
        layer=zeros + 1,
        filter=zeros,
        class_=np.arange(n),
        rank=zeros,
        activation=unknown,
        contrast=unknown,
    )
    kg = build_kg(tmp_path / "kg", tags, wordnet(), Provenance(network.name, hashes={"flt:tagsSha256": 64 * "0"}))
    found = check_labels(kg, network, test)
    (rows,) = found.runs.values()
    assert (rows[0].classes, rows[0].reason) == (classes, reason)
    assert (rows[0].status == "not testable") == bool(reason)
    assert "imported labels do not say which images made them: they must be others than these" in found.notes
    added = add_label_check(kg, found)
    assert validate_kg(added).findings == ()
    if reason:
        assert rows[0].q_value is rows[0].correlation is None
    elif n == 2:
        assert rows[1].classes == 1, "a class of the images stands for itself"


def test_images_that_made_the_labels_are_refused_unless_held_out(
    colours: KG, network: Network, test: ImageSet, folder: Path, tmp_path: Path
) -> None:
    from filtag_kg.profile import collect

    def kg_of(profile: Profile, name: str) -> KG:
        tags = tag_filters(profile, [Rule("k", 1)], network=network.identifier)
        return build_kg(tmp_path / name, tags, wordnet(), Provenance.of_profile(profile), profile=profile)

    made = collect(replace(network, class_ids=()), test)
    message = f"the labels were made from the images of {folder.name}, which cannot tell whether they are true"
    with pytest.raises(FiltagError, match=f"^{re.escape(message)}: give others, or hold images out"):
        check_labels(kg_of(made, "kg"), network, test)
    names = tuple(sorted(image.name for image in test.images if image.name.endswith(("0.png", "1.png"))))
    held_out = check_labels(kg_of(replace(made, held_out=names), "held-out"), network, test)
    assert held_out.images == 16
    assert held_out.notes[0] == f"only the 16 images that the profile held out of {folder.name} are used"
    other = check_labels(
        kg_of(replace(made, held_out=("x/0.png",), metadata={**made.metadata, "images": {}}), "o"), network, test
    )
    assert other.images == 48


def test_another_network_is_refused(colours: KG, network: Network, test: ImageSet) -> None:
    other = replace(network, name="shapes", weights_sha256=64 * "a")
    with pytest.raises(FiltagError, match=r"^.* was made of colours-\w+, not of shapes-\w+: name the right"):
        check_labels(colours, other, test)


N_CLASSES, N_FILTERS = 40, 60


@pytest.fixture(scope="module")
def truth() -> Profile:
    """Each filter of a layer prefers one of 40 classes; a few classes activate all of them."""
    rng = np.random.default_rng(0)
    mean = np.tile(0.2 + 0.2 * rng.random((N_CLASSES, 1)), N_FILTERS)
    mean[np.arange(N_FILTERS) % N_CLASSES, np.arange(N_FILTERS)] += 0.2
    return Profile(
        mean=mean,
        variance=None,
        count=np.ones(N_CLASSES, dtype=np.int64),
        class_ids=tuple(f"class {c:02}" for c in range(N_CLASSES)),
        class_labels=tuple(f"class {c:02}" for c in range(N_CLASSES)),
        layer_names=("layer",),
        layer_offsets=np.array([0, N_FILTERS]),
        metadata={"network": "toy", "identifier": "toy-0123456789ab"},
    )


@pytest.fixture(scope="module")
def truthful(truth: Profile, tmp_path_factory: pytest.TempPathFactory) -> KG:
    tags = tag_filters(truth, [Rule("k", 2, "contrast")], network="toy-0123456789ab")
    return build_kg(tmp_path_factory.mktemp("kg") / "kg", tags, wordnet(), Provenance.of_profile(truth), profile=truth)


def images_of(truth: Profile, *, responds: bool, seed: int = 0) -> ObservedImages:
    """Simulate ten images a class, of a network that does what the profile says, or of one with filters of its own."""
    rng = np.random.default_rng(seed)
    membership = np.repeat(np.eye(N_CLASSES, dtype=np.bool_), 10, axis=1)
    mean = truth.mean if responds else truth.mean[:, rng.permutation(N_FILTERS)]
    activations = np.clip(membership.T @ mean + rng.normal(0, 0.05, (10 * N_CLASSES, N_FILTERS)), 0, 1)
    return ObservedImages(activations.astype(np.float32), {"layer": slice(0, N_FILTERS)}, truth.class_ids, membership)


def statuses(kg: KG, observed: ObservedImages, *, shuffle: int | None = None) -> list[CheckedLabel]:
    loaded = load_kg(kg)
    layers = loaded.network_named()
    classes = link_test_classes(observed.class_ids, loaded.concepts, wordnet(), names={})
    (rows,) = checked_labels(
        loaded, layers, loaded.runs_of(layers.network), classes, observed, shuffle=shuffle
    ).values()
    return list(rows)


def test_labels_that_are_true_are_confirmed(truth: Profile, truthful: KG) -> None:
    rows = statuses(truthful, images_of(truth, responds=True))
    first = [row for row in rows if row.kind == "tag" and int(row.label[-2:]) == row.filter % N_CLASSES]
    others = [row for row in rows if row.kind == "tag" and int(row.label[-2:]) != row.filter % N_CLASSES]
    assert len(first) == N_FILTERS
    assert {row.status for row in first} == {"confirmed"}
    wrong = sum(row.status == "confirmed" for row in others)
    assert wrong <= 0.1 * len(first), "of the confirmed labels, a share like the level may be wrong"
    assert np.mean([row.auc for row in first]) > 0.8


@pytest.mark.parametrize("how", ["labels shuffled over filters", "a network with filters of its own"])
def test_labels_that_are_chance_score_chance_and_are_not_confirmed(truth: Profile, truthful: KG, how: str) -> None:
    shuffled = how.startswith("labels")
    rows = []
    for seed in range(12):
        observed = images_of(truth, responds=shuffled, seed=seed)
        rows.append(statuses(truthful, observed, shuffle=seed if shuffled else None))
    together = [row for of_seed in rows for row in of_seed]
    p = np.array([row.p_value for row in together], dtype=np.float64)
    right = np.mean([row.status == "confirmed" for row in together])
    # By chance, a filter gets the class that it prefers: a few such labels are true.
    assert right <= 0.05
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.02)
    for name in SCORES:
        own, on_filters, of_labels = (
            np.array([getattr(row, f"{name}{ending}") for row in together]) for ending in ("", "_filters", "_labels")
        )
        spread = own.std() / np.sqrt(len(own)) + 1e-3
        assert abs((own - on_filters).mean()) < 4 * spread, name
        assert abs(own.mean() - of_labels.mean()) < 4 * spread + 0.02, name
