from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest
from rdflib import RDF, Graph, Namespace
from typer.testing import CliRunner

from filtag_kg.cli import app
from filtag_kg.graph import PREFIXES, resource_folder, term
from filtag_kg.kg import KG, Validation, file_differences, open_kg, validate_kg

SH = Namespace(PREFIXES["sh"])
DATA = "https://w3id.org/filtag/data"


def damaged(kg: KG, folder: Path) -> Path:
    """Return a copy to be damaged."""
    shutil.copytree(kg.path, folder / "kg")
    return folder / "kg"


def without_hashes(kg: KG, folder: Path) -> Path:
    """Return a copy whose manifest records no files."""
    path = damaged(kg, folder)
    manifest = {name: value for name, value in kg.manifest.items() if name != "files"}
    (path / "filtag.json").write_text(json.dumps(manifest))
    return path


def changed(kg: KG, folder: Path, update: str) -> Validation:
    """Corrupt a copy of a KG, and validate that."""
    path = without_hashes(kg, folder)  # Or the store would not even be opened.
    store = ox.Store(str(path / "store"))
    before = set(store)
    prologue = " ".join(f"PREFIX {prefix}: <{iri}>" for prefix, iri in PREFIXES.items())
    store.update(f"{prologue} PREFIX data: <{DATA}/> {update}")
    assert set(store) != before
    store.flush()
    del store
    return validate_kg(open_kg(folder / "kg"))


def replaced(kind: str, property_: str, value: str) -> str:
    """Give one thing of a kind another value of a property."""
    return f"""DELETE {{ GRAPH ?g {{ ?x {property_} ?v }} }} INSERT {{ GRAPH ?g {{ ?x {property_} {value} }} }}
    WHERE {{ {{ SELECT ?g ?x ?v {{ GRAPH ?g {{ ?x a {kind} ; {property_} ?v }} }} ORDER BY ?g ?x LIMIT 1 }} }}"""


def replaced_result(kind: str, property_: str, value: str) -> str:
    """Give one result of a run, which stands in the default graph, another value of a property."""
    return f"""DELETE {{ ?x {property_} ?v }} INSERT {{ ?x {property_} {value} }}
    WHERE {{ {{ SELECT ?x ?v {{ ?x {kind} ; {property_} ?v }} ORDER BY ?x LIMIT 1 }} }}"""


def test_a_kg_is_valid(kg: KG, vgg: KG) -> None:
    for one in (kg, vgg):
        found = validate_kg(one)
        assert found.findings == ()
        assert found.n_nodes > 300
        assert found.n_statements == one.manifest["counts"]["quads"]


def inserted(class_: str) -> str:
    """An update that adds a thing of which nothing is said but what it is."""
    return f"INSERT DATA {{ <{DATA}/run/x> a {class_} }}"


