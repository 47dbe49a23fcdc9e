"""What a command loads before it answers."""

import os
import subprocess
import sys
from pathlib import Path

from mmxcli.libraries import ALWAYS, SPINS, untold

CODE = """
import sys
from mmxcli.cli.app import run
code = run(sys.argv[1:])
print(*sorted(name for name in ("torch", "transformers", "numba") if name in sys.modules), file=sys.stderr)
sys.exit(code)
"""


def test_a_second_question_needs_no_torch(person: Path, tiny_folder: Path) -> None:
    (person / "rooms.txt").write_text("".join(f"Item {n} is kept in room {n * 7} of the house.\n" for n in range(300)))

    def loaded() -> list[str]:
        question = ["ask", "rooms.txt", "In which room is item 123 kept?", "-m", str(tiny_folder), "--read", "recall"]
        arguments = [sys.executable, "-c", CODE, *question, "--max-tokens", "3", "--quiet"]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(arguments, env=environment, check=True, capture_output=True, text=True, timeout=300)
        assert "Item 123" in done.stdout
        return done.stderr.split()

    assert loaded() == ["numba", "torch"]  # the copy in 8 bits is made
    assert loaded() == ["numba"]


def test_libraries_are_told_how_to_wait_and_what_to_keep_unless_somebody_told_them_otherwise() -> None:
    names = [*SPINS, *ALWAYS]

    def said(**told: str) -> list[str]:
        environment = {**untold(os.environ), **told}
        code = "import os, sys; sys.argv[1:] = ['--version']\nfrom mmxcli.__main__ import main\n"
        code += f"try: main()\nexcept SystemExit: pass\nprint(*map(os.environ.get, {names}), file=sys.stderr)"
        done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
        return done.stderr.split()[-len(names) :]

    kept = list(ALWAYS.values())
    assert said() == [*SPINS.values(), *kept]
    assert said(GOMP_SPINCOUNT="7") == ["7", *kept]
    assert said(OMP_WAIT_POLICY="active", LRU_CACHE_CAPACITY="9") == ["None", kept[0], "9", kept[2]]
    assert untold(SPINS | ALWAYS | {"HOME": "x"}) == {"HOME": "x"}
    assert untold(dict.fromkeys(names, "7")) == dict.fromkeys(names, "7")
