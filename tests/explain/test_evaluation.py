from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filtag_kg import FiltagError, Profile, Rule
from filtag_kg.explain import (
    Evaluation,
    class_hits_csv,
    evaluate,
    hits_at_n,
    hits_csv,
    hits_rows,
    rank_correlation,
)
from filtag_kg.images import ImageSet, open_images

keras = pytest.importorskip("keras", reason="the cpu extra is not installed")

from filtag_kg.network import Network, load_network  # noqa: E402
from filtag_kg.profile import collect, observations  # noqa: E402

COLOURS = {"n02087394": (200, 20, 20), "n02123045": (20, 200, 20), "n03770679": (20, 20, 200)}
RULES = [Rule("k", 1), Rule("q", 0.7), Rule("k", 1, "contrast")]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """One filter each for red, green and blue, three outputs for what they see, and one that is never best."""
    folder = tmp_path_factory.mktemp("network")
    image = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(3, 1, name="colour", use_bias=False)(image)
    pooled = keras.layers.GlobalAveragePooling2D()(maps)
    model = keras.Model(image, keras.layers.Dense(4, use_bias=False, name="scores")(pooled))
    model.get_layer("colour").set_weights([np.eye(3, dtype=np.float32)[None, None]])
    model.get_layer("scores").set_weights([np.eye(3, 4, dtype=np.float32)])
    model.save(folder / "colours.keras")
    (folder / "classes.txt").write_text("\n".join([*COLOURS, "n00000001"]) + "\n")
    return load_network(str(folder / "colours.keras"), preprocess="0..1", classes=folder / "classes.txt")


def draw(folder: Path, class_id: str, name: str, colour: tuple[int, int, int]) -> None:
    from PIL import Image

    (folder / class_id).mkdir(parents=True, exist_ok=True)
    # Half of it is black: a layer whose outputs are all equal would be scaled to 0.
    picture = Image.new("RGB", (8, 8), colour)
    picture.paste((0, 0, 0), (0, 0, 8, 4))
    picture.save(folder / class_id / name)


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageSet]:
    folder = tmp_path_factory.mktemp("train")
    for class_id, colour in COLOURS.items():
        for place in range(4):
            draw(folder, class_id, f"{place}.png", colour)
    with open_images(folder) as images:
        yield images


@pytest.fixture(scope="module")
def made(network: Network, train: ImageSet) -> Profile:
    return collect(network, train, labels={"n02123045": "tabby"})


@pytest.fixture(scope="module")
def test(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageSet]:
    """Three red dogs and a green one, and one red cat; no image of the third class."""
    folder = tmp_path_factory.mktemp("test")
    for place, class_id in enumerate(["n02087394"] * 3):
        draw(folder, class_id, f"{place}.png", (220, 10, 30))
    draw(folder, "n02087394", "3.png", (10, 220, 30))
    draw(folder, "n02123045", "0.png", (220, 10, 30))
    with open_images(folder) as images:
        yield images


@pytest.fixture(scope="module")
def found(made: Profile, network: Network, test: ImageSet) -> Evaluation:
    return evaluate(made, network, test, RULES, [1, 3], permutations=4, batch_size=2)


def test_hits_and_accuracy_by_hand(found: Evaluation) -> None:
    np.testing.assert_array_equal(found.hits.images, [4, 1, 0])
    np.testing.assert_array_equal(found.accuracy, [0.75, 0.0, np.nan])
    assert found.top1 == pytest.approx(3 / 5)
    # By k = 1 each filter has the tag of its colour alone, and the image's filter is that of its own.
    np.testing.assert_allclose(found.hits.overall[0], 3 / 5)
    np.testing.assert_array_equal(found.hits.by_class[0, 0, 0], [0.75, 0.0, np.nan])
    # By q = 0.7 (two filters) the image's best has its colour's tag, and both may have others.
    assert (found.hits.overall[1, :, 1] >= found.hits.overall[1, :, 0]).all()
    assert found.notes == ()
    assert found.class_labels == ("n02087394", "tabby", "n03770679")


