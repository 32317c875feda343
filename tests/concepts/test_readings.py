"""What a label is looked up as, however people write it."""

from __future__ import annotations

import pytest

from filtag_kg.concepts import wordnet
from filtag_kg.concepts.readings import Reading, readings


def found(label: str) -> Reading | None:
    """Return the first reading that WordNet knows."""
    return next((reading for reading in readings(label) if wordnet().senses(reading.text)), None)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("hot_dog", "hot dog"),
        ("persian+cat", "persian cat"),
        ("004.baseball-bat", "baseball-bat"),
        ("dumb-bell", "dumbbell"),
        ("hot-air-balloon", "hot-air balloon"),
        ("trashcan", "trash can"),
        ("tshirt", "t-shirt"),
        ("livingroom", "living room"),
        ("binocular", "binoculars"),
        ("airplanes", "airplane"),
        ("overalls_(clothing)", "overall"),
        ("/a/abbey", "abbey"),
        ("bus, autobus, coach", "bus"),
        ("cup or mug", "cup"),
        ("baby buggy (carriage", "baby buggy"),
    ],
)
def test_a_label_that_means_the_same(label: str, text: str) -> None:
    reading = found(label)
    assert reading is not None
    assert (reading.text, reading.exact) == (text, True)
    assert reading.certainty >= 0.95


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("floor 2", "floor"),
        ("chair.001", "chair"),
        ("Golf_II", "Golf"),
        ("dolphin-101", "dolphin"),
        ("door behind", "door"),
        ("man in a suit", "man"),
        ("bottom_cabinet_no_top", "cabinet"),
        ("sky-other-merged", "sky"),
        ("person sitting", "person"),
        ("dogs running", "dog"),
        ("door open", "door"),
        ("car_red_broken", "car"),
        ("fish tank empty", "fish tank"),
        ("ice dancing", "dancing"),
        ("green_onion_chopped", "green onion"),
        ("other shoes", "shoes"),
        ("Salt and pepper shakers", "pepper shaker"),
        ("whiteboard", "board"),
        ("Volvo 240 Sedan 1993", "Sedan"),
    ],
)
def test_a_label_that_means_a_kind_of_something(label: str, text: str) -> None:
    reading = found(label)
    assert reading is not None
    assert (reading.text, reading.exact) == (text, False)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("picutre", "picture"),
        ("bannana", "banana"),
        ("scisors", "scissors"),
        ("elephents", "elephant"),
        ("golden retreiver", "golden retriever"),
        ("water_lilly", "water lily"),
        ("sliced bannana", "banana"),
    ],
)
def test_a_slip_of_the_pen(label: str, text: str) -> None:
    reading = found(label)
    assert reading is not None
    assert (reading.text, reading.certainty) == (text, 0.5)


@pytest.mark.parametrize("label", ["gadwal", "zzzz", "taxo", "poutine", "ak47", "Boeing 747", "Model_T2", "Type S", ""])
def test_what_is_no_slip_of_the_pen_and_no_word(label: str) -> None:
    """Short words, other first letters, and names with numbers are left alone."""
    assert found(label) is None


@pytest.mark.parametrize("label", ["potted_plant", "pottedplant"])
def test_a_participle_for_a_noun(label: str) -> None:
    assert found(label) == Reading("pot plant", 0.7)


@pytest.mark.parametrize(
    "label",
    [
        "",
        " ",
        "(",
        "()",
        "[dog",
        "///",
        "a/",
        ",;|",
        "_+_",
        "or",
        "of the",
        "犬",
        "Hündin",
        "\U0001f436",
        "\x00",
        "-" * 99,
    ],
)
def test_odd_labels_have_few_readings_or_none(label: str) -> None:
    assert len(list(readings(label))) < 10


@pytest.mark.parametrize(
    "label", ["x" * 10_000, "x y " * 2_500, "word " * 2_000 + "dog", "1 " * 5_000, "(" * 10_000, "-" * 10_000]
)
def test_a_long_text_has_few_readings(label: str) -> None:
    assert len(list(readings(label))) < 500


def test_a_sentence_may_end_in_a_noun() -> None:
    assert found("a picture that somebody took of a dog, " + "more and more " * 100 + "dogs")


def test_what_stands_beside_the_word() -> None:
    assert found("pitcher_(vessel_for_liquid)") == Reading("pitcher", 0.97, hints=("vessel for liquid",))
    assert found("cab/taxi (car)") == Reading("cab", 0.95, hints=("car", "taxi"))
    assert found("trophy_cup_on_table") == Reading("cup", 0.7, exact=False, modifiers=("trophy", "table"))


def test_every_slip_is_found_by_trying_all_words() -> None:
    """The same words as by comparing with all of WordNet's, one by one."""
    words = [key.replace("_", " ") for key in wordnet()._index]

    def is_one_slip_away(one: str, other: str) -> bool:
        if len(one) > len(other):
            one, other = other, one
        gap = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
        if len(one) < len(other):
            return one[gap:] == other[gap + 1 :]
        swapped = one[:gap] + one[gap : gap + 2][::-1] + one[gap + 2 :]
        return one != other and (one[gap + 1 :] == other[gap + 1 :] or swapped == other)

    for text in ("picutre", "bannana", "girafe", "umbrela"):
        slow = {
            word
            for word in words
            if abs(len(word) - len(text)) <= 1 and word[0] == text[0] and is_one_slip_away(text, word)
        }
        assert {reading.text for reading in readings(text) if reading.certainty == 0.5 and reading.exact} == slow
