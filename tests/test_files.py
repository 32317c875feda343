"""Outputs follow what stands at their place; who is killed at any moment leaves the old or the new, and no more."""

from __future__ import annotations

import errno
import os
import random
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filtag_kg import files
from filtag_kg.errors import FiltagError
from filtag_kg.files import only_writer, replacing, replacing_directory, scratch_directory, writing
from filtag_kg.output_paths import check_directory_output, check_file_output, destination_of, is_stream, sibling


def write(target: Path, content: bytes = b"new") -> None:
    with writing(target) as file:
        file.write(content)


def fill(target: Path, content: str = "new", check: Callable[[Path], object] = lambda _: None) -> None:
    with replacing_directory(target, check) as room:
        (room / "a").write_text(content)
        (room / "b").mkdir()
        (room / "b" / "c").write_text(content)


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(FiltagError) as error:
        action()
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture(autouse=True)
def no_litter(tmp_path: Path) -> Iterator[None]:
    yield
    assert list(tmp_path.rglob(".*")) == []
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


# What stands there.


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to("fifo")
    for target in (fifo, link):
        for action in (write, lambda path: _replace(path, "new")):
            read: list[bytes] = []
            reader = threading.Thread(target=lambda read=read: read.append(fifo.read_bytes()), daemon=True)
            reader.start()
            action(target)
            reader.join(10)
            assert read == [b"new"]
    assert stat.S_ISFIFO(fifo.lstat().st_mode)
    assert link.is_symlink()
    assert is_stream(link)
    assert check_file_output(link) == link


def _replace(target: Path, content: str) -> None:
    with replacing(target) as unfinished:
        unfinished.write_text(content)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root makes devices")
def test_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    device = tmp_path / "null"
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        device.write_bytes(b"x")
    except PermissionError:
        pytest.skip("no devices can be made here")
    full = tmp_path / "full"
    os.mknod(full, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    write(device)
    _replace(device, "new")
    assert stat.S_ISCHR(device.lstat().st_mode)
    assert refusal(lambda: write(full)) == f"cannot write {full} (No space left on device)"
    assert refusal(lambda: _replace(full, "new")) == f"cannot write {full} (No space left on device)"
    assert refusal(lambda: fill(device)) == (
        f"{device} exists and is no directory, so it is not replaced: choose another output"
    )


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="the system has no /dev/fd")
@pytest.mark.parametrize("name", ["/dev/fd/{}", "/proc/self/fd/{}", "link", "folder/{}"])
def test_an_open_descriptor_is_written_to_where_it_stands(name: str, tmp_path: Path) -> None:
    if name.startswith("/proc") and not Path("/proc/self/fd").exists():
        pytest.skip("the system has no /proc")
    with (tmp_path / "log").open("wb") as log:
        log.write(b"before ")
        log.flush()
        (tmp_path / "link").symlink_to(f"/dev/fd/{log.fileno()}")
        (tmp_path / "folder").symlink_to("/dev/fd")
        target = tmp_path / name.format(log.fileno())
        write(target)
        _replace(target, " and again ")
        log.write(b"after")
    assert (tmp_path / "log").read_bytes() == b"before new and again after"


def test_stdout_in_a_pipe_and_in_a_file(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path; from filtag_kg.files import writing\n"
        "with writing(Path('/dev/stdout')) as file: file.write(b'new')"
    )
    piped = subprocess.run([sys.executable, "-c", script], capture_output=True)
    assert (piped.stdout, piped.stderr) == (b"new", b"")
    with (tmp_path / "log").open("ab") as log:
        subprocess.run(["echo", "before"], stdout=log, check=True)
        subprocess.run([sys.executable, "-c", script], stdout=log, check=True)
    assert (tmp_path / "log").read_text() == "before\nnew"


def test_a_shells_process_substitution(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from filtag_kg.files import writing\n"
        "with writing(Path(sys.argv[1])) as file: file.write(b'new')"
    )
    # Its own stdout is closed, so that the end of the output is that of what the shell does not wait for.
    command = 'exec 3>&1 >/dev/null; "$0" -c "$1" >(tr a-z A-Z >&3) 3>&-'
    done = subprocess.run(["bash", "-c", command, sys.executable, script], capture_output=True)
    assert (done.stdout, done.stderr) == (b"NEW", b"")


