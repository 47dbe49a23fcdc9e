"""The readings on disk and the states that they share.

A reading is a folder with its record and its recall index. Its states lie beside all others', because a text that
begins like another goes on from the other's states. The records say which files are needed; what none of them names is
removed.

Three locks, which end with their process: a shared one on a reading's folder keeps it from being removed; a shared
one on the folder of the states keeps files that no record names yet from being swept; and records are written one at a
time. They are taken in this order, the last two for moments.
"""

import errno
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mmxcli.errors import DamagedError, UsageError
from mmxcli.state.files import flush, passing_folder, private_folder, remove_abandoned, sha256_of, sizes_in
from mmxcli.state.record import INDEX, RECORD, StoredReading, read_record, unreadable, write_record
from mmxcli.state.snapshot import Snapshot
from mmxcli.state.thinning import Place, surplus
from mmxcli.state.use import alone, claimed, used

if TYPE_CHECKING:
    from mmxcli.state.model_state import ModelState

__all__ = ["ReadingStore", "StoredReading"]


class ReadingStore:
    """Finds, writes and removes readings below `<home>/readings`, and their states below `<home>/states`."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "readings"
        self.states = home / "states"

    def path(self, identifier: str) -> Path:
        return self.folder / identifier

    def get(self, identifier: str) -> StoredReading | None:
        """The reading of that id, or None. Raises DamagedError when its record cannot be understood."""
        try:
            return read_record(self.path(identifier))
        except FileNotFoundError:
            return None

    def describe(self, identifier: str) -> StoredReading:
        """The reading of that id with the bytes of its states or, when its record is damaged, what can still be told.
        Raises FileNotFoundError."""
        with suppress(DamagedError):
            if found := self.get(identifier):
                return replace(found, bytes=found.bytes + sum(sizes_in(self.states, found.files).values()))
        return unreadable(self.path(identifier))

    def identifiers(self) -> Iterator[str]:
        if self.folder.is_dir():
            for folder in sorted(self.folder.iterdir()):
                if folder.is_dir() and not folder.name.startswith("."):
                    yield folder.name

    def readings(self) -> list[StoredReading]:
        """All readings, the latest first; of one whose record is damaged, what can still be told."""
        found = []
        for identifier in self.identifiers():
            with suppress(FileNotFoundError):  # removed meanwhile
                found.append(self.describe(identifier))
        return sorted(found, key=lambda reading: -reading.updated)

    def match(self, prefix: str) -> str:
        """The one id that starts with `prefix`. Raises UsageError when there is none or more than one."""
        matches = [identifier for identifier in self.identifiers() if prefix and identifier.startswith(prefix)]
        if not matches:
            raise UsageError(f"no stored reading has an id that starts with '{prefix}': see `mmx states list`")
        if len(matches) > 1:
            raise UsageError(f"'{prefix}' fits {len(matches)} stored readings: {', '.join(matches[:4])}")
        return matches[0]

    # ---- writing ----

    @contextmanager
    def building(self) -> Iterator[Path]:
        """A folder for a reading that is being made. What is not adopted is removed at the end, and what
        processes that were killed have left, of whatever sort, is removed at the beginning."""
        private_folder(self.folder)
        remove_abandoned(self.folder, ".removed")
        self.sweep()
        with passing_folder(self.folder, ".building") as folder:
            yield folder

    def adopt(self, building: Path, reading: StoredReading) -> StoredReading:
        """Makes a folder that was built aside the folder of `reading`, in one step. When another process was faster,
        its reading, which is of the same text by the same model, stays and is returned. Raises OSError."""
        flush(building / INDEX)
        reading = replace(reading, index_sha256=sha256_of(building / INDEX), updated=time.time())
        write_record(replace(reading, path=building))
        while True:
            try:
                building.rename(reading.path)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                if there := self.get(reading.id):
                    return there
                with suppress(FileNotFoundError), claimed(reading.path) as mine:  # its record was removed by hand
                    if not mine:
                        raise DamagedError(
                            f"{reading.path} has no record, and another mmx uses it: end that first"
                        ) from None
                    self._discard(reading.id)
            else:
                flush(self.folder)
                return reading

    def take_in(self, building: Path, reading: StoredReading) -> None:
        """Adopts a reading whose states lie in its folder yet. Of one that is there already what is there stays: only
        states of places that it has none of are added."""
        with self.keeping():
            for name in reading.files:
                (building / name).replace(self.states / name)
            flush(self.states)
            there = self.adopt(building, replace(reading, path=self.path(reading.id)))
            known = {(one.position, one.chain) for one in there.snapshots if self.holds(one)}
            new = tuple(one for one in reading.snapshots if (one.position, one.chain) not in known)
            left_out = self.note(replace(there, snapshots=new, read_tokens=max(there.read_tokens, reading.read_tokens)))
        self.sweep(left_out | reading.files)

    def keep(self, reading: StoredReading, state: "ModelState", begun: Snapshot | None, read_tokens: int) -> Snapshot:
        """Stores `state`, which has read so many tokens of the text, as a snapshot of `reading`, and thins out those
        that there are. `begun` is the snapshot that the state went on from.

        Raises OSError when it cannot be written: what was stored before stays as it is.
        """
        from mmxcli.state.saving import save_snapshot

        with self.keeping():
            snapshot = save_snapshot(state, self.states, reading.stream, begun.stretches if begun else ())
            left_out = self.note(replace(reading, snapshots=(snapshot,), read_tokens=read_tokens))
        self.sweep(left_out)
        return snapshot

    def note(self, reading: StoredReading) -> set[str]:
        """Adds the snapshots of `reading` to its record, and the tokens that it has read, and thins them out. Returns
        the names of the files that are not among its own any more."""
        with alone(self.folder):
            for left in reading.path.glob(".*.part"):  # of a process that was killed: nobody else writes here now
                left.unlink(missing_ok=True)
            there = read_record(reading.path)
            snapshots = _united(there.snapshots, reading.snapshots)
            sizes = sizes_in(self.states)
            places = [Place(one.position, sizes.get(one.file, 0)) for one in snapshots]
            gone = set(surplus(places))
            kept = tuple(one for i, one in enumerate(snapshots) if i not in gone)
            read_tokens = max(there.read_tokens, reading.read_tokens)
            whole = read_tokens == there.tokens and any(one.chain == there.chain for one in kept)
            write_record(
                replace(
                    there,
                    snapshots=kept,
                    read_tokens=read_tokens,
                    complete=whole or there.mode == "recall",
                    updated=time.time(),
                )
            )
        before = there.files | {name for one in reading.snapshots for name in one.files}
        return before - {name for one in kept for name in one.files}

    # ---- using ----

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """No file of a state is swept meanwhile: for those who write states or take up others', until a record names
        them. To be brief: who sweeps waits."""
        private_folder(self.states)
        with used(self.states):
            yield

    def holds(self, snapshot: Snapshot) -> bool:
        """Whether all its files are there."""
        return all((self.states / name).exists() for name in snapshot.files)

    @contextmanager
    def using(self, identifier: str) -> Iterator[None]:
        """Keeps a reading from being removed, and notes that it was used. Raises DamagedError when it is gone."""
        folder = self.path(identifier)
        with ExitStack() as stack:
            try:
                stack.enter_context(used(folder))
                try:
                    os.utime(folder / RECORD)
                except FileNotFoundError:
                    raise
                except OSError:  # a home that cannot be written to
                    pass
            except FileNotFoundError:
                raise DamagedError(
                    f"the stored reading {identifier} was removed meanwhile: run the command again"
                ) from None
            yield

    def snapshots(self, stream: str) -> list[Snapshot]:
        """Those of all readings of this stream that can be understood, by what they have read."""
        found: tuple[Snapshot, ...] = ()
        for identifier in self.identifiers():
            with suppress(DamagedError, FileNotFoundError):
                reading = read_record(self.path(identifier))
                if reading.stream == stream:
                    found = _united(found, reading.snapshots)
        return list(found)

    # ---- removing ----

    def remove(self, identifier: str) -> bool:
        """Removes a reading, damaged or not, unless it is in use; says whether it did. It is out of sight at once,
        whatever happens while it is deleted. States that other readings need stay."""
        if not self._removed(identifier):
            return False
        self.sweep()
        return True

    def _removed(self, identifier: str) -> bool:
        """As `remove`, but its states stay until they are swept."""
        try:
            with claimed(self.path(identifier)) as mine:
                if mine:
                    self._discard(identifier)
                return mine
        except FileNotFoundError:  # another process has removed it
            return True

    def prune(self, limit: int) -> list[StoredReading]:
        """Removes what was not used for longest, until all that is left takes at most `limit` bytes, what is shared
        counted once. What is in use stays. Readings whose records cannot be understood go first: they serve nobody
        here, and as long as they are there nothing that other readings leave can be swept. Returns what was removed."""
        self.sweep()
        removed = []
        found = sorted(self.readings(), key=lambda one: (one.readable, one.used))
        sizes = sizes_in(self.states)
        own = {one.id: sum(sizes_in(one.path).values()) for one in found}
        needed = Counter(name for one in found for name in one.files)
        total = sum(own.values()) + sum(sizes.values())
        for one in found:
            if total <= limit:
                break
            if (not one.readable and not _legible(one.path / RECORD)) or not self._removed(one.id):
                continue
            removed.append(one)
            total -= own[one.id]
            if not one.readable:
                self.sweep()
                left = sizes_in(self.states)
                total -= sum(sizes.values()) - sum(left.values())
                sizes = left
            needed -= Counter(one.files)
            total -= sum(sizes.get(name, 0) for name in one.files if not needed[name])
        if removed:
            self.sweep()
        return removed

    def sweep(self, names: set[str] | None = None) -> None:
        """Removes the files of states, or those of these `names`, that no record names."""
        if not self.states.is_dir() or (names is not None and not names):
            return
        with alone(self.states):
            kept: set[str] = set()
            for identifier in self.identifiers():
                try:
                    kept |= read_record(self.path(identifier)).files
                except FileNotFoundError:
                    continue
                except DamagedError:  # which files it needs cannot be told: then none may go
                    return
            for name in sizes_in(self.states):
                if name not in kept and (names is None or name in names or name.startswith(".")):
                    (self.states / name).unlink(missing_ok=True)

    def _discard(self, identifier: str) -> None:
        aside = self.folder / f".removed-{os.getpid()}-{time.time_ns()}"
        self.path(identifier).rename(aside)
        shutil.rmtree(aside)


def _legible(record: Path) -> bool:
    """Whether it can be read, whatever it says; else it may be the machine's fault, and the record whole."""
    try:
        record.read_bytes()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _united(some: Sequence[Snapshot], others: Sequence[Snapshot]) -> tuple[Snapshot, ...]:
    """All of them, by what they have read; of two that have read the same, the one of `others`."""
    found = {(one.position, one.chain): one for one in (*some, *others)}
    return tuple(found[key] for key in sorted(found))
