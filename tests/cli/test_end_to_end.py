"""The whole of it, from the command line: bad input with a tiny model, the main job with real weights."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from contents import tensors
from pdfs import DRAWING, encrypted, pdf, showing

from mmxcli.cli import app
from mmxcli.models.weights import locate
from mmxcli.state.saving import load_snapshot
from mmxcli.state.store import ReadingStore

BOOK = """CHAPTER 1. The Harbour

The old lighthouse of Port Halvard was built in 1823 by the engineer Ingrid Solheim. She had come from Bergen
with eleven masons and a dog called Skipper.

CHAPTER 2. The Storm

In the winter of 1871 the storm took the western pier. The keeper, Anders Moe, rowed out nine times and saved
twenty-three sailors. For this the king gave him a silver watch, which he lost at cards within a month.

CHAPTER 3. The Lamp

The lamp burned whale oil until 1902. Afterwards it burned paraffin, and the stairs smelled of it.
""" + "".join(
    f"\nOn day {n} the keeper wrote in the log that the weather was fair and nothing passed.\n" for n in range(90)
)
QUESTION = "Who built the old lighthouse of Port Halvard?"


@pytest.fixture
def mmx(
    tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command line in this process with the tiny model; returns exit code, stdout and stderr."""
    monkeypatch.setenv("MMX_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MMX_MODEL", str(tiny_folder))
    monkeypatch.setenv("MMX_MAX_TOKENS", "8")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = app.run(arguments)
        return (code, *capsys.readouterr())

    return run


Mmx = Callable[..., tuple[int, str, str]]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.txt"
    path.write_text(BOOK)
    return path