def test_links_stay_and_their_targets_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("middle")
    (tmp_path / "middle").symlink_to("real/file")
    write(tmp_path / "link")  # It dangles.
    write(tmp_path / "link", b"newer")
    assert (tmp_path / "real" / "file").read_bytes() == b"newer"
    fill(tmp_path / "real" / "kg", "old")
    (tmp_path / "kg").symlink_to("real/kg")
    fill(tmp_path / "kg")
    assert contents(tmp_path / "real" / "kg") == {"a": "new", "b/c": "new"}
    (tmp_path / "folder").symlink_to("real")
    fill(tmp_path / "folder" / "kg", "newer")
    assert contents(tmp_path / "real" / "kg") == {"a": "newer", "b/c": "newer"}
    assert all((tmp_path / name).is_symlink() for name in ("link", "middle", "kg", "folder"))


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    (tmp_path / "away").symlink_to("unmounted/disk/kg")
    place = tmp_path / "unmounted" / "disk" / "kg"
    for action in (write, fill):
        assert refusal(lambda action=action: action(tmp_path / "one")) == (
            f"cannot write {tmp_path / 'one'} (Too many levels of symbolic links): choose another output or mend its "
            "permissions"
        )
        assert refusal(lambda action=action: action(tmp_path / "away")) == (
            f"{tmp_path / 'away'} is a link to {place}, whose folder does not exist: make it, or mend the link"
        )
    assert not (tmp_path / "unmounted").exists()


def test_a_file_is_no_directory_and_the_other_way_round(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "to-folder").symlink_to("folder")
    (tmp_path / "to-file").symlink_to("file")
    for name in ("folder", "to-folder"):
        target = tmp_path / name
        assert refusal(lambda target=target: write(target)) == f"{target} is a directory: give the name of a file"
    for name in ("file", "to-file"):
        target = tmp_path / name
        message = f"{target} exists and is no directory, so it is not replaced: choose another output"
        assert refusal(lambda target=target: fill(target)) == message
    for action in (write, fill):
        target = tmp_path / "file" / "below"
        assert refusal(lambda action=action, target=target: action(target)) == (
            f"cannot write {target} (Not a directory): choose another output or mend its permissions"
        )


def test_the_current_directory_the_root_and_mount_points_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kg" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "kg" / "below")
    for name in (".", "..", "../below", "./", "../../kg", "/", "//", str(tmp_path)):
        assert refusal(lambda name=name: check_directory_output(Path(name))) == (
            f"{Path(name)} is the current directory or holds it, so it is not replaced: choose another"
        )
        assert refusal(lambda name=name: check_file_output(Path(name))).endswith(
            "is a directory: give the name of a file"
        )
    assert check_directory_output(Path("../../other/")) == tmp_path / "other"
    if Path("/proc").is_mount():
        assert refusal(lambda: check_directory_output(Path("/proc"))) == (
            "/proc is a mount point, which cannot be replaced: choose a folder in it"
        )
        assert refusal(lambda: write(Path("/proc/new"))).startswith("cannot write /proc/new (")


@pytest.mark.parametrize("length", [90, 101, 200, 255])
def test_any_name_that_the_system_allows_will_do(length: int, tmp_path: Path) -> None:
    for name in ("n" * length, "ü" * (length // 2)):
        write(tmp_path / name)
        (tmp_path / name).unlink()
        fill(tmp_path / name)
        fill(tmp_path / name, "newer")
        assert contents(tmp_path / name) == {"a": "newer", "b/c": "newer"}


def test_names_that_are_too_long_are_told(tmp_path: Path) -> None:
    for target in (tmp_path / ("n" * 256), tmp_path / ("n" * 256) / "below", tmp_path / "/".join(["n" * 250] * 20)):
        for action in (write, fill, destination_of):
            assert refusal(lambda action=action, target=target: action(target)) == (
                f"cannot write {target} (File name too long): choose another output or mend its permissions"
            )


def test_modes_umask_and_hard_links(tmp_path: Path) -> None:
    write(tmp_path / "file")
    fill(tmp_path / "kg")
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~mask
    assert (tmp_path / "kg").stat().st_mode & 0o777 == 0o777 & ~mask
    os.link(tmp_path / "file", tmp_path / "backup")
    (tmp_path / "file").chmod(0o640)
    (tmp_path / "kg").chmod(0o700)
    write(tmp_path / "file", b"newer")
    fill(tmp_path / "kg", "newer")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "kg").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "backup").read_bytes() == b"new"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_root_leaves_a_users_file_to_its_user(tmp_path: Path) -> None:
    write(tmp_path / "file")
    os.chown(tmp_path / "file", 12345, 12345)
    write(tmp_path / "file", b"newer")
    assert (tmp_path / "file").stat().st_uid == 12345


