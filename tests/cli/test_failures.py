"""Every way to fail: one line on standard error, the right exit code, and nothing else."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from canned import CANNED, Run

ASK = ("ask", "moby_dick.txt", "Who?")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("MmxError", 1),
        ("UsageError", 2),
        ("InputError", 3),
        ("BudgetError", 4),
        ("DamagedError", 5),
        ("ModelError", 1),
        ("Interrupted", 130),
    ],
)
def test_an_error_is_one_line_and_its_code(canned: Run, kind: str, code: int) -> None:
    done = canned(*ASK, "--quiet", MMX_TEST_FAIL=kind)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr == f"mmx: the {kind} of a test: do nothing\n"


def test_a_full_disk(canned: Run) -> None:
    done = canned(*ASK, "--quiet", MMX_TEST_FAIL="full")
    assert done.returncode == 1
    assert done.stderr == "mmx: no space left on the device: /home/somebody/index: free some and run again\n"


def test_a_bug_is_one_line_and_a_traceback_only_when_asked_for(canned: Run) -> None:
    done = canned(*ASK, "--quiet", MMX_TEST_FAIL="bug")
    assert done.returncode == 1
    assert done.stderr == (
        "mmx: internal error: LookupError: a thing that should be there: run again with --verbose for the traceback\n"
    )
    assert "Traceback" in canned(*ASK, "--verbose", MMX_TEST_FAIL="bug").stderr


def test_a_gpu_without_room(canned: Run) -> None:
    done = canned(*ASK, "--quiet", MMX_TEST_FAIL="no room")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("mmx: the GPU has no room for it: try --quant int8, a smaller --window, or --device cpu\n")


def test_interrupted_at_once(canned: Run) -> None:
    done = canned(*ASK, "--quiet", MMX_TEST_FAIL="interrupt")
    assert (done.returncode, done.stderr) == (130, "mmx: interrupted\n")


def test_control_c_while_it_works() -> None:
    with subprocess.Popen(
        [sys.executable, CANNED, *ASK, "--quiet"],
        env=os.environ | {"MMX_TEST_FAIL": "wait"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr.read() == "mmx: interrupted\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_no_text_behind(number: signal.Signals, tmp_path: Path) -> None:
    """What --no-cache needs meanwhile is gone however the command ends."""
    code = (
        "import signal, sys, time; from mmxcli.reading.session import Session; from mmxcli.cli import app\n"
        "from mmxcli.tasks import count as task\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # whoever runs the tests may be deaf to it
        "def slow(sources, settings, stdin=None):\n"
        "    with Session(settings) as session:\n"
        "        print(session.home, flush=True)\n"
        "        time.sleep(60)\n"
        "    yield\n"
        "task.count = slow\n"
        "sys.exit(app.main(['count', 'moby_dick.txt']))"
    )
    environment = os.environ | {"MMX_CACHE": "false"}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        assert folder.is_dir() and folder != tmp_path / "home"
        process.send_signal(number)
        assert process.wait(10) == 128 + number
        assert not folder.exists()


def shell(command: str) -> "subprocess.CompletedProcess[str]":
    script = command.replace("mmx", f"{sys.executable} {CANNED}")
    return subprocess.run(["bash", "-o", "pipefail", "-c", script], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "command", ["mmx --help", "mmx ask moby_dick.txt Who? --quiet", "mmx count moby_dick.txt --json"]
)
def test_a_closed_pipe_ends_quietly(command: str) -> None:
    done = shell(f"{command} | head -c 0; exit ${{PIPESTATUS[0]}}")
    assert done.returncode == 0
    assert "roken" not in done.stderr and "Traceback" not in done.stderr and "Exception" not in done.stderr


@pytest.mark.parametrize("command", ["mmx --help", "mmx ask moby_dick.txt Who? --quiet"])
def test_an_output_with_no_space_left(command: str) -> None:
    done = shell(f"{command} > /dev/full")
    assert done.returncode == 1
    assert done.stderr == "mmx: no space left on the device: free some and run again\n"


def test_output_that_is_closed_is_no_failure() -> None:
    done = shell("mmx ask moby_dick.txt Who? --quiet >&-")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_without_the_letters_still_gets_the_answer() -> None:
    done = shell("PYTHONIOENCODING=ascii mmx ask moby_dick.txt Who?")
    assert done.returncode == 0 and r"\u201cThe Spouter Inn" in done.stdout
