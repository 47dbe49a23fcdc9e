"""The stored readings: what is there, and removing it."""

from mmxcli.config import Settings
from mmxcli.errors import UsageError
from mmxcli.state.store import ReadingStore, StoredReading

__all__ = ["StoredReading", "find_state", "list_states", "remove_state"]


def list_states(settings: Settings) -> list[StoredReading]:
    """All stored readings, the latest first. Raises DamagedError naming one whose record is damaged."""
    return ReadingStore(settings.home).readings()


def find_state(settings: Settings, prefix: str) -> StoredReading:
    """The reading whose id starts with `prefix`. Raises UsageError when there is none or more than one."""
    store = ReadingStore(settings.home)
    found = store.get(store.match(prefix))
    if found is None:
        raise UsageError(f"no stored reading has an id that starts with '{prefix}': see `mmx states list`")
    return found


def remove_state(settings: Settings, prefix: str) -> StoredReading:
    """Removes the reading whose id starts with `prefix`, damaged or not, and returns what it was."""
    store = ReadingStore(settings.home)
    identifier = store.match(prefix)
    reading = store.describe(identifier)
    store.remove(identifier)
    return reading
