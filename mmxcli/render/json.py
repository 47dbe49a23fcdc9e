"""The JSON that programs read: one object a line, its keys always in the same order."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from mmxcli.render.escape import json_text
from mmxcli.render.output import Output
from mmxcli.render.view import View
from mmxcli.tasks.events import (
    Answer,
    Citation,
    CountDone,
    Coverage,
    Event,
    Finding,
    Followed,
    Gap,
    MoreFound,
    PartSummary,
    ReadingDone,
    Remark,
    Sources,
    SummaryDone,
)


def write(output: Output, record: Mapping[str, object]) -> None:
    """One object, one line, at once."""
    unicode = (getattr(output.out.file, "encoding", None) or "utf-8").lower().startswith("utf")
    output.raw(json_text(json.dumps(record, ensure_ascii=not unicode)) + "\n")


def answer(event: Answer, identifier: object = None) -> dict[str, Any]:
    """`identifier` is what the questions' file calls this question; passed through when there is one."""
    record = {} if identifier is None else {"id": identifier}
    record |= {"question": event.question, "answer": event.text, "found": event.found, "confidence": event.confidence}
    record |= {"citations": _citations(event.citations)}
    if not event.found:
        record |= {"nearest": _citations(event.nearest)}
    return record | _reading(event)


def sources(event: Sources) -> dict[str, Any]:
    return {"citations" if event.found else "nearest": _citations(event.citations)}


def reading(event: ReadingDone) -> dict[str, Any]:
    return _reading(event)


def count(event: CountDone) -> dict[str, Any]:
    return {
        "tokens": event.tokens,
        "documents": [asdict(document) for document in event.documents],
        "skipped": _gaps(event.skipped),
        "remarks": _remarks(event.remarks),
        "model": asdict(event.model),
        "read_s": {mode: round(seconds, 3) for mode, seconds in event.read_s.items()},
        "memory_bytes": dict(event.memory_bytes),
    }


def summary(event: SummaryDone) -> dict[str, Any]:
    focus = {"focus": event.focus} if event.focus else {}
    return {**focus, "found": event.found, "summary": _part(event.summary), **_reading(event)}


def _part(part: PartSummary) -> dict[str, Any]:
    said = [
        {"text": one.text, "origin": one.origin, "citation": _citations([one.citation])[0]}
        | ({"also": _citations(one.also)} if one.also else {})
        for one in part.told
    ]
    parts = {"parts": [_part(one) for one in part.parts]} if part.parts else {}
    return {"title": part.title, "source": part.source or None, "words": part.words, "said": said, **parts}


def followed(event: Finding | MoreFound | Followed) -> dict[str, Any]:
    """`event` says which of the three it is: finding, more or end."""
    names = {Finding: "finding", MoreFound: "more", Followed: "end"}
    return {"event": names[type(event)], **asdict(event)}


def _reading(event: Answer | ReadingDone | SummaryDone) -> dict[str, Any]:
    return {
        "coverage": _coverage(event.coverage),
        "state": asdict(event.state),
        "model": asdict(event.model),
        "timing": {name: round(seconds, 3) for name, seconds in asdict(event.timing).items()},
        "warnings": list(event.warnings),
    }


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "tokens": coverage.tokens,
        "read": coverage.read,
        "mode": coverage.mode,
        **({"upto": coverage.upto} if coverage.upto else {}),
        "skipped": _gaps(coverage.skipped),
        "remarks": _remarks(coverage.remarks),
    }


def _citations(citations: Sequence[Citation]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in asdict(citation).items() if value or name not in ("matched", "before", "after")}
        for citation in citations
    ]


def _gaps(gaps: Iterable[Gap]) -> list[dict[str, Any]]:
    return [{"source": gap.source, "page": gap.page, "reason": gap.reason} for gap in gaps]


def _remarks(remarks: Iterable[Remark]) -> list[dict[str, Any]]:
    return [{"source": remark.source, "remark": remark.text} for remark in remarks]


class JsonView(View):
    """One object a question, or one for a reading or a count. `identifiers`: those of the questions."""

    def __init__(self, output: Output, identifiers: Sequence[object] = ()) -> None:
        super().__init__(output)
        self._identifiers = identifiers
        self._answered = 0

    def result(self, event: Event) -> None:
        match event:
            case Answer():
                write(self.output, answer(event, self._identifiers[self._answered]))
                self._answered += 1
                self.finished = self._answered == len(self._identifiers)
            case ReadingDone() if not self._identifiers:
                write(self.output, reading(event))
                self.finished = True
            case SummaryDone():
                write(self.output, summary(event))
                self.finished = True
            case CountDone():
                write(self.output, count(event))
                self.finished = True
            case Finding() | MoreFound() | Followed():
                write(self.output, followed(event))
