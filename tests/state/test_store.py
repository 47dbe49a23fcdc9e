"""The readings on disk: what goes first when there is too much, and what never goes."""

import hashlib
import json
import multiprocessing
import os
import stat
import subprocess
import sys
from contextlib import suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmxcli.errors import DamagedError
from mmxcli.state.maker import Maker
from mmxcli.state.record import StoredReading
from mmxcli.state.snapshot import Snapshot
from mmxcli.state.store import ReadingStore
from mmxcli.state.use import claimed, used

MAKER = Maker("0", 0, "", "recall")
NAMES = ("aa", "bb", "cc", "dd")


def filled(home: Path, sizes: dict[str, int]) -> ReadingStore:
    """Readings of these sizes, used one after the other in the order of the names."""
    store = ReadingStore(home)
    for moment, (name, size) in enumerate(sizes.items()):
        with store.building() as folder:
            (folder / "recall.sqlite").write_bytes(bytes(size))
            store.adopt(folder, reading(store, name))
        os.utime(store.path(name) / "reading.json", (moment, moment))
    return store


def reading(store: ReadingStore, name: str, **more: Any) -> StoredReading:
    path = store.path(name)
    return StoredReading(name, path, "", MAKER, (name,), "tiny", "recall", "full", 1, 1, 0, True, 0, **more)


def total(store: ReadingStore) -> int:
    return sum(reading.bytes for reading in store.readings())


@given(sizes=st.lists(st.integers(0, 5_000), min_size=4, max_size=4), limit=st.integers(0, 20_000))
def test_what_was_not_used_for_longest_goes_first(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], limit: int
) -> None:
    store = filled(tmp_path_factory.mktemp("store"), dict(zip(NAMES, sizes, strict=True)))
    before = {reading.id: reading.bytes for reading in store.readings()}
    removed = [reading.id for reading in store.prune(limit)]
    left = list(store.identifiers())
    assert (removed, left) == (list(NAMES[: len(removed)]), list(NAMES[len(removed) :]))
    assert total(store) <= limit
    if removed:  # and nothing more than had to
        assert total(store) + before[removed[-1]] > limit


def test_using_one_makes_it_the_latest(tmp_path: Path) -> None:
    store = filled(tmp_path, dict.fromkeys(NAMES, 1_000))
    with store.using("aa"):
        pass
    two = sum(reading.bytes for reading in store.readings() if reading.id in ("aa", "dd"))
    assert [reading.id for reading in store.prune(two)] == ["bb", "cc"]


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    store = filled(tmp_path, dict.fromkeys(NAMES, 1_000))
    with store.using("aa"), store.using("bb"):
        assert not store.remove("aa")
        assert [reading.id for reading in store.prune(0)] == ["cc", "dd"]
        assert list(store.identifiers()) == ["aa", "bb"]
    assert store.remove("aa") and store.remove("bb")


def test_a_damaged_record_counts_and_can_go(tmp_path: Path) -> None:
    store = filled(tmp_path, dict.fromkeys(NAMES, 1_000))
    (store.path("bb") / "reading.json").write_text("{")
    os.utime(store.path("bb"), (0, 0))
    assert "bb" in [reading.id for reading in store.prune(2_000)]


def test_one_that_is_gone_is_not_used(tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match="removed meanwhile"), ReadingStore(tmp_path).using("aa"):
        pass


def hold(folder: Path, held: Event) -> None:
    with used(folder):
        held.set()
        multiprocessing.Event().wait()


def test_another_process_keeps_it_until_it_is_killed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    process = context.Process(target=hold, args=(tmp_path, held))
    process.start()
    try:
        assert held.wait(60)
        with claimed(tmp_path) as alone:
            assert not alone
    finally:
        process.kill()
        process.join()
    with claimed(tmp_path) as alone:
        assert alone


def test_many_may_use_it(tmp_path: Path) -> None:
    with used(tmp_path), used(tmp_path):
        code = (
            f"import pathlib; from mmxcli.state.use import used\nwith used(pathlib.Path({str(tmp_path)!r})): print(1)"
        )
        assert (
            subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True).stdout == b"1\n"
        )


def test_files_are_private(tmp_path: Path) -> None:
    store = filled(tmp_path / "home", {"aa": 10})
    assert stat.S_IMODE(store.path("aa").stat().st_mode) == 0o700
    assert stat.S_IMODE((store.path("aa") / "reading.json").stat().st_mode) == 0o600


