"""What is known of a stored reading without opening its index or its states, and the file that says so."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mmxcli.errors import DamagedError
from mmxcli.state.files import sha256_of, sizes_in, written_aside
from mmxcli.state.maker import Maker
from mmxcli.state.snapshot import Snapshot, Stretch

FORMAT = 3
RECORD, INDEX = "reading.json", "recall.sqlite"  # the files of a reading's own folder


@dataclass(frozen=True, slots=True)
class StoredReading:
    """`text` is the digest of what was read, and `maker` what read it; `id` follows from both. `mode` is "full" or
    "recall", `memory` the model's kind of memory, `window` how many tokens softmax layers keep in a full reading (None:
    all), `tokens` all tokens of the text, `read_tokens` how many of them the last of the `snapshots` has read (in
    recall mode: all, when complete). `upto` is the place at which the text was taken to end, if any.

    `chain` is that of the prompt and all tokens of the text (ModelState): what a complete full reading must have read.
    `skipped` holds (source, reason, page) of what could not be read, `remarks` (source, text) of how the rest was read.
    `updated` and `used`, when it last grew and when it last served, are Unix times in seconds; the latter is that of
    the record's file. `index_sha256` is that of the file of the recall index, which never changes. `bytes` counts the
    index, the record and, where the store has added them, the states, shared ones included. Raises ValueError for what
    cannot be: it may come from a stranger.
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
    upto: str | None = None
    window: int | None = None
    chain: str = ""
    snapshots: tuple[Snapshot, ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        words = (self.id, self.text, self.model, self.mode, self.memory, self.index_sha256, self.chain)
        numbers = (self.tokens, self.read_tokens, self.bytes, 0 if self.window is None else self.window)
        right = all(isinstance(word, str) for word in (*words, *self.sources, "" if self.upto is None else self.upto))
        right &= all(isinstance(number, int) and 0 <= number < 2**62 for number in numbers)
        right &= isinstance(self.complete, bool) and isinstance(self.updated, int | float)
        right &= all(isinstance(page, int | None) for _, _, page in self.skipped)
        if not right or self.read_tokens > self.tokens:
            raise ValueError("no record of a reading")

    @property
    def index_path(self) -> Path:
        return self.path / INDEX

    @property
    def readable(self) -> bool:
        """Whether its record could be understood."""
        return bool(self.sources)

    @property
    def stream(self) -> str:
        """What its states share with those of other texts that the same model reads in the same way."""
        return hashlib.sha256(f"{self.maker.identity} {self.window}".encode()).hexdigest()

    @property
    def files(self) -> set[str]:
        """The names of the files of all its states."""
        return {name for snapshot in self.snapshots for name in snapshot.files}

    @property
    def index_damage(self) -> str | None:
        """In words, what of its recall index is not as it was written, if anything. Reads all of it."""
        try:
            return None if sha256_of(self.index_path) == self.index_sha256 else f"{self.index_path} is damaged"
        except OSError as error:
            return f"{self.index_path} cannot be read: {error.strerror}"


def write_record(reading: StoredReading) -> None:
    """Raises OSError."""
    values = asdict(reading)
    del values["path"], values["bytes"], values["used"]
    stretches = list(dict.fromkeys(stretch for snapshot in reading.snapshots for stretch in snapshot.stretches))
    values["stretches"] = [[stretch.end, stretch.sha256] for stretch in stretches]
    values["snapshots"] = [
        [one.position, one.chain, one.sha256, [stretches.index(stretch) for stretch in one.stretches]]
        for one in reading.snapshots
    ]
    values["format"] = FORMAT
    values["sha256"] = _digest(values)
    with written_aside(reading.path / RECORD) as aside:
        aside.write_text(_written(values), encoding="utf-8")


def read_record(folder: Path) -> StoredReading:
    """The reading in a folder, its `bytes` without the states. Raises FileNotFoundError when there is none,
    DamagedError when its record is not as it was written, or a newer mmx has written it."""
    record = folder / RECORD
    remove = f"remove it with `mmx states rm {folder.name}`"
    try:
        text = record.read_text(encoding="utf-8")
        values: dict[str, Any] = json.loads(text)
        if text != _written(values) or values.pop("sha256") != _digest(values):
            raise ValueError("it is not as it was written")
        if (version := values.pop("format", 1)) != FORMAT:
            raise DamagedError(f"{record} is of another mmx: its format is {version}, here {FORMAT}; {remove}")
        values["maker"] = Maker(**values["maker"])
        values["sources"] = tuple(values["sources"])
        values["skipped"] = tuple((str(s), str(r), p) for s, r, p in values["skipped"])
        stretches = [Stretch(end, sha256) for end, sha256 in values.pop("stretches")]
        values["remarks"] = tuple((str(s), str(t)) for s, t in values.get("remarks", ()))
        values["snapshots"] = tuple(
            Snapshot(position, chain, sha256, tuple(stretches[i] for i in indexes))
            for position, chain, sha256, indexes in values["snapshots"]
        )
        size = sum(sizes_in(folder).values())
        return StoredReading(path=folder, bytes=size, used=record.stat().st_mtime, **values)
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise DamagedError(f"the record {record} is damaged: {remove}") from None


def unreadable(folder: Path) -> StoredReading:
    """What can be told of a reading whose record cannot be understood: where it lies. Raises FileNotFoundError."""
    changed = folder.stat().st_mtime
    size = sum(sizes_in(folder).values())
    nobody = Maker("?", 0, "?", "?")
    return StoredReading(folder.name, folder, "?", nobody, (), "?", "?", "?", 0, 0, size, False, changed, changed)


def _written(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, indent=1)


def _digest(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
