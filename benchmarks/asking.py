"""How long a person waits, and how much memory it takes: whole commands, each in a process of its own.

    python benchmarks/asking.py TEXT "first question" "second question" [--model NAME]

The first command finds an empty MMX_HOME (but the weights), the second what the first has stored. Then each question is
asked of a warm process (`--keep-warm`), of which only the command's own memory is shown. Also times `mmx --help`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mmxcli.config import load_settings
from mmxcli.warm.client import asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("questions", nargs="+")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    weights = load_settings({}, environ=os.environ, cwd=Path.cwd()).weights_folder
    helps = sorted(measured(["--help"], {})[0] for _ in range(2 * args.runs + 1))
    print(f"mmx --help: {helps[0]:.2f} … {helps[-1]:.2f} s, median {helps[len(helps) // 2]:.2f} s")
    for number in range(args.runs):
        with tempfile.TemporaryDirectory() as home:
            environment = {"MMX_HOME": home, "MMX_WEIGHTS": str(weights), "XDG_RUNTIME_DIR": home}
            for warm in ("off", "5m"):
                for question in args.questions:
                    command = ["ask", str(args.text), question, "-m", args.model, "--keep-warm", warm]
                    if warm != "off":
                        ready(command, environment)
                    seconds, peak = measured(command, environment)
                    kind = "cold" if warm == "off" else "warm"
                    told = f"run {number + 1}, {kind}: {seconds:5.1f} s  peak {peak / 2**20:5.0f} MiB  {question}"
                    print(told, flush=True)
            os.environ["XDG_RUNTIME_DIR"] = home
            asked("end")


def ready(command: list[str], environment: dict[str, str]) -> None:
    """Has a warm process, and has waited until it is loaded and idle."""
    os.environ["XDG_RUNTIME_DIR"] = environment["XDG_RUNTIME_DIR"]
    if asked("status") is None:
        measured(command, environment)
    while (status := asked("status")) is None or status["working"]:
        time.sleep(0.1)
    time.sleep(3)  # its copy makes itself ready


def measured(arguments: list[str], environment: dict[str, str]) -> tuple[float, int]:
    """Seconds from start to end of a command that must succeed, and its peak resident memory in bytes."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "mmxcli", *arguments],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"mmx {' '.join(arguments)} failed")
    return time.perf_counter() - start, usage.ru_maxrss * 1024


if __name__ == "__main__":
    main()