def test_one_pass_equals_the_parts(found: Evaluation, made: Profile, network: Network, test: ImageSet) -> None:
    rows = {class_id: row for row, class_id in enumerate(made.class_ids)}
    seen = [
        (batch.activations, np.array([rows[image.class_id] for image in batch.images]))
        for batch in observations(network, test)
    ]
    for place, rule in enumerate(RULES):
        alone = hits_at_n(made, [rule], [1, 3], seen, permutations=4)
        np.testing.assert_allclose(alone.overall[0], found.hits.overall[place], atol=1e-12)
        np.testing.assert_allclose(alone.null[:, 0], found.hits.null[:, place], atol=1e-12)


def test_the_images_that_made_the_tags_are_named_or_only_those_held_out_are_used(
    made: Profile, network: Network, train: ImageSet, test: ImageSet
) -> None:
    same = evaluate(made, network, train, RULES, [1], permutations=0)
    assert same.notes == (
        "the tags were made from these very images, so the hits are better than they would be on others",
    )
    assert same.hits.images.tolist() == [4, 4, 4]
    split = replace(made, held_out=("n02087394/1.png", "n03770679/2.png"))
    kept = evaluate(split, network, train, RULES, [1], permutations=0)
    assert kept.hits.images.tolist() == [1, 0, 1]
    assert kept.notes == (f"only the 2 images that the profile held out of {train.path.name} are used",)
    other = evaluate(split, network, test, RULES, [1], permutations=0)
    assert other.hits.images.tolist() == [4, 1, 0]
    assert other.notes == (f"the profile held images of {train.path.name} out, not of {test.path.name}: all are used",)
    with pytest.raises(FiltagError, match=r"^none of the images that the profile held out is in .*: name the right"):
        evaluate(replace(made, held_out=("x/0.png",)), network, train, RULES, [1])


def test_classes_without_an_output_have_no_accuracy(made: Profile, network: Network, test: ImageSet) -> None:
    fewer = replace(network, class_ids=("x", "n02123045", "n03770679", "y"))
    found = evaluate(made, fewer, test, RULES, [1], permutations=0)
    np.testing.assert_array_equal(found.accuracy, [np.nan, 0.0, np.nan])
    assert found.top1 == 0
    assert found.notes == ("colours has no output for class n02087394: no accuracy there",)
    unnamed = evaluate(made, replace(network, class_ids=()), test, RULES, [1], permutations=0)
    assert unnamed.top1 is None
    assert unnamed.notes == ("colours does not say what its outputs stand for: no accuracy; name its classes",)
    assert hits_csv(unnamed).splitlines()[1] == "k=1,all,1,5,0.6,0.0,1.0,,,,,,0"


def test_unreadable_images_are_named(made: Profile, network: Network, tmp_path: Path) -> None:
    draw(tmp_path, "n02087394", "0.png", (220, 10, 30))
    (tmp_path / "n02123045").mkdir()
    (tmp_path / "n02123045" / "text.png").write_text("hello")
    with open_images(tmp_path) as images:
        found = evaluate(made, network, images, RULES, [1], permutations=0)
    assert found.hits.images.tolist() == [1, 0, 0]
    assert [note.partition(" (")[0] for note in found.notes] == ["unreadable: n02123045/text.png"]
    (tmp_path / "n02087394" / "0.png").write_text("hello")
    with (
        open_images(tmp_path) as images,
        pytest.raises(FiltagError, match=r"^no test image could be read: mend the images$"),
    ):
        evaluate(made, network, images, RULES, [1], permutations=0)


def test_mistakes(made: Profile, network: Network, test: ImageSet, tmp_path: Path) -> None:
    for place in range(7):
        draw(tmp_path, f"new{place}", "0.png", (1, 2, 3))
    with (
        open_images(tmp_path) as images,
        pytest.raises(FiltagError, match=r"^class new0, new1, new2, new3, new4 and 2 more in .* is not in the profile"),
    ):
        evaluate(made, network, images, RULES, [1])
    another = replace(made, metadata={**made.metadata, "identifier": "vgg16-0123456789ab"})
    message = f"the profile was made of vgg16-0123456789ab, not of {network.identifier}: name the right network"
    with pytest.raises(FiltagError, match=f"^{re.escape(message)}$"):
        evaluate(another, network, test, RULES, [1])
    with pytest.raises(FiltagError, match=r"^the profile was made of a network that it does not name, not of colours-"):
        evaluate(replace(made, metadata={}), network, test, RULES, [1])
    with pytest.raises(FiltagError, match=r"^the profile has other layers of colours than were chosen now"):
        evaluate(replace(made, layer_names=("x",)), network, test, RULES, [1])


