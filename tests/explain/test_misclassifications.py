from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filtag_kg import FiltagError, load_profile, save_profile
from filtag_kg.explain import (
    MisclassificationAnalysis,
    class_confusions,
    confusions,
    confusions_csv,
    explain_image,
    find_misclassifications,
    misclassifications_csv,
)
from filtag_kg.images import ImageSet, open_images
from filtag_kg.kg import KG, open_kg
from filtag_kg.network import Network

pytest.importorskip("keras", reason="the cpu extra is not installed")

RED, GREEN, BLUE = (250, 10, 10), (10, 250, 10), (10, 10, 250)


@pytest.fixture
def images(tmp_path: Path) -> Iterator[ImageSet]:
    """Of the network's two classes: pictures of all colours in both folders, so that half of them are misclassified."""
    from PIL import Image

    for class_id in ("n02087394", "n02123045"):
        (tmp_path / "images" / class_id).mkdir(parents=True)
        for place, colour in enumerate((RED, GREEN, BLUE, (200, 190, 10))):
            Image.new("RGB", (8, 8), colour).save(tmp_path / "images" / class_id / f"{place}.png")
    with open_images(tmp_path / "images") as opened:
        yield opened


@pytest.mark.parametrize("rule", ["k=1", "k=1:contrast"])
def test_misclassifications_are_what_explaining_each_image_tells(
    colours: KG, network: Network, images: ImageSet, rule: str
) -> None:
    found = find_misclassifications(colours, network, images, rule=rule, batch_size=3)
    assert (found.n_images, found.n_classes, found.rule) == (8, 2, rule)
    seen = {row.image: row for row in found.misclassified}
    for image in images.images:
        explained = explain_image(colours, network, images.path / image.name, rule=rule)
        best = explained.predictions[0]
        assert (image.name in seen) == (best.class_id != image.class_id)
        if image.name not in seen:
            continue
        row = seen[image.name]
        carrying = {
            class_id: [(x.layer, x.filter) for x in explained.active if class_id in dict(x.tags)]
            for class_id in (row.true_id, row.predicted_id)
        }
        both = sorted(set(carrying[row.true_id]) & set(carrying[row.predicted_id]))
        assert row.confidence == pytest.approx(best.confidence, abs=1e-5)
        assert row.true_confidence == pytest.approx(1 - best.confidence, abs=1e-5)
        assert (row.true_filters, row.predicted_filters) == tuple(map(len, carrying.values()))
        assert (row.active, row.shared) == (2, len(both))
        assert sorted(row.shared_filters) == both
        assert row.true_share == len(carrying[row.true_id]) / 2
        pair = explain_image(
            colours, network, images.path / image.name, by="evidence", why=row.predicted_id, not_=row.true_id
        )
        assert pair.evidence is not None
        assert pair.evidence.predicted is not None
        assert pair.why_not is not None
        assert pair.why_not.evidence is not None
        assert row.predicted_rank == pair.evidence.predicted.rank
        assert row.log_ratio == pytest.approx(pair.why_not.evidence.log_ratio, abs=1e-3)
        assert (row.predicted_p, row.true_p) == (None, None), "the profile has no reference images"
    assert len(found.misclassified) == 4
    assert found.accuracy == 0.5


