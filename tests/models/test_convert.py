import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_gguf
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

from mmxcli.errors import DamagedError, MmxError, ModelError
from mmxcli.models import convert as convert_module
from mmxcli.models.convert import convert
from mmxcli.models.fetch import fetch
from mmxcli.models.files import Stored
from mmxcli.models.registry import REGISTRY
from mmxcli.models.weights import locate
from mmxcli.state.files import sha256_of

TEXT = "The  thin hen: 12 345\n\n\tthe “naïve” 日本語 🙂 العربية e\u0301 I'LL  don't\r\n"


def convert_into(folder: Path, path: Path, **options: Any) -> dict[str, Stored]:
    folder.mkdir()
    return convert(path, folder, **options)


def by_transformers(path: Path) -> torch.nn.Module:
    """The model as transformers reads it from the GGUF file, its weights rounded to bfloat16."""
    config = AutoConfig.from_pretrained(path.parent, gguf_file=path.name)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    weights = load_gguf_checkpoint(str(path), return_tensors=True, model_to_load=model)["tensors"]
    missing = model.load_state_dict(weights, strict=False).missing_keys
    assert missing == (["lm_head.weight"] if config.tie_word_embeddings else [])
    model.tie_weights()
    for weight in model.parameters():
        weight.data = weight.data.to(torch.bfloat16).to(torch.float32)
    return model.eval()


def assert_same_logits(path: Path, folder: Path) -> None:
    ours = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    assert AutoConfig.from_pretrained(folder).dtype == torch.bfloat16
    ids = torch.arange(3, 67)[None]
    with torch.no_grad():
        expected, found = by_transformers(path)(ids).logits, ours(ids).logits
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * expected.abs().max().item())


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_logits_are_those_of_the_gguf_file(tmp_path: Path, family: str, tied: bool) -> None:
    path = tiny_gguf.write(tmp_path / "tiny.gguf", family, tied=tied)
    convert_into(tmp_path / "model", path)
    assert_same_logits(path, tmp_path / "model")


def test_the_config_has_what_the_file_says(tmp_path: Path) -> None:
    convert_into(tmp_path / "model", tiny_gguf.write(tmp_path / "tiny.gguf", "qwen2"))
    config = AutoConfig.from_pretrained(tmp_path / "model")
    assert (config.model_type, config.max_position_embeddings, config.rms_norm_eps) == ("qwen2", 128, 1e-05)
    assert config.rope_parameters["rope_theta"] == 50000.0
    assert json.loads((tmp_path / "model/generation_config.json").read_text())["eos_token_id"] == [2, 0]


def test_shards_hold_each_weight_once_and_the_record_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tiny_gguf.write(tmp_path / "tiny.gguf", tied=False)
    whole = convert_into(tmp_path / "whole", path)
    monkeypatch.setattr(convert_module, "SHARD_BYTES", 40_000)
    monkeypatch.setattr(convert_module, "_SLICE", 1000)
    seen: list[tuple[str, int, int, str]] = []
    stored = convert_into(tmp_path / "model", path, on_progress=lambda *event: seen.append(event))
    assert stored.keys() == {file.name for file in (tmp_path / "model").iterdir()}
    for name, record in stored.items():
        file = tmp_path / "model" / name
        assert record == Stored(file.stat().st_size, sha256_of(file))
        assert file.stat().st_mode & 0o777 == 0o600
    index = json.loads((tmp_path / "model/model.safetensors.index.json").read_text())
    shards = sorted(name for name in stored if name.endswith(".safetensors"))
    assert len(shards) > 3
    assert set(index["weight_map"].values()) == set(shards)
    weights = {name: value for shard in shards for name, value in load_file(tmp_path / "model" / shard).items()}
    (single,) = (name for name in whole if name.endswith(".safetensors"))
    expected = load_file(tmp_path / "whole" / single)
    assert weights.keys() == expected.keys() == index["weight_map"].keys()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    assert {event[0] for event in seen} == {"convert"}
    assert [event[1] for event in seen] == sorted(event[1] for event in seen)
    assert seen[-1][1] == seen[-1][2] == index["metadata"]["total_size"]


def test_a_matrix_carried_twice_is_kept_once_in_its_finer_form(tmp_path: Path) -> None:
    embedding = tiny_gguf.tensors("qwen2", tied=True)["token_embd.weight"]
    path = tiny_gguf.write(tmp_path / "tiny.gguf", "qwen2", changed={"output.weight": embedding})
    convert_into(tmp_path / "model", path, tied=True)
    (shard,) = (tmp_path / "model").glob("*.safetensors")
    weights = load_file(shard)
    assert "lm_head.weight" not in weights
    error = np.abs(weights["model.embed_tokens.weight"].float().numpy() - embedding).max()
    assert error < 0.015  # Q8_0 and bfloat16; Q4_1 is off by up to 0.06
    assert AutoConfig.from_pretrained(tmp_path / "model").tie_word_embeddings


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Any]]:
    """Per way to split: the converted folder's tokenizer and that of transformers for the GGUF file."""
    found = {}
    for split in ("gpt-2", "qwen2"):
        folder = tmp_path_factory.mktemp(split)
        path = tiny_gguf.write(folder / "tiny.gguf", "qwen2", split=split)
        convert_into(folder / "model", path)
        theirs = AutoTokenizer.from_pretrained(folder, gguf_file=path.name)
        found[split] = (Tokenizer.from_file(str(folder / "model/tokenizer.json")), theirs)
    return found


