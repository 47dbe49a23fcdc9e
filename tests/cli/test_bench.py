"""mmx bench: every engine in turn, in processes of their own."""

import json
import stat
import sys
from dataclasses import fields
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tiny import make_model

from mmxcli.cli.app import run
from mmxcli.tasks.bench import Bench

Capsys = pytest.CaptureFixture[str]
LLAMA = """#!{python}
import json, sys
given = sys.argv[1:]
value = lambda name: given[given.index(name) + 1]
lengths = [int(one) for one in value("-p").split(",")]
print(json.dumps([{{"n_prompt": one, "avg_ts": 100.0 if "-d" in given else 200.0}} for one in lengths]))
"""


@pytest.fixture
def llama(tmp_path: Path) -> Path:
    """A program that says what llama-bench says."""
    program = tmp_path / "llama-bench"
    program.write_text(LLAMA.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_all_engines_are_measured(tmp_path: Path, llama: Path, capsys: Capsys) -> None:
    folder, gguf, plot = make_model(tmp_path / "model", "qwen2"), tmp_path / "a & b.gguf", tmp_path / "plot.svg"
    gguf.touch()
    arguments = ["-m", str(folder), "--rounds", "1", "--depths", "600", "--transformers", "--plot", str(plot)]
    assert run(["bench", *arguments, "--llama-bench", str(llama), "--gguf", str(gguf), "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == [field.name for field in fields(Bench)]
    assert found["engines"] == ["mmx", "transformers", "llama.cpp a & b.gguf"]
    measured = {one["name"]: one["values"] for one in found["measured"]}
    assert list(measured) == [
        "read 512",
        "read 2,048",
        "read 512 at 600",
        "write 32 after 512",
        "first word, prompt of 512",
        "peak memory",
    ]
    for name, values in measured.items():
        assert set(values) >= {"mmx", "transformers"} and all(len(of) == 1 and min(of) > 0 for of in values.values())
        assert ("llama.cpp a & b.gguf" in values) == (name != "first word, prompt of 512")
    assert measured["read 2,048"]["llama.cpp a & b.gguf"] == [200]
    assert measured["read 512 at 600"]["llama.cpp a & b.gguf"] == [100]
    assert "llama.cpp a & b.gguf" in "".join(ElementTree.parse(plot).getroot().itertext())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--llama-bench", "no-such-program"], 2, "no-such-program is not a program that can be run"),
        (["--gguf", "no-such.gguf", "--llama-bench", "true"], 2, "no-such.gguf is not a file"),
        (["--plot", "no/such/plot.svg"], 2, "there is no folder no/such"),
        (["--depths", "many"], 2, "many"),
        (["--gguf", __file__, "--llama-bench", "false"], 1, "false failed: 1"),
    ],
)
def test_bad_input(arguments: list[str], code: int, said: str, tiny_folder: Path, capsys: Capsys) -> None:
    assert run(["bench", "-m", str(tiny_folder), "--rounds", "1", "--depths", "", *arguments]) == code
    assert said in capsys.readouterr().err.splitlines()[-1]
