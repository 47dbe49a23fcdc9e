import os
import subprocess
import sys
from pathlib import Path

import pytest
from canned import CANNED, Run


@pytest.fixture(autouse=True)
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder and a home of one's own, without settings."""
    for name in [name for name in os.environ if name.startswith("MMX_")]:
        monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MMX_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "moby_dick.txt").write_text("Call me Ishmael.")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def canned() -> Run:
    """mmx in a process of its own, over the canned tasks."""

    def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, CANNED, *arguments],
            check=False,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run
