"""mmx plan: what a model would need, from its config alone."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import make_model

from mmxcli.cli.app import run
from mmxcli.models.load import load_model
from mmxcli.tasks.plan import Plan

Capsys = pytest.CaptureFixture[str]
GIB = 2**30


def planned(capsys: Capsys, *arguments: str) -> dict[str, Any]:
    assert run(["plan", *arguments, "--json", "--quiet"]) == 0
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert list(record) == [field.name for field in fields(Plan)]
    return record


def test_minimax_whose_weights_are_not_here(capsys: Capsys) -> None:
    """The figures of the paper's model, by hand: arXiv 2501.08313, table 1."""
    record = planned(capsys, "minimax-text-01", "--tokens", "4M")
    assert record["parameters"] == pytest.approx(456e9, rel=0.001)
    assert record["weight_bytes"]["none"] == 2 * record["parameters"]
    assert record["state_bytes"] == 70 * 64 * 128 * 128 * 4  # a float32 sum of each head of 70 lightning layers
    assert record["kv_bytes"] == 4_000_000 * 10 * 2 * 8 * 128 * 2  # bfloat16 keys and values of 10 softmax layers
    assert record["memory"] == "hybrid" and not record["fits"]
    assert 850 * GIB < record["peak_bytes"] < 1_010 * GIB
    assert record["read_s"] == pytest.approx(record["compute_s"] + record["disk_s"])


@pytest.mark.parametrize("family", ["qwen2", "mamba2", "qwen3_next"])
def test_states_are_as_large_as_was_said(family: str, tmp_path: Path, capsys: Capsys) -> None:
    folder, tokens = make_model(tmp_path / "model", family), 512
    record = planned(capsys, str(folder), "--tokens", str(tokens))
    model = load_model(folder, torch.bfloat16)
    state = model.new_state()
    model.advance(state, [1] * tokens)
    there = sum(layer.bytes for layer in state.layers)
    assert record["state_bytes"] + record["kv_bytes"] == pytest.approx(there, rel=0.1)
    assert record["quant"] == "none" and record["fits"] and record["advice"] == []


def test_what_does_not_fit_is_told_with_what_would(capsys: Capsys) -> None:
    record = planned(capsys, "qwen2.5-coder-1.5b", "--quant", "none", "--memory", "2500M")
    assert not record["fits"]
    assert record["advice"] == ["--quant int8 would fit", "another model would fit: -m qwen2.5-coder-0.5b"]


def test_in_words(capsys: Capsys) -> None:
    assert run(["plan", "smollm2-135m", "--tokens", "300k", "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "smollm2-135m: 300,000 tokens, read in full"
    assert lines[1].startswith("  weights      256 MiB in bfloat16") and lines[1].endswith("of 134 M parameters")
    assert [line.split()[0] for line in lines[1:5]] == ["weights", "state", "peak", "time"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("gpt-5",), "no model is called 'gpt-5'"),
        (("smollm2-135m", "--tokens", "many"), "tokens cannot be 'many'"),
        (("smollm2-135m", "--tokens", "-5"), "tokens cannot be '-5'"),
        (("smollm2-135m", "--tokens", "0"), "tokens cannot be '0'"),
    ],
)
def test_what_makes_no_sense(arguments: tuple[str, ...], said: str, capsys: Capsys) -> None:
    assert run(["plan", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_family_that_is_not_run(person: Path, capsys: Capsys) -> None:
    (person / "strange").mkdir()
    (person / "strange" / "config.json").write_text('{"model_type": "inkling2"}')
    assert run(["plan", "strange"]) == 1
    assert "inkling2" in capsys.readouterr().err
