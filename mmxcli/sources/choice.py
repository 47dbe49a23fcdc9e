"""What a person chose about what is read, and how."""

from dataclasses import dataclass

from mmxcli.config import Settings


@dataclass(frozen=True, slots=True)
class Choice:
    """`encoding`: of all text that does not say its own; None: it is found out. Sizes in bytes; None: no limit.
    Patterns as in .gitignore: what is to be read though it would be left out, and what is to be left out."""

    encoding: str | None = None
    max_file_size: int | None = None
    max_files: int | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> "Choice":
        return cls(settings.encoding, settings.max_file_size, settings.max_files, settings.include, settings.exclude)


ALL = Choice()
