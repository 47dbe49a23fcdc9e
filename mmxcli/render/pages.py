"""Pages of explanation: formatted and in a pager on a terminal, as the Markdown they are elsewhere."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from typing import Any

from mmxcli.render import json
from mmxcli.render.output import Output

WIDEST = 100  # columns that are read with ease
QUIT_IF_SHORT = "FRX"  # for less: what fits the screen is printed, colours are kept, and the page stays when it ends


def contents(output: Output, concepts: Mapping[str, str], *, as_json: bool) -> None:
    """The pages there are, a line each."""
    width = max(map(len, concepts))
    for name, summary in concepts.items():
        if as_json:
            json.write(output, {"concept": name, "summary": summary})
        else:
            output.whole(f"{name:<{width}}  {summary}")


def show(output: Output, name: str, text: str, *, as_json: bool) -> None:
    """One page, in Markdown."""
    if as_json:
        json.write(output, {"concept": name, "text": text})
    elif not output.out.is_terminal or output.out.is_dumb_terminal:
        output.raw(text)
    else:
        _paged(output, _formatted(output.out, text))


def _formatted(console: Any, text: str) -> str:
    from rich.markdown import Markdown
    from rich.theme import Theme

    heading, _, rest = text.partition("\n")
    width = min(console.width, WIDEST)
    with console.use_theme(Theme({"markdown.code": "cyan"})), console.capture() as captured:
        console.print(heading.removeprefix("# "), style="bold", width=width)
        console.print(Markdown(rest.lstrip(), code_theme="ansi_dark"), width=width)
    return str(captured.get())


def _paged(output: Output, text: str) -> None:
    """Through $MMX_PAGER, $PAGER or less; an empty one, or one that is not there, leaves the text to the terminal."""
    pager = next((os.environ[name] for name in ("MMX_PAGER", "PAGER") if name in os.environ), "less")
    if not pager.strip() or not shutil.which(pager.split()[0]):
        output.raw(text)
        return
    environment = {"LESS": QUIT_IF_SHORT} | os.environ
    process = subprocess.Popen(pager, shell=True, stdin=subprocess.PIPE, env=environment, text=True, encoding="utf-8")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pager's, until it ends
    try:
        process.communicate(text)  # one that ends before it has read all has shown enough
    finally:
        signal.signal(signal.SIGINT, before)
