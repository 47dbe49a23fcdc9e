"""What a file of code is for, what it defines and what it uses, in several languages; whatever the file."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from indexes import opened

from mmxcli.recall.modules import Files, Module, module_of
from mmxcli.recall.repository import Repository, defines, is_repository

PYTHON = '''#!/usr/bin/env python
# Copyright 2020 Somebody. All rights reserved.
"""Keeps the boats of a harbour. And more."""
import json
from harbour.sea import wave, tide
from . import pier

class Boat:
    def sail(self): ...

def _oar(): ...

async def launch(): ...

if __name__ == "__main__":
    launch()
'''
OTHERS = {
    "web/boat.ts": (
        "/* eslint-disable */\n\n// Draws the boats on a map.\n"
        "import { wave } from './wave';\nimport x from \"react\";\n\n"
        "export class BoatView {\n  sail() {}\n}\nexport function drawBoats() { const inner = 1; }\n",
        "Draws the boats on a map.",
        ["BoatView", "drawBoats"],
        ["./wave", "react"],
    ),
    "src/boat.c": (
        "/*\n * The boats of the harbour, in C.\n */\n"
        '#include <stdio.h>\n#include "sea/wave.h"\n\nint main(void) {\n  return 0;\n}\n',
        "The boats of the harbour, in C.",
        ["main"],
        ["sea/wave.h"],
    ),
    "src/boat.rs": (
        "//! Boats that float.\nuse crate::sea::wave;\n\npub struct Boat;\n\npub fn launch() {}\n",
        "Boats that float.",
        ["Boat", "launch"],
        ["crate::sea::wave"],
    ),
    "boat.go": (
        "// Package boat floats in the harbour.\n"
        'package boat\n\nimport (\n\t"example.org/harbour/sea"\n)\n\nfunc Launch() {}\n',
        "Package boat floats in the harbour.",
        ["Launch"],
        ["example.org/harbour/sea"],
    ),
}


def read(source: str, text: str) -> Module:
    with opened({source: [text]}) as index:
        return module_of(index, source)


def test_python() -> None:
    module = read("harbour/boat.py", PYTHON)
    assert module.purpose and module.purpose.text == "Keeps the boats of a harbour."
    assert PYTHON[module.purpose.start : module.purpose.end] == "Keeps the boats of a harbour."
    assert module.definitions == ("Boat", "_oar", "launch") and module.runs
    assert [use.name for use in module.uses] == ["json", "harbour.sea.wave", "harbour.sea.tide", "harbour.pier"]
    assert PYTHON[module.uses[1].start : module.uses[1].end] == "from harbour.sea import wave, tide"


@pytest.mark.parametrize("source", OTHERS)
def test_other_languages(source: str) -> None:
    text, purpose, definitions, uses = OTHERS[source]
    module = read(source, text)
    assert module.purpose and module.purpose.text == purpose
    assert [name for name in module.definitions if name in definitions] == definitions
    assert [use.name for use in module.uses] == uses


@settings(deadline=None)
@given(st.text(max_size=400), st.sampled_from(["a.py", "a.js", "a.c", "a.go", "a.sh", "a.vue", "a.unknown"]))
def test_whatever_a_file_holds_it_is_told_or_not(text: str, source: str) -> None:
    module = read(source, text)
    for use in module.uses:
        assert 0 <= use.start < use.end
    assert bool(defines(module)) == bool(module.definitions)


@pytest.mark.parametrize(
    "text", ["(" * 5000, "a = " + "-" * 20_000 + "1", "\x00\x00", "def f(:\n  pass", '"""' + "x" * 300_000]
)
def test_hostile_python_is_read_as_text(text: str) -> None:
    read("a.py", text)


def test_which_file_a_name_means() -> None:
    files = Files(
        ["r/pkg/__init__.py", "r/pkg/sea/wave.py", "r/pkg/json.py", "r/web/wave.ts", "r/web/index.ts", "r/setup.py"]
    )
    assert files.find("pkg.sea.wave.Wave", "r/setup.py") == "r/pkg/sea/wave.py"
    assert files.find("pkg", "r/setup.py") == "r/pkg/__init__.py"
    assert files.find("json", "r/pkg/sea/wave.py") is None  # the library, not pkg/json.py
    assert files.find("./wave", "r/web/index.ts") == "r/web/wave.ts"
    assert files.find("react", "r/web/index.ts") is None
    assert files.shown("r/pkg/json.py") == "pkg/json.py"


def test_a_repository_tells_its_purpose_entries_flows_and_how_it_is_built() -> None:
    readme = "# Harbour\n\n[![ok](https://x/y.svg)](z)\n\nHarbour counts the boats that come in.\n\n"
    project = '[project]\nname = "harbour"\ndescription = "Counts boats of every kind"\n'
    documents = {
        "r/README.md": [f"{readme}## Testing\n\n```sh\n$ make test\n```\n"],
        "r/pyproject.toml": [f'{project}[project.scripts]\nharbour = "harbour.cli:main"\n'],
        "r/Makefile": ["test:\n\tpytest\n\nclean:\n\trm -r out\n"],
        "r/harbour/boat.py": [PYTHON],
        "r/harbour/sea.py": ["wave = 1\n"],
        "r/harbour/cli/app.py": ["import harbour.boat\nfrom harbour.sea import wave\n"],
        "r/tests/test_boat.py": ["import harbour.boat\n"],
        "r/package.json": ["{ not json"],
    }  # fmt: skip
    with opened(documents) as index:
        repository = Repository(index)
        assert is_repository(index)
        assert [one.text for one in repository.purpose()] == [
            "Harbour counts the boats that come in.",
            "Counts boats of every kind",
        ]
        entries = [one.text for one in repository.entries()]
        assert entries == [
            "`harbour` runs harbour.cli:main",
            "harbour/boat.py is to be run: Keeps the boats of a harbour.",
        ]
        assert [one.text for one in repository.building()] == ["`make test`", "`make test`"]
        assert [(flow.user, flow.used, flow.times) for flow in repository.flows()] == [
            ("r/harbour/cli", "r/harbour", 2)
        ]
        assert repository.most_used(5) == [("r/harbour/sea.py", 2), ("r/harbour/boat.py", 1)]
        for one in [*repository.purpose(), *repository.entries(), *repository.building()]:
            assert index.text(one.source, one.start, one.end)


def test_a_folder_of_books_is_no_repository() -> None:
    with opened({f"b/{n}.txt": ["words"] for n in range(9)} | {"b/a.py": ["x = 1"]}) as index:
        assert not is_repository(index)
