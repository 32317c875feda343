from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from filtag_kg import FiltagError
from filtag_kg.explain import explain_image, verdict
from filtag_kg.kg import KG, TAGS, read_common_concepts
from filtag_kg.network import Network
from filtag_kg.profile import observe

pytest.importorskip("keras", reason="the cpu extra is not installed")

Painter = Callable[[tuple[int, int, int]], Path]


@pytest.mark.parametrize("rule", ["k=1", "k=1:contrast"])
def test_a_red_image_is_explained_by_the_dogs_of_the_red_filter(
    colours: KG, network: Network, picture: Painter, rule: str
) -> None:
    found = explain_image(colours, network, picture((250, 10, 20)), rule=rule)
    labels = {evidence.label: evidence.layers for evidence in found.labels}
    assert labels["Rhodesian ridgeback"][-1] == labels["bloodhound"][-1] == "last"
    assert "dog" in {evidence.label for evidence in found.concepts}
    assert (found.n_active, found.rule, found.image) == (2, rule, "picture.png")
    assert {best.label for best in found.predictions} == {"Rhodesian ridgeback", "tabby"}
    assert sum(best.confidence for best in found.predictions) == pytest.approx(1)


def test_in_a_notebook_an_explanation_is_a_few_sentences(colours: KG, network: Network, picture: Painter) -> None:
    pretty = pytest.importorskip("IPython.lib.pretty").pretty
    counted = explain_image(colours, network, picture((250, 10, 20)), rule="k=1")
    assert pretty(counted) == str(counted)
    first, second = str(counted).splitlines()
    best = counted.predictions[0]
    assert first.startswith(f"predicted: {best.label} {best.confidence:.1%}, ")
    assert counted.support is not None
    assert second == f"{counted.support.filters} of its 2 most active filters are tagged with {best.label}."
    weighed = explain_image(colours, network, picture((250, 10, 20)), by="evidence")
    assert str(weighed).splitlines()[1:] == list(verdict(weighed))


def test_a_blue_image_is_explained_by_the_car(colours: KG, network: Network, picture: Painter) -> None:
    found = explain_image(colours, network, picture((10, 20, 250)))
    assert "minivan" in {evidence.label for evidence in found.labels}


def test_observed_activations_are_those_of_the_maps(network: Network) -> None:
    pixels = np.zeros((1, 8, 8, 3), np.uint8)
    pixels[..., 0] = 255
    pixels[:, :4, :, 1] = 255
    activations, confidences = observe(network, pixels)
    np.testing.assert_allclose(activations[0, 2:], [1, 0.5, 0], atol=1e-6)
    assert confidences.sum() == pytest.approx(1)


def test_mistakes(colours: KG, kg: KG, network: Network, picture: Painter, tmp_path: Path) -> None:
    red = picture((250, 0, 0))
    with pytest.raises(FiltagError, match=r"was made of toy-0123456789ab, not of colours-[0-9a-f]{12}: name the right"):
        explain_image(kg, network, red)
    with pytest.raises(FiltagError, match=r"no rule 'k=9' in .*: it has k=1, k=1:contrast"):
        explain_image(colours, network, red, rule="k=9")
    with pytest.raises(FiltagError, match=r"cannot read .*none.png \(No such file or directory\): check the path"):
        explain_image(colours, network, tmp_path / "none.png")
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(FiltagError, match=r"text.png is not a readable image \(.*\): give a JPEG, PNG or the like"):
        explain_image(colours, network, tmp_path / "text.png")


@pytest.mark.parametrize("rule", ["k=1", "k=1:contrast"])
def test_what_is_counted_is_what_the_files_of_the_kg_say(
    colours: KG, network: Network, picture: Painter, rule: str
) -> None:
    found = explain_image(colours, network, picture((250, 10, 20)), rule=rule, most=100)
    tags: Counter[str] = Counter()
    concepts: Counter[str] = Counter()
    rows = [row for row in TAGS.read(colours.tags_path) if row.rule == rule]
    common = [row for row in read_common_concepts(colours.common_path, kinds_of="wordnet") if row.rule == rule]
    for active in found.active:
        here = [row for row in rows if (row.layer, row.filter) == (active.layer, active.filter)]
        assert sorted(active.tags) == sorted((row.class_id, row.label) for row in here)
        tags.update(row.class_id for row in here)
        shared = [row for row in common if (row.layer, row.filter) == (active.layer, active.filter)]
        assert active.concepts == tuple((row.concept, row.label) for row in shared)
        concepts.update(row.concept for row in shared)
    assert {row.id: row.filters for row in found.labels} == tags
    assert {row.id: row.filters for row in found.concepts} == concepts
    assert [row.filters for row in found.labels] == sorted(tags.values(), reverse=True)