def test_the_tables(found: Evaluation) -> None:
    lines = hits_csv(found).splitlines()
    assert lines[0] == "rule,layers,n,images,hits,hits_low,hits_high,null,null_sd,rho,rho_low,rho_high,classes"
    assert len(lines) == 1 + len(RULES) * 2 * 2
    assert re.fullmatch(r"k=1,all,1,5,0\.6,0\.\d+,(1|0)\.\d+,0\.\d+,0\.\d+,1\.0,,,2", lines[1])
    lines = class_hits_csv(found).splitlines()
    assert lines[:3] == [
        "rule,layers,n,class_id,label,images,hits,accuracy",
        "k=1,all,1,n02087394,n02087394,4,0.75,0.75",
        "k=1,all,1,n02123045,tabby,1,0.0,0.0",
    ]
    assert len(lines) == 1 + len(RULES) * 2 * 2 * 2, "a class without images has no rows"


def test_one_permutation_has_no_spread(found: Evaluation) -> None:
    one = replace(found, hits=replace(found.hits, null=found.hits.null[:1]))
    row = next(hits_rows(one))
    assert row.null is not None
    assert row.null_sd is None


def test_correlation_as_bonett_and_wright() -> None:
    """The example of ci.spear in Bonett's own R package statpsych."""
    y = np.array([21.0, 4, 9, 12, 35, 18, 10, 22, 24, 1, 6, 8, 13, 16, 19])
    x = np.array([67.0, 28, 30, 28, 52, 40, 25, 37, 44, 10, 14, 20, 28, 40, 51])
    found = rank_correlation(x, y)
    assert (found.rho, found.low, found.high) == pytest.approx((0.8699639, 0.5840951, 0.9638297), abs=1e-6)
    assert found.n_classes == 15


@settings(deadline=None)  # the first example imports scipy.stats
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_an_interval_lies_around_its_correlation(pairs: list[tuple[int, int]]) -> None:
    x, y = (np.array([pair[side] for pair in pairs], dtype=np.float64) for side in (0, 1))
    found = rank_correlation(np.append(x, [np.nan, 1]), np.append(y, [1, np.nan]))
    assert found.n_classes == len(pairs), "what is not known on both sides is left out"
    if found.rho is None:
        assert len(pairs) < 2 or len(set(x)) == 1 or len(set(y)) == 1
    elif found.low is None or found.high is None:
        assert len(pairs) <= 3 or math.isclose(abs(found.rho), 1)
    else:
        assert -1 <= found.low <= found.rho <= found.high <= 1


def test_an_image_with_several_labels_counts_for_each_and_is_right_with_any(
    made: Profile, network: Network, tmp_path: Path
) -> None:
    dog, cat, van = COLOURS
    for name, colour in (("red", (220, 10, 30)), ("green", (10, 220, 30)), ("blue", (10, 30, 220))):
        draw(tmp_path, ".", f"{name}.png", colour)
    rows = [f"red.png,{dog}|{cat}", f"green.png,{van}", f"green.png,{cat}", f"blue.png,{cat}|{dog}"]
    (tmp_path / "list.csv").write_text("\n".join(["path,label", *rows]))
    ticks: list[tuple[int, int]] = []
    with open_images(tmp_path / "list.csv") as images:
        found = evaluate(made, network, images, RULES, [1], permutations=0, progress=lambda *done: ticks.append(done))
    assert ticks[-1] == (3, 3), "each is passed once"
    assert found.hits.images.tolist() == [2, 3, 1]
    # Red is right for dog and cat, green for cat and van, blue for neither of its labels.
    np.testing.assert_allclose(found.accuracy, [1 / 2, 2 / 3, 1])
    assert found.top1 == pytest.approx(4 / 6)
    assert found.notes == ("3 of 3 images have several labels: each counts for every one",)
    # By k = 1 an image names its own colour's class: one of two labels of red and green, none of blue.
    np.testing.assert_allclose(found.hits.by_class[0, 0, 0], [1 / 2, 1 / 3, 0])
