from __future__ import annotations

from pathlib import Path

import pytest

from filtag_kg.errors import FiltagError
from filtag_kg.tags import LABEL_FORMATS, read_labels


def test_a_file_is_read_by_the_reader_of_its_format(tmp_path: Path) -> None:
    (tmp_path / "tags.txt").write_text("filter tags k=1\n0:[' crane ']\n")
    tags = read_labels(tmp_path / "tags.txt", "filtag", layer="last", network="vgg16")
    assert (tags.network, tags.layer_names, tags.class_ids) == ("vgg16", ("last",), ("crane",))


@pytest.mark.parametrize("names", [{"network": ""}, {"layer": ""}])
def test_empty_names_are_refused(names: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(FiltagError, match=r"^the name of the network or layer is empty: give one, or leave it out$"):
        read_labels(tmp_path / "tags.txt", "filtag", **names)


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FiltagError) as error:
        read_labels(tmp_path / "tags.txt", "xml")
    assert str(error.value) == f"no label format 'xml': choose {' or '.join(LABEL_FORMATS)}"
