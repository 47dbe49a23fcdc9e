"""Many short texts written by the model, several at once, none of them twice."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmxcli.models.chat import ChatTemplate
from mmxcli.reading.generate import generate
from mmxcli.reading.progress import Progress
from mmxcli.reading.session import Session, Told
from mmxcli.state.memo import Memo

if TYPE_CHECKING:
    from mmxcli.state.model_state import ModelState


class Scribe(Memo):
    """Comes after the session has read; a context manager. What was written before is not written again, in this
    process or another, and where nothing is left to write, no model is loaded."""

    def __init__(self, session: Session, folder: Path | None = None) -> None:
        """`folder`: where it is kept, if not with what was read."""
        self._session = session
        super().__init__(folder or session.home, f"written {session.writes_as}")

    @property
    def template(self) -> ChatTemplate:
        return self._session.template

    def known(self, prompt: Sequence[int], limit: int, read: str = "") -> str | None:
        """What was written after it before."""
        return self.get(_key(prompt, limit, read))

    def write(
        self,
        prompts: Sequence[Sequence[int]],
        limit: int,
        stage: str | None,
        state: "ModelState | None" = None,
        read: str = "",
    ) -> Generator[Told, None, list[str]]:
        """What the model writes after each prompt, at most `limit` tokens, as the beginning of a text, or after
        `state`; `read` then says what that has read. Without a `stage`, no progress
        is told."""
        session = self._session
        texts = [self.known(prompt, limit, read) for prompt in prompts]
        # Those of a length are written together: the shorter of two would wait for the longer.
        missing = sorted((at for at, text in enumerate(texts) if text is None), key=lambda at: len(prompts[at]))
        if missing:
            yield from session.prepare_writing()
        writer = session.writer
        together = writer.together(state.bytes if state else 0) if writer else 1
        for done in range(0, len(missing), together):
            if stage:
                yield Progress(stage, done, len(missing), "texts")
            some = missing[done : done + together]
            written = [""] * len(some)
            some_prompts = [prompts[at] for at in some]
            assert writer  # it was prepared
            before = [state.fork() for _ in some] if state else None
            for number, piece in generate(writer, session.tokenizer, before, some_prompts, limit, session.policy.chunk):
                written[number] += piece
            for at, text in zip(some, written, strict=True):
                texts[at] = text.strip()
                self.put(_key(prompts[at], limit, read), text.strip())
        if missing and stage:
            yield Progress(stage, len(missing), len(missing), "texts")
        return [text or "" for text in texts]


def _key(prompt: Sequence[int], limit: int, read: str) -> str:
    return f"{read}{limit} {list(prompt)}"
