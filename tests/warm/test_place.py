"""The folder of the warm process lets in nobody else."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from mmxcli.warm import place


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_it_is_made_for_its_owner_alone(runtime: Path) -> None:
    assert place.folder() is None
    made = place.folder(create=True)
    assert made is not None and made.parent == runtime
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert place.folder() == made


def test_one_that_others_can_enter_is_not_used(runtime: Path) -> None:
    (runtime / f"mmx-{os.getuid()}").mkdir()
    (runtime / f"mmx-{os.getuid()}").chmod(0o755)
    assert place.folder(create=True) is None


def test_a_link_is_not_followed(runtime: Path) -> None:
    (runtime / "elsewhere").mkdir(mode=0o700)
    (runtime / f"mmx-{os.getuid()}").symlink_to(runtime / "elsewhere")
    assert place.folder(create=True) is None


def test_a_file_in_its_place_and_a_runtime_folder_that_is_gone(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (runtime / f"mmx-{os.getuid()}").write_text("")
    assert place.folder(create=True) is None
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime / "nowhere"))
    monkeypatch.setattr(tempfile, "tempdir", str(runtime / "tmp"))
    (runtime / "tmp").mkdir()
    made = place.folder(create=True)
    assert made is not None and made.parent == runtime / "tmp"
