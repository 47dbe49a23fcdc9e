"""The settings of one run: one table of fields, from which names, checks and documentation follow."""

import codecs
import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import platformdirs

from mmxcli.errors import UsageError

PROJECT_FILE = "mmx.toml"
LONGEST = 7 * 24 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class Kind:
    """What values a setting may have. `parse` takes the text of a flag or the value of a file, returns the
    value that the program uses, returns such a value unchanged, and raises ValueError for anything else."""

    allowed: str
    parse: Callable[[object], object]


def _path(value: object) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError
    return Path(value).expanduser()


def _word(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value.strip()


def _switch(value: object) -> bool:
    words = ("false", "no", "off", "0", "true", "yes", "on", "1")
    return words.index(str(value).lower()) >= 4


def _size(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,12})?)\s*([KMGT]?)(?:i?B)?", str(value).strip(), re.IGNORECASE | re.ASCII)
    if not found or not (size := int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " "))):
        raise ValueError
    return size


def _tokens(value: object) -> int:
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,12})?)\s*([KMG]?)", str(value).strip(), re.IGNORECASE | re.ASCII)
    if not found or not (tokens := int(float(found[1]) * 1000 ** " KMG".index(found[2].upper() or " "))):
        raise ValueError
    return tokens


def _duration(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LONGEST:
        return float(value)
    if value == "off":
        return 0.0
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s*([smh])", str(value).strip(), re.ASCII)
    if not found or not 0 < (seconds := float(found[1]) * 60.0 ** "smh".index(found[2])) <= LONGEST:
        raise ValueError
    return seconds


def _one_of(*words: str) -> Kind:
    def parse(value: object) -> str:
        if value not in words:
            raise ValueError
        return str(value)

    return Kind(" or ".join(words), parse)


def _count(least: int, most: int = 10**9) -> Kind:
    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int | str) or not least <= int(value) <= most:
            raise ValueError
        return int(value)

    return Kind(f"a whole number from {least} to {most}", parse)


def _patterns(value: object) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise ValueError
    return tuple(part.strip() for part in parts if part.strip())


def _encoding(value: object) -> str:
    try:
        found = codecs.lookup(_word(value))
    except LookupError:
        raise ValueError from None
    if not found._is_text_encoding:  # others turn bytes into bytes
        raise ValueError
    return found.name


ENCODING = Kind("an encoding such as latin-1 or gb18030", _encoding)
FILE = Kind("a file", _path)
FOLDER = Kind("a folder", _path)
PATTERNS = Kind("patterns as in .gitignore, apart by commas", _patterns)
WORD = Kind("a name", _word)
SWITCH = Kind("true or false", _switch)
SIZE = Kind("a size such as 8G or 512M", _size)
DURATION = Kind("a time such as 90s, 10m or 2h, or off", _duration)
TOKENS = Kind("a number of tokens such as 20000, 300k or 1M", _tokens)


def _about(kind: Kind, help: str, shown: str | None = None) -> dict[str, object]:
    """`shown` is the default in the words of the documentation, where the value itself says too little."""
    return {"kind": kind, "help": help, "shown": shown}


def _user_home() -> Path:
    return platformdirs.user_data_path("mmx", appauthor=False)


READ = "full: every token goes through the model. recall: the text is indexed, and the model reads what is \
recalled. auto: full where the model's memory can carry the whole text"

WINDOW = "Tokens that softmax layers keep, beyond the first few; the rest is forgotten by them"
KV_CACHE = "How softmax layers that see everything keep their keys and values. memory and disk are exact, int8 rounds. \
auto: memory where they fit, else disk"

KEEP_WARM = "Leave a process that has loaded the model and serves the next commands, until none came for so long, such \
as 10m. off: leave none, and use none"

DEVICE = "What computes a model: the processor (cpu), or a GPU that torch can use (cuda)"

