"""Every recipe of docs/cookbook.md does what the page says.

The model is real and tiny, with random weights: nothing that it says is borne out by a text, so the answers are the
sentences that recall finds, and what a recipe prints does not hang on a model's words.
"""

import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from kitchen import furnish

PAGE = Path(__file__).parents[2] / "docs" / "cookbook.md"
RECIPE = re.compile(
    r"^### (?P<name>.+)\n(?P<text>(?:(?!###|```).*\n)*)```(?:sh|bash)\n(?P<script>(?:(?!```).*\n)*)```\n"
    r"(?:<!-- prints: (?P<prints>.+?)(?:; exits: (?P<code>\d+))? -->)?$",
    re.MULTILINE,
)
PROGRAMS = ("git", "jq", "make")


@dataclass(frozen=True)
class Recipe:
    name: str
    script: str
    prints: str | None
    code: int


RECIPES = [
    Recipe(found["name"], found["script"], found["prints"], int(found["code"] or 0))
    for found in RECIPE.finditer(PAGE.read_text("utf-8"))
]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights folder, which remembers that the model was tried."""
    return tmp_path_factory.mktemp("weights")


def test_every_block_is_a_recipe_with_an_expectation() -> None:
    assert len(RECIPES) == len(re.findall(r"^```\w+$", PAGE.read_text("utf-8"), re.MULTILINE))
    assert [recipe.name for recipe in RECIPES if not recipe.prints] == []


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe(recipe: Recipe, tmp_path: Path, tiny_folder: Path, tried: Path) -> None:
    for program in PROGRAMS:
        if re.search(rf"\b{program} ", recipe.script) and not shutil.which(program):
            pytest.skip(f"{program} is not here")
    folder = tmp_path / "kitchen"
    folder.mkdir()
    furnish(folder)
    hour_ago = time.time() - 3600
    for file in (folder / ".last-asked", folder / "notes" / "garden.md"):
        os.utime(file, (hour_ago, hour_ago))
    environment = os.environ | {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "MMX_MODEL": str(tiny_folder),
        "MMX_WEIGHTS": str(tried),
        "MMX_READ": "recall",  # as for longer texts
        "MMX_MAX_TOKENS": "3",
        "EDITOR": "editor",
        "DESK": str(tmp_path / "desk"),
    }
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", recipe.script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == recipe.code, done.stdout + done.stderr
    assert re.search(recipe.prints or "", done.stdout, re.MULTILINE | re.DOTALL), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
