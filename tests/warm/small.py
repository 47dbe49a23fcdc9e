"""A warm process whose commands do little: `python small.py SECONDS MOST_BYTES`."""

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from mmxcli.warm.server import Server

HELD = {"model": "small"}


def say(what: str) -> None:
    sys.stdout.write(what + "\n")
    sys.stdout.flush()


def run(arguments: Sequence[str]) -> int:
    """ask WHAT: tells what it sees, sleeps, fails, or dies."""
    match arguments[1]:
        case "tell":
            mask = os.umask(0)
            seen = {
                "arguments": list(arguments),
                "folder": str(Path.cwd()),
                "variable": os.environ.get("ONLY_HERE"),
                "names": sorted(name for name in os.environ if name.startswith("ONLY_")),
                "umask": mask,
                "input": sys.stdin.read(),
                "process": os.getpid(),
            }
            sys.stdout.write(json.dumps(seen) + "\n")
            sys.stderr.write("and beside it\n")
            return 0
        case "sleep":
            try:
                say("asleep")
                time.sleep(60)
            except KeyboardInterrupt:
                say("woken")
                return 130
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
    return 7


if __name__ == "__main__":
    Server(lambda: None, run, HELD, float(sys.argv[1]), int(sys.argv[2])).serve()