# One corruption a shape: the SPARQL update, the constraint that finds it, and what it says.
EXPLANATION = f"<{DATA}/run/x/explanation/y>"
MUTATIONS = {
    "NetworkShape": (replaced("nno:NeuralNetwork", "flt:weightsSha256", '"weights"'), "Pattern", "flt:weightsSha256"),
    "LayerShape": (replaced("nno:Conv2D", "nno:hasLayerSequence", "-1"), "MinInclusive", "nno:hasLayerSequence"),
    "FilterShape": (replaced("flt:Filter", "flt:filterIndex", '"zero"'), "Datatype", "flt:filterIndex"),
    "PictureShape": (inserted("foaf:Image"), "MinCount", "dcterms:format"),
    "ClassLabelShape": (replaced("flt:ClassLabel", "skos:notation", "1"), "Datatype", "skos:notation"),
    "ConceptLinkShape": (replaced("flt:ConceptLink", "sssom:predicate_id", "skos:like"), "In", "sssom:predicate_id"),
    "ConceptShape": (replaced("skos:Concept", "skos:broader", "data:nothing"), "Class", "skos:broader"),
    "TagAssignmentShape": (replaced_result("flt:tag ?c", "flt:rank", "0"), "MinInclusive", "flt:rank"),
    "CommonFeatureShape": (
        replaced_result("a flt:CommonConcept", "flt:coverage", '"1.5"^^xsd:double'),
        "MaxInclusive",
        "flt:coverage",
    ),
    "CommonConceptShape": (
        "INSERT { ?x flt:relation 'HasA' } WHERE { ?x a flt:CommonConcept ; flt:rank 1 }",
        "MaxCount",
        "flt:relation",
    ),
    "OtherFeatureShape": (replaced_result("a flt:CommonFeature", "flt:relation", '"Likes"'), "In", "flt:relation"),
    "ConceptInLayerShape": (
        # Of them all, as there are more of them than are looked at.
        """DELETE { ?x flt:separation ?v } INSERT { ?x flt:separation "1.5"^^xsd:double }
    WHERE { ?x flt:separation ?v }""",
        "MaxInclusive",
        "flt:separation",
    ),
    "FilterInRunShape": (
        """DELETE { GRAPH ?g { ?x flt:tagCount ?n } } INSERT { GRAPH ?g { ?x flt:tagCount -1 } }
    WHERE { GRAPH ?g { ?x flt:tagCount ?n } }""",
        "MinInclusive",
        "flt:tagCount",
    ),
    "FilterPartShape": (inserted("flt:FilterPart"), "MinCount", "flt:includesClass"),
    "TaggingRunShape": (replaced("flt:TaggingRun", "flt:ruleIndex", "0.5"), "Datatype", "flt:ruleIndex"),
    "LabelCheckShape": (inserted("flt:LabelCheck"), "MinCount", "flt:checkedRun"),
    "CheckedLabelShape": (f"INSERT DATA {{ <{DATA}/run/x/tag/y> flt:confirmed true }}", "MinCount", "flt:checkQValue"),
    "AblationShape": (inserted("flt:Ablation"), "MinCount", "flt:ablatedFilter"),
    "AblationEffectShape": (inserted("flt:AblationEffect"), "MinCount", "flt:effectOn"),
    "AblationChangeShape": (inserted("flt:AblationChange"), "MinCount", "flt:measure"),
    "ExplanationShape": (f"INSERT DATA {{ {EXPLANATION} a flt:Explanation }}", "MinCount", "prov:wasInfluencedBy"),
    "EvidenceShape": (
        f"INSERT DATA {{ {EXPLANATION} a flt:Evidence ; flt:about <x:y> }}",
        "MinCount",
        "flt:filterCount",
    ),
    "DatasetShape": (
        "DELETE { GRAPH ?g { ?x dcterms:license ?y } } WHERE { GRAPH ?g { ?x a dcat:Dataset ; dcterms:license ?y } }",
        "MinCount",
        "dcterms:license",
    ),
    "DistributionShape": (replaced("dcat:Distribution", "dcat:mediaType", '"text"'), "NodeKind", "dcat:mediaType"),
    "ConceptSchemeShape": (inserted("skos:ConceptScheme"), "MinCount", "dcterms:title"),
    "AgentShape": (f"INSERT DATA {{ <{DATA}/agent/x> a foaf:Agent ; foaf:name 3 }}", "Datatype", "foaf:name"),
    "LinksetShape": (replaced("void:Linkset", "void:triples", "0"), "MinInclusive", "void:triples"),
}


def test_every_shape_has_a_mutation_and_every_class_a_shape() -> None:
    shapes = Graph().parse(resource_folder("ontology") / "shapes.ttl")
    names = {str(shape).removeprefix(PREFIXES["flt"]) for shape in shapes.subjects(RDF.type, SH.NodeShape)}
    assert names == set(MUTATIONS)
    ontology = Graph().parse(resource_folder("ontology") / "filtag.ttl")
    ours = {str(x) for x in ontology.subjects(RDF.type) if (x, None, None) in ontology and "#" in str(x)}
    classes = {iri for iri in ours if iri.removeprefix(PREFIXES["flt"])[:1].isupper()}
    assert classes - {term("flt:FilterStatement")} <= {str(x) for x in shapes.objects(predicate=SH.targetClass)}


@pytest.mark.parametrize("shape", MUTATIONS)
def test_each_shape_finds_its_corruption(shape: str, kg: KG, tmp_path: Path) -> None:
    update, constraint, path = MUTATIONS[shape]
    found = changed(kg, tmp_path, update).findings
    assert any(f.check == constraint and f.what.startswith(path) for f in found), found


