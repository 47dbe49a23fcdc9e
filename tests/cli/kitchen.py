"""The folder in which the recipes of docs/cookbook.md are run: files of their names, and what else they call."""

import gzip
import subprocess
import sys
import zipfile
from pathlib import Path

from pdfs import DRAWING, pdf, showing

BOOK = """\
THE LIGHT AT HUSVIK

CHAPTER I

The lighthouse was built by Ingrid Solheim in 1887, of granite that came by sea. The parish paid four hundred crowns.

CHAPTER II

In the winter of 1902 the great storm broke the lantern and the eastern stair. Anders Moe kept a fire on the rocks.

CHAPTER III

The keeper had a dog that was called Skipper. He is buried below the flagpole.
"""
TEXTS = {
    "book.txt": BOOK,
    "library/ferries.txt": "This book was written by Anders Moe. It tells of the ferries of the western fjords.\n",
    "library/knots.txt": "This book was written by Karen Lund. It has two hundred knots and a chapter on splices.\n",
    "questions.txt": "Who built the lighthouse?\nWho kept a fire on the rocks?\nWhat was the dog called?\n",
    "prices.csv": "item,crowns\nanchor chain,120\nhemp rope,14\noakum,3\n",
    "notes/house keeping.md": "The spare key is kept behind the barometer.\nLamp oil has to be ordered by Friday.\n",
    "notes/garden.md": "The currants were pruned in March.\n",
    "diary.txt": "I told nobody. The ring is hidden under the third stair.\n",
    "app.log": "09:12 order 4711 was rejected because the credit limit was exceeded\n09:13 order 4712 was accepted\n",
    "handbook.md": "# Handbook\n\nCall the harbour master when the fog signal fails.\n",
    "inbox.mbox": "From kari Mon May  2 08:00:00 1988\nFrom: Kari <kari@example.org>\nTo: Ola <ola@example.org>\n"
    "Subject: Saturday\nDate: Mon, 2 May 1988 08:00:00 +0200\n\nThe ferry to Husvik leaves at quarter past seven.\n",
}
WARNINGS = "kernel: sdb: I/O errors on disk sdb, sector 2048\nkernel: eth0: link is down\n"
MANUAL = "MOORING(1)\n\n--tides  prints the tide table of the harbour\n--ropes  counts the ropes\n"
# Commands of other machines, and of systems that lack them.
STAND_INS = {
    "mmx": f'exec "{sys.executable}" -m mmxcli "$@"',
    "journalctl": f"printf %s '{WARNINGS}'",
    "man": f"printf %s '{MANUAL}'",
    "editor": 'echo "$@"',
    "ssh": 'shift; mkdir "$DESK"; cd "$DESK"; ln -s "$MMX_MODEL" .; MMX_HOME="$DESK/home" exec sh -c "$*"',
}


def furnish(folder: Path) -> None:
    """Writes all of it: what is read, a repository of two revisions, and `bin` with the stand-ins."""
    for name, text in TEXTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "app.log.1.gz").write_bytes(gzip.compress(b"23:50 the payment service restarted at 23:50\n"))
    with zipfile.ZipFile(folder / "letters.zip", "w") as archive:
        archive.writestr("1887/may.txt", "My dear, it was Uncle Peder who sold the boat.\n")
    for name, pages in {
        "papers/survey.pdf": (
            showing("Reports of the harbour board, in two parts."),
            showing("The survey of the harbour found eel grass."),
        ),
        "scans/lease.pdf": (showing("The lease was signed by Karen Lund."), DRAWING),
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(pdf(*pages))
    (folder / ".last-asked").touch()
    (folder / "bin").mkdir()
    for name, script in STAND_INS.items():
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / "bin" / name).chmod(0o755)
    _repository(folder / "repo")


def _repository(folder: Path) -> None:
    git = ["git", "-c", "user.name=Kari", "-c", "user.email=kari@example.org", "-C", str(folder)]
    folder.mkdir()
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "config", "user.name", "Kari"], check=True)
    subprocess.run([*git, "config", "user.email", "kari@example.org"], check=True)
    for tag, seconds, message in (
        ("v1", 30, "A timeout"),
        ("v2", 45, "The cache was removed because it gave stale prices"),
    ):
        (folder / "server.conf").write_text(f"# The timeout is {seconds} seconds.\ntimeout = {seconds}\n")
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "--quiet", "-m", message], check=True)
        subprocess.run([*git, "tag", tag], check=True)
