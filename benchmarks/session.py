"""Runs a command in a terminal of its own and draws what a person sees: a picture of a real session.

python benchmarks/session.py docs/session.svg mmx ask moby_dick.txt "Who …?"
"""

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 90


def main() -> None:
    target, *command = sys.argv[1:]
    master, slave = pty.openpty()
    environment = os.environ | {"COLUMNS": str(COLUMNS), "LINES": "40", "TERM": "xterm-256color"}
    # Progress goes to standard error: what stays on a person's screen is the note lines, not its animation.
    process = subprocess.Popen(command, stdout=slave, stderr=subprocess.DEVNULL, stdin=slave, env=environment)
    os.close(slave)
    output = bytearray()
    while True:
        try:
            block = os.read(master, 65536)
        except OSError:
            break
        if not block:
            break
        output += block
    if process.wait():
        sys.exit(f"{command[0]} failed with {process.returncode}")
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    words = [f'"{word}"' if " " in word else word for word in command]
    console.print(Text("$ " + " ".join(words), style="bold"))
    console.print(Text.from_ansi(output.decode().replace("\r\n", "\n").rstrip()))
    picture = console.export_svg(title="mmx")
    # The reader's own fonts: a picture in a README has no business fetching any.
    Path(target).write_text(re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