def test_what_is_read_only_is_told(tmp_path: Path) -> None:
    """Root may write everything: a child of another user tries."""
    script = """
import os, sys
from pathlib import Path
from filtag_kg.errors import FiltagError
from filtag_kg.files import only_writer, replacing_directory, writing
if os.geteuid() == 0:
    os.setgid(12345); os.setuid(12345)
for name in sys.argv[1:]:
    for action in (writing, lambda path: replacing_directory(path, lambda _: None), only_writer):
        try:
            with action(Path(name)):
                pass
            print("done")
        except FiltagError as error:
            print(error)
"""
    # pytest's own folder is closed to other users.
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        room.chmod(0o755)
        fill(room / "kg")
        write(room / "file")
        (room / "kg").chmod(0o555)
        (room / "file").chmod(0o444)
        (room / "closed").mkdir(mode=0o700)
        room.chmod(0o555)
        targets = [room / name for name in ("kg", "file", "new", "closed/new")]
        done = subprocess.run([sys.executable, "-c", script, *map(str, targets)], capture_output=True, text=True)
        room.chmod(0o755)
        assert done.stderr == ""
        lines = done.stdout.splitlines()
        refused = [
            f"cannot write {target} (Permission denied): choose another output or mend its permissions"
            for target in targets
        ]
        assert lines[0] == f"{targets[0]} is a directory: give the name of a file"
        assert lines[4] == f"{targets[1]} exists and is no directory, so it is not replaced: choose another output"
        assert [line for number, line in enumerate(lines) if number not in (0, 4)] == [
            refused[number // 3] for number in range(12) if number not in (0, 4)
        ]
        assert sorted(path.name for path in room.iterdir()) == ["closed", "file", "kg"]


def test_siblings() -> None:
    assert sibling(Path("kg"), "-report") == Path("kg-report")
    assert sibling(Path("a/kg/"), ".ttl") == Path("a/kg.ttl")
    assert sibling(Path(), "-report") == Path(f"{Path.cwd()}-report")
    assert sibling(Path(".."), "-report") == Path(f"{Path.cwd().parent}-report")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["a", "b", ".", "..", "link", "loop", "dir", "file", "x" * 300, "ü", " "]),
        min_size=1,
        max_size=6,
    )
)
def test_no_path_ends_in_a_traceback(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    room = tmp_path_factory.mktemp("room")
    (room / "dir").mkdir()
    (room / "file").touch()
    (room / "link").symlink_to("dir")
    (room / "loop").symlink_to("loop")
    target = room.joinpath(*parts)
    for action in (check_file_output, check_directory_output):
        with suppress(FiltagError):
            assert ".." not in action(target).parts
    assert sorted(path.name for path in room.iterdir()) == ["dir", "file", "link", "loop"]


# Whole or not there.


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    write(tmp_path / "file", b"old")
    fill(tmp_path / "kg", "old")

    def fails(action: Callable[..., object], target: Path, error: BaseException) -> None:
        with action(target) as unfinished:  # type: ignore[attr-defined]
            if isinstance(unfinished, Path):
                (unfinished / "a" if unfinished.is_dir() else unfinished).write_text("new")
            raise error

    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    gone = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/input")
    for target, actions in (
        (tmp_path / "file", (writing, replacing)),
        (tmp_path / "kg", (lambda path: replacing_directory(path, lambda _: None), scratch_directory)),
        (tmp_path / "deep" / "er" / "kg", (writing, lambda path: replacing_directory(path, lambda _: None))),
    ):
        for action in actions:
            said = refusal(lambda action=action, target=target: fails(action, target, full))
            assert said.startswith(f"cannot write {target} (No space left on device)")
            for error in (KeyboardInterrupt(), SystemExit(143), ValueError()):
                with pytest.raises(type(error)):
                    fails(action, target, error)
    assert refusal(lambda: fails(writing, tmp_path / "file", gone)) == (
        "cannot read /input (No such file or directory): nothing was changed"
    )
    assert (tmp_path / "file").read_bytes() == b"old"
    assert contents(tmp_path / "kg") == {"a": "old", "b/c": "old"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "kg"]


def test_what_must_stay_stays(tmp_path: Path) -> None:
    write(tmp_path / "file", b"old")

    def add() -> None:
        with replacing(tmp_path / "file", overwrite=False) as unfinished:
            unfinished.write_text("new")

    target = tmp_path / "file"
    assert refusal(add) == f"{target} was made by another process meanwhile: it was left as it is"
    assert (tmp_path / "file").read_bytes() == b"old"
    fill(tmp_path / "kg", "old")

    def mine(path: Path) -> None:
        raise FiltagError(f"{path.name} is mine")

    assert refusal(lambda: fill(tmp_path / "kg", check=mine)) == "kg is mine"
    assert contents(tmp_path / "kg") == {"a": "old", "b/c": "old"}
    (tmp_path / "empty").mkdir()
    fill(tmp_path / "empty", check=mine)
    assert contents(tmp_path / "empty") == {"a": "new", "b/c": "new"}


@pytest.mark.parametrize("two_steps", [False, True])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EACCES, errno.EXDEV, errno.EBUSY])
def test_every_call_of_the_system_may_fail(
    two_steps: bool, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the calls that a replacement makes fails in turn; then one succeeds, and nothing hidden is left."""
    rename2 = (lambda *_, **__: False) if two_steps else files.rename_in_one_step
    monkeypatch.setattr(files, "rename_in_one_step", rename2)
    for directory in (False, True):
        act = fill if directory else write
        for failing in range(40):
            target = tmp_path / f"{directory}-{failing}"
            act(target, *(["old"] if directory else [b"old"]))
            calls = 0
            with monkeypatch.context() as patch:

                def failed(original: Callable[..., object]) -> Callable[..., object]:
                    def call(*arguments: object, **options: object) -> object:
                        nonlocal calls
                        calls += 1
                        if calls - 1 == failing:  # noqa: B023
                            raise OSError(number, os.strerror(number))
                        return original(*arguments, **options)

                    return call

                for name in ("rename", "replace", "mkdir", "chmod", "unlink", "open", "rmdir"):
                    patch.setattr(os, name, failed(getattr(os, name)))
                patch.setattr(files, "rename_in_one_step", failed(rename2))
                with suppress(FiltagError):  # An OSError would be a traceback.
                    act(target)
            now = contents(target) if directory else target.read_text()
            assert now in ([{"a": x, "b/c": x} for x in ("old", "new")] if directory else ["old", "new"])
            act(target)
            assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []
            if calls <= failing:
                break
        else:
            pytest.fail("it makes more calls than that")


def test_what_cannot_be_put_back_is_named_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "rename_in_one_step", lambda *_, **__: False)
    fill(tmp_path / "kg", "old")
    rename, calls = Path.rename, 0

    def only_the_first(self: Path, target: Path) -> Path:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", only_the_first)
        said = refusal(lambda: fill(tmp_path / "kg"))
    kept = tmp_path / ".kg.filtag-old"
    assert said == f"cannot put anything at {tmp_path / 'kg'}: what was there is in {kept}"
    assert contents(kept) == {"a": "old", "b/c": "old"}
    with only_writer(tmp_path / "kg"):
        assert contents(tmp_path / "kg") == {"a": "old", "b/c": "old"}


KILLED = """
import sys
from pathlib import Path
from filtag_kg import files
if sys.argv[3] == "two steps":
    files.rename_in_one_step = lambda *_, **__: False
target, kind = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
number = 0
while True:
    number += 1
    if kind == "file":
        with files.writing(target) as file:
            for _ in range(20):
                file.write(b"%d\\n" % number)
    else:
        with files.scratch_directory(target) as room, files.replacing_directory(target, lambda _: None) as new:
            for name in "abcde":
                (new / name).write_text(f"{number}\\n" * 4)
"""


@pytest.mark.parametrize("steps", ["one step", "two steps"])
@pytest.mark.parametrize("kind", ["file", "directory"])
def test_kill_9_at_any_moment_leaves_the_old_or_the_new(kind: str, steps: str, tmp_path: Path) -> None:
    chance = random.Random(f"{kind} {steps}")
    target = tmp_path / "kg"
    for _ in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(target), kind, steps], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.02, 0.15))
        assert writer.poll() is None, writer.communicate()
        writer.kill()
        writer.communicate()
        with only_writer(target):
            paths = [target] if kind == "file" else sorted(target.iterdir())
            lines = [line for path in paths for line in path.read_text().splitlines()]
            assert len(lines) == 20
            assert len(set(lines)) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["kg"]


# One writer.


def test_a_link_and_its_target_share_the_lock(tmp_path: Path) -> None:
    fill(tmp_path / "kg")
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link"
    link.symlink_to("../kg")
    script = (
        "import sys; from pathlib import Path; from filtag_kg.files import *\n"
        "with replacing_directory(Path(sys.argv[1]), print): pass"
    )
    with only_writer(tmp_path / "kg"):
        fill(tmp_path / "kg")  # The thread that holds the lock may write.
        for target in (link, tmp_path / "kg"):
            done = subprocess.run([sys.executable, "-c", script, str(target)], capture_output=True, text=True)
            assert f"another process is changing {target}: try again when it is done" in done.stderr
    done = subprocess.run([sys.executable, "-c", script, str(link)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_many_writers_take_turns(tmp_path: Path) -> None:
    """Each adds one to a number: none is lost, although each removes the lock file when it is done."""
    number = tmp_path / "number"
    number.write_text("0")

    def add() -> None:
        for _ in range(25):
            with only_writer(number, wait_s=60):
                write(number, str(int(number.read_text()) + 1).encode())

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert number.read_text() == "100"


def test_a_planted_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".kg.filtag-lock").symlink_to("victim")
    assert refusal(lambda: write(tmp_path / "kg")).startswith(f"cannot write {tmp_path / 'kg'} (Too many levels")
    assert not (tmp_path / "victim").exists()
    (tmp_path / ".kg.filtag-lock").unlink()
