"""Whether a turn of a conversation takes as long late as early: the first word of turn 30 beside that of turn 3.

    python benchmarks/chat.py FILE QUESTION... [--turns 30] [--model NAME]

The questions come in turn, so that those of early turns come again late, answered in the same words or others. Seconds
are from a question to the first word of its answer. The medians of as many early and late turns as there are questions
are compared.
"""

import argparse
import statistics
import time
from pathlib import Path

from mmxcli.config import load_settings
from mmxcli.tasks.chat import Chat
from mmxcli.tasks.events import Answer, AnswerText


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("questions", nargs="+")
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--threads", type=int)
    chosen = parser.parse_args()
    flags = {"model": chosen.model, "cache": False, "threads": chosen.threads}
    settings = load_settings(flags, environ={}, cwd=Path.cwd(), sources=[])
    count = len(chosen.questions)
    seconds: list[float] = []
    with Chat([chosen.file], settings) as talk:
        for _ in talk.open():
            pass
        for number in range(chosen.turns):
            asked, start = chosen.questions[number % count], time.perf_counter()
            for event in talk.hear(asked):
                if isinstance(event, AnswerText) and len(seconds) == number:
                    seconds.append(time.perf_counter() - start)
                if isinstance(event, Answer):
                    print(f"turn {number + 1:>3}  {seconds[number]:>6.2f} s  {asked}  {event.text[:60]}", flush=True)
    early, late = seconds[count : 2 * count], seconds[-count:]
    print(f"turns {count + 1}-{2 * count}: {statistics.median(early):.2f} s, ", end="")
    print(f"turns {chosen.turns - count + 1}-{chosen.turns}: {statistics.median(late):.2f} s, ", end="")
    print(f"{statistics.median(late) / statistics.median(early):.2f} times")


if __name__ == "__main__":
    main()
