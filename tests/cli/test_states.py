"""Stored readings: is one whole, can it go elsewhere, and does nothing else come in."""

import errno
import io
import json
import shutil
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tiny import make_model

from mmxcli.cli.app import run
from mmxcli.config import Settings
from mmxcli.errors import DamagedError, InputError, MmxError, UsageError
from mmxcli.state.chain import TokenChain
from mmxcli.state.saving import load_snapshot
from mmxcli.state.store import ReadingStore
from mmxcli.tasks.events import ReadingDone
from mmxcli.tasks.read import read
from mmxcli.tasks.states import export_state, import_state, verify_states

FILES = ("reading.json", "recall.sqlite", "state")
TEXT = "".join(f"Line {n}: the ship of captain {n * n} sailed on day {n % 31}.\n" for n in range(40))


def reading_of(settings: Settings, text: str = TEXT) -> str:
    """The id of a full reading."""
    book = settings.home.parent / "book.txt"
    book.write_text(text)
    events = list(read([str(book)], replace(settings, read="full")))
    assert isinstance(events[-1], ReadingDone)
    return events[-1].state.id


def file_of(settings: Settings, identifier: str, file: str) -> Path:
    """The record, the index, or the last state."""
    store = ReadingStore(settings.home)
    reading = store.get(identifier)
    assert reading is not None
    return store.states / reading.snapshots[-1].file if file == "state" else reading.path / file


def elsewhere(settings: Settings, tmp_path: Path) -> Settings:
    """Another machine with the same model."""
    return replace(settings, home=tmp_path / "elsewhere")


