# ruff: noqa: F811
"""Parts of a data set, profiled one by one and merged: their images are called as in the whole."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from filtag_kg import load_profile
from tests.cli.terminal import answer, filtag
from tests.cli.test_explain import network, room  # noqa: F401


@pytest.fixture
def shards(room: Path, tmp_path: Path) -> Path:
    """Two tars with images of one name in one folder, which are other images."""
    for shard in range(2):
        with tarfile.open(tmp_path / f"s-{shard}.tar", "w") as archive:
            for class_id in ("n02087394", "n02123045", "n03770679"):
                for index in range(2):
                    content = (room / "images" / class_id / f"{(index + shard) % 3}.png").read_bytes()
                    member = tarfile.TarInfo(f"{class_id}/{index}.png")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
    return tmp_path


def test_merged_parts_are_built_with_thumbnails_of_all(room: Path, shards: Path) -> None:
    pattern = shards / "s-{0..1}.tar"
    for shard in range(2):
        part = [*network(room), "--images", shards / f"s-{shard}.tar", "--part", "-o", shards / f"{shard}.npz", "-q"]
        answer("profile", *part)
    answer("profile", "--merge", shards / "0.npz", shards / "1.npz", "-o", shards / "merged.npz", "-q")
    answer("profile", *network(room), "--images", pattern, "-o", shards / "whole.npz", "-q")
    merged, whole = load_profile(shards / "merged.npz"), load_profile(shards / "whole.npz")
    assert merged.exemplars is not None
    assert whole.exemplars is not None
    np.testing.assert_allclose(merged.mean, whole.mean, atol=1e-9)
    assert merged.exemplars.names == whole.exemplars.names
    for name in ("merged", "whole"):
        answer("build", shards / f"{name}.npz", "--images", pattern, "-o", shards / name, "-q")
    files = [sorted(path.name for path in (shards / name / "exemplars").iterdir()) for name in ("merged", "whole")]
    assert files[0] == files[1]
    # Of one part alone, too.
    answer("build", shards / "0.npz", "--images", shards / "s-0.tar", "-o", shards / "part", "-q")
    assert (shards / "part" / "exemplars" / "exemplars.csv").exists()


def test_a_part_says_what_it_leaves_out(room: Path, tmp_path: Path) -> None:
    shutil.copytree(room / "images", tmp_path / "images")
    (tmp_path / "images" / "notes.txt").touch()
    done = filtag("profile", *network(room), "--images", tmp_path / "images", "--part", "-o", tmp_path / "p.npz")
    assert "note: left out of images: files without the suffix of an image: 1 ('notes.txt')" in done.stderr.splitlines()
