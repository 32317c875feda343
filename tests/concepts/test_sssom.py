"""Links as SSSOM/TSV."""

# ruff: noqa: E501

from __future__ import annotations

from filtag_kg.concepts import SSSOM_COLUMNS, link_classes, sssom_text, wordnet

SET = "https://example.org/kg/links"

EXPECTED = """\
#curie_map:
#  class: "https://example.org/class/"
#  pwn30: "http://wordnet-rdf.princeton.edu/pwn30/"
#  semapv: "https://w3id.org/semapv/vocab/"
#  skos: "http://www.w3.org/2004/02/skos/core#"
#mapping_set_id: "https://example.org/kg/links"
#license: "https://wordnet.princeton.edu/license-and-commercial-use"
#comment: "2 of 3 classes are linked"
subject_id	subject_label	predicate_id	object_id	object_label	mapping_justification	object_source_version	mapping_tool	confidence	comment
class:c1	crane	skos:exactMatch	pwn30:02012849-n	crane	semapv:LexicalMatching	wordnet 3.0	filtag-kg	0.89382	or: crane (a kind of lifting device) <http://wordnet-rdf.princeton.edu/pwn30/03126707-n> 0.074; Crane (a kind of poet) <http://wordnet-rdf.princeton.edu/pwn30/10914331-n> 0.007; Crane (a kind of writer) <http://wordnet-rdf.princeton.edu/pwn30/10914447-n> 0.0053
class:n02084071	dog	skos:exactMatch	pwn30:02084071-n	dog	semapv:BackgroundKnowledgeBasedMatching	wordnet 3.0	filtag-kg	1\t
"""


def test_text() -> None:
    links = link_classes(["n02084071", "b", "c1"], ["dog", "no such wurd", "crane"], wordnet())
    text = sssom_text(links, wordnet(), class_iri="https://example.org/class/{}".format, mapping_set_id=SET)
    assert text == EXPECTED
    assert tuple(text.split("\n")[8].split("\t")) == SSSOM_COLUMNS
    again = link_classes(["c1", "b", "n02084071"], ["crane", "no such wurd", "dog"], wordnet())
    assert text == sssom_text(again, wordnet(), class_iri="https://example.org/class/{}".format, mapping_set_id=SET)


def test_subjects_without_a_common_base_stay_iris() -> None:
    links = link_classes(["a", "b"], ["dog", "cat"], wordnet())
    text = sssom_text(links, wordnet(), class_iri=lambda name: f"https://{name}.org/x", mapping_set_id=SET)
    lines = text.split("\n")
    rows = [line.split("\t")[0] for line in lines if not line.startswith("#")]
    assert rows == ["subject_id", "https://a.org/x", "https://b.org/x", ""]
    assert not any(line.startswith("#  class:") for line in lines)


def test_no_links() -> None:
    text = sssom_text(link_classes([], [], wordnet()), wordnet(), class_iri=str, mapping_set_id=SET)
    assert text.endswith("\t".join(SSSOM_COLUMNS) + "\n")
