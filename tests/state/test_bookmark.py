import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmxcli.errors import DamagedError, UsageError
from mmxcli.state.bookmark import Bookmark


def test_it_is_private_and_comes_back(tmp_path: Path) -> None:
    bookmark = Bookmark(tmp_path, "app")
    with bookmark.held():
        assert bookmark.read() is None
        bookmark.write({"line": 7, "text": "caf\xe9 \udcff"})
        assert bookmark.read() == {"line": 7, "text": "caf\xe9 \udcff"}
        with pytest.raises(UsageError, match="another mmx"), Bookmark(tmp_path, "app").held():
            pass
    assert stat.S_IMODE(bookmark.path.stat().st_mode) == 0o600
    assert sorted(path.name for path in bookmark.path.parent.iterdir()) == ["app.json", "app.lock"]


@given(st.data())
def test_one_changed_byte_is_damage(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    bookmark = Bookmark(tmp_path_factory.mktemp("home"), "app")
    with bookmark.held():
        bookmark.write({"line": 7})
    raw = bytearray(bookmark.path.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    bookmark.path.write_bytes(raw[: data.draw(st.sampled_from([len(raw), at]))])
    with pytest.raises(DamagedError, match=r"app\.json is damaged"):
        bookmark.read()


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 65, "new\nline"])
def test_a_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        Bookmark(tmp_path, name)
