"""What is compiled is kept by one process at a time, and made again where it is damaged."""

import fcntl
from pathlib import Path

import pytest

from mmxcli.models.compiler import first_run


def is_held(lock: Path) -> bool:
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_one_process_compiles_at_a_time(tmp_path: Path) -> None:
    held: list[bool] = []
    first_run(lambda: held.append(is_held(tmp_path / "compiled.lock")), tmp_path)
    assert held == [True] and not is_held(tmp_path / "compiled.lock")


def test_what_is_damaged_is_thrown_away_and_made_again(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    kept, called = tmp_path / "models" / "kernels.read-1.nbc", tmp_path / "models" / "exponential.exp-1.nbi"
    kept.touch()
    called.touch()
    runs: list[bool] = []

    def run() -> None:
        runs.append(kept.exists())
        if kept.exists():
            raise ValueError

    first_run(run, tmp_path)
    assert runs == [True, False] and not called.exists()


def test_what_goes_wrong_twice_is_raised(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        first_run(lambda: 1 // 0, tmp_path)
    assert not is_held(tmp_path / "compiled.lock")


def test_where_nothing_can_be_kept_it_runs_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    runs: list[int] = []
    first_run(lambda: runs.append(1), tmp_path / "file" / "folder")
    assert runs == [1]
