"""Whether mmx follow finds what is planted in logs, what else it reports, and what that costs.

    python benchmarks/following.py endless --tokens 20M  (one process and question, 50 planted lines; memory meanwhile)
    python benchmarks/following.py questions --unseen    (a log for each question, both wordings planted)
    python benchmarks/following.py unusual               (the open question: every incident is to be reported)

The logs come from logs.py. Half of its questions, every other one, were looked at while mmx follow was tuned; --unseen
takes the others.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO

from logs import CHARACTERS, HARMLESS, INCIDENTS, KINDS, Incident, Log

from mmxcli.config import TOKENS, load_settings
from mmxcli.reading.every import parse_every
from mmxcli.tasks.events import Finding, MoreFound
from mmxcli.tasks.follow import follow

PLANTED = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("endless", "questions", "unusual"))
    parser.add_argument("--tokens", default="20M")
    parser.add_argument("--lines", type=int, default=3000, help="of each log, with questions and unusual")
    parser.add_argument("--unseen", action="store_true")
    parser.add_argument("--question", type=int, default=16, help="with endless: the number of the incident")
    chosen = parser.parse_args()
    if chosen.what == "endless":
        endless(INCIDENTS[chosen.question], int(str(TOKENS.parse(chosen.tokens))))
    elif chosen.what == "questions":
        half = INCIDENTS[1::2] if chosen.unseen else INCIDENTS[::2]
        questions([one for start in range(4) for one in half[start::4]], chosen.lines)
    else:
        unusual(chosen.lines)


def endless(incident: Incident, tokens: int) -> None:
    """All kinds of lines, one after the other, at full speed through a pipe."""
    command = [sys.executable, "-P", "-m", "mmxcli", "follow", incident.question, "--json", "--every", "2000"]
    planted: dict[int, str] = {}
    memory: list[int] = []
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as found, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=found) as child:
        assert child.stdin
        written, lines = feed(child.stdin, incident, int(tokens * CHARACTERS), planted, memory, child.pid)
        child.stdin.close()
        code = child.wait()
        found.seek(0)
        events = [json.loads(line) for line in found]
    end = events[-1]
    reported = [event for event in events if event["event"] == "finding"]
    right = [event for event in reported if planted.get(event["line"]) == event["quote"]]
    false = [event["quote"] for event in reported if event["line"] not in planted]
    seconds = time.perf_counter() - start
    print(f"{incident.question} {written:,} bytes, {lines:,} lines in {seconds:,.0f} s, exit code {code}")
    print(f"lines read {end['lines']:,}, not looked at {end['skipped']}")
    print(f"planted {len(planted)}, reported with the right line {len(right)}")
    print(f"other findings {len(false)}: {len(false) / lines * 1e5:.1f} in 100,000 lines")
    for line, count in Counter(map(masked, false)).most_common(20):
        print(f"   {count} x {line}")
    first = max(memory[: len(memory) // 10 + 1])
    print(f"memory that no file backs: {memory[0] >> 20} MiB after a hundredth, {first >> 20} MiB within a tenth,")
    print(f"{memory[-1] >> 20} MiB at last; the most after the first tenth {(max(memory) - first) / 2**20:+.1f} MiB")


def feed(
    pipe: IO[bytes], incident: Incident, size: int, planted: dict[int, str], memory: list[int], child: int
) -> tuple[int, int]:
    """Writes the log; notes what was planted on which line, and the child's memory a hundred times."""
    logs = [Log(kind, 5) for kind in KINDS]
    sources = [log.lines() for log in logs]
    own = logs[KINDS.index(incident.kind)]
    written = lines = 0
    while written < size:
        block = []
        if written >= size * (len(planted) + 0.5) / PLANTED:
            line = own.written(incident.lines[len(planted) % len(incident.lines)])
            planted[lines + 1] = line
            block.append(line)
        for source in sources:
            block += islice(source, 50)
        lines += len(block)
        data = "".join(f"{line}\n" for line in block).encode()
        pipe.write(data)
        written += len(data)
        if written >= size * (len(memory) + 1) / 100:
            memory.append(anonymous(child))
    return written, lines


def anonymous(process: int) -> int:
    """Bytes of memory that no file backs."""
    text = Path(f"/proc/{process}/status").read_text()
    return int(text.split("RssAnon:")[1].split()[0]) << 10


def questions(incidents: Sequence[Incident], count: int) -> None:
    """Each question in a log of its own kind, with one wording after 30 % and the other after 70 %."""
    totals: Counter[str] = Counter()
    for number, incident in enumerate(incidents):
        log = Log(incident.kind, 100 + number)
        lines = list(islice(log.lines(), count))
        planted = {}
        for at, wording in zip((0.3, 0.7), incident.lines, strict=True):
            lines.insert(int(count * at), log.written(wording))
            planted[int(count * at) + 1] = lines[int(count * at)]
        found, seconds = followed(incident.question, lines)
        right = sum(planted.get(line) == quote for line, quote in found)
        false = [quote for line, quote in found if line not in planted]
        akin = sum(harmless(incident.kind, quote) for quote in false)
        totals += Counter(planted=2, right=right, akin=akin, ordinary=len(false) - akin, lines=count)
        print(
            f"{right} of 2, {akin} akin, {len(false) - akin} others, {seconds:4.0f} s  {incident.question}", flush=True
        )
        for quote in false:
            print(f"      {quote[:110]}", flush=True)
    print(dict(totals))


def unusual(count: int) -> None:
    """All incidents of a kind in one log, and everything else that is reported."""
    for kind in KINDS:
        log = Log(kind, 200)
        lines = list(islice(log.lines(), count))
        wordings = [wording for incident in INCIDENTS if incident.kind == kind for wording in incident.lines]
        planted = {}
        for number, wording in enumerate(wordings):
            at = int(count * (0.2 + 0.75 * number / len(wordings)))
            lines.insert(at, log.written(wording))
            planted[at + 1] = lines[at]
        found, seconds = followed("anything unusual?", lines)
        right = sum(planted.get(line) == quote for line, quote in found)
        false = [quote for line, quote in found if line not in planted]
        akin = sum(harmless(kind, quote) for quote in false)
        print(
            f"{kind}: {right} of {len(planted)}, {akin} akin, {len(false) - akin} others, {seconds:.0f} s", flush=True
        )
        for quote in false:
            if not harmless(kind, quote):
                print(f"      {quote[:110]}", flush=True)


def followed(question: str, lines: Sequence[str]) -> tuple[list[tuple[int, str]], float]:
    """What is reported of these lines, through a file as standard input; line numbers and lines, and seconds."""
    settings = load_settings({}, environ=os.environ, cwd=Path.cwd())
    start = time.perf_counter()
    with tempfile.TemporaryFile() as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
        file.seek(0)
        events: Iterator[object] = follow(question, "-", settings, file, parse_every("2000"), None, None)
        found = [(event.line, event.quote) for event in events if isinstance(event, Finding) or _more(event)]
    return found, time.perf_counter() - start


def _more(event: object) -> bool:
    if isinstance(event, MoreFound):
        print(f"      and {event.more} like line {event.line}", flush=True)
    return False


def harmless(kind: str, quote: str) -> bool:
    """Whether a line is one of those that speak of the same things as the incidents."""
    starts = {form.split(":")[0] + ":" for form in HARMLESS[kind]}
    return any(f" {start}" in quote for start in starts)


def masked(line: str) -> str:
    from mmxcli.recall.shapes import shape

    return shape(line)


if __name__ == "__main__":
    main()
