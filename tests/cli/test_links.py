"""What the commands say of links, and links that come back from a spreadsheet."""

from __future__ import annotations

from pathlib import Path

from tests.cli.terminal import filtag

LABELS = ("cardboard", "glass", "metal", "paper", "plastic", "trash", "NORMAL", "ok", "bow", "good", "who", "7")


def label_file(folder: Path) -> Path:
    path = folder / "tags.txt"
    path.write_text(f"filter tags k=1\n0:{[f' {label} ' for label in LABELS]}\n")
    return path


def test_doubtful_links_are_counted_shown_and_can_be_corrected(tmp_path: Path) -> None:
    tags, kg = label_file(tmp_path), tmp_path / "my kg"
    done = filtag("import", tags, "--format", "filtag", "-o", kg)
    assert (done.returncode, done.stdout) == (0, "")
    assert [line for line in done.stderr.split("\n")[1:] if not line.startswith("note: rule k=1: ")] == [
        "note: linked to no concept, 1 of 12 classes: 7",
        "note: doubtful links to concepts, 6 of 11, the worst 5 of them:",
        "note:   ok → O.K. (a kind of sanction), confidence 0.75; or Oklahoma (a kind of American state)",
        "note:   bow → bow (a kind of weapon), confidence 0.26; or bow (a kind of stick)",
        "note:   good → commodity (a kind of artifact), confidence 0.76; or good (a kind of morality)",
        "note:   trash → methamphetamine (a kind of amphetamine), confidence 0.47; or rubbish (a kind of waste)",
        "note:   who → World Health Organization (a kind of United Nations agency), confidence 0.98",
        f"note: correct them in {kg}/links.sssom.tsv and run this again with --links and --force; filtag query '{kg}' "
        "doubtful-links lists them all",
        "",
    ]
    links = tmp_path / "links.tsv"
    links.write_text((kg / "links.sssom.tsv").read_text().replace("03076708-n", "04849241-n"))
    again = filtag("import", tags, "--format", "filtag", "-o", tmp_path / "again", "--links", links)
    assert again.returncode == 0
    assert "doubtful links" not in again.stderr
    quiet = filtag("import", tags, "--format", "filtag", "-o", tmp_path / "quiet", "-q")
    assert (quiet.returncode, quiet.stderr) == (0, "")
