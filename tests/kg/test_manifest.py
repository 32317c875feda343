from __future__ import annotations

import hashlib
from pathlib import Path

from filtag_kg import Profile, Provenance, Rule, tag_filters, wordnet
from filtag_kg.kg import KG, Visualization, add_runs, build_kg, open_kg, remove_run, write_visualizations


def built(path: Path, profile: Profile, rule: Rule, first_rule: int = 0) -> KG:
    tags = tag_filters(profile, [rule], network="toy-0123456789ab")
    return build_kg(path, tags, wordnet(), Provenance.of_profile(profile), profile=profile, first_rule=first_rule)


def files_of(path: Path) -> dict[str, dict[str, object]]:
    """What stands in the directory, read the slow way; the store's log and lock are left out."""
    found = {}
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if file.is_file() and name not in ("filtag.json", "store/LOG", "store/LOCK"):
            content = file.read_bytes()
            found[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return found


def test_the_manifest_records_every_file_through_all_that_changes_a_kg(profile: Profile, tmp_path: Path) -> None:
    kg = built(tmp_path / "kg", profile, Rule("k", 1))
    assert kg.manifest["files"] == files_of(kg.path)
    assert {"tags.csv", "common.csv", "concepts.csv", "links.sssom.tsv", "profile.npz", "graph.nq.gz"} < set(
        kg.manifest["files"]
    )
    assert any(name.endswith(".sst") for name in kg.manifest["files"])
    picture = Visualization("toy-0123456789ab", "deep", 0, "feature-visualisation", 0, 1, 0.5)
    write_visualizations(kg, [picture], [b"a picture"])
    write_visualizations(kg, [picture], [b"another picture"])
    seen = open_kg(kg.path)
    assert seen.manifest["files"] == files_of(kg.path)
    assert sum(name.startswith("visualizations/") for name in seen.manifest["files"]) == 2
    added = add_runs(seen, built(tmp_path / "added", profile, Rule("q", 0.5), first_rule=1))
    assert added.manifest["files"] == files_of(kg.path)
    assert sum(name.startswith("added/") for name in added.manifest["files"]) == 6
    assert remove_run(added, "q=0.5").manifest["files"] == files_of(kg.path)
