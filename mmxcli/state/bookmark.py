"""Where somebody who follows a stream was, and what they had learnt: a small file for each name."""

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmxcli.errors import DamagedError, UsageError
from mmxcli.state.files import private_folder, written_aside

FORMAT = 1
LARGEST = 64 << 20  # bytes
_NAME = re.compile(r"[\w-][\w.-]{0,63}", re.A)


class Bookmark:
    """The file of one name below `<home>/follows`: the digest of what follows, a new line, and that in JSON."""

    def __init__(self, home: Path, name: str) -> None:
        """Raises UsageError for a name that makes no good file name."""
        if not _NAME.fullmatch(name):
            raise UsageError(f"--resume {name}: a name has up to 64 letters, figures, dots and hyphens")
        self.name = name
        self.path = home / "follows" / f"{name}.json"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else's while the block lasts. Raises UsageError where it is somebody's."""
        private_folder(self.path.parent)
        descriptor = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise UsageError(f"--resume {self.name}: another mmx follows under this name") from None
        finally:
            os.close(descriptor)

    def write(self, values: dict[str, Any]) -> None:
        """Raises OSError."""
        body = json.dumps({"format": FORMAT, **values}, ensure_ascii=False).encode("utf-8", "surrogatepass")
        with written_aside(self.path) as aside:
            aside.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)

    def read(self) -> dict[str, Any] | None:
        """What was written last; None where nothing was. Raises DamagedError where it is not that any more."""
        try:
            if self.path.stat().st_size > LARGEST:
                raise ValueError
            digest, _, body = self.path.read_bytes().partition(b"\n")
            if digest.decode() != hashlib.sha256(body).hexdigest():
                raise ValueError
            values: dict[str, Any] = json.loads(body.decode("utf-8", "surrogatepass"))
            if values.pop("format") != FORMAT:
                raise ValueError
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, AttributeError, RecursionError):
            raise self.damaged() from None
        return values

    @classmethod
    def names(cls, home: Path) -> list[str]:
        """Those there are."""
        return sorted(file.stem for file in (home / "follows").glob("*.json") if _NAME.fullmatch(file.stem))

    def damaged(self) -> DamagedError:
        return DamagedError(f"{self.path} is damaged, or of another mmx: delete it to begin anew")
