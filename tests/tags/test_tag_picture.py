"""The picture in docs/explanation/tags.md shows the demo's figures."""

from __future__ import annotations

from scripts.make_tag_picture import TARGET, picture


def test_the_picture_is_up_to_date() -> None:
    assert picture() == TARGET.read_text("utf-8"), "run python scripts/make_tag_picture.py"