def test_a_prediction_is_supported_where_its_tags_are_among_the_most(
    colours: KG, network: Network, picture: Painter
) -> None:
    found = explain_image(colours, network, picture((250, 0, 0)))
    assert found.support is not None
    assert found.predictions[0].class_id == found.support.class_id
    assert (found.support.classes, found.support.active) == (8, 2)


def test_one_class_and_not_another(colours: KG, network: Network, picture: Painter) -> None:
    red = picture((250, 0, 0))
    found = explain_image(colours, network, red, why="bloodhound", not_="n03770679").why_not
    assert found is not None
    assert ("last", 0) in found.only_why.filters
    assert found.only_why_not.filters == ()
    assert {row.label for row in found.only_why.concepts} == {"dog"}
    assert (found.why.class_id, found.why_not.class_id) == ("n02088466", "n03770679")
    assert (found.why_confidence, found.why_not_confidence) == (None, None), "the network has neither output"

    best, other = (prediction.class_id for prediction in explain_image(colours, network, red).predictions)
    against_prediction = explain_image(colours, network, red, why=other).why_not
    assert against_prediction is not None
    assert against_prediction.why_not.class_id == best
    assert against_prediction.why_confidence == pytest.approx(1 - (against_prediction.why_not_confidence or 0))
    with pytest.raises(FiltagError, match=f"both classes are {best}: name two"):
        explain_image(colours, network, red, why=best)
    with pytest.raises(FiltagError, match="a class to contrast with is named, but not the class to explain: name both"):
        explain_image(colours, network, red, not_=best)
    with pytest.raises(FiltagError, match=r"no class 'bloodhoud' in the KG: did you mean bloodhound\?"):
        explain_image(colours, network, red, why="bloodhoud")


def odd_images() -> dict[str, bytes]:
    from PIL import Image

    rng = np.random.default_rng(0)
    wide = Image.fromarray(rng.integers(0, 256, (3, 2000, 3), dtype=np.uint8))
    deep = Image.fromarray(rng.integers(0, 2**16, (9, 9), dtype=np.uint16))
    found = {}
    for name, image, kind in (
        ("wide", wide, "PNG"),
        ("grey", wide.convert("L"), "JPEG"),
        ("cmyk", wide.convert("CMYK"), "JPEG"),
        ("palette", wide.convert("P"), "GIF"),
        ("transparent", wide.convert("RGBA"), "PNG"),
        ("two colours", wide.convert("1"), "PNG"),
        ("16 bit", deep, "PNG"),
        ("one pixel", wide.crop((0, 0, 1, 1)), "PNG"),
    ):
        file = io.BytesIO()
        image.save(file, kind)
        found[name] = file.getvalue()
    return found


@pytest.mark.parametrize("name", list(odd_images()))
def test_images_of_any_form_are_explained(colours: KG, network: Network, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(odd_images()[name])
    assert explain_image(colours, network, path).n_active == 2


@pytest.mark.parametrize("name", ["wide", "grey", "16 bit"])
def test_cut_off_images_end_in_one_line(colours: KG, network: Network, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(odd_images()[name][:-20][:120])
    with pytest.raises(FiltagError, match=r"is not a readable image \(.*\): give a JPEG, PNG or the like$"):
        explain_image(colours, network, path)


def test_places_that_hold_no_image_end_in_one_line(colours: KG, network: Network, tmp_path: Path) -> None:
    with pytest.raises(FiltagError, match=r"cannot read .* \(Is a directory\): check the path"):
        explain_image(colours, network, tmp_path)
    (tmp_path / "empty.png").touch()
    with pytest.raises(FiltagError, match=r"empty.png is not a readable image \("):
        explain_image(colours, network, tmp_path / "empty.png")
    (tmp_path / "locked.png").touch(mode=0)
    with pytest.raises(FiltagError, match=r"locked.png (is not a readable image|\(Permission denied\))"):
        explain_image(colours, network, tmp_path / "locked.png")
