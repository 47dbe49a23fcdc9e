"""Checkpoints come from anywhere. Whatever is wrong with one is told in one line, before it reads anything; whoever
computes the model, nothing of it is run, unpickled, fetched or made up."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_gguf
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file
from tiny import make_model, make_tokenizer
from tiny_minimax import make_original, write_shards

from mmxcli.errors import DamagedError, MmxError, ModelError
from mmxcli.models.chat import ChatTemplate
from mmxcli.models.load import anatomy_of, load_model
from mmxcli.models.runner import Model
from mmxcli.models.shards import HEADER_BYTES, mapped, read_header
from mmxcli.models.small_files import MOST_BYTES
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.models.weights import locate

IDS = [(i * 7919 + 13) % 250 for i in range(40)]
INDEX = "model.safetensors.index.json"
ONE = "model.safetensors"
EMBEDDING = "model.embed_tokens.weight"
# One for each of the three ways in which a model is computed, and a tensor of each.
RUNNERS = {
    "llama": "model.layers.1.mlp.down_proj.weight",
    "minimax": "model.layers.1.block_sparse_moe.experts.2.w1.weight",
    "falcon_h1": "model.layers.1.feed_forward.down_proj.weight",
}
FAMILIES = (*RUNNERS, "qwen2", "mistral", "mamba2", "granitemoehybrid", "qwen3_next", "lfm2", "rwkv", "xlstm")


def make(folder: Path, family: str) -> Path:
    """A tiny checkpoint of one file, without an index."""
    if family != "minimax":
        return make_model(folder, family)
    folder.mkdir()
    make_original(folder, vocab_size=make_tokenizer(folder))
    write(folder, tensors(folder))
    return folder


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    found = {}
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="pt") as shard:
            found |= {name: shard.get_tensor(name).clone() for name in shard.keys()}  # noqa: SIM118
    return found


def write(folder: Path, weights: dict[str, torch.Tensor]) -> None:
    for path in [*folder.glob("*.safetensors"), folder / INDEX]:
        path.unlink(missing_ok=True)
    save_file({name: weight.contiguous() for name, weight in weights.items()}, folder / ONE, metadata={"format": "pt"})


def write_config(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a family's checkpoint, made once and only looked at."""
    made: dict[str, Path] = {}

    def original(family: str) -> Path:
        if family not in made:
            made[family] = make(tmp_path_factory.mktemp("originals") / family, family)
        return made[family]

    return original