QUANT = (
    "What the weights are kept in: float32, as they are (none), 8 bits (int8) or 4 (nf4). auto: as they are where they \
fit the memory, else 8 bits, else 4; in float32 where they fit and the processor computes them sooner so"
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How mmx does its work. Every value is checked on construction; UsageError names one that is off."""

    home: Path = field(
        default_factory=_user_home,
        metadata=_about(FOLDER, "Where everything that mmx writes is kept", "your platform's data folder"),
    )
    weights: Path | None = field(
        default=None, metadata=_about(FOLDER, "Where the models' weights are kept", "`weights` in `home`")
    )
    model: str = field(
        default="qwen2.5-coder-0.5b",
        metadata=_about(WORD, "A name from `mmx models list`, a local folder, a GGUF file or a hub name"),
    )
    read: Literal["auto", "full", "recall"] = field(
        default="auto", metadata=_about(_one_of("auto", "full", "recall"), READ)
    )
    window: int | None = field(
        default=None,
        metadata=_about(_count(16), WINDOW, "1024 for models of softmax layers alone, all for others"),
    )
    kv_cache: Literal["auto", "memory", "disk", "int8"] = field(
        default="auto", metadata=_about(_one_of("auto", "memory", "disk", "int8"), KV_CACHE)
    )
    chunk: int | None = field(
        default=None,
        metadata=_about(
            _count(1), "Tokens that the model reads in one step, at most", "512, more where a token uses few experts"
        ),
    )
    quant: Literal["auto", "float32", "none", "int8", "nf4"] = field(
        default="auto", metadata=_about(_one_of("auto", "float32", "none", "int8", "nf4"), QUANT)
    )
    device: Literal["cpu", "cuda"] = field(default="cpu", metadata=_about(_one_of("cpu", "cuda"), DEVICE))
    memory: int | None = field(
        default=None, metadata=_about(SIZE, "Memory that mmx may use at most, such as 8G", "no limit")
    )
    encoding: str | None = field(
        default=None,
        metadata=_about(ENCODING, "What text is in that does not say its own encoding", "UTF-8, or as found out"),
    )
    max_file_size: int | None = field(
        default=None, metadata=_about(SIZE, "Leave out files and archives that are larger", "no limit")
    )
    include: tuple[str, ...] = field(
        default=(),
        metadata=_about(
            PATTERNS, "Read what matches, though lock files, vendored or ignored files are left out", "none"
        ),
    )
    exclude: tuple[str, ...] = field(
        default=(), metadata=_about(PATTERNS, "Leave out what matches, in folders and archives", "none")
    )
    max_files: int | None = field(default=None, metadata=_about(_count(1), "Read no more files than this", "no limit"))
    drop_running_heads: bool = field(
        default=False,
        metadata=_about(SWITCH, "Leave out the lines that stand at the top or foot of every page of a PDF"),
    )
    password_file: Path | None = field(
        default=None,
        metadata=_about(FILE, "A file with passwords for encrypted PDFs, one a line", "asked for"),
    )
    max_tokens: int = field(default=128, metadata=_about(_count(1), "Tokens that an answer may have at most"))
    context: int = field(default=0, metadata=_about(_count(0, 100), "Lines to show around each quote"))
    passages: int | None = field(
        default=None,
        metadata=_about(
            _count(0),
            "Passages that the model reads for a question, beside the best sentences",
            "2 where no sentence fits well, of code 4, else none",
        ),
    )
    offline: bool = field(default=False, metadata=_about(SWITCH, "Use no network"))
    cache: bool = field(default=True, metadata=_about(SWITCH, "Use stored readings, and store new ones"))
    strict: bool = field(
        default=False,
        metadata=_about(SWITCH, "Fail (exit code 3) when some of the input could not be read"),
    )
    threads: int | None = field(
        default=None, metadata=_about(_count(1), "Processor threads to compute with", "as torch finds best")
    )
    size_limit: int | None = field(
        default=None,
        metadata=_about(
            SIZE, "Disk that stored readings may take; what was not used for longest goes first", "no limit"
        ),
    )
    checkpoint_tokens: int = field(
        default=16384, metadata=_about(_count(1), "Tokens between two checkpoints of a reading")
    )

    keep_warm: float = field(default=0.0, metadata=_about(DURATION, KEEP_WARM, "off"))

    def __post_init__(self) -> None:
        for name, known in SETTINGS.items():
            value = getattr(self, name)
            if value is not None or known.default is not None:
                object.__setattr__(self, name, _parsed(name, value, "this setting"))

    @property
    def weights_folder(self) -> Path:
        return self.weights or self.home / "weights"


SETTINGS: Mapping[str, Field[Any]] = {known.name: known for known in fields(Settings)}


def environment_name(name: str) -> str:
    return f"MMX_{name.upper()}"


def flag_name(name: str) -> str:
    return "--no-cache" if name == "cache" else f"--{name.replace('_', '-')}"


def user_file() -> Path:
    """The person's own settings for every project; it need not exist."""
    return platformdirs.user_config_path("mmx", appauthor=False) / "config.toml"


def project_file(cwd: Path, sources: Sequence[str] = ()) -> tuple[Path | None, bool]:
    """The nearest mmx.toml in `cwd` or above it, and whether it is trusted: a file that is itself part of
    what is being read says nothing about how to read it."""
    found = next((folder / PROJECT_FILE for folder in (cwd, *cwd.parents) if (folder / PROJECT_FILE).is_file()), None)
    if found is None:
        return None, False
    read = [(cwd / source).resolve() for source in sources if source != "-"]
    # Both the name and what it links to: a link into a source is not a way around, nor is one out of it.
    places = {found.parent.resolve() / found.name, found.resolve()}
    return found, not any(place == source or source in place.parents for place in places for source in read)


def load_settings(
    flags: Mapping[str, object], *, environ: Mapping[str, str], cwd: Path, sources: Sequence[str] = ()
) -> Settings:
    """Settings by precedence: a flag that is not None, MMX_* of `environ` that is not empty, the project's
    mmx.toml (unless it lies in one of `sources`), the user's file, the default.

    Raises UsageError that names the setting, where its value comes from and what is allowed.
    """
    project, trusted = project_file(cwd, sources)
    values: dict[str, object] = {}
    for file in (user_file(), project if trusted else None):
        if file is not None:
            values |= _of_file(file)
    for name in SETTINGS:
        if raw := environ.get(environment_name(name)):
            values[name] = _anchored(_parsed(name, raw, environment_name(name)), cwd)
        if flags.get(name) is not None:
            values[name] = _anchored(_parsed(name, flags[name], flag_name(name)), cwd)
    return Settings(**values)  # type: ignore[arg-type]  # each was parsed by its own kind


def _of_file(file: Path) -> dict[str, object]:
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:  # not UTF-8, or not TOML
        raise UsageError(f"{file} is not valid TOML: {error}") from error
    for name in table:
        if name not in SETTINGS:
            raise UsageError(f"{file}: there is no setting {name!r}; the settings are {', '.join(SETTINGS)}")
    return {name: _anchored(_parsed(name, value, str(file)), file.parent) for name, value in table.items()}


def _parsed(name: str, value: object, origin: str) -> object:
    kind: Kind = SETTINGS[name].metadata["kind"]
    try:
        return kind.parse(value)
    except ValueError as error:
        raise UsageError(f"{name} cannot be {value!r} ({origin}): it must be {kind.allowed}") from error


def parse_tokens(text: str) -> int:
    """What --tokens says. Raises UsageError for anything but a number above zero."""
    try:
        return _tokens(text)
    except ValueError as error:
        raise UsageError(f"tokens cannot be {text!r} (--tokens): it must be {TOKENS.allowed}") from error


def _anchored(value: object, folder: Path) -> object:
    """A relative path counts from the folder of whoever wrote it."""
    return Path(os.path.normpath(folder / value)) if isinstance(value, Path) else value