NOTHING = {
    "empty.txt": b"",
    "blank.txt": b" \n\n\t",
    "picture.txt": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
    "broken.pdf": b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog",
    "locked.pdf": encrypted(pdf(showing("hidden")), "secret"),
    "scan.pdf": pdf(DRAWING),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_cannot_be_read_is_one_line_and_exit_3(mmx: Mmx, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(NOTHING[name])
    code, out, err = mmx("ask", name, QUESTION, "--quiet")
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert name in err


def test_missing_file_and_folder_without_files(mmx: Mmx, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    for source in ("missing.txt", "nothing"):
        code, out, err = mmx("ask", source, QUESTION, "--quiet")
        assert (code, out, err.count("\n")) == (3, "", 1)
        assert source in err


def test_a_list_with_a_name_that_is_missing(mmx: Mmx, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The lamp burned whale oil.")
    (tmp_path / "list").write_text("absent.txt\na.txt\n")
    code, out, _ = mmx("read", "--files-from", "list", "--json", "--quiet")
    [gap] = json.loads(out)["coverage"]["skipped"]
    assert code == 0 and (gap["source"], gap["reason"][:12]) == ("absent.txt", "no such file")
    assert mmx("count", "--files-from", "list", "--strict", "--quiet")[0] == 3
    (tmp_path / "list").write_text("absent.txt\n")
    code, out, err = mmx("count", "--files-from", "list", "--quiet")
    assert (code, out, err.count("\n")) == (3, "", 1) and "no such file" in err


def test_how_a_folder_was_read_is_in_json(mmx: Mmx, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/koi.txt").write_bytes("Маяк построили в 1823 году, и он горел всю зиму.\n".encode("koi8-r") * 9)
    (tmp_path / "folder/.env").write_text("secret")
    told = json.loads(mmx("count", "folder", "--json", "--quiet")[1])["remarks"]
    assert [one["source"] for one in told] == ["folder", "folder/koi.txt"]
    assert told[0]["remark"] == "1 hidden file or folder not read: .env" and "koi8-r, " in told[1]["remark"]
    for _ in range(2):  # read, and found
        code, out, _ = mmx("read", "folder", "--json", "--quiet", "--strict")
        assert code == 0 and json.loads(out)["coverage"]["remarks"] == told
    (tmp_path / "folder/.other").touch()
    assert json.loads(mmx("read", "folder", "--json")[1])["state"]["reused_tokens"]
    code, _, err = mmx("read", "folder")
    assert "folder: 2 hidden files or folders not read: .env, .other" in err and "koi.txt: read as koi8-r" in err


def test_invalid_utf8_is_read_and_told(mmx: Mmx, tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_bytes(BOOK.encode() + "Grüße aus Tromsø. ".encode() * 20 + b"\xff\n")
    code, out, _ = mmx("ask", "old.txt", QUESTION, "--json")
    assert code == 0
    assert "not UTF-8" in json.loads(out)["coverage"]["skipped"][0]["reason"]
    code, out, err = mmx("ask", "old.txt", QUESTION, "--strict")
    assert code == 3
    assert "--strict" in err.splitlines()[-1]


def test_a_page_without_text_is_told(mmx: Mmx, tmp_path: Path) -> None:
    (tmp_path / "mixed.pdf").write_bytes(pdf(showing("The lighthouse was built by Ingrid Solheim."), DRAWING))
    code, out, _ = mmx("read", "mixed.pdf", "--json")
    assert code == 0
    assert json.loads(out)["coverage"]["skipped"] == [{"source": "mixed.pdf", "page": 2, "reason": "no text layer"}]


def test_a_state_cut_in_half_is_exit_5_and_can_be_removed(mmx: Mmx, book: Path, tmp_path: Path) -> None:
    assert mmx("read", "book.txt", "--read", "full", "--window", "64")[0] == 0
    for state in (tmp_path / "home" / "states").iterdir():
        state.write_bytes(state.read_bytes()[: state.stat().st_size // 2])
    (reading,) = (tmp_path / "home" / "readings").iterdir()
    code, out, err = mmx("ask", "book.txt", QUESTION, "--read", "full", "--window", "64", "--quiet")
    assert (code, out, err.count("\n")) == (5, "", 1)
    assert f"mmx states rm {reading.name}" in err
    assert mmx("states", "rm", reading.name)[0] == 0
    assert mmx("ask", "book.txt", QUESTION, "--read", "full", "--window", "64")[0] == 0


def test_an_index_cut_in_half_is_exit_5(mmx: Mmx, book: Path, tmp_path: Path) -> None:
    assert mmx("read", "book.txt")[0] == 0
    (index,) = (tmp_path / "home" / "readings").glob("*/recall.sqlite")
    index.write_bytes(index.read_bytes()[: index.stat().st_size // 2])
    code, out, err = mmx("ask", "book.txt", QUESTION, "--quiet")
    assert (code, out, err.count("\n")) == (5, "", 1)


def test_unknown_model_and_folder_without_tokenizer(mmx: Mmx, book: Path, tmp_path: Path, tiny_folder: Path) -> None:
    code, _, err = mmx("ask", "book.txt", QUESTION, "-m", "nosuch")
    assert (code, err.count("\n")) == (2, 1)
    assert "qwen2.5-coder-0.5b" in err
    bare = tmp_path / "bare"
    bare.mkdir()
    for file in tiny_folder.iterdir():
        if not file.name.startswith("tokenizer"):
            (bare / file.name).write_bytes(file.read_bytes())
    code, _, err = mmx("ask", "book.txt", QUESTION, "-m", str(bare))
    assert (code, err.count("\n")) == (1, 1)
    assert "tokenizer" in err


def test_weights_cut_short_are_exit_5(mmx: Mmx, book: Path, tmp_path: Path, tiny_folder: Path) -> None:
    for file in tiny_folder.iterdir():
        data = file.read_bytes()
        short = data[: len(data) // 2] if file.suffix == ".safetensors" else data
        (tmp_path / "cut" / file.name).parent.mkdir(exist_ok=True)
        (tmp_path / "cut" / file.name).write_bytes(short)
    code, _, err = mmx("ask", "book.txt", QUESTION, "-m", str(tmp_path / "cut"))
    assert code == 5
    assert "safetensors" in err


def test_offline_without_weights_names_the_command(mmx: Mmx, book: Path) -> None:
    code, _, err = mmx("ask", "book.txt", QUESTION, "-m", "smollm2-135m", "--offline")
    assert code == 1
    assert "mmx models pull smollm2-135m" in err


def test_a_disk_too_full_for_the_state_is_told_and_the_answer_given(
    mmx: Mmx, book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    command = ("ask", "book.txt", QUESTION, "--read", "full", "--window", "64")
    (tmp_path / "short.txt").write_text("A word.")
    assert mmx("read", "short.txt", "--read", "full")[0] == 0  # the model is tried, once
    for file in (tmp_path / "home" / "states").iterdir():
        file.unlink()
    with monkeypatch.context() as patch:
        patch.setattr("mmxcli.state.saving.save_file", full)
        code, answer, err = mmx(*command)
        assert code == 0
        assert "the state cannot be stored (No space left on device)" in err
        assert list((tmp_path / "home" / "states").iterdir()) == []
    assert mmx(*command)[:2] == (0, answer)


def test_a_budget_that_is_too_small_is_exit_4(mmx: Mmx, book: Path) -> None:
    code, _, err = mmx("ask", "book.txt", QUESTION, "--memory", "1M", "--quiet")
    assert (code, err.count("\n")) == (4, 1)


def test_what_the_text_does_not_say_is_not_answered(mmx: Mmx, book: Path) -> None:
    code, out, _ = mmx("ask", "book.txt", "Which spice does the recipe for Goan fish curry need?", "--json")
    answer = json.loads(out)
    assert (code, answer["found"], answer["citations"]) == (0, False, [])


def test_every_reading_command(mmx: Mmx, book: Path) -> None:
    assert mmx("count", "book.txt", "--json")[0] == 0
    identifier = json.loads(mmx("read", "book.txt", "--json")[1])["state"]["id"]
    listed = [json.loads(line) for line in mmx("states", "list", "--json")[1].splitlines()]
    assert [item["id"] for item in listed] == [identifier]
    assert Path(mmx("states", "path", identifier)[1].strip()).is_dir()
    assert mmx("states", "show", identifier[:6])[0] == 0
    assert mmx("states", "rm", identifier)[0] == 0
    assert mmx("states", "list", "--json")[1] == ""


# ---- with real weights ----


@pytest.fixture(scope="session")
def weights(weights_folder: Path) -> Path:
    for name in ("smollm2-135m", "qwen2.5-coder-0.5b"):
        locate(name, weights_folder)
    return weights_folder


@pytest.fixture
def real(tmp_path: Path, weights: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Runs the command in a process of its own with real weights."""
    environment = os.environ | {"MMX_HOME": str(tmp_path / "home"), "MMX_WEIGHTS": str(weights)}

    def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "mmxcli", *arguments]
        return subprocess.run(command, input=stdin, env=environment, cwd=tmp_path, capture_output=True, check=False)

    return run


Real = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.mark.weights
def test_the_main_job(real: Real, book: Path) -> None:
    done = real("ask", "book.txt", QUESTION, "--json")
    assert done.returncode == 0, done.stderr.decode()
    answer = json.loads(done.stdout)
    assert "Ingrid Solheim" in answer["answer"]
    assert answer["found"]
    assert answer["coverage"]["mode"] == "recall"
    for cited in answer["citations"]:
        assert cited["verified"]
        assert BOOK[cited["start"] : cited["end"]] == cited["quote"]
        assert BOOK.count("\n", 0, cited["start"]) + 1 == cited["line"]
    assert "Ingrid Solheim" in answer["citations"][0]["quote"]


@pytest.mark.weights
def test_a_pipe_and_several_questions(real: Real) -> None:
    questions = ["-q", QUESTION, "-q", "How many sailors did Anders Moe save?"]
    done = real("ask", "-", *questions, "--json", stdin=BOOK.encode())
    first, second = [json.loads(line) for line in done.stdout.splitlines()]
    assert first["citations"][0]["source"] == "<stdin>"
    assert "twenty-three" in second["citations"][0]["quote"]
    again = real("ask", "-", *questions, "--json", stdin=BOOK.encode())
    reused = [json.loads(line)["state"]["reused_tokens"] for line in again.stdout.splitlines()]
    assert reused == [first["coverage"]["tokens"]] * 2


@pytest.mark.weights
def test_a_full_reading_killed_and_continued(real: Real, book: Path, tmp_path: Path, weights: Path) -> None:
    """With real weights in bfloat16: SIGKILL in the middle, and the state ends the same, byte for byte."""
    command = ["read", "book.txt", "--read", "full", "--window", "256", "-m", "smollm2-135m"]
    environment = os.environ | {
        "MMX_HOME": str(tmp_path / "killed"),
        "MMX_WEIGHTS": str(weights),
        "MMX_CHUNK": "128",
        "MMX_CHECKPOINT_TOKENS": "256",
    }
    process = subprocess.Popen([sys.executable, "-m", "mmxcli", *command], cwd=tmp_path, env=environment)
    while process.poll() is None and not list((tmp_path / "killed").glob("states/state-*.safetensors")):
        pass
    process.kill()
    process.wait()
    states = []
    for home in ("killed", "whole"):
        environment["MMX_HOME"] = str(tmp_path / home)
        subprocess.run([sys.executable, "-m", "mmxcli", *command], cwd=tmp_path, env=environment, check=True)
        (identifier,) = ReadingStore(tmp_path / home).identifiers()
        reading = ReadingStore(tmp_path / home).get(identifier)
        assert reading is not None and reading.complete
        states.append(load_snapshot(reading.snapshots[-1], tmp_path / home / "states", reading.stream))
    assert all(torch.equal(a, b) for a, b in zip(*map(tensors, states), strict=True))


@pytest.mark.weights
def test_a_short_text_is_read_whole(real: Real, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text(BOOK[:600])
    done = real("ask", "note.txt", "What was the dog called?", "--json", "-m", "smollm2-135m")
    answer = json.loads(done.stdout)
    assert answer["coverage"]["mode"] == "full"
    assert "Skipper" in answer["answer"]
    assert any("a dog called Skipper" in cited["quote"] for cited in answer["citations"])


@pytest.mark.weights
def test_two_gibibytes_are_enough(weights: Path, book: Path, tmp_path: Path) -> None:
    """The default model's first question of all on a machine, and the next."""
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "qwen2.5-coder-0.5b").symlink_to(weights / "qwen2.5-coder-0.5b")
    environment = {"MMX_HOME": str(tmp_path / "home"), "MMX_WEIGHTS": str(tmp_path / "weights"), "MMX_MEMORY": "2G"}
    for number in range(2):
        command = [sys.executable, "-m", "mmxcli", "ask", str(book), QUESTION, "--quiet"]
        with (tmp_path / f"{number}.txt").open("wb") as out:
            process = subprocess.Popen(command, env=os.environ | environment, stdout=out)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        assert "Ingrid Solheim" in (tmp_path / f"{number}.txt").read_text()
        assert usage.ru_maxrss * 1024 < 2 << 30
