"""The generated pages are those of this program, and help is light."""

import subprocess
import sys
from pathlib import Path

import pytest

from mmxcli.cli.app import EXIT_CODES
from mmxcli.cli.reference import PAGES
from mmxcli.config import SETTINGS, environment_name

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", PAGES)
def test_a_generated_page_is_up_to_date(page: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mmxcli.cli.reference", page], capture_output=True, text=True, check=True
    )
    assert (DOCS / f"{page}.md").read_text("utf-8") == done.stdout, f"run the command in docs/{page}.md"


def test_every_command_flag_setting_and_exit_code_is_documented() -> None:
    cli, settings = ("\n".join(PAGES[page]()) for page in ("cli", "settings"))
    for command in ("ask", "chat", "read", "count", "doctor", "states list", "states rm", "models pull", "models path"):
        assert f"\n## mmx {command}\n" in cli
    for flag in ("`-q`, `--question`", "`--files-from`", "`-0`", "`--dry-run`", "`-o`, `--output`", "`--json`"):
        assert flag in cli
    for code, meaning in EXIT_CODES.items():
        assert f"| {code} | {meaning} |" in cli
    for name in SETTINGS:
        assert f"| `{name}` |" in settings and f"`{environment_name(name)}`" in settings


LIGHT = {"mmxcli", "typer", "annotated_doc", "shellingham", "platformdirs"}


def test_help_lists_the_exit_codes_and_imports_nothing_heavy() -> None:
    """Of what is installed only what reads the command line and finds the folders: that is what keeps help instant."""
    script = (
        "import sys; before = set(sys.modules); from mmxcli.cli.app import run; code = run(['--help']);"
        "packages = {name.split('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names);"
        f"print('heavy:', sorted(packages - {LIGHT!r})); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("heavy: []\n")
    assert "  130  interrupted" in done.stdout
    assert all(meaning in " ".join(done.stdout.split()) for meaning in EXIT_CODES.values())