@pytest.mark.parametrize("split", ["gpt-2", "qwen2"])
@given(text=st.text() | st.text(" the in12\n\t'll<|im_end>", max_size=200))
def test_ids_are_those_of_transformers(tokenizers: dict[str, tuple[Any, Any]], split: str, text: str) -> None:
    ours, theirs = tokenizers[split]
    for sample in (text, TEXT, "<|im_start|>the<tool><|im_end|>"):
        assert ours.encode(sample).ids == theirs(sample)["input_ids"]
    assert ours.decode(ours.encode(text).ids, skip_special_tokens=False) == text


def test_smollm_splits_digits_from_spaces(tmp_path: Path) -> None:
    convert_into(tmp_path / "model", tiny_gguf.write(tmp_path / "tiny.gguf", split="smollm"))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert tokenizer.tokenize("the  12") == ["t", "he", "ĠĠ", "1", "2"]


def test_the_special_tokens_and_the_template_arrive(tmp_path: Path) -> None:
    path = tiny_gguf.write(tmp_path / "tiny.gguf", extra={"tokenizer.ggml.unknown_token_id": 0})
    convert_into(tmp_path / "model", path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id) == (1, 2, 0)
    assert tokenizer.chat_template == tiny_gguf.TEMPLATE


FOREIGN: list[tuple[dict[str, Any], type[MmxError], str]] = [
    ({"family": "gemma2"}, ModelError, "its family, gemma2, cannot be converted"),
    ({"split": "tekken"}, ModelError, "tokenizer gpt2/tekken"),
    ({"merges": ["Ġ nothing"]}, DamagedError, "its vocabulary contradicts itself"),
    ({"merges": ["a b c"]}, DamagedError, "its vocabulary contradicts itself"),
    ({"extra": {"llama.rope.scaling.type": "yarn"}}, ModelError, "its rotary embedding is scaled"),
    ({"extra": {"llama.rope.dimension_count": 8}}, ModelError, "its rotary embedding is scaled"),
    ({"extra": {"llama.attention.key_length": 0}}, DamagedError, "llama.attention.key_length is 0"),
    ({"changed": {"rope_freqs.weight": np.ones(8, np.float32)}}, ModelError, "holds rope_freqs.weight"),
    ({"extra": {"llama.block_count": 2_000_000_000}}, DamagedError, "has no blk.2.attn_norm.weight"),
    ({"changed": {"blk.1.ffn_up.weight": None}}, DamagedError, "has no blk.1.ffn_up.weight"),
    ({"changed": {"output_norm.weight": np.ones(8, np.float32)}}, DamagedError, r"has the shape \(8,\)"),
]


@pytest.mark.parametrize(("options", "kind", "said"), FOREIGN, ids=[said for _, _, said in FOREIGN])
def test_what_cannot_be_converted_is_one_clear_line(
    tmp_path: Path, options: dict[str, Any], kind: type[MmxError], said: str
) -> None:
    path = tiny_gguf.write(tmp_path / "tiny.gguf", **options)
    with pytest.raises(kind, match=said) as caught:
        convert_into(tmp_path / "model", path)
    assert str(path) in str(caught.value)
    assert list((tmp_path / "model").iterdir()) == []


def test_weights_in_a_form_that_cannot_be_unpacked_are_named(tmp_path: Path) -> None:
    path = tiny_gguf.write(tmp_path / "tiny.gguf", changed={"output_norm.weight": np.ones(64, np.int32)})
    with pytest.raises(ModelError, match="holds weights as I32"):
        convert_into(tmp_path / "model", path)
    assert not list((tmp_path / "model").glob("*.safetensors*part"))


@pytest.mark.weights
def test_a_real_model_is_the_same_after_conversion(weights_folder: Path) -> None:
    folder = locate("smollm2-135m", weights_folder).path
    path = fetch(REGISTRY["smollm2-135m"], weights_folder / "parity")
    assert_same_logits(path, folder)
    ours, theirs = (
        AutoTokenizer.from_pretrained(folder),
        AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name),
    )
    for prose in (TEXT, Path(__file__).read_text(), Path(convert_module.__file__).read_text()):
        text = re.sub(r"\s+(?=\d)", " ", prose)  # before digits, transformers joins spaces that smollm keeps apart
        assert ours(text)["input_ids"] == theirs(text)["input_ids"]
    model = AutoModelForCausalLM.from_pretrained(folder)
    question = [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}]
    prompt = ours.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    written = model.generate(**prompt, max_new_tokens=20, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    assert ours.decode(written, skip_special_tokens=True) == "The capital of France is Paris."
