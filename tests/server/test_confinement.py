"""What a process that decodes strangers' images may not do. Each attempt in a real process."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import ctypes, io, json, os, socket, subprocess, sys, threading
from pathlib import Path
from PIL import Image
from filtag_kg.images import decode
from filtag_kg.network.preparation import Preparation
from filtag_kg.network.scaling import named_scaling
from filtag_kg.server.confinement import confine_decoder

room = Path(sys.argv[1])
picture = io.BytesIO()
Image.new("RGB", (64, 48), (255, 0, 0)).save(picture, "JPEG")
listening, connected = socket.socketpair()
kept = (room / "kept").open("r+b")
confine_decoder()


def execute():
    ctypes.CDLL(None).execve(b"/bin/true", None, None)
    return "went on" and (_ for _ in ()).throw(PermissionError)


attempts = {
    "fork": os.fork,
    "program": lambda: subprocess.run(["/bin/true"]),
    "shell": lambda: (_ for _ in ()).throw(PermissionError) if os.system("exit 0") else None,
    "exec": execute,
    "new file": lambda: (room / "new").write_bytes(b"x"),
    "empty file": lambda: os.close(os.open(room / "new", os.O_CREAT | os.O_RDONLY)),
    "old file": lambda: (room / "kept").write_bytes(b"x"),
    "open file": lambda: (kept.write(b"x"), kept.flush()),
    "truncate": lambda: os.truncate(room / "kept", 0),
    "remove": lambda: (room / "kept").unlink(),
    "rename": lambda: (room / "kept").rename(room / "other"),
    "folder": lambda: (room / "folder").mkdir(),
    "link": lambda: (room / "link").symlink_to(room),
    "mode": lambda: (room / "kept").chmod(0o777),
    "socket": lambda: socket.create_connection(("127.0.0.1", 80)),
    "unix socket": lambda: socket.socket(socket.AF_UNIX),
    "signal": lambda: os.kill(os.getppid(), 0),
}
refused = {}
for name, attempt in attempts.items():
    try:
        attempt()
    except BaseException as error:
        refused[name] = isinstance(error, OSError)
connected.sendall(b"said")
thread = threading.Thread(target=lambda: refused.update(thread=True))
thread.start()
thread.join()
pixels = decode(picture.getvalue(), Preparation((8, 8), named_scaling("none")))
print(json.dumps([refused, list(pixels.shape), listening.recv(4).decode(), (room / "kept").read_text()]))
sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"), reason="there is no filter for it"
)
def test_a_decoder_decodes_and_does_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"kept")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    room = tmp_path / "room"
    room.mkdir()
    (room / "kept").write_bytes(b"kept")
    done = subprocess.run([sys.executable, script, room], capture_output=True, text=True, timeout=120)
    refused, shape, said, kept = json.loads(done.stdout)
    assert refused.pop("thread") is True
    assert len(refused) == 17
    assert set(refused.values()) == {True}
    assert (shape, said, kept) == ([8, 8, 3], "said", "kept")
    assert sorted(path.name for path in room.iterdir()) == ["kept"]
