"""The small files of a checkpoint, which somebody unknown has made: read without waiting, and only so far."""

import json
import os
import reprlib
import stat
from collections import Counter
from pathlib import Path
from typing import Any

from mmxcli.errors import DamagedError, ModelError

MOST_BYTES = 64 << 20  # far more than any tokenizer or index has
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 150  # names of tensors are longer than the usual 30


def is_plain(path: Path) -> bool:
    """Whether a file is there: no folder, no pipe and no device, and no link that leads to one or nowhere."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):  # a loop of links, a name that is too long, one that no file can have
        return False


def content(path: Path) -> bytes:
    """The bytes of a small file. Raises FileNotFoundError where there is none, ModelError where it may not be read,
    DamagedError where it is a pipe, a device or a folder, or larger than any such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe would wait for its other end
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise DamagedError(f"{path}: is no plain file; get the model again")
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor is no path
        found = file.read(MOST_BYTES + 1)
    if len(found) > MOST_BYTES:
        raise DamagedError(f"{path}: is larger than {MOST_BYTES} bytes, which no such file is; get the model again")
    return found


def utf8(path: Path) -> str:
    """The text of a small file. Raises what `content` raises, and DamagedError where it is not UTF-8."""
    try:
        return content(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DamagedError(f"{path}: is not UTF-8 ({error}); get the model again") from None


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises what `content` raises, and DamagedError when it holds none, or says a thing
    twice."""
    try:
        found = json.loads(content(path), object_pairs_hook=once)
        if not isinstance(found, dict):
            raise ValueError("not an object")
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path}: is not valid JSON ({error}); get the model again") from None
    return found


def shown(value: object) -> str:
    """A value that somebody unknown has chosen, on one line, and short."""
    return _SHORT.repr(value)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. Raises ValueError where a name is in it twice: whoever reads it takes one or the other."""
    found: dict[str, Any] = dict(pairs)
    if len(found) != len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{shown(twice)} is in it twice")
    return found
