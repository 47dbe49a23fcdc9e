"""A model that cannot be used, from the command line: one line, the right exit code, and nothing of it is run."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import make_model

from mmxcli.cli import app

SHARD = "model.safetensors"
EMBEDDING = "model.embed_tokens.weight"


@pytest.fixture
def model(tiny_folder: Path, person: Path) -> Path:
    return shutil.copytree(tiny_folder, person / "model")


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("it ran",)


def pickled(model: Path) -> None:
    (model / SHARD).write_bytes(pickle.dumps(Evil()))


def torch_saved(model: Path) -> None:
    torch.save({EMBEDDING: Evil()}, model / "pytorch_model.bin")
    (model / SHARD).unlink()


def index_outside(model: Path) -> None:
    (model / SHARD).rename(model.parent / "outside.safetensors")
    (model / "model.safetensors.index.json").write_text('{"weight_map": {"x": "../outside.safetensors"}}')


def rare_nan(model: Path) -> None:
    weights = {name: weight.bfloat16() for name, weight in load_file(model / SHARD).items()}
    weights[EMBEDDING][-1, -1] = float("nan")
    save_file(weights, model / SHARD)


def cut(model: Path) -> None:
    (model / SHARD).write_bytes((model / SHARD).read_bytes()[:-9])


def pipe(model: Path) -> None:
    (model / "config.json").unlink()
    os.mkfifo(model / "config.json")


def configured(**changes: Any) -> Callable[[Path], None]:
    def change(model: Path) -> None:
        config = json.loads((model / "config.json").read_text())
        (model / "config.json").write_text(json.dumps(config | changes))
        (model / "evil.py").write_text("print('it ran')")

    return change


def templated(model: Path) -> None:
    (model / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ 1 / 0 }}"}))


HARMS: dict[str, tuple[Callable[[Path], None], int, str]] = {
    "a pickle": (pickled, 1, f"{SHARD}: is a pickle"),
    "torch.save": (torch_saved, 1, "pytorch_model.bin is a pickle"),
    "an index that leads outside": (index_outside, 5, "../outside.safetensors"),
    "a rare number that is none": (rare_nan, 5, EMBEDDING),
    "cut short": (cut, 5, SHARD),
    "a pipe": (pipe, 5, "config.json"),
    "code": (configured(model_type="evil", auto_map={"AutoConfig": "evil.Evil"}), 1, "the code that it brings"),
    "a quantisation": (configured(quantization_config={"quant_method": "awq"}), 1, "quantised checkpoint"),
    "countless layers": (configured(num_hidden_layers=10**30), 5, "num_hidden_layers"),
    "a template": (templated, 1, "its chat template fails: division by zero"),
}


@pytest.mark.parametrize("name", HARMS)
def test_a_model_that_cannot_be_used_is_one_line(model: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    harm, code, words = HARMS[name]
    harm(model)
    assert app.run(["ask", "moby_dick.txt", "Who speaks?", "-m", "model", "--quiet"]) == code
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1), err
    assert words in err and str(model) in err and "it ran" not in err


@pytest.mark.parametrize("family", ["llama", "bamba"])
def test_what_contradicts_the_weights_is_told_before_anything_is_read(
    person: Path, family: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of a family that we compute from the headers alone, of others when transformers loads it."""
    model = make_model(person / "model", family)
    configured(intermediate_size=32)(model)
    capfd.readouterr()
    assert app.run(["read", "moby_dick.txt", "--read", "recall", "-m", "model"]) == 5
    assert "config.json makes it" in capfd.readouterr().err
    assert not list((person.parent / "home").glob("readings/*"))


def test_what_the_library_says_of_it_is_one_line_too(person: Path) -> None:
    """In a process of its own, where nothing has quieted the library before."""
    model = make_model(person / "model", "mamba2")
    weights = load_file(model / SHARD)
    del weights["backbone.layers.0.mixer.A_log"]
    save_file(weights, model / SHARD, metadata={"format": "pt"})
    command = [sys.executable, "-m", "mmxcli", "read", "moby_dick.txt", "--read", "full", "-m", "model", "--quiet"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (5, "", 1), done.stderr
    assert "backbone.layers.0.mixer.A_log is in none" in done.stderr
