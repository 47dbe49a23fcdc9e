"""A file is parsed once; what is kept of it is what parsing it gave."""

from pathlib import Path

import pytest
from indexes import opened

from mmxcli.reading import parsed
from mmxcli.reading.parsed import Parsed
from mmxcli.recall.modules import module_of

FILES = {
    "r/a.py": ['"""Keeps the boats \ud800 of a harbour."""\nimport os\nfrom . import b\n\n\ndef moor(): ...\n'],
    "r/b.c": ['/* Counts waves: "one", two. */\n#include "a.h"\nint main(void) { return 0; }\n'],
    "r/empty.go": ["\n"],
}


def test_a_file_that_stays_the_same_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(FILES) as index:
        expected = [module_of(index, source) for source in FILES]
        with Parsed(tmp_path) as first:
            assert [first.module(index, source) for source in FILES] == expected
        monkeypatch.setattr(parsed, "module_of", lambda *_: pytest.fail("parsed again"))
        with Parsed(tmp_path) as second:
            assert [second.module(index, source) for source in FILES] == expected


def test_a_file_that_changed_is_parsed_again(tmp_path: Path) -> None:
    for text in ("def moor(): ...\n", "def sail(): ...\n"):
        with opened({"r/a.py": [text]}) as index, Parsed(tmp_path) as kept:
            assert kept.module(index, "r/a.py") == module_of(index, "r/a.py")
