"""The stored readings, the models and the checks, listed."""

import json
from pathlib import Path

import pytest

from mmxcli.cli.app import run
from mmxcli.state.maker import Maker
from mmxcli.state.record import StoredReading
from mmxcli.state.store import ReadingStore
from mmxcli.tasks import doctor, models
from mmxcli.tasks.doctor import Check
from mmxcli.tasks.events import Progress
from mmxcli.tasks.models import ModelCard

MAKER = Maker("0", 0, "", "full")
Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def readings(tmp_path: Path) -> ReadingStore:
    store = ReadingStore(tmp_path / "home")
    for name, read in (("aa11", 100), ("aa22", 40)):
        path, sources, whole = store.path(name), (f"{name}\x1b.txt",), read == 100
        reading = StoredReading(
            name, path, "", MAKER, sources, "smollm2-135m", "full", "windowed", 100, read, 0, whole, 0
        )
        with store.building() as folder:
            (folder / "recall.sqlite").touch()
            store.adopt(folder, reading)
    return store


def test_states_list_the_latest_first(readings: ReadingStore, capsys: Capsys) -> None:
    assert run(["states", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == r"aa22  aa22\x1b.txt" and lines[2] == r"aa11  aa11\x1b.txt"
    assert lines[1].startswith("  40 of 100 tokens, full, smollm2-135m, ") and lines[1].endswith(", just now")
    assert lines[3].startswith("  100 tokens, full, ")


def test_a_reading_of_many_documents_is_told_in_few_words(readings: ReadingStore, capsys: Capsys) -> None:
    many = tuple(f"notes/{number}.md" for number in range(1_235))
    with readings.building() as folder:
        (folder / "recall.sqlite").touch()
        made = StoredReading(
            "bb11", readings.path("bb11"), "", MAKER, many, "smollm2-135m", "recall", "full", 9, 9, 0, True, 0
        )
        readings.adopt(folder, made)
    assert run(["states", "show", "bb11"]) == 0
    assert capsys.readouterr().out.startswith("bb11  notes/0.md, notes/1.md, notes/2.md and 1,232 more\n")
    assert run(["states", "show", "bb11", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sources"] == list(many)


def test_states_as_json(readings: ReadingStore, capsys: Capsys) -> None:
    assert run(["states", "list", "--json"]) == 0
    latest, first = map(json.loads, capsys.readouterr().out.splitlines())
    assert (latest["id"], latest["complete"], first["id"]) == ("aa22", False, "aa11")
    assert latest["sources"] == ["aa22\x1b.txt"]
    assert run(["states", "show", "aa1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == first


def test_no_states(capsys: Capsys) -> None:
    assert run(["states", "list"]) == 0
    assert capsys.readouterr() == ("", "mmx: no reading is stored yet\n")
    assert run(["states", "list", "--json", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_path_is_one_line_to_copy(readings: ReadingStore, capsys: Capsys) -> None:
    assert run(["states", "path", "aa22"]) == 0
    assert capsys.readouterr().out == f"{readings.path('aa22')}\n"


def test_pruning_states(readings: ReadingStore, capsys: Capsys) -> None:
    assert run(["states", "prune", "--size-limit", "1G"]) == 0
    assert capsys.readouterr() == ("", "mmx: nothing had to go\n")
    assert run(["states", "prune", "--size-limit", "lots"]) == 2
    assert "--size-limit" in capsys.readouterr().err
    assert run(["states", "prune"]) == 2
    assert run(["states", "prune", "--size-limit", "1", "--json"]) == 0
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == ["aa11", "aa22"]
    assert readings.readings() == []


def test_states_that_are_in_use_stay(readings: ReadingStore, capsys: Capsys) -> None:
    with readings.using("aa11"):
        assert run(["states", "rm", "aa1"]) == 2
    assert "in use by another mmx" in capsys.readouterr().err
    assert run(["states", "rm", "aa1"]) == 0


def test_removing_states(readings: ReadingStore, capsys: Capsys) -> None:
    assert run(["states", "rm", "aa1", "aa2"]) == 0
    assert "aa11" in capsys.readouterr().out
    assert readings.readings() == []


def test_an_id_that_fits_none_or_two_is_refused(readings: ReadingStore, capsys: Capsys) -> None:
    assert run(["states", "rm", "aa"]) == run(["states", "show", "zz"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert len(readings.readings()) == 2


def test_the_embedded_models_are_listed(capsys: Capsys) -> None:
    assert run(["models", "list"]) == 0
    assert "qwen2.5-coder-0.5b  469 MiB to fetch" in capsys.readouterr().out
    assert run(["models", "list", "--json"]) == 0
    assert [json.loads(line)["installed"] for line in capsys.readouterr().out.splitlines()] == [False] * 3


def test_a_model_that_is_not_here_has_no_path(capsys: Capsys) -> None:
    assert run(["models", "path", "smollm2-135m"]) == 1
    assert "run `mmx models pull smollm2-135m`" in capsys.readouterr().err


def test_pulling_shows_progress_and_then_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    card = ModelCard("m", "a test", "MIT", True, tmp_path, 3 << 20, "llama", "full", 8192, 512, 2048)
    monkeypatch.setattr(
        models, "pull_model", lambda settings, name: iter([Progress("fetch", 3 << 20, 3 << 20, "bytes")])
    )
    monkeypatch.setattr(models, "show_model", lambda settings, name: card)
    assert run(["models", "pull", "m"]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("mmx: fetch: 3.0 MiB in ")
    assert printed.out.splitlines() == [
        "m  3.0 MiB here",
        "  a test (MIT)",
        "  family llama, memory full, trained window 8,192 tokens",
        "  state 512 B and 2.0 KiB a token",
    ]


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (None, 0), (False, 1)])
def test_the_doctor_fails_when_something_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: Capsys, ok: bool | None, code: int
) -> None:
    checks = [Check("python", None, "3.11"), Check("memory", ok, "1 GiB", "use a small model")]
    monkeypatch.setattr(doctor, "doctor", lambda settings: checks)
    assert run(["doctor"]) == code
    word = {True: "ok", False: "no", None: "--"}[ok]
    assert capsys.readouterr().out == f"--  python: 3.11\n{word}  memory: 1 GiB\n    use a small model\n"
    assert run(["doctor", "--json"]) == code
    assert json.loads(capsys.readouterr().out.splitlines()[1])["ok"] is ok
