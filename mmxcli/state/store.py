"""The readings on disk: for each, a folder with its record, its recall index and, when read in full, its state."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from mmxcli.errors import DamagedError, UsageError
from mmxcli.state.files import private_folder, written_aside


@dataclass(frozen=True, slots=True)
class StoredReading:
    """What is known of a reading without opening its index or state.

    `mode` is "full" or "recall", `memory` the model's kind of memory, `tokens` all tokens of the text,
    `read_tokens` how many of them the stored state has read (in recall mode: all, when complete).
    `skipped` holds (source, reason, page) of what could not be read. `updated` is Unix time in seconds.
    """

    id: str
    path: Path
    sources: tuple[str, ...]
    model: str
    mode: str
    memory: str
    tokens: int
    read_tokens: int
    bytes: int
    complete: bool
    updated: float
    skipped: tuple[tuple[str, str, int | None], ...] = field(default=())

    @property
    def index_path(self) -> Path:
        return self.path / "recall.sqlite"

    @property
    def state_path(self) -> Path:
        return self.path / "state.safetensors"


class ReadingStore:
    """Finds, writes and removes readings below `<home>/readings`."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "readings"

    def path(self, identifier: str) -> Path:
        return self.folder / identifier

    def get(self, identifier: str) -> StoredReading | None:
        """The reading of that id, or None. Raises DamagedError when its record cannot be understood."""
        folder = self.path(identifier)
        record = folder / "reading.json"
        try:
            values: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
            values["sources"] = tuple(values["sources"])
            values["skipped"] = tuple((str(s), str(r), p) for s, r, p in values["skipped"])
            size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
            return StoredReading(path=folder, bytes=size, **values)
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError):
            raise DamagedError(f"the record {record} is damaged: remove it with `mmx states rm {identifier}`") from None

    def describe(self, identifier: str) -> StoredReading:
        """The reading of that id or, when its record is damaged, what can still be told: where it lies."""
        try:
            found = self.get(identifier)
        except DamagedError:
            found = None
        path = self.path(identifier)
        return found or StoredReading(identifier, path, (), "?", "?", "?", 0, 0, 0, False, path.stat().st_mtime)

    def put(self, reading: StoredReading) -> StoredReading:
        """Writes the record; returns it with the time of writing."""
        reading = replace(reading, updated=time.time())
        values = asdict(reading)
        del values["path"], values["bytes"]
        private_folder(reading.path)
        with written_aside(reading.path / "reading.json") as aside:
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
        self.put(replace(reading, path=building))
        if reading.path.exists():  # another process was faster: its reading is of the same text by the same model
            self.remove(reading.id)
        building.rename(reading.path)
        return reading

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

    def remove(self, identifier: str) -> None:
        """Removes a reading, damaged or not. It is out of sight at once, whatever happens while it is deleted."""
        aside = self.folder / f".removed-{os.getpid()}-{time.time_ns()}"
        self.path(identifier).rename(aside)
        shutil.rmtree(aside)