CORRUPTIONS = {
    "wrong count": f"""DELETE {{ GRAPH ?g {{ ?x ?p ?o }} }}
    WHERE {{ GRAPH ?g {{ ?x sssom:subject_id <{DATA}/class/n02087394> ; ?p ?o }} }}""",
    "wrong size of a graph": f"""INSERT {{ GRAPH ?g {{ <{DATA}/class/n02087394> skos:hiddenLabel 'x' }} }}
    WHERE {{ GRAPH ?g {{ ?g a sssom:MappingSet }} }}""",
    "gap in ranks": replaced_result("flt:tag ?c", "flt:rank", "9"),
    "wrong tag count": """DELETE { GRAPH ?g { ?x flt:tagCount 3 } } INSERT { GRAPH ?g { ?x flt:tagCount 7 } }
    WHERE { GRAPH ?g { ?x flt:tagCount 3 } }""",
    "wrong strongest assignment": """DELETE { GRAPH ?g { ?class flt:strongestAssignment ?a } }
    WHERE { GRAPH ?g { ?class flt:strongestAssignment ?a } ?a flt:rank 1 }""",
    "dangling reference": replaced_result("flt:rank ?r", "flt:tag", "data:nothing"),
    "value out of range": replaced_result("a flt:CommonFeature", "flt:coverage", '"0"^^xsd:double'),
    "result of another run": """INSERT { data:x prov:wasGeneratedBy ?run }
    WHERE { ?x a flt:CommonConcept ; prov:wasGeneratedBy ?run }""",
    "store differs from the graph": f"INSERT DATA {{ <{DATA}/class/x> skos:hiddenLabel 'x' }}",
    "table differs from the graph": "DELETE { ?x flt:tag ?c } WHERE { ?x flt:tag ?c ; flt:rank 1 }",
    "blank node": "INSERT DATA { [] rdfs:label 'nobody' }",
}


@pytest.mark.parametrize("check", CORRUPTIONS)
def test_each_check_finds_its_corruption(check: str, kg: KG, tmp_path: Path) -> None:
    found = changed(kg, tmp_path, CORRUPTIONS[check]).findings
    assert check in {f.check for f in found}, found


def test_the_command_says_what_is_wrong_and_where(kg: KG, tmp_path: Path) -> None:
    shutil.copytree(kg.path, tmp_path / "kg")
    manifest = json.loads((tmp_path / "kg" / "filtag.json").read_text())
    manifest["counts"]["filters"] += 1
    (tmp_path / "kg" / "filtag.json").write_text(json.dumps(manifest))
    result = CliRunner().invoke(app, ["validate", str(tmp_path / "kg")])
    assert result.stdout == "wrong count: filtag.json: records 7 filters, the store holds 6\n"
    assert "is not valid (1 findings, above)" in str(result.exception)
    result = CliRunner().invoke(app, ["validate", str(kg.path)])
    assert result.stdout.startswith("valid: ")


@pytest.mark.parametrize(
    ("update", "what"),
    [
        (
            """INSERT { ?x flt:coherenceQValue 0.5e0 }
            WHERE { ?x a flt:CommonConcept ; flt:rank 2 }""",
            "has rank 2 and the q-value 0.5, which only rank 1 has",
        ),
        (
            """DELETE { ?x flt:coherenceQValue ?q }
            WHERE { ?x a flt:CommonConcept ; flt:rank 1 ; flt:coherenceQValue ?q }""",
            "has rank 1 and no q-value",
        ),
    ],
)
def test_the_q_value_is_the_first_concepts_alone(kg: KG, tmp_path: Path, update: str, what: str) -> None:
    found = changed(kg, tmp_path, update).findings
    assert what in {f.what for f in found if f.check == "misplaced q-value"}
    assert any(f.check == "Xone" for f in found)


def validated(path: Path, *options: str) -> str:
    """Return what the command prints; its error is one line."""
    result = CliRunner().invoke(app, ["validate", str(path), *options])
    assert result.exit_code == 0 or type(result.exception).__name__ == "FiltagError", result.exception
    return result.stdout


