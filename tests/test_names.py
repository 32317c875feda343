"""One name, however its characters are put together: folders, files, what people type, and paths of IRIs."""

from __future__ import annotations

import hashlib
import io
import tarfile
import unicodedata
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from filtag_kg import FiltagError, Profile
from filtag_kg.class_names import class_names
from filtag_kg.concepts import read_curated_links, wordnet
from filtag_kg.images import open_images
from filtag_kg.kg import KG
from filtag_kg.names import name_in_path, part_of_path
from filtag_kg.profile import load_profile, merge_profiles, save_profile
from filtag_kg.query import LocalEndpoint, find_query, named_query
from filtag_kg.tags import read_filtag_labels
from filtag_kg.views import class_named, classes_named, layer_and_filter, load_kg, search_index
from tests.odd_names import odd_kg

TYPED, APART = "Bär", unicodedata.normalize("NFD", "Bär")
FORMS = pytest.mark.parametrize("form", ["NFC", "NFD"])


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    return file.getvalue()


def test_folders_that_look_alike_are_one_class_with_a_note(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert len(APART) == len(TYPED) + 1
    for folder, name in ((TYPED, "a"), (APART, "b"), ("cat", "c")):
        (tmp_path / "images" / folder).mkdir(parents=True)
        (tmp_path / "images" / folder / f"{name}.png").write_bytes(picture())
    with tarfile.open(tmp_path / "images.tar", "w") as tar:
        tar.add(tmp_path / "images", "images")
    for path in (tmp_path / "images", tmp_path / "images.tar"):
        caplog.clear()
        with open_images(path) as images:
            assert images.classes == (TYPED, "cat")
            assert [image.class_id for image in images.images] == [TYPED, TYPED, "cat"]
            assert all(images.read(image) == picture() for image in images.images), "by the names that they have"
        assert [record.message for record in caplog.records] == [
            f"2 folders are called {TYPED}, in other characters: they are one class"
        ]


@FORMS
def test_files_of_names_are_compared_with_folders(form: str, tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text(unicodedata.normalize(form, "Bär, Bärin\n"), encoding="utf-8")
    assert class_names(path) == {TYPED: "Bärin"}
    path.write_text(unicodedata.normalize(form, f"filter tags k=1\n0:[' {TYPED} ']\n"), encoding="utf-8")
    assert read_filtag_labels(path).class_ids == (TYPED,)
    assert read_filtag_labels(path, class_names={"n1": APART}).class_ids == ("n1",)
    dog = "http://wordnet-rdf.princeton.edu/pwn30/02084071-n"
    path.write_text(f"subject_id\tobject_id\nclass:{quote(unicodedata.normalize(form, TYPED))}\t{dog}\n")
    for class_id in (TYPED, APART):
        assert [link.concept for link in read_curated_links(path, [class_id], wordnet())[class_id]] == [dog]


def profile(*ids: str) -> Profile:
    n_classes = len(ids)
    images = {"source": ids[0], "sha256": hashlib.sha256(ids[0].encode()).hexdigest(), "read": 2, "unreadable": 0}
    return Profile(
        mean=np.full((n_classes, 2), 0.5),
        variance=np.full((n_classes, 2), 0.01),
        count=np.ones(n_classes, dtype=np.int64),
        class_ids=ids,
        class_labels=ids,
        layer_names=("only",),
        layer_offsets=np.array([0, 2]),
        metadata={"images": images},
    )


def test_profiles_of_both_forms_have_the_same_classes(tmp_path: Path) -> None:
    save_profile(profile(APART, "cat"), tmp_path / "p.npz")
    assert load_profile(tmp_path / "p.npz").class_ids == (TYPED, "cat")
    merged = merge_profiles([profile(APART, "cat"), profile(TYPED, "dog")])
    assert merged.class_ids == (TYPED, "cat", "dog")
    assert merged.count.tolist() == [2, 1, 1]
    with pytest.raises(ValueError, match=r"^class_ids must be unique, and not empty$"):
        profile(APART, TYPED)


@pytest.fixture(scope="module")
def kg(tmp_path_factory: pytest.TempPathFactory) -> KG:
    layers = (unicodedata.normalize("NFD", "Größe"), "second")
    return odd_kg(tmp_path_factory.mktemp("kg"), (APART, "cat", "dog"), ("Bärin é", "cat", "dog"), layers)


@FORMS
def test_what_people_type_finds_it_either_way(form: str, kg: KG) -> None:
    def typed(text: str) -> str:
        return unicodedata.normalize(form, text)

    loaded = load_kg(kg)
    (network,) = loaded.networks.values()
    ids, labels = loaded.concepts.class_ids, loaded.concepts.class_labels
    assert classes_named(typed("Bär"), ids, labels) == classes_named(typed("BÄRIN É"), ids, labels) == (TYPED,)
    assert loaded.layer(network, typed("Größe")).layer == network.layer_names[0]
    assert loaded.filter(network, typed("Größe"), 1).layer == network.layer_names[0]
    assert layer_and_filter(network, typed("Größe/2"), None) == (typed("Größe"), 2)
    found = search_index(loaded).find(typed("bärin"))
    assert [(each.kind, each.label) for each in found] == [("class", "Bärin é")]
    assert [each.label for each in search_index(loaded).find(typed("größe 1"))] == [f"{network.layer_names[0]} 1"]
    for query, parameters in (
        ("filters-of-class", {"class": "Bär"}),
        ("filters-of-class", {"class": "Bärin É"}),
        ("common-concepts", {"layer": "Größe"}),
        ("tags-of-filter", {"layer": "Größe", "filter": "0"}),
    ):
        asked = {name: typed(value) for name, value in parameters.items()}
        rows = named_query(LocalEndpoint(kg), find_query(query), asked).rows
        plain = named_query(LocalEndpoint(kg), find_query(query), parameters).rows
        assert rows == plain
        assert rows or query == "common-concepts"


def test_a_class_is_found_by_id_before_label() -> None:
    assert class_named(APART, [TYPED, "x"], ["a", "b"]) == TYPED
    assert class_named(TYPED, [APART, "x"], ["a", "b"]) == APART
    assert class_named(APART.upper(), ["x", "y"], [TYPED, "b"]) == "x"
    with pytest.raises(FiltagError, match="no class 'Bar' in the KG"):
        class_named("Bar", ["x"], ["y"])


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(NAMES, NAMES)
@example(".", "=.")
@example("..", "=..")
@example("..", "%2E%2E")
def test_a_part_of_a_path_is_one_name(name: str, other: str) -> None:
    part = part_of_path(name)
    assert name_in_path(part) == name
    assert (part == part_of_path(other)) == (name == other)
    # Clients take dots for folders, encoded or not.
    assert unquote(part) not in (".", "..") or part.startswith("=")
    assert not set(part) & set("/?#\\ ")