def test_a_record_of_a_newer_mmx_is_refused_and_nothing_it_may_need_is_removed(tmp_path: Path) -> None:
    store = filled(tmp_path, {"aa": 10, "bb": 10})
    store.states.mkdir()
    (store.states / "pages-of-the-future").touch()
    record = store.path("aa") / "reading.json"
    values = json.loads(record.read_text()) | {"format": 99}
    del values["sha256"]
    values["sha256"] = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    record.write_text(json.dumps(values, indent=1))
    before = record.read_bytes()
    with pytest.raises(DamagedError, match="its format is 99, here 3"):
        store.get("aa")
    assert [reading.id for reading in store.readings() if reading.sources] == ["bb"]
    assert store.remove("bb")
    assert record.read_bytes() == before and (store.states / "pages-of-the-future").exists()


def test_what_killed_processes_left_goes(tmp_path: Path) -> None:
    store = filled(tmp_path, {"aa": 10})
    nobody = 2**22 + 5  # beyond the largest process id
    (store.folder / f".removed-{nobody}-1").mkdir()
    (store.path("aa") / f".reading.json.{nobody}.part").touch()
    with store.building():
        pass
    found = store.get("aa")
    assert found is not None
    store.note(found)
    assert [path.name for path in store.folder.iterdir()] == ["aa"]
    assert {path.name for path in store.path("aa").iterdir()} == {"reading.json", "recall.sqlite"}


def test_what_cannot_be_understood_goes_before_what_serves(tmp_path: Path) -> None:
    """Else nothing that the others leave could be swept, and all of them would go for nothing."""
    store = filled(tmp_path, dict.fromkeys(NAMES, 1_000))
    store.states.mkdir()
    (store.states / "pages-of-nobody").write_bytes(bytes(9_000))
    (store.path("dd") / "reading.json").write_text("{")
    limit = sum(reading.bytes for reading in store.readings() if reading.id != "dd")
    assert [reading.id for reading in store.prune(limit)] == ["dd"]
    assert list(store.identifiers()) == ["aa", "bb", "cc"] and not list(store.states.iterdir())


def test_a_folder_without_its_record_gives_way(tmp_path: Path) -> None:
    store = filled(tmp_path, {"aa": 10})
    (store.path("aa") / "reading.json").unlink()
    with used(store.path("aa")), pytest.raises(DamagedError, match="has no record"), store.building() as folder:
        (folder / "recall.sqlite").write_bytes(b"new")
        store.adopt(folder, reading(store, "aa"))
    with store.building() as folder:
        (folder / "recall.sqlite").write_bytes(b"new")
        store.adopt(folder, reading(store, "aa"))
    assert (store.path("aa") / "recall.sqlite").read_bytes() == b"new"


def test_the_files_of_a_state_that_another_replaces_go(tmp_path: Path) -> None:
    store = filled(tmp_path, {"aa": 10})
    store.states.mkdir()
    first, second = (Snapshot(1, "c" * 64, sha256 * 64) for sha256 in "de")
    for one in (first, second):
        (store.states / one.file).touch()
        with store.keeping():
            left_out = store.note(reading(store, "aa", snapshots=(one,)))
        store.sweep(left_out)
    assert [path.name for path in store.states.iterdir()] == [second.file]


def test_who_comes_after_a_removal_claims_nothing(tmp_path: Path) -> None:
    """A folder of the same name, made meanwhile, is another."""
    folder = tmp_path / "aa"
    folder.mkdir()
    opened = os.open

    def slow(path: Path, *more: int) -> int:
        descriptor = opened(path, *more)
        folder.rename(tmp_path / "gone")
        folder.mkdir()
        return descriptor

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mmxcli.state.use.os.open", slow)
        with pytest.raises(FileNotFoundError), claimed(folder):
            pass


@pytest.mark.parametrize("field", ["tokens", "read_tokens", "sources", "complete", "updated", "window", "snapshots"])
@pytest.mark.parametrize("value", [-1, 2**70, "x", None, [], {}, [[]], [[1, 2, 3, 4]], 0.5, True])
def test_a_record_of_other_types_is_damaged_or_harmless(tmp_path: Path, field: str, value: Any) -> None:
    store = filled(tmp_path, {"aa": 10})
    record = store.path("aa") / "reading.json"
    values = json.loads(record.read_text()) | {field: value}
    del values["sha256"]
    values["sha256"] = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    record.write_text(json.dumps(values, indent=1))
    with suppress(DamagedError):
        found = store.get("aa")
        assert found is not None and found.read_tokens <= found.tokens and found.window in (None, True)
    store.readings()
    assert store.remove("aa")
