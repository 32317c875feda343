from __future__ import annotations

import pytest

from filtag_kg import BuildParameters, FiltagError
from filtag_kg.graph import SPDX, Attribution, licence_iri


def test_a_licence_is_an_iri_or_an_id_of_spdx_in_any_case() -> None:
    assert licence_iri("CC-BY-4.0") == licence_iri("cc-by-4.0") == f"{SPDX}CC-BY-4.0"
    iri = "https://example.org/terms#data"
    assert licence_iri(iri) == licence_iri(licence_iri(iri)) == iri


@pytest.mark.parametrize(
    ("given", "option", "what"),
    [
        (
            {"licence": "CC BY 4.0"},
            "licence",
            r"'CC BY 4\.0' is not a licence \(did you mean CC-BY-4\.0\?\): give an IRI",
        ),
        ({"licence": "all mine"}, "licence", "'all mine' is not a licence"),
        ({"licence": ""}, "licence", "'' is not a licence"),
        ({"licence": "https://example.org/my terms"}, "licence", "is not an IRI: give all of it, without spaces"),
        ({"licence": "https://"}, "licence", "'https://' is not an IRI"),
        ({"licence": "javascript:alert(1)"}, "licence", "is not a licence"),
        ({"creators": ("Ada", " ")}, "creators", "' ' is not the name of a creator, or an IRI: give one line of text"),
        ({"creators": ("https://orcid.org/0000 1",)}, "creators", "is not an IRI"),
        ({"title": "two\nlines"}, "title", "is not a title: give one line of text"),
        ({"title": ""}, "title", "'' is not a title"),
    ],
)
def test_what_is_no_title_creator_or_licence_is_refused_in_one_line(
    given: dict[str, str | tuple[str, ...]], option: str, what: str
) -> None:
    with pytest.raises(FiltagError, match=what) as error:
        BuildParameters(**given)
    assert error.value.options == (option,)
    assert "\n" not in str(error.value)


def test_one_creator_is_not_taken_for_many_letters() -> None:
    with pytest.raises(TypeError, match="creators is a tuple of texts, got 'Ada'"):
        BuildParameters(creators="Ada")  # type: ignore[arg-type]


def test_a_record_is_read_back() -> None:
    given = Attribution("Filters", ("Ada", "https://orcid.org/0000-0002-1825-0097"), "mit")
    assert given.record()["licence"] == f"{SPDX}MIT"
    assert Attribution.of_record(given.record()).record() == given.record()
    assert Attribution().record() == {}
