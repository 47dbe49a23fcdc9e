"""What a person chose about what is read, and how."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmxcli.config import Settings
from mmxcli.errors import InputError

NAMED = 3  # sources of many that are told by their names
MOST_PASSWORDS = 1 << 16  # bytes of a file of passwords, one a line


class Listed(str):
    """A source that was not typed but stands in a list: where it is missing, that is told, and the others are read."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """`encoding`: of all text that does not say its own; None: it is found out. Sizes in bytes; None: no limit.
    Patterns as in .gitignore: what is to be read though it would be left out, and what is to be left out."""

    encoding: str | None = None
    max_file_size: int | None = None
    max_files: int | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    drop_running_heads: bool = False  # of the pages of a PDF
    passwords: tuple[str, ...] = ()  # tried on what is encrypted

    @classmethod
    def of(cls, settings: Settings) -> "Choice":
        """Raises InputError when the file of passwords cannot be read."""
        return cls(
            settings.encoding,
            settings.max_file_size,
            settings.max_files,
            settings.include,
            settings.exclude,
            settings.drop_running_heads,
            _passwords(settings.password_file) if settings.password_file else (),
        )


def few(names: Sequence[str]) -> str:
    """Names of sources in few words: a folder may have thousands."""
    more = [f"and {len(names) - NAMED:,} more"] if len(names) > NAMED else []
    return " ".join([", ".join(names[:NAMED]), *more])


def _passwords(file: Path) -> tuple[str, ...]:
    try:
        with file.open("rb") as stream:
            data = stream.read(MOST_PASSWORDS)
    except OSError as error:
        raise InputError(f"--password-file {file}: {error.strerror or error}") from error
    return tuple(line for line in data.decode("utf-8", "surrogateescape").splitlines() if line)


ALL = Choice()
