"""What people mean by a word: the class or the concepts that are called so."""

from __future__ import annotations

import pytest

from filtag_kg import FiltagError
from filtag_kg.views import class_named


def test_a_class_is_found_by_id_or_label_and_two_of_a_name_are_told_apart() -> None:
    ids, labels = ["n03126707", "n02012849", "n02123045"], ["crane", "crane", "tabby"]
    assert class_named("n02012849", ids, labels) == "n02012849"
    assert class_named("TABBY", ids, labels) == "n02123045"
    with pytest.raises(
        FiltagError, match=r"^2 classes are called 'crane': name one by its id, n02012849 or n03126707$"
    ):
        class_named("crane", ids, labels)
    with pytest.raises(FiltagError, match=r"^no class 'tabbi' in the KG: did you mean tabby\?$"):
        class_named("tabbi", ids, labels)
    with pytest.raises(FiltagError, match=r"^no class 'xyz' in the KG: check the spelling, or name it by its id$"):
        class_named("xyz", ids, labels)
