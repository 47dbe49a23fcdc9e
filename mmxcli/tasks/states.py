"""The stored readings: what is there, whether it is whole, removing it, taking it elsewhere."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mmxcli import __version__
from mmxcli.config import Settings
from mmxcli.errors import DamagedError, InputError, UsageError
from mmxcli.models.weights import WeightsFolder, locate
from mmxcli.reading.session import NUMERICS
from mmxcli.state.files import passing_folder
from mmxcli.state.parcel import pack, unpack
from mmxcli.state.record import INDEX, RECORD, StoredReading, read_record, write_record
from mmxcli.state.store import ReadingStore
from mmxcli.state.use import used

__all__ = [
    "StoredReading",
    "Verdict",
    "export_state",
    "find_state",
    "import_state",
    "list_states",
    "prune_states",
    "remove_state",
    "verify_states",
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a stored reading is as it was written. `damage` says, in words, what is not."""

    id: str
    sources: tuple[str, ...]
    bytes: int
    whole: bool
    damage: tuple[str, ...]


def list_states(settings: Settings) -> list[StoredReading]:
    """All stored readings, the latest first; of one whose record cannot be understood, what can still be told."""
    return ReadingStore(settings.home).readings()


def find_state(settings: Settings, prefix: str) -> StoredReading:
    """The reading whose id starts with `prefix`. Raises UsageError when there is none or more than one, DamagedError
    when its record cannot be understood."""
    store = ReadingStore(settings.home)
    identifier = store.match(prefix)
    if store.get(identifier) is None:
        raise UsageError(f"no stored reading has an id that starts with '{prefix}': see `mmx states list`")
    return store.describe(identifier)


def remove_state(settings: Settings, prefix: str) -> StoredReading:
    """Removes the reading whose id starts with `prefix`, damaged or not, and returns what it was.

    Raises UsageError while another mmx uses it.
    """
    store = ReadingStore(settings.home)
    identifier = store.match(prefix)
    try:
        reading = store.describe(identifier)
    except FileNotFoundError:
        raise UsageError(f"the reading {identifier} was removed meanwhile") from None
    if not store.remove(identifier):
        raise UsageError(f"the reading {identifier} is in use by another mmx: end that first")
    return reading


def prune_states(settings: Settings) -> list[StoredReading]:
    """Removes the readings that were not used for longest until the others fit the `size_limit` setting, but none
    that is in use. Returns what was removed. Raises UsageError where there is no limit."""
    if settings.size_limit is None:
        raise UsageError("say what may stay in all, such as --size-limit 2G")
    return ReadingStore(settings.home).prune(settings.size_limit)


def verify_states(settings: Settings, prefixes: Sequence[str]) -> Iterator[Verdict]:
    """Reads every byte of the named readings, or of all, and changes nothing."""
    store = ReadingStore(settings.home)
    for identifier in [store.match(prefix) for prefix in prefixes] or list(store.identifiers()):
        with suppress(FileNotFoundError):  # removed meanwhile
            yield _verdict(store, identifier)


def _verdict(store: ReadingStore, identifier: str) -> Verdict:
    """Raises FileNotFoundError when there is none. A reading that goes on meanwhile is looked at again."""
    folder = store.path(identifier)
    with used(folder):
        while True:
            reading = store.describe(identifier)
            damage = tuple(_damage(folder, store.states))
            if not damage or reading == store.describe(identifier):
                return Verdict(identifier, reading.sources, reading.bytes, not damage, damage)


def export_state(settings: Settings, prefix: str, file: Path) -> StoredReading:
    """Writes the reading whose id starts with `prefix` into one file, for its owner alone.

    It may go on meanwhile: what is written is the reading of one moment. Raises UsageError when there is none or more
    than one, or `file` is there already; DamagedError when the reading is damaged.
    """
    store = ReadingStore(settings.home)
    identifier = store.match(prefix)
    if file.exists():
        raise UsageError(f"{file} is there already: name another file")
    with store.using(identifier), passing_folder(store.folder, ".exporting") as moment:
        reading = _whole(store, identifier)
        with store.keeping():  # what has a second name stays, whoever sweeps the first
            if reading != store.describe(identifier):
                reading = _whole(store, identifier)
            write_record(replace(reading, path=moment))
            for path in (reading.index_path, *(store.states / name for name in reading.files)):
                _linked(path, moment / path.name)
        try:
            pack([moment / name for name in (RECORD, INDEX, *sorted(reading.files))], file)
        except OSError as error:
            raise UsageError(f"{file} cannot be written: {error.strerror}") from error
        return reading


def _linked(path: Path, name: Path) -> None:
    """Gives a file a second name, or copies it where that cannot be."""
    try:
        name.hardlink_to(path)
    except OSError:
        shutil.copyfile(path, name)


def _whole(store: ReadingStore, identifier: str) -> StoredReading:
    """Raises DamagedError when it is damaged."""
    verdict = _verdict(store, identifier)
    if not verdict.whole:
        raise DamagedError(verdict.damage[0])
    return store.describe(identifier)


def import_state(settings: Settings, file: Path, model: str | None = None) -> StoredReading:
    """Takes in a reading that was exported. `model` names the one here that it is for; by default, as it was named
    where it was made. Fetches nothing.

    Raises InputError when the file cannot be read, ModelError when the model is not here, DamagedError when the
    reading is damaged, or was made by another model or version of mmx.
    """
    store = ReadingStore(settings.home)
    with store.building() as folder:
        try:
            unpack(file, folder)
        except OSError as error:
            raise InputError(f"{file} cannot be read: {error.strerror}") from error
        for line in _damage(folder, folder):
            raise DamagedError(f"{file} is damaged: {line}")
        reading = read_record(folder)
        if reading.maker.identifier(reading.text) != reading.id:
            raise DamagedError(f"{file} is damaged: its id is not that of its text")
        weights = _located(settings, model or reading.model).identity
        here = replace(reading.maker, mmx=__version__, numerics=NUMERICS, weights=weights)
        if different := ", ".join(here.differences(reading.maker)):
            raise DamagedError(f"{file} was made by {different}: it cannot be used here")
        with suppress(FileNotFoundError):
            store.take_in(folder, reading)
        with suppress(FileNotFoundError):  # removed meanwhile
            return store.describe(reading.id)
    return reading


def _located(settings: Settings, model: str) -> WeightsFolder:
    try:
        return locate(model, settings.weights_folder, offline=True)
    except UsageError as error:
        raise UsageError(
            f"the model of this reading is not known here by its name: say which it is with -m ({error})"
        ) from None


def _damage(folder: Path, states: Path) -> Iterator[str]:
    """What in a reading's folder, and of its states in the folder `states`, is not as it was written."""
    try:
        reading = read_record(folder)
    except FileNotFoundError:
        yield f"{folder / RECORD} is missing"
        return
    except DamagedError as error:
        yield str(error)
        return
    if damage := reading.index_damage:
        yield damage
    if not reading.snapshots:
        if reading.mode == "full" and reading.read_tokens > 0:
            yield f"{folder / RECORD} names no state"
        return
    from mmxcli.state.saving import check_files, load_snapshot

    found = list(check_files(reading.snapshots, states))
    yield from found
    if not found:
        try:
            load_snapshot(reading.snapshots[-1], states, reading.stream)
        except DamagedError as error:
            yield str(error)
