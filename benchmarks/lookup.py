"""What looking up the next tokens in the prompt saves where answers are written, and that it changes none.

    python benchmarks/lookup.py EVAL/books.jsonl [--model qwen2.5-coder-0.5b] [--each 8]

The answers to the first questions about each document, with and without it, in turn; what is timed is the writing
alone, once the prompt is read. EVAL/books.jsonl holds objects with `doc`, a path beside it, and `question`.
"""

import argparse
import json
import os
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from pathlib import Path

from plan import outcome

from mmxcli.config import load_settings
from mmxcli.models.writing import Writer, Writing
from mmxcli.reading.answering import gather, seen_again
from mmxcli.reading.generate import generate
from mmxcli.reading.lookup import Lookup
from mmxcli.reading.prompts import question_prompt
from mmxcli.reading.session import Session
from mmxcli.tasks.ask import NEAREST


class Timed:
    """A Writer that remembers when the prompt was read, and how many steps were made since."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.steps, self.read = 0, 0.0

    def begin(self, *arguments: object) -> Writing:
        writing = self._writer.begin(*arguments)  # type: ignore[arg-type]
        self._step, writing.step = writing.step, self._counted  # type: ignore[method-assign]
        self.steps, self.read = 0, time.perf_counter()
        return writing

    def _counted(self, pieces: Sequence[Sequence[int]]) -> object:
        self.steps += 1
        return self._step(pieces)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--each", type=int, default=8, help="questions about each document")
    args = parser.parse_args()
    by_document = defaultdict(list)
    for line in args.questions.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        by_document[record["doc"]].append(record["question"])
    settings = load_settings({"model": args.model, "read": "recall"}, environ=os.environ, cwd=Path.cwd())
    seconds, steps, tokens, answers, changed = [0.0, 0.0], [0, 0], 0, 0, 0
    guess, nothing = Lookup.draft, lambda _lookup, _count: []
    for document, questions in by_document.items():
        with Session(settings) as session:
            deque(session.open_weights())
            reading = outcome(session.read([str(args.questions.parent / document)], None))
            deque(session.prepare_writing())
            assert session.writer
            for question in questions[: args.each]:
                evidence = gather(reading, question, NEAREST)
                prompt = question_prompt(session.template, *seen_again(evidence, settings.passages), question)
                texts = []
                for way, draft in enumerate((nothing, guess)):
                    Lookup.draft = draft  # type: ignore[method-assign]
                    timed = Timed(session.writer)
                    limit = settings.max_tokens
                    pieces = generate(timed, session.tokenizer, None, [prompt], limit)  # type: ignore[arg-type]
                    texts.append("".join(piece for _, piece in pieces))
                    seconds[way] += time.perf_counter() - timed.read
                    steps[way] += timed.steps
                answers, changed = answers + 1, changed + (texts[0] != texts[1])
                tokens += len(session.tokenizer.encode(texts[0]))
    print(f"{answers} answers of {tokens} tokens in all, {changed} of them changed")
    print(f"steps {steps[0]} and with lookup {steps[1]}; {seconds[0]:.1f} and {seconds[1]:.1f} s", end="")
    print(f": {seconds[0] / seconds[1]:.2f} times as fast")


if __name__ == "__main__":
    main()