@pytest.fixture(scope="module")
def stored(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    place = tmp_path_factory.mktemp("stored")
    settings = Settings(home=place / "home", weights=place / "weights", model=str(tiny_folder), window=64, chunk=16)
    reading_of(settings)
    return settings


@given(file=st.sampled_from(FILES), place=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_single_changed_byte_is_found(stored: Settings, file: str, place: float, change: int) -> None:
    (identifier,) = ReadingStore(stored.home).identifiers()
    path = file_of(stored, identifier, file)
    content = path.read_bytes()
    changed = bytearray(content)
    changed[int(place * len(changed))] ^= change
    path.write_bytes(changed)
    try:
        (verdict,) = verify_states(stored, [])
        assert not verdict.whole and verdict.damage, (file, place)
    finally:
        path.write_bytes(content)
    (verdict,) = verify_states(stored, [])
    assert verdict.whole and verdict.damage == ()


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_cut_or_gone_is_found(settings: Settings, file: str) -> None:
    path = file_of(settings, reading_of(settings), file)
    path.write_bytes(path.read_bytes()[:-1])
    assert not next(verify_states(settings, [])).whole
    path.unlink()
    assert not next(verify_states(settings, [])).whole


def test_verify_from_the_command_line(
    stored: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    home = tmp_path / "copied"
    shutil.copytree(stored.home, home)
    monkeypatch.setenv("MMX_HOME", str(home))
    assert run(["states", "verify"]) == 0
    assert "whole" in capsys.readouterr().out
    (record,) = home.glob("readings/*/recall.sqlite")
    record.write_bytes(b"nonsense")
    assert run(["states", "verify", "--json"]) == 5
    verdict = json.loads(capsys.readouterr().out)
    assert list(verdict) == ["id", "sources", "bytes", "whole", "damage"]
    assert not verdict["whole"] and "recall.sqlite" in verdict["damage"][0]


def test_what_was_exported_is_used_elsewhere(settings: Settings, tmp_path: Path) -> None:
    identifier, file = reading_of(settings), tmp_path / "book.mmx"
    export_state(settings, identifier[:5], file)
    assert file.stat().st_mode & 0o777 == 0o600
    there = elsewhere(settings, tmp_path)
    assert import_state(there, file, settings.model).id == identifier
    (verdict,) = verify_states(there, [])
    assert verdict.whole
    done = list(read([str(settings.home.parent / "book.txt")], replace(there, read="full")))[-1]
    assert isinstance(done, ReadingDone) and done.state.reused_tokens == done.coverage.tokens > 0
    assert import_state(there, file, settings.model).id == identifier  # again: it stays


def test_it_is_of_one_model(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "book.mmx"
    export_state(settings, reading_of(settings), file)
    other = make_model(tmp_path / "other", "qwen2")
    with pytest.raises(DamagedError, match="another weights"):
        import_state(elsewhere(settings, tmp_path), file, str(other))
    with pytest.raises(UsageError, match="say which it is with -m"):
        import_state(elsewhere(settings, tmp_path), file)
    assert list(ReadingStore(elsewhere(settings, tmp_path).home).identifiers()) == []


def test_it_is_of_one_version(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "book.mmx"
    export_state(settings, reading_of(settings), file)
    monkeypatch.setattr("mmxcli.tasks.states.NUMERICS", 99)
    with pytest.raises(DamagedError, match=r"another version of its numerics \(\d+, here 99\)"):
        import_state(elsewhere(settings, tmp_path), file, settings.model)


def test_an_export_writes_over_nothing(settings: Settings, tmp_path: Path) -> None:
    identifier = reading_of(settings)
    (tmp_path / "there").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        export_state(settings, identifier, tmp_path / "there")
    with pytest.raises(UsageError, match="cannot be written"):
        export_state(settings, identifier, tmp_path / "no" / "folder")
    assert (tmp_path / "there").read_text() == "mine"


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as file:
        for about, content in members:
            about.size = len(content)
            file.addfile(about, io.BytesIO(content))
    return stream.getvalue()


def named(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    about = tarfile.TarInfo(name)
    about.type, about.linkname = kind, link
    return about


HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "a text": lambda _: b"call me Ishmael " * 1_000,
    "no members": lambda _: tar(),
    "cut short": lambda whole: whole[: len(whole) // 2],
    "a way out": lambda _: tar((named("../../evil"), b"x")),
    "an absolute way out": lambda _: tar((named("/tmp/evil"), b"x")),
    "a link": lambda _: tar((named("recall.sqlite", tarfile.SYMTYPE, "/etc/passwd"), b"")),
    "a hard link": lambda _: tar((named("recall.sqlite", tarfile.LNKTYPE, "/etc/passwd"), b"")),
    "a device": lambda _: tar((named("recall.sqlite", tarfile.CHRTYPE), b"")),
    "a folder": lambda _: tar((named("recall.sqlite", tarfile.DIRTYPE), b"")),
    "twins": lambda _: tar((named("reading.json"), b"{}"), (named("reading.json"), b"{}")),
    "one more file": lambda _: tar((named("reading.json"), b"{}"), (named("run.sh"), b"rm -rf /")),
    "a record of nonsense": lambda _: tar((named("reading.json"), b"[" * 100_000), (named("recall.sqlite"), b"")),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_nothing_else_comes_in(kind: str, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "book.mmx"
    export_state(settings, reading_of(settings), file)
    file.write_bytes(HOSTILE[kind](file.read_bytes()))
    there = elsewhere(settings, tmp_path)
    with pytest.raises(DamagedError):
        import_state(there, file, settings.model)
    assert list(_files(there.home)) == []
    assert not Path("/tmp/evil").exists() and not (tmp_path / "evil").exists()


@given(place=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_export_is_refused_or_the_same(
    stored: Settings, tmp_path_factory: pytest.TempPathFactory, place: float, change: int
) -> None:
    """A byte of the tar's own padding may change; nothing of a reading may."""
    tmp_path = tmp_path_factory.mktemp("export")
    (identifier,) = ReadingStore(stored.home).identifiers()
    file, there = tmp_path / "book.mmx", replace(stored, home=tmp_path / "home")
    export_state(stored, identifier, file)
    content = bytearray(file.read_bytes())
    content[int(place * len(content))] ^= change
    file.write_bytes(content)
    try:
        import_state(there, file, stored.model)
    except MmxError:
        assert list(_files(there.home)) == []
    else:
        assert next(verify_states(there, [])).whole


def test_a_file_that_is_not_there(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        import_state(settings, tmp_path / "none", settings.model)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_a_reading_that_goes_on_is_exported_as_of_one_moment(settings: Settings, tmp_path: Path) -> None:
    """While another thins out its states all the time."""
    identifier = reading_of(settings, TEXT * 4)
    store = ReadingStore(settings.home)
    whole = store.get(identifier)
    assert whole is not None
    state, over = load_snapshot(whole.snapshots[-1], store.states, whole.stream), Event()

    def go_on() -> None:
        number = 0
        while not over.is_set():
            number += 1
            twin = state.fork()
            twin.position, twin.chain = number, TokenChain(bytes(32), [number])
            store.keep(whole, twin, None, 0)

    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(go_on)
        try:
            for number in range(8):
                export_state(settings, identifier, tmp_path / f"{number}.mmx")
        finally:
            over.set()
        busy.result()
    for number in range(8):
        there = replace(settings, home=tmp_path / f"home{number}")
        assert import_state(there, tmp_path / f"{number}.mmx", settings.model).id == identifier


def test_an_import_replaces_nothing(settings: Settings, tmp_path: Path) -> None:
    identifier, file = reading_of(settings), tmp_path / "book.mmx"
    export_state(settings, identifier, file)
    store = ReadingStore(settings.home)
    mine = store.get(identifier)
    assert mine is not None
    forged = replace(mine, snapshots=tuple(replace(one, sha256="d" * 64) for one in mine.snapshots))
    with store.building() as folder:
        shutil.copy(mine.index_path, folder)
        for one in forged.snapshots:
            (folder / one.file).touch()
        store.take_in(folder, forged)
    found = store.get(identifier)
    assert found is not None and found.snapshots == mine.snapshots
    assert {path.name for path in store.states.iterdir()} == mine.files


def test_a_home_without_room_is_told(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "book.mmx"
    export_state(settings, reading_of(settings), file)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mmxcli.state.parcel.shutil.copyfileobj", full)
    with pytest.raises(MmxError, match="has no room for"):
        import_state(elsewhere(settings, tmp_path), file, settings.model)
