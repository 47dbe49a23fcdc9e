"""What a command loads before it answers."""

import os
import subprocess
import sys
from pathlib import Path

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
