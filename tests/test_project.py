"""The project's own promises: floors, types, style, and documents that tell the truth."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def run(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_only_go_down() -> None:
    code = "import sys; from importlinter.cli import lint_imports_command as lint; sys.exit(lint())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 kept, 0 broken" in done.stdout


def test_types_are_strict() -> None:
    run("mypy")


def test_style() -> None:
    run("ruff", "check", ".")
    run("ruff", "format", "--check", ".")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def test_the_map_shows_every_file() -> None:
    """docs/architecture.md names each module below mmxcli/, or its whole floor where that has one a command."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    summed_up = {"cli", "render", "tasks"}
    for path in (ROOT / "mmxcli").rglob("*.py"):
        floor = path.relative_to(ROOT / "mmxcli").parts[0]
        if path.name.startswith("__") or floor in summed_up:
            continue
        assert path.name in text, path


def test_exit_codes_are_documented() -> None:
    from mmxcli.cli.app import EXIT_CODES

    text = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    for code in EXIT_CODES:
        assert f"| {code} |" in text
