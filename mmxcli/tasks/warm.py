"""What a warm process holds, and whether one is there."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mmxcli.config import Settings
from mmxcli.line import Message
from mmxcli.reading.session import Session
from mmxcli.warm.client import asked
from mmxcli.warm.place import LOG, folder
from mmxcli.warm.surroundings import surroundings

HELD = ("model", "home", "weights", "quant", "memory", "threads")  # the settings that say what is loaded


@dataclass(frozen=True, slots=True)
class Warm:
    """A warm process. `serves`: whether commands from here reach it, or it was started under other conditions, as by
    another version. `ends_after`: seconds without a command."""

    process: int
    model: str
    bytes: int
    ends_after: float
    serves: bool


def wanted(settings: Settings) -> dict[str, Any]:
    """What a warm process is to hold: the settings by their names, as JSON has them."""
    model = Path(settings.model).expanduser()  # that process is in another folder
    settings = replace(settings, model=str(model.absolute()) if model.exists() else settings.model)
    values = asdict(settings)
    return {name: str(values[name]) if isinstance(values[name], Path) else values[name] for name in HELD}


def prepare(settings: Settings, *, whole: bool) -> Callable[[], None]:
    """Loads what commands with these settings need and what can be shared by copies of this process, and keeps it. What
    is given back loads the rest in a copy, with `whole` the model that reads texts too. Raises what opening a model
    raises."""
    session = Session(settings)
    session.hold()
    if whole:
        import torch  # noqa: F401
    return lambda: session.load(whole=whole)


def keep(held: Message, seconds: float) -> bool:
    """Has the warm process go on for so long, where there is one that holds this. One that holds something else, or was
    started under other conditions, is told to end."""
    status = asked("status")
    if status is None:
        return False
    if status.get("surroundings") == surroundings() and status.get("held") in (held, held | {"whole": True}):
        return asked("stay", seconds=seconds) is not None
    asked("end")
    return False


def there() -> Warm | None:
    """The warm process of this user."""
    said = asked("status")
    if said is None:
        return None
    try:
        return Warm(
            process=int(said["process"]),
            model=str(said["held"]["model"]),
            bytes=int(said["bytes"]),
            ends_after=float(said["seconds"]),
            serves=said["surroundings"] == surroundings(),
        )
    except (KeyError, TypeError, ValueError):  # of a version that tells other things
        return None


def complaint() -> str | None:
    """Why the last one has ended, where it was not meant to."""
    place = folder()
    try:
        lines = (place / LOG).read_text(errors="replace").strip().splitlines() if place else []
    except OSError:
        return None
    return lines[-1] if lines else None
