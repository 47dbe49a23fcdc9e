"""What a task tells while it works. Progress bars, JSON and tests all see these and nothing else."""

from dataclasses import dataclass, field
from pathlib import Path

from mmxcli.reading.progress import Note, Progress
from mmxcli.sources.segment import Gap, Remark
from mmxcli.state.conversations import StoredConversation

__all__ = [
    "Answer",
    "AnswerText",
    "Citation",
    "Commands",
    "CountDone",
    "Counted",
    "Coverage",
    "Event",
    "Finding",
    "Followed",
    "Gap",
    "Looking",
    "ModelInfo",
    "MoreFound",
    "Note",
    "PartSummary",
    "Progress",
    "ReadingDone",
    "Remark",
    "Skipped",
    "Sources",
    "StateInfo",
    "SummaryDone",
    "Timing",
    "Told",
    "Transcript",
]


@dataclass(frozen=True, slots=True)
class AnswerText:
    """The next piece of the answer that is being written. The pieces of one question, joined, are its answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A verbatim quote and where it stands.

    `start` and `end` are code point offsets in the source's extracted text, `line` and `page` count from 1; `place`
    says in words where it is to be found in what has neither.
    `verified` says that the source's text between the offsets was compared with the quote and is the same.
    `matched` are words of the quote that question or answer have too; `before` and `after` the lines around it, where
    they were asked for.
    """

    source: str
    start: int
    end: int
    page: int | None
    line: int
    quote: str
    verified: bool
    place: str | None = None
    matched: tuple[str, ...] = ()
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Looking:
    """The sentence that fits a question best, while the model writes: where to look, not an answer."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the input was read. `mode` is "full" (all of it through the model) or "recall" (all of it
    indexed; the model reads the best sentences). `upto` is the place at which the text was taken to end. `remarks`
    tell what was passed over for what it is, and how the rest was understood."""

    tokens: int
    read: int
    mode: str
    skipped: tuple[Gap, ...] = ()
    upto: str | None = None
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class StateInfo:
    """The stored reading behind an answer. `reused_tokens`: how many were not read again this time."""

    id: str
    reused_tokens: int
    bytes: int


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """`memory` is recurrent, hybrid, windowed or full."""

    name: str
    memory: str


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. From the start of the command: `evidence_s` to the sentence that fits best, `first_token_s` to the first
    word of this answer."""

    load_s: float = 0.0
    read_s: float = 0.0
    recall_s: float = 0.0
    first_token_s: float = 0.0
    total_s: float = 0.0
    evidence_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ReadingDone:
    """A text was read (or found already read) and is ready for questions."""

    coverage: Coverage
    state: StateInfo
    model: ModelInfo
    timing: Timing
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One question, answered; ends the AnswerText pieces of that question.

    When `found` is False, `text` says so in a sentence and `nearest` holds the nearest passages. `confidence`: how many
    of a hundred such answers were right, as a share; 0 where nothing was found. `numbered`: the text names its
    citations by their numbers, from [1].
    """

    question: str
    text: str
    found: bool
    citations: tuple[Citation, ...]
    coverage: Coverage
    state: StateInfo
    model: ModelInfo
    timing: Timing
    nearest: tuple[Citation, ...] = ()
    warnings: tuple[str, ...] = ()
    confidence: float = 0.0
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that a summary says. `origin`: "extract" (a sentence of the text), "found" (read off code,
    headings or names), "written" (by the model). `citation` is where it stands; of what was written, `also` are other
    places that bear out a clause of it."""

    text: str
    origin: str
    citation: Citation
    also: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class PartSummary:
    """What a part of the text says. `source` is empty for what has several; `words` are those of the part."""

    title: str
    source: str
    words: int
    told: tuple[Told, ...]
    parts: tuple["PartSummary", ...] = ()


@dataclass(frozen=True, slots=True)
class SummaryDone:
    """A text, summarised. Without `found` it says nothing about the `focus`."""

    summary: PartSummary
    found: bool
    coverage: Coverage
    state: StateInfo
    model: ModelInfo
    timing: Timing
    focus: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """The tokens of one document."""

    source: str
    tokens: int
    characters: int


@dataclass(frozen=True, slots=True)
class CountDone:
    """The whole count: documents in reading order, what would be skipped, and what reading would cost.

    `read_s` maps a reading mode to estimated seconds on this machine, `memory_bytes` to estimated peak memory.
    """

    documents: tuple[Counted, ...]
    skipped: tuple[Gap, ...]
    tokens: int
    model: ModelInfo
    read_s: dict[str, float] = field(default_factory=dict)
    memory_bytes: dict[str, int] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """What of a stream was not, or not wholly, looked at so far: lines that were too long and how many bytes of them,
    lines that are no text, bytes that are not in the encoding, lines that stood out for which there was no room, and
    lines of which was not found out whether they match."""

    cut_lines: int = 0
    cut_bytes: int = 0
    binary_lines: int = 0
    undecoded_bytes: int = 0
    unasked_lines: int = 0
    unmatched_lines: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of a stream that says what the question asks, verbatim. `line` counts from 1 in the file that had the name
    `source` after it was replaced or cut `replaced` times; `answer` is what the model says of it, as far as the line
    bears it out."""

    question: str
    source: str
    line: int
    quote: str
    answer: str | None
    replaced: int
    skipped: Skipped


@dataclass(frozen=True, slots=True)
class MoreFound:
    """So many lines like one that was reported, not told before, the last of them on the line `last`."""

    line: int
    more: int
    last: int


@dataclass(frozen=True, slots=True)
class Followed:
    """The end: what was read, earlier runs under the same name included. `bookmark` is the name, if there is one."""

    question: str
    source: str
    lines: int
    bytes: int
    findings: int
    askings: int
    replaced: int
    skipped: Skipped
    bookmark: str | None


@dataclass(frozen=True, slots=True)
class Sources:
    """The quotes of an answer that was given before; the nearest passages where the text did not seem to say."""

    citations: tuple[Citation, ...]
    found: bool


@dataclass(frozen=True, slots=True)
class Commands:
    """What can be typed in a conversation besides questions: how it is written, and what it does."""

    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation that is to be written to a file."""

    conversation: StoredConversation
    file: Path


Event = (
    Progress
    | Note
    | Looking
    | AnswerText
    | ReadingDone
    | Answer
    | SummaryDone
    | Counted
    | CountDone
    | Finding
    | MoreFound
    | Followed
    | Sources
    | Commands
    | Transcript
)
