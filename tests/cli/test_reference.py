"""The generated pages are those of this program, and help is fast and light."""

import resource
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


HEAVY = {"rich", "torch", "transformers", "numpy", "gguf", "pypdf", "pypdfium2", "tokenizers", "safetensors", "psutil"}
HEAVY |= {"prompt_toolkit"}


def test_help_lists_the_exit_codes_and_imports_nothing_heavy() -> None:
    script = (
        "import sys; from mmxcli.cli.app import run; code = run(['--help']);"
        f"print('heavy:', sorted({HEAVY!r} & set(sys.modules))); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("heavy: []\n")
    assert "  130  interrupted" in done.stdout
    assert all(meaning in " ".join(done.stdout.split()) for meaning in EXIT_CODES.values())


def test_help_is_there_at_once() -> None:
    """Processor time of the best of three, since other work may share the processor; alone it takes 0.15 s."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "mmxcli", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.45
