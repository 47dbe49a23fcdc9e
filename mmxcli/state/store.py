"""The readings on disk: for each, a folder with its record, its recall index and, when read in full, its state."""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from mmxcli.errors import DamagedError, UsageError
from mmxcli.state.files import private_folder, sha256_of, written_aside
from mmxcli.state.maker import Maker
from mmxcli.state.parcel import INDEX, RECORD, STATE
from mmxcli.state.use import claimed, used


@dataclass(frozen=True, slots=True)
class StoredReading:
    """What is known of a reading without opening its index or state.

    `text` is the digest of what was read, and `maker` what read it; `id` follows from both. `mode` is "full" or
    "recall", `memory` the model's kind of memory, `tokens` all tokens of the text, `read_tokens` how many of them the
    stored state has read (in recall mode: all, when complete).
    `skipped` holds (source, reason, page) of what could not be read. `updated` and `used`, when it last grew and
    when it last served, are Unix times in seconds; the latter is that of the record's file. `index_sha256` is that of
    the file of the recall index, which never changes.
    """

    id: str
    path: Path
    text: str
    maker: Maker
    sources: tuple[str, ...]
    model: str
    mode: str
    memory: str
    tokens: int
    read_tokens: int
    bytes: int
    complete: bool
    updated: float
    used: float = field(default=0.0)
    skipped: tuple[tuple[str, str, int | None], ...] = field(default=())
    index_sha256: str = ""

    @property
    def index_path(self) -> Path:
        return self.path / INDEX

    @property
    def state_path(self) -> Path:
        return self.path / STATE


class ReadingStore:
    """Finds, writes and removes readings below `<home>/readings`."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "readings"

    def path(self, identifier: str) -> Path:
        return self.folder / identifier

    def get(self, identifier: str) -> StoredReading | None:
        """The reading of that id, or None. Raises DamagedError when its record cannot be understood."""
        try:
            return read_record(self.path(identifier))
        except FileNotFoundError:
            return None

    def describe(self, identifier: str) -> StoredReading:
        """The reading of that id or, when its record is damaged, what can still be told: where it lies."""
        try:
            found = self.get(identifier)
        except DamagedError:
            found = None
        path = self.path(identifier)
        changed = path.stat().st_mtime
        nobody = Maker("?", 0, "?", "?")
        return found or StoredReading(
            identifier, path, "?", nobody, (), "?", "?", "?", 0, 0, _size(path), False, changed, changed
        )

    def put(self, reading: StoredReading) -> StoredReading:
        """Writes the record; returns it with the time of writing."""
        reading = replace(reading, updated=time.time())
        values = asdict(reading)
        del values["path"], values["bytes"], values["used"]
        values["sha256"] = _digest(values)
        private_folder(reading.path)
        with written_aside(reading.path / RECORD) as aside:
            aside.write_text(json.dumps(values, ensure_ascii=False, indent=1), encoding="utf-8")
        return reading

    @contextmanager
    def building(self) -> Iterator[Path]:
        """A folder for a reading that is being made. What is not adopted is removed at the end, and what
        processes that were killed have left is removed at the beginning."""
        private_folder(self.folder)
        for left in self.folder.glob(".*"):
            owner = left.name.split("-")[1] if "-" in left.name else ""
            if owner.isdigit() and not psutil.pid_exists(int(owner)):
                shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f".building-{os.getpid()}-", dir=self.folder))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def adopt(self, building: Path, reading: StoredReading) -> StoredReading:
        """Makes a folder that was built aside the folder of `reading`, in one step."""
        reading = replace(reading, index_sha256=sha256_of(building / INDEX))
        self.put(replace(reading, path=building))
        if reading.path.exists():  # another process was faster: its reading is of the same text by the same model
            self._discard(reading.id)
        building.rename(reading.path)
        return reading

    @contextmanager
    def using(self, identifier: str) -> Iterator[None]:
        """Keeps a reading from being removed, and notes that it was used. Raises DamagedError when it is gone."""
        folder = self.path(identifier)
        try:
            with used(folder):
                with suppress(OSError):  # a home that cannot be written to
                    os.utime(folder / RECORD)
                yield
        except FileNotFoundError as error:
            if folder.exists():
                raise
            raise DamagedError(
                f"the stored reading {identifier} was removed meanwhile: run the command again"
            ) from error

    def identifiers(self) -> Iterator[str]:
        if self.folder.is_dir():
            for folder in sorted(self.folder.iterdir()):
                if folder.is_dir() and not folder.name.startswith("."):
                    yield folder.name

    def readings(self) -> list[StoredReading]:
        """All readings, the latest first."""
        found = [self.get(identifier) for identifier in self.identifiers()]
        return sorted((r for r in found if r is not None), key=lambda reading: -reading.updated)

    def match(self, prefix: str) -> str:
        """The one id that starts with `prefix`. Raises UsageError when there is none or more than one."""
        matches = [identifier for identifier in self.identifiers() if prefix and identifier.startswith(prefix)]
        if not matches:
            raise UsageError(f"no stored reading has an id that starts with '{prefix}': see `mmx states list`")
        if len(matches) > 1:
            raise UsageError(f"'{prefix}' fits {len(matches)} stored readings: {', '.join(matches[:4])}")
        return matches[0]

    def remove(self, identifier: str) -> bool:
        """Removes a reading, damaged or not, unless it is in use; says whether it did. It is out of sight at once,
        whatever happens while it is deleted."""
        with claimed(self.path(identifier)) as alone:
            if alone:
                self._discard(identifier)
        return alone

    def prune(self, limit: int) -> list[StoredReading]:
        """Removes what was not used for longest, until all that is left takes at most `limit` bytes. What is in use
        stays. Returns what was removed."""
        found = sorted((self.describe(identifier) for identifier in self.identifiers()), key=lambda one: one.used)
        total, removed = sum(one.bytes for one in found), []
        for one in found:
            if total <= limit:
                break
            if self.remove(one.id):
                removed.append(one)
                total -= one.bytes
        return removed

    def _discard(self, identifier: str) -> None:
        aside = self.folder / f".removed-{os.getpid()}-{time.time_ns()}"
        self.path(identifier).rename(aside)
        shutil.rmtree(aside)


def read_record(folder: Path) -> StoredReading:
    """The reading in a folder. Raises FileNotFoundError when there is none, DamagedError when its record is not as it
    was written."""
    record = folder / RECORD
    try:
        values: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
        if values.pop("sha256") != _digest(values):
            raise ValueError("it is not as it was written")
        values["maker"] = Maker(**values["maker"])
        values["sources"] = tuple(values["sources"])
        values["skipped"] = tuple((str(s), str(r), p) for s, r, p in values["skipped"])
        return StoredReading(path=folder, bytes=_size(folder), used=record.stat().st_mtime, **values)
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DamagedError(f"the record {record} is damaged: remove it with `mmx states rm {folder.name}`") from None


def _digest(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _size(folder: Path) -> int:
    """Bytes of the files in it."""
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
