"""What was made is found again by the same maker of the same source; harm to the file harms nothing."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmxcli.state import memo
from mmxcli.state.memo import FILE, Memo


def test_the_same_source_of_the_same_maker(tmp_path: Path) -> None:
    with Memo(tmp_path, "one") as kept:
        kept.put("1, 2, 3 \ud801", "said \ud800")
    with Memo(tmp_path, "one") as kept:
        assert kept.get("1, 2, 3 \ud801") == "said ?"
        assert kept.get("1, 2") is None
    with Memo(tmp_path, "other") as kept:
        assert kept.get("1, 2, 3 \ud801") is None
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.binary(max_size=6000), st.integers(0, 20_000))
def test_a_damaged_file_is_never_an_error_nor_another_text(tmp_path: Path, bytes_: bytes, at: int) -> None:
    with Memo(tmp_path, "one") as kept:
        kept.put("7", "said")
    file = tmp_path / FILE
    content = file.read_bytes()
    at %= len(content)
    file.write_bytes(content[:at] + bytes_ + content[at + len(bytes_) :])
    with Memo(tmp_path, "one") as kept:
        assert kept.get("7") in (None, "said")
        kept.put("8", "more")
    file.unlink(missing_ok=True)


def test_a_schema_that_is_no_text_any_more(tmp_path: Path) -> None:
    with Memo(tmp_path, "one") as kept:
        kept.put("7", "said")
    file = tmp_path / FILE
    content = file.read_bytes()
    file.write_bytes(content.replace(b"CREATE TABLE", b"CREATE T\x88BLE"))  # sqlite3 cannot decode its own error then
    with Memo(tmp_path, "one") as kept:
        assert kept.get("7") is None
    with Memo(tmp_path, "one") as kept:
        kept.put("7", "said")
        assert kept.get("7") == "said"


def test_the_half_that_was_not_used_for_longest_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Memo(tmp_path, "one") as kept:
        for n in range(100):
            kept.put(str(n), "x" * 5000)
        kept._database.execute("UPDATE made SET used = 0")  # type: ignore[union-attr]
        assert kept.get("99")
        monkeypatch.setattr(memo, "MOST_BYTES", 1000)
    with Memo(tmp_path, "one") as kept:
        assert kept.get("99")
        assert sum(kept.get(str(n)) is None for n in range(100)) == 50


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_keeps_nothing(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with Memo(tmp_path, "one") as kept:
        kept.put("1", "said")
        assert kept.get("1") is None
