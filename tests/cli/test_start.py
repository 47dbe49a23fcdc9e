"""What a command loads before it answers."""

import os
import subprocess
import sys
from pathlib import Path

from mmxcli.patience import SPINS, VARIABLE, unshortened

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


def test_threads_wait_for_each_other_without_keeping_a_core_unless_told_so() -> None:
    def spins(**told: str) -> str | None:
        environment = {**unshortened(os.environ), **told}
        code = "import os, sys; sys.argv[1:] = ['--version']\nfrom mmxcli.__main__ import main\n"
        code += "try: main()\nexcept SystemExit: pass\nprint(os.environ.get('GOMP_SPINCOUNT'), file=sys.stderr)"
        done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
        return done.stderr.split()[-1]

    assert spins() == SPINS
    assert spins(GOMP_SPINCOUNT="7") == "7"
    assert spins(OMP_WAIT_POLICY="active") == "None"
    assert VARIABLE not in unshortened({VARIABLE: SPINS})
    assert unshortened({VARIABLE: "7"}) == {VARIABLE: "7"}
