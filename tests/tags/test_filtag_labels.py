from __future__ import annotations

from pathlib import Path

import pytest

from filtag_kg.class_names import class_names
from filtag_kg.errors import FiltagError
from filtag_kg.tags import read_filtag_labels, tag_assignments

TEXT = """filter tags k=1
0:[' crane ', " jack-o'-lantern "]
1:[]
2:[' silky_terrier ', ' crane ']
"""
NAMES = {"n1": "crane", "n2": "jack-o'-lantern", "n3": "crane", "n4": "silky_terrier", "n5": "unused"}


def write(folder: Path, text: str) -> Path:
    path = folder / "tags-conv5_3-k1.txt"
    path.write_text(text)
    return path


def test_labels_become_classes_and_the_second_crane_is_the_other(tmp_path: Path) -> None:
    tags = read_filtag_labels(write(tmp_path, TEXT), class_names=NAMES, network="vgg16")
    assert [(row.filter, row.class_id, row.label, row.rank) for row in tag_assignments(tags)] == [
        (0, "n1", "crane", 1),
        (0, "n2", "jack-o'-lantern", 1),
        (2, "n3", "crane", 1),
        (2, "n4", "silky terrier", 1),
    ]
    assert (tags.layer_names, tags.n_filters, tags.rules, len(tags.class_ids)) == (
        ("conv5_3",),
        (3,),
        ("k=1",),
        5,
    )


def test_a_label_with_what_looks_like_the_end_of_a_line(tmp_path: Path) -> None:
    tags = read_filtag_labels(write(tmp_path, "filter tags k=1\n0:[' a\u2028b ', ' c\x85\x0bd ']\n"))
    assert tags.class_ids == ("a\u2028b", "c\x85\x0bd")


def test_without_class_names_labels_are_the_ids(tmp_path: Path) -> None:
    tags = read_filtag_labels(write(tmp_path, TEXT), layer="last")
    assert tags.class_ids == ("crane", "jack-o'-lantern", "silky terrier")
    assert tags.layer_names == ("last",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected 'filter tags k=1' as in FILTAG's tag files, so this is another format"),
        (
            "unit,label\n",
            "line 1: expected 'filter tags k=1' as in FILTAG's tag files, so this is another format",
        ),
        (
            "filter tags k=1\n1000000000000:[' a ']\n",
            "line 2: no layer has a filter 1000000000000: expected one below 100,000",
        ),
        ("filter tags k=1\n0:['']\n", "line 2: filter 0 has a label without a name: remove it"),
        ("filter tags k=0\n0:[]\n", "line 1: k=0 is not a rule: expected k=1, or a share such as q=0.05"),
        ("filter tags q=1.5.2\n0:[]\n", "line 1: q=1.5.2 is not a rule: expected k=1, or a share such as q=0.05"),
        (
            "filter tags k=1\n",
            "has no labels as filtag writes them: it needs the first line 'filter tags k=1', and rows",
        ),
        (
            "filter tags k=1\n0:[' a ', \n",
            "line 2: expected a line like 437:[' bluetick ', ' redbone '], got \"0:[' a ', \"",
        ),
        ("filter tags k=1\n0:[__import__('os')]\n", "line 2: expected a line like"),
        (
            "filter tags k=1\n0:[' Crane ']\n",
            "line 2: no class is labelled 'Crane'; check that the class names belong to these tags",
        ),
    ],
)
def test_malformed_files_are_named_with_the_line(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(FiltagError) as error:
        read_filtag_labels(path, class_names=NAMES)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(FiltagError, match="no label file at"):
        read_filtag_labels(tmp_path / "none.txt")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FiltagError, match="cannot be read as text"):
        read_filtag_labels(tmp_path / "binary")


def test_the_published_file_has_what_was_measured(shared_data: Path) -> None:
    folder = shared_data / "filtag-vgg16"
    tags = read_filtag_labels(folder / "tags-conv5_3-k1.txt", class_names=class_names(folder / "wnid-names.txt"))
    counts = [list(tags.filter).count(f) for f in set(tags.filter.tolist())]
    assert (len(tags), len(counts), sum(n >= 2 for n in counts), tags.n_filters) == (1000, 342, 219, (512,))
    assert len(set(tags.class_.tolist())) == 1000, "every class tags one filter, both cranes and both maillots included"


def test_empty_lines_before_the_header_are_none(tmp_path: Path) -> None:
    path = tmp_path / "tags.txt"
    path.write_text("\n \nfilter tags k=1\n3:[' dog ']\n")
    assert read_filtag_labels(path).n_filters == (4,)
    path.write_text("\n\nfilter tags k=1\n3:[' dog ']\nx\n")
    with pytest.raises(FiltagError, match="line 5: expected a line like"):
        read_filtag_labels(path)
    path.write_text("\n\nfilter tags k=x\n")
    with pytest.raises(FiltagError, match="line 3: "):
        read_filtag_labels(path)