def test_every_file_is_recorded_and_compared(kg: KG, tmp_path: Path) -> None:
    """One byte of each file is changed in turn, then the file is cut, then it is gone."""
    path = damaged(kg, tmp_path)
    for name in sorted(kg.manifest["files"]):
        file = path / name
        whole = file.read_bytes()
        middle = len(whole) // 2
        changes: list[tuple[bytes | None, str]] = [(None, "is missing")]
        if whole:
            flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
            cut = f"has {len(whole) - 1:,} bytes, not {len(whole):,}"
            changes += [(flipped, "has changed since it was recorded"), (whole[:-1], cut)]
        for content, what in changes:
            file.unlink()
            if content is not None:
                file.write_bytes(content)
            found = list(file_differences(path, kg.manifest["files"], quick=False))
            assert found == [(name, what)]
            file.write_bytes(whole)
    assert validate_kg(open_kg(path), sample=1).findings == ()


def test_quick_compares_sizes_of_large_files_and_says_so(kg: KG, tmp_path: Path) -> None:
    path = damaged(kg, tmp_path)
    graph = bytearray((path / "graph.nq.gz").read_bytes())
    graph[len(graph) // 2] ^= 1
    (path / "graph.nq.gz").write_bytes(graph)
    found = validate_kg(open_kg(path), quick=True)
    assert found.findings == ()
    assert found.notes == (
        "a quick check compares only the sizes of graph, store, profile, thumbnails and added builds",
    )
    changed = "has changed since it was recorded"
    assert validated(path) == f"changed file: graph.nq.gz: {changed}\n"
    (path / "profile.npz").unlink()
    assert validated(path, "--quick") == "changed file: profile.npz: is missing\n"
    text = (path / "tags.csv").read_text()
    (path / "tags.csv").write_text(text.replace("tabby", "tubby"))
    assert f"changed file: tags.csv: {changed}\n" in validated(path, "--quick")


def test_a_damaged_store_is_a_finding(kg: KG, tmp_path: Path) -> None:
    path = damaged(kg, tmp_path)
    lines = []
    for table in sorted((path / "store").glob("*.sst")):
        lines.append(f"changed file: store/{table.name}: has 0 bytes, not {table.stat().st_size:,}\n")
        table.write_bytes(b"")
    assert validated(path) == "".join(lines)
    path = without_hashes(kg, tmp_path / "other")
    for table in (path / "store").glob("*.sst"):
        table.write_bytes(b"")
    assert validated(path).startswith("unreadable store: store: ")
    shutil.rmtree(path / "store")
    assert validated(path).startswith("unreadable store: store: ")


def test_tables_that_are_edited_or_cut_differ_from_the_graph(kg: KG, tmp_path: Path) -> None:
    path = without_hashes(kg, tmp_path)
    for name, rule in (("tags.csv", "k=1"), ("common.csv", "q=0.5")):
        text = (path / name).read_text()
        rows = [line for line in text.splitlines(keepends=True) if rule in line.strip().split(",")]
        (path / name).write_text(text.replace(rows[-1], ""))
        (finding,) = validate_kg(open_kg(path)).findings
        assert (finding.check, finding.where) == ("table differs from the graph", name)
        assert finding.what == f"has {len(rows) - 1:,} rows of {rule}, the graph has {len(rows):,}"
        (path / name).write_text(text)
    (path / "tags.csv").write_text("no table\n")
    (finding,) = validate_kg(open_kg(path)).findings
    assert finding.check == "table differs from the graph"
    assert str(path / "tags.csv") in finding.what


def test_files_that_are_not_the_kgs_are_told(kg: KG, tmp_path: Path) -> None:
    path = damaged(kg, tmp_path)
    (path / "notes.txt").touch()
    (path / "store" / "x").mkdir()
    (path / "store" / "x" / "y").touch()
    found = validate_kg(open_kg(path))
    assert found.findings == ()
    assert found.notes == ("notes.txt is not a file of this KG", "store/x/y is not a file of this KG")
    (note,) = validate_kg(open_kg(without_hashes(kg, tmp_path / "other"))).notes
    assert note.startswith("the manifest records no hashes, because an earlier version made this KG")