def test_only_images_held_out_are_looked_at(colours: KG, network: Network, images: ImageSet, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(colours.path, tmp_path / "kg")
    profile = load_profile(colours.path / "profile.npz")
    names = ("n02087394/0.png", "n02123045/1.png", "n02123045/2.png")
    metadata = {**profile.metadata, "images": {"sha256": images.sha256()}}
    save_profile(replace(profile, held_out=names, metadata=metadata), tmp_path / "kg" / "profile.npz")
    found = find_misclassifications(open_kg(tmp_path / "kg"), network, images)
    assert found.n_images == 3
    assert found.notes == ("the profile was made of images: only the 3 images that it held out are used",)
    others = {**metadata, "images": {"sha256": "of other images"}}
    save_profile(replace(profile, held_out=names, metadata=others), tmp_path / "kg" / "profile.npz")
    assert find_misclassifications(open_kg(tmp_path / "kg"), network, images).n_images == 8


def test_unreadable_images_are_refused_or_counted(colours: KG, network: Network, tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "n02087394").mkdir()
    Image.new("RGB", (8, 8), RED).save(tmp_path / "n02087394" / "0.png")
    (tmp_path / "n02087394" / "1.png").write_text("no image")
    with open_images(tmp_path) as images:
        with pytest.raises(FiltagError, match=r"more than 1 % of .* are unreadable, first n02087394/1.png \("):
            find_misclassifications(colours, network, images)
        found = find_misclassifications(colours, network, images, keep_going=True)
    assert found.n_images == 1
    assert found.notes[0].startswith("unreadable: n02087394/1.png (")


def test_answers_may_be_those_of_the_kg_alone(colours: KG, network: Network, images: ImageSet) -> None:
    wider = replace(network, class_ids=("n02087394", "n09999999"))
    with pytest.raises(FiltagError, match="colours has no class n02123045, the name of a folder in"):
        find_misclassifications(colours, wider, images)
    found = find_misclassifications(colours, wider, images, keep_going=True, kg_classes=True)
    assert (found.n_images, found.accuracy) == (4, 1.0), "one class is left to answer with"
    others = find_misclassifications(colours, wider, images, keep_going=True)
    row = others.misclassified[0]
    assert (row.predicted_id, row.predicted_filters, row.shared) == ("n09999999", None, None)
    assert (row.predicted_rank, row.log_ratio) == (None, None)
    assert row.true_rank is not None


@pytest.fixture
def found(colours: KG, network: Network, images: ImageSet) -> MisclassificationAnalysis:
    return find_misclassifications(colours, network, images)


def test_the_columns_stay_as_they_are(found: MisclassificationAnalysis) -> None:
    header, *rows = csv.reader(io.StringIO(misclassifications_csv(found.misclassified)))
    assert ",".join(header) == (
        "image,true_id,true_label,predicted_id,predicted_label,confidence,true_confidence,active,true_filters,true_share,"
        "predicted_filters,predicted_share,shared,shared_filters,shared_concepts,concept,concept_label,ic,agree,"
        "true_group,predicted_group,true_rank,predicted_rank,true_p,predicted_p,log_ratio"
    )
    assert len(rows) == len(found.misclassified)
    assert {row[header.index("agree")] for row in rows} <= {"true", "false"}
    grouped = confusions_csv(confusions(found.misclassified)).splitlines()
    assert grouped[0] == ("true_concept,true_label,predicted_concept,predicted_label,same,mistakes,share_of_true,share")
    page = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "explaining.md").read_text(encoding="utf-8")
    assert [name for name in (*header, *grouped[0].split(",")) if f"`{name}`" not in page] == []


def test_confusions_are_counts_of_pairs(found: MisclassificationAnalysis) -> None:
    rows = confusions(found.misclassified)
    assert (
        sum(row.mistakes for row in rows)
        == len(found.misclassified)
        == sum(x.images for x in class_confusions(found.misclassified))
    )
    assert sum(row.share for row in rows) == pytest.approx(1)
    for true in {row.true_concept for row in rows}:
        assert sum(row.share_of_true for row in rows if row.true_concept == true) == pytest.approx(1)
    for row in rows:
        members = [
            x
            for x in found.misclassified
            if (x.true_group.id, x.predicted_group.id) == (row.true_concept, row.predicted_concept)
        ]
        assert row.mistakes == len(members)
        assert row.same == (row.true_concept == row.predicted_concept)
    assert confusions(()) == []


def test_batches_do_not_matter(
    colours: KG, network: Network, images: ImageSet, found: MisclassificationAnalysis
) -> None:
    again = find_misclassifications(colours, network, images, batch_size=5, workers=1)
    assert [x.image for x in again.misclassified] == [x.image for x in found.misclassified]
    np.testing.assert_allclose(
        [x.confidence for x in again.misclassified], [x.confidence for x in found.misclassified], atol=1e-6
    )


def test_any_of_several_labels_is_right_and_the_most_confident_one_is_the_true_class(
    colours: KG, network: Network, tmp_path: Path
) -> None:
    from PIL import Image

    dog, cat = "n02087394", "n02123045"
    for name, colour in (("red", RED), ("green", GREEN)):
        Image.new("RGB", (8, 8), colour).save(tmp_path / f"{name}.png")
    (tmp_path / "list.csv").write_text(f"path,label\nred.png,{dog}|{cat}\ngreen.png,{cat};{dog}\n")
    with open_images(tmp_path / "list.csv") as images:
        found = find_misclassifications(colours, network, images)
    assert (found.n_images, found.n_classes, found.misclassified) == (2, 2, ())
    (tmp_path / "list.csv").write_text(f"path,label\nred.png,{dog}|other\nred.png,{cat}\ngreen.png,{dog}\n")
    with open_images(tmp_path / "list.csv") as images:
        with pytest.raises(FiltagError) as error:
            find_misclassifications(colours, network, images)
        found = find_misclassifications(
            colours, network, images, keep_going=True, class_names={dog: "a red dog", cat: "a green cat"}
        )
    assert str(error.value) == (
        f"colours has no class other, a label in {tmp_path / 'list.csv'}: name labels by the network's class ids, or "
        "leave those out"
    )
    assert found.n_images == 2
    assert [(row.image, row.true_label, row.predicted_label) for row in found.misclassified] == [
        ("green.png", "a red dog", "a green cat")
    ]
