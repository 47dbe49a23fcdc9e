"""Files appear whole or not at all, and are nobody else's meanwhile."""

import stat
from pathlib import Path

import pytest

from mmxcli.state.files import written_aside


def test_it_is_private_from_the_first_moment(tmp_path: Path) -> None:
    target = tmp_path / "file"
    with written_aside(target) as aside, written_aside(target) as other:  # as two threads may
        assert aside != other and not target.exists()
        for path in (aside, other):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            path.write_text("content")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_one_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("before")
    with pytest.raises(ZeroDivisionError), written_aside(target) as aside:
        aside.write_text("half")
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["file"] and target.read_text() == "before"