@pytest.fixture(params=RUNNERS)
def folder(request: pytest.FixtureRequest, originals: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy to be damaged, named as its family is."""
    return shutil.copytree(originals(request.param), tmp_path / request.param)


@pytest.fixture
def llama(originals: Callable[[str], Path], tmp_path: Path) -> Path:
    return shutil.copytree(originals("llama"), tmp_path / "llama")


@pytest.fixture
def hybrid(originals: Callable[[str], Path], tmp_path: Path) -> Path:
    """Of the library's classes."""
    return shutil.copytree(originals("falcon_h1"), tmp_path / "falcon_h1")


def opened(folder: Path) -> Model:
    """All that happens before the first token is read."""
    weights = locate(str(folder), folder.parent / "home")
    anatomy_of(weights.path)
    ChatTemplate(Tokenizer(weights.path))
    return load_model(weights.path)


def refused(folder: Path, error: type[MmxError], *words: str) -> None:
    with pytest.raises(error) as raised:
        opened(folder)
    said = str(raised.value)
    assert all(word in said for word in (str(folder), *words)), said
    assert "\n" not in said and len(said) < 1000
    assert type(raised.value) is error


# ---- tensors ----


def change(folder: Path, **changes: torch.Tensor | None) -> None:
    """With None a tensor is left out."""
    weights = tensors(folder) | changes
    write(folder, {name: weight for name, weight in weights.items() if weight is not None})


def test_as_they_are_made_they_open(folder: Path) -> None:
    assert opened(folder).one_pass(IDS).isfinite().all()


def test_a_missing_tensor(folder: Path) -> None:
    change(folder, **{RUNNERS[folder.name]: None})
    refused(folder, DamagedError, "model.layers.1.")


@pytest.mark.parametrize("name", ["the first", EMBEDDING])
def test_a_tensor_of_another_shape(folder: Path, name: str) -> None:
    name = RUNNERS[folder.name] if name == "the first" else name
    weight = tensors(folder)[name]
    change(folder, **{name: weight[:-1]})
    refused(folder, DamagedError, name, str((weight.shape[0] - 1, weight.shape[1])), str(tuple(weight.shape)))


@pytest.mark.parametrize("name", ["model.layers.0.evil.weight", "model.layers.0.self_attn.q_proj.bias", "evil"])
def test_a_tensor_too_many(folder: Path, name: str) -> None:
    change(folder, **{name: torch.ones(64)})
    refused(folder, ModelError, name, "no tensor of")


def test_a_layer_too_many(folder: Path) -> None:
    layer = {name: weight for name, weight in tensors(folder).items() if ".layers.0." in name}
    change(folder, **{name.replace(".0.", ".99.", 1): weight for name, weight in layer.items()})
    refused(folder, ModelError, "model.layers.99.")


def test_angles_that_old_checkpoints_carry_change_nothing(folder: Path) -> None:
    before = opened(folder).one_pass(IDS)
    change(folder, **{"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(8)})
    assert torch.equal(opened(folder).one_pass(IDS), before)


def test_a_second_copy_of_the_embedding_is_none_or_damage(llama: Path) -> None:
    embedding = tensors(llama)[EMBEDDING]
    write_config(llama, tie_word_embeddings=True)
    change(llama, **{"lm_head.weight": embedding.clone()})
    opened(llama)
    change(llama, **{"lm_head.weight": embedding + 1})
    refused(llama, DamagedError, "lm_head.weight", EMBEDDING)


@pytest.mark.parametrize("dtype", [torch.int8, torch.float8_e4m3fn, torch.float64])
def test_a_dtype_that_is_not_run(folder: Path, dtype: torch.dtype) -> None:
    name = RUNNERS[folder.name]
    change(folder, **{name: tensors(folder)[name].to(dtype)})
    refused(folder, ModelError, ONE, name)


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("which", ["a row of the embedding", "a matrix"])
def test_no_number_anywhere(folder: Path, dtype: torch.dtype, value: float, which: str) -> None:
    """Not even where hardly any text would meet it: the embedding of one rare token, one expert."""
    weights = {name: weight.to(dtype) for name, weight in tensors(folder).items()}
    name = EMBEDDING if which == "a row of the embedding" else RUNNERS[folder.name]
    weights[name][-1, -1] = value
    write(folder, weights)
    refused(folder, DamagedError, ONE, name, "NaN or infinite")


def test_no_number_in_a_gguf_file(tmp_path: Path) -> None:
    norm = tiny_gguf.tensors("llama", tied=True)["blk.1.attn_norm.weight"]
    norm[3] = float("nan")
    path = tiny_gguf.write(tmp_path / "m.gguf", changed={"blk.1.attn_norm.weight": norm})
    with pytest.raises(DamagedError, match=r"input_layernorm\.weight holds NaN"):
        locate(str(path), tmp_path / "home")
    assert not list((tmp_path / "home").glob("gguf-*"))


# ---- files ----


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (66,)


def test_a_pickle_is_not_loaded_whatever_it_is_called(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil()))
    opened(folder)  # what lies beside the weights is no matter
    torch.save(tensors(folder), folder / ONE)
    refused(folder, ModelError, ONE, "is a pickle")
    for protocol in (2, 5):
        (folder / ONE).write_bytes(pickle.dumps(Evil(), protocol))
        refused(folder, ModelError, ONE, "is a pickle")
    (folder / ONE).unlink()
    refused(folder, ModelError, "pytorch_model.bin is a pickle")


def test_a_missing_shard(folder: Path) -> None:
    write_shards(folder, tensors(folder))
    (folder / ONE).unlink()
    opened(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()
    refused(folder, ModelError, "model-00002-of-00002.safetensors", "is missing")


OUTSIDE = (
    "../outside.safetensors",
    "{folder}/../outside.safetensors",
    "config.json",
    ".",
    "",
    "a\0.safetensors",
    "a\n.safetensors",
    "\ud800.safetensors",
    "x" * 5000 + ".safetensors",
    3,
    None,
    ["model.safetensors"],
)


@pytest.mark.parametrize("place", OUTSIDE, ids=[f"{place!r:.20}" for place in OUTSIDE])
def test_an_index_that_leads_elsewhere(folder: Path, place: Any) -> None:
    place = place.format(folder=folder) if isinstance(place, str) else place
    (folder / ONE).rename(folder.parent / "outside.safetensors")
    (folder / INDEX).write_text(json.dumps({"weight_map": {EMBEDDING: place}}))
    refused(folder, DamagedError, INDEX, EMBEDDING)


@pytest.mark.parametrize("target", [ONE, "/dev/zero", "nowhere", ".", "pipe"])
def test_a_link_to_no_file(folder: Path, target: str) -> None:
    os.mkfifo(folder / "pipe")
    names = list(tensors(folder))
    (folder / ONE).unlink()
    (folder / ONE).symlink_to(target)
    refused(folder, ModelError, "has no weights")
    (folder / INDEX).write_text(json.dumps({"weight_map": dict.fromkeys(names, ONE)}))
    refused(folder, ModelError, ONE, "is missing")


def test_a_link_to_a_file_is_how_a_hub_has_it(folder: Path) -> None:
    (folder / ONE).rename(folder.parent / "blob")
    (folder / ONE).symlink_to("../blob")
    opened(folder)


@pytest.mark.parametrize("share", [0, 0.00001, 0.3, 0.999])
def test_a_file_cut_short(folder: Path, share: float) -> None:
    data = (folder / ONE).read_bytes()
    (folder / ONE).write_bytes(data[: int(len(data) * share)])
    refused(folder, DamagedError, f"{ONE}: is not a whole")
    (folder / ONE).write_bytes(data + b"more")
    refused(folder, DamagedError, f"{ONE}: is not a whole")


def with_header(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """`edit` changes the header, or returns what takes its place."""
    data = (folder / ONE).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    edited = edit(header)
    text = edited if isinstance(edited, bytes) else json.dumps(header if edited is None else edited).encode()
    (folder / ONE).write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])


def twice(header: dict[str, Any]) -> bytes:
    return (json.dumps(header)[:-1] + f', "{EMBEDDING}": {json.dumps(header[EMBEDDING])}}}').encode()


def overlapping(header: dict[str, Any]) -> None:
    """Two tensors of one shape in one place."""
    norms = [name for name, said in header.items() if name.endswith("norm.weight") and said["shape"] == [64]]
    norms = norms or [name for name in header if name.endswith("layernorm.weight")]
    header[norms[0]]["data_offsets"] = header[norms[1]]["data_offsets"]


HEADERS: dict[str, Callable[[dict[str, Any]], object]] = {
    "larger than its bytes": lambda header: header[EMBEDDING].update(shape=[1 << 40, 1 << 40]),
    "negative": lambda header: header[EMBEDDING].update(shape=[-1, -64]),
    "fractions": lambda header: header[EMBEDDING].update(shape=[1.5, 64]),
    "no shape": lambda header: header[EMBEDDING].update(shape="64"),
    "many dimensions": lambda header: header[EMBEDDING].update(shape=[1] * 100_000),
    "before the start": lambda header: header[EMBEDDING].update(data_offsets=[-8, 8]),
    "three offsets": lambda header: header[EMBEDDING].update(data_offsets=[0, 8, 16]),
    "overlapping": overlapping,
    "no dtype": lambda header: header[EMBEDDING].update(dtype=None),
    "no entry": lambda header: header.update({EMBEDDING: 3}),
    "a hole": lambda header: header.pop(EMBEDDING),
    "twice": twice,
    "a list": lambda _: [1, 2],
    "no JSON": lambda _: b"{",
    "deep": lambda _: b'{"a":' * 100_000,
    "odd metadata": lambda header: header.update(__metadata__=3),
    "a name of two lines": lambda header: header.update({"a\nb": header.pop(EMBEDDING)}),
}


@pytest.mark.parametrize("lie", HEADERS)
def test_a_header_that_lies(folder: Path, lie: str) -> None:
    with_header(folder, HEADERS[lie])
    refused(folder, DamagedError, f"{ONE}: is not a whole safetensors file")


@pytest.mark.parametrize("length", [HEADER_BYTES + 1, 100 << 20, 1 << 40, (1 << 64) - 1])
def test_a_header_without_end(llama: Path, length: int) -> None:
    """A file of holes: none of it is read."""
    with (llama / ONE).open("wb") as file:
        file.write(length.to_bytes(8, "little"))
        file.truncate(200 << 20)
    refused(llama, DamagedError, f"{ONE}: is not a whole safetensors file")


@settings(max_examples=150, deadline=None)
@given(edits=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=3))
def test_every_damage_to_a_header(
    edits: list[tuple[int, int]], originals: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It is refused, or the tensors are where the file ends."""
    data = bytearray((originals("llama") / ONE).read_bytes())
    for place, byte in edits:
        data[place] = byte
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    path.write_bytes(data)
    try:
        headers = read_header(path)
        found = mapped(headers, headers)
    except MmxError as error:
        assert str(path) in str(error) and "\n" not in str(error)
    else:
        assert {name: tuple(tensor.shape) for name, tensor in found.items()} == {
            name: header.shape for name, header in headers.items()
        }


SMALL = ("config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json", "chat_template.jinja")


KINDS = ("folder", "pipe", "device", "loop", "large", "not UTF-8", "deep", "list", "two")


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name in SMALL for kind in (KINDS if name.endswith(".json") else KINDS[:6])],
)
def test_a_small_file_that_is_none(llama: Path, name: str, kind: str) -> None:
    path = llama / name
    path.unlink(missing_ok=True)
    if name == "chat_template.jinja":
        (llama / "tokenizer_config.json").unlink()
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "loop":
            path.symlink_to(name)
        case "large":
            with path.open("wb") as file:
                file.truncate(MOST_BYTES + 1)
        case "not UTF-8":
            path.write_bytes(b'{"a": "\xff"}')
        case "deep":
            path.write_text('{"a":' + "[" * 200_000)
        case "list":
            path.write_text("[1]")
        case "two":
            path.write_text('{"a": 1, "a": 2}')
    refused(llama, ModelError if kind == "loop" else DamagedError, name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_config_that_may_not_be_read(llama: Path) -> None:
    (llama / "config.json").chmod(0)
    refused(llama, ModelError, "config.json", "Permission denied")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_small_file_that_is_not_there(folder: Path, name: str) -> None:
    (folder / name).unlink()
    refused(folder, ModelError, name)


# ---- config.json ----

SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size")
IMPOSSIBLE = (-4, 0, 1e30, 10**30, 2**40, 64.5, "64", None, [64], True, float("nan"), float("inf"), {})


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("value", IMPOSSIBLE, ids=repr)
def test_an_impossible_size(folder: Path, name: str, value: Any) -> None:
    write_config(folder, **{name: value})
    refused(folder, DamagedError)


def test_a_number_of_many_digits(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "llama", "hidden_size": 1' + "0" * 10_000 + "}")
    refused(folder, DamagedError, "config.json")


LARGE = {"hidden_size": 1 << 30, "intermediate_size": 1 << 30, "vocab_size": 1 << 30, "num_hidden_layers": 250}


@pytest.mark.parametrize("name", LARGE)
def test_a_model_far_larger_than_its_files(folder: Path, name: str) -> None:
    """It is refused before any of it is made."""
    write_config(folder, **{name: LARGE[name]})
    refused(folder, DamagedError)


ODD: dict[str, tuple[dict[str, Any], type[MmxError], str]] = {
    "heads and width": ({"num_attention_heads": 5, "head_dim": None}, DamagedError, "5 heads cannot share"),
    "heads and keys": ({"num_key_value_heads": 3}, DamagedError, "4 heads cannot share 3 key-value heads"),
    "layers": ({"layer_types": ["full_attention"] * 7}, DamagedError, "layer_types does not list"),
    "layers that are none": ({"layer_types": 3}, DamagedError, "layer_types is 3"),
    "theta twice": (
        {"rope_theta": 5.0, "rope_parameters": {"rope_type": "default", "rope_theta": 7.0}},
        DamagedError,
        "rope_theta is 5.0, but rope_parameters.rope_theta is 7.0",
    ),
    "part of a head twice": (
        {"partial_rotary_factor": 0.25, "rope_parameters": {"partial_rotary_factor": 0.5}},
        DamagedError,
        "partial_rotary_factor is 0.25, but rope_parameters.partial_rotary_factor is 0.5",
    ),
    "old and new": (
        {"rope_scaling": {"rope_theta": 5.0}, "rope_parameters": {"rope_theta": 7.0}},
        DamagedError,
        "rope_theta is 7.0, but rope_scaling makes it 5.0",
    ),
    "angles that are none": ({"rope_parameters": "yes"}, DamagedError, "rope_parameters is 'yes'"),
    "dtype": ({"dtype": "float9000", "torch_dtype": None}, ModelError, "dtype is 'float9000'"),
    "a function of torch": ({"dtype": "load", "torch_dtype": None}, ModelError, "dtype is 'load'"),
    "dtype twice": (
        {"dtype": "float32", "torch_dtype": "float16"},
        DamagedError,
        "dtype is 'float32', but torch_dtype",
    ),
    "gptq": ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, ModelError, "quantised checkpoint"),
    "awq": ({"quantization_config": {"quant_method": "awq"}}, ModelError, "quantised checkpoint"),
    "nonsense": ({"quantization_config": "nonsense"}, ModelError, "quantised checkpoint"),
    "mlx": ({"quantization": {"bits": 4}}, ModelError, "quantised checkpoint"),
    "shapes by layer": ({"per_layer_config": {"0": {"intermediate_size": 9}}}, ModelError, "per_layer_config"),
    "a number that is none": ({"anything": {"at": ["all", float("nan")]}}, DamagedError, "'at' is nan"),
    "an odd kind": ({"model_type": ["llama"]}, DamagedError, "model_type is ['llama']"),
    "an unknown kind": ({"model_type": "gpt\n9", "architectures": None}, ModelError, r"a 'gpt\n9' model is unknown"),
    "no kind": ({"model_type": None, "architectures": None}, ModelError, "None model is unknown"),
    "another's kind": ({"model_type": "bert", "architectures": None}, ModelError, "'bert' model cannot be run"),
    "code of its own": (
        {"model_type": "evil", "architectures": None, "auto_map": {"AutoConfig": "evil.EvilConfig"}},
        ModelError,
        "the code that it brings is never run",
    ),
    "text that is none": ({"text_config": 3}, DamagedError, "text_config is 3"),
}


@pytest.mark.parametrize("what", ODD)
def test_a_config_that_contradicts_itself_or_is_another_models(folder: Path, what: str) -> None:
    changes, error, words = ODD[what]
    write_config(folder, **changes)
    refused(folder, error, "config.json", words)


def test_a_config_within_a_config_is_not_looked_at_by_a_model_of_text(folder: Path) -> None:
    write_config(folder, text_config={"vocab_size": 10**6})
    if folder.name == "falcon_h1":
        opened(folder)
    else:
        refused(folder, ModelError, "text_config")


@pytest.mark.parametrize(
    ("family", "changes", "words"),
    [
        ("llama", {"rope_parameters": {"rope_type": "llama3", "rope_theta": 1e4}}, "rotary scaling 'llama3'"),
        ("llama", {"rope_parameters": {"full_attention": {"rope_theta": 1e4}}}, "differ from layer to layer"),
        ("llama", {"partial_rotary_factor": 0.5}, "only a part turns"),
        ("llama", {"hidden_act": "gelu"}, "the activation 'gelu'"),
        ("qwen2", {"use_sliding_window": True, "sliding_window": 64}, "a sliding window of its own (64 tokens)"),
        ("qwen2", {"layer_types": ["sliding_attention"] * 3}, "layers of several kinds"),
        ("mistral", {"layer_types": ["sliding_attention"] * 3}, "ministral"),
    ],
)
def test_what_of_a_llama_is_beyond_us(
    family: str, changes: dict[str, Any], words: str, originals: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(originals(family), tmp_path / family)
    write_config(folder, **changes)
    refused(folder, ModelError, "config.json", words)


def test_a_mistral_that_says_nothing_of_its_window_has_one(originals: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shutil.copytree(originals("mistral"), tmp_path / "mistral")
    config = json.loads((folder / "config.json").read_text())
    del config["sliding_window"]
    (folder / "config.json").write_text(json.dumps(config))
    assert anatomy_of(folder).state_bytes_per_token == 0


SETTLED: tuple[dict[str, Any], ...] = (
    *({name: "evil/kernels"} for name in ("_attn_implementation", "attn_implementation", "_experts_implementation")),
    {"_attn_implementation_internal": "evil/kernels", "experts_implementation": {"": "evil/kernels"}},
    {"use_kernels": True, "_use_kernels": True, "kernel_config": {"Linear": "evil/kernels"}},
    {"transformers_weights": "../outside.safetensors"},
    {"configuration_files": ["config.4.0.0.json"]},
    {"auto_map": {"AutoConfig": "evil.EvilConfig", "AutoModelForCausalLM": "evil/evil--evil.Evil"}},
    {"fusion_config": {"patch_embeddings": True}, "distributed_config": {"tp_size": 2}},
    {"get_text_config": "evil", "to_dict": 3, "validate": [], "__class__": "evil", "attribute_map": {"a": "b"}},
    {"name_or_path": "/etc", "_name_or_path": "evil/evil", "base_model_tp_plan": {"": "evil"}},
    {"return_dict": False, "output_hidden_states": True, "output_attentions": True, "torchscript": True},
    {"num_labels": 2_000_000_000, "id2label": {"x": "y"}, "is_encoder_decoder": True, "decoder": {"a": 1}},
)


@pytest.mark.parametrize("words", SETTLED, ids=[next(iter(words)) for words in SETTLED])
def test_what_a_config_has_no_say_in(
    hybrid: Path, words: dict[str, Any], monkeypatch: pytest.MonkeyPatch, originals: Callable[[str], Path]
) -> None:
    """Who computes, out of which files: it opens, computes the same, and opens no connection."""
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a connection"))
    (hybrid / "evil.py").write_text("raise SystemExit('it ran')")
    (hybrid / "config.4.0.0.json").write_text('{"model_type": "evil"}')
    (hybrid / "adapter_config.json").write_text('{"base_model_name_or_path": "evil/evil"}')
    (hybrid / ".metadata").write_bytes(pickle.dumps(Evil()))
    write_config(hybrid, **words)
    assert torch.equal(opened(hybrid).one_pass(IDS), load_model(originals("falcon_h1")).one_pass(IDS))
    assert anatomy_of(hybrid) == anatomy_of(originals("falcon_h1"))


def test_the_library_fetches_no_kernels() -> None:
    import mmxcli.models.library  # noqa: F401

    with pytest.raises(ImportError):
        __import__("kernels")


def test_biases_are_there_when_the_config_says_so_and_only_then(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    folder = make_model(tmp_path / "llama", attention_bias=True, mlp_bias=True)
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.inference_mode():
        expected = reference(torch.tensor([IDS])).logits[0]
    assert (opened(folder).one_pass(IDS) - expected).abs().max() <= 1e-4 * expected.abs().max()
    write_config(folder, mlp_bias=False)
    refused(folder, ModelError, "mlp.", ".bias")
    write_config(folder, mlp_bias="yes")
    refused(folder, DamagedError, "mlp_bias is 'yes'")


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(0, 9)
    | st.floats()
    | st.text(max_size=3)
    | st.lists(st.integers() | st.text(max_size=3), max_size=3)
    | st.dictionaries(
        st.sampled_from(["rope_theta", "rope_type", "partial_rotary_factor", "full_attention"]),
        st.integers() | st.floats() | st.text(max_size=3),
    )
)
ALSO = ("rope_scaling", "rope_theta", "partial_rotary_factor", "text_config", "quantization_config", "sliding_window")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_change_of_a_config_is_read_or_refused(
    family: str, originals: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = shutil.copytree(originals(family), tmp_path_factory.mktemp("changed") / family)
    config = json.loads((folder / "config.json").read_text())
    names = st.sampled_from(sorted(config.keys() | set(ALSO)))

    @settings(max_examples=15 if family not in ("llama", "qwen2") else 100, deadline=None)
    @given(changes=st.dictionaries(names, VALUES, min_size=1, max_size=2))
    def changed(changes: dict[str, Any]) -> None:
        (folder / "config.json").write_text(json.dumps(config | changes))
        try:
            anatomy_of(folder)
            load_model(folder)
        except MmxError as error:
            assert str(folder) in str(error) and "\n" not in str(error) and len(str(error)) < 1000

    changed()


# ---- the tokenizer and the template ----


def edited(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def test_a_token_that_the_model_has_no_embedding_of(folder: Path) -> None:
    edited(folder / "tokenizer.json", lambda content: content["model"]["vocab"].update(e=100_000))
    refused(folder, DamagedError, "tokenizer.json", "has the token 100000, but config.json makes")


def beyond(content: dict[str, Any], token: str) -> None:
    content["added_tokens"].append(content["added_tokens"][0] | {"id": 99_999, "content": token})


def test_a_control_token_beyond_the_embedding_is_no_matter_until_a_template_writes_it(folder: Path) -> None:
    """Some published models have one, for pictures."""
    edited(folder / "tokenizer.json", lambda content: beyond(content, "<image>"))
    opened(folder)
    template = "<image>{{ messages[-1].content }}"
    edited(folder / "tokenizer_config.json", lambda content: content.update(chat_template=template))
    refused(folder, DamagedError, "tokenizer.json", "<image> is the token 99999")


TOKENS: tuple[Any, ...] = (5, ["a"], {"a": 1}, [{"id": "x", "content": "<x>"}], [{"id": -7, "content": "<x>"}], [{}])


@pytest.mark.parametrize("tokens", TOKENS, ids=repr)
def test_control_tokens_that_are_none(llama: Path, tokens: Any) -> None:
    edited(llama / "tokenizer.json", lambda content: content.update(added_tokens=tokens))
    refused(llama, DamagedError, "tokenizer.json")


@pytest.mark.parametrize(
    "model", [None, 3, {}, {"type": "Evil"}, {"type": "WordLevel", "unk_token": "?", "vocab": {"a": 0}}], ids=repr
)
def test_vocabularies_that_are_none(llama: Path, model: Any) -> None:
    edited(llama / "tokenizer.json", lambda content: content.update(model=model))
    refused(llama, DamagedError, "tokenizer.json")


@pytest.mark.parametrize("value", ["abc", 1.5, [None], {"a": 1}, [[1]], True])
@pytest.mark.parametrize("name", ["generation_config.json", "config.json"])
def test_an_end_that_is_no_token(llama: Path, name: str, value: Any) -> None:
    (llama / "generation_config.json").write_text("{}")
    edited(llama / name, lambda content: content.update(eos_token_id=value))
    refused(llama, DamagedError, name, "eos_token_id is")


@pytest.mark.parametrize("name", ["bos_token", "eos_token"])
@pytest.mark.parametrize("value", [5, [1], {"content": 5}, True], ids=repr)
def test_a_special_token_that_is_none(llama: Path, name: str, value: Any) -> None:
    edited(llama / "tokenizer_config.json", lambda content: content.update({name: value}))
    refused(llama, DamagedError, "tokenizer_config.json", f"{name} is")


TEMPLATES: dict[str, Any] = {
    "no syntax": "{% for",
    "fails": "{{ 1 / 0 }}",
    "undefined": "{{ a.b.c }}",
    "wrong types": "{{ none + 1 }}",
    "another file": "{% include '/etc/passwd' %}",
    "refuses": "{{ raise_exception('no\nway') }}",
    "out of the sandbox": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "without the text": "hello",
    "endless": "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "deep": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "long": "{% for _ in range(99999) %}{{ messages[0].content }}{{ messages[0].content }}{% endfor %}",
    "a number": 5,
    "a list of numbers": [{"name": "default", "template": 5}],
    "an object": {"a": 1},
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_that_fails(llama: Path, name: str) -> None:
    edited(llama / "tokenizer_config.json", lambda content: content.update(chat_template=TEMPLATES[name]))
    refused(llama, ModelError, "its chat template")
