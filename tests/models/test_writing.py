"""Writing by the kernels says what the model says, but for the rounding of the weights; alone and together."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import make_model

from mmxcli.models.load import load_model, load_softmax
from mmxcli.models.softmax import SoftmaxModel
from mmxcli.models.softmax_writing import ROOM
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.models.weights import locate
from mmxcli.models.writing import TOGETHER, PlainWriting, Writer, fits, writer
from mmxcli.reading.generate import generate
from mmxcli.state.model_state import ModelState

IDS = [(i * 7919 + 13) % 250 for i in range(200)]
FAMILIES = ("llama", "mistral", "qwen2", "qwen3")


def as_rounded(model: SoftmaxModel) -> SoftmaxModel:
    """The model with the weights that the kernels multiply with: what they are held against."""
    weights = {name: tensor.float() for name, tensor in model.weights.items()}
    for name, tensor in weights.items():
        if tensor.dim() == 2 and name != "model.embed_tokens.weight":
            weights[name] = rounded(tensor)
    found = SoftmaxModel(replace(model.shape, tied_head=False), weights)
    found.weights["lm_head.weight"] = rounded(model.head.float())
    return found


def rounded(matrix: torch.Tensor) -> torch.Tensor:
    """In groups of 64 of a row."""
    groups = torch.nn.functional.pad(matrix, (0, -matrix.shape[1] % 64)).view(len(matrix), -1, 64)
    scales = groups.abs().amax(dim=2, keepdim=True).clamp_min(1e-30) / 127
    return ((groups / scales).round() * scales).view(len(matrix), -1)[:, : matrix.shape[1]]


@pytest.fixture(scope="module", params=FAMILIES)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[SoftmaxModel, Writer]:
    """A model with the rounded weights, and what writes with them."""
    folder = tmp_path_factory.mktemp(request.param)
    model = load_softmax(make_model(folder / "model", request.param))
    return as_rounded(model), writer(model, folder / "weights" / "file.safetensors", 1)


def state_after(model: SoftmaxModel, ids: Sequence[int], window: int | None, store: str = "memory") -> ModelState:
    state = model.new_state(window, store)
    model.advance(state, ids)
    return state


def step(model: SoftmaxModel, state: ModelState, token: int) -> torch.Tensor:
    logits = model.advance(state, [token], "last")
    assert logits is not None
    return logits[0]


def off(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


@given(
    lengths=st.lists(st.integers(4, 60), min_size=1, max_size=5),
    window=st.sampled_from([None, 3, 9, 24]),
    ends=st.lists(st.integers(1, 20), min_size=5, max_size=5),
)
@settings(max_examples=25, deadline=None)
def test_it_says_what_the_model_says(
    pair: tuple[SoftmaxModel, Writer], lengths: list[int], window: int | None, ends: list[int]
) -> None:
    """Of several texts at once, of any lengths, that end one after the other, before and after the window slides; to
    16 bits of the activations."""
    model, fast = pair
    states = [state_after(model, IDS[:length], window) for length in lengths]
    writing = fast.begin([state.fork() for state in states])
    assert not isinstance(writing, PlainWriting)
    expected, going = [state.fork() for state in states], list(range(len(states)))
    for number in range(20):
        left = [row for row, text in enumerate(going) if ends[text] > number]
        if len(left) < len(going):
            writing.keep(left)
        going = [going[row] for row in left]
        if not going:
            break
        tokens = [IDS[number + text] for text in going]
        found = writing.step(tokens)
        for row, (text, token) in enumerate(zip(going, tokens, strict=True)):
            assert off(found[row], step(model, expected[text], token)) < 2e-3


@pytest.mark.parametrize("store", ["memory", "disk", "int8"])
def test_it_goes_on_from_pages_however_they_are_kept(pair: tuple[SoftmaxModel, Writer], store: str) -> None:
    model, fast = pair
    state = state_after(model, IDS[:50], None, store)
    found = fast.begin([state.fork()]).step([7])
    assert off(found[0], step(model, state.fork(), 7)) < 2e-3


def test_a_batch_gives_each_text_what_it_gets_alone(pair: tuple[SoftmaxModel, Writer]) -> None:
    model, fast = pair
    states = [state_after(model, IDS[:length], 16) for length in (5, 40, 17, 20)]
    together = fast.begin([state.fork() for state in states]).step([1, 2, 3, 4])
    alone = torch.cat([fast.begin([state.fork()]).step([token]) for token, state in enumerate(states, 1)])
    assert off(together, alone) < 1e-6


def test_a_text_that_has_hardly_begun_is_written_too(pair: tuple[SoftmaxModel, Writer]) -> None:
    model, fast = pair
    for state in (model.new_state(3), state_after(model, IDS[:1], 3)):
        expected, writing = state.fork(), fast.begin([state])
        for token in IDS[:9]:
            assert off(writing.step([token])[0], step(model, expected, token)) < 0.2  # with weights as they are


def test_a_text_may_become_longer_than_anybody_thought(pair: tuple[SoftmaxModel, Writer]) -> None:
    model, fast = pair
    state = state_after(model, IDS[:9], 8)
    writing, expected = fast.begin([state.fork()]), state
    for number in range(2 * ROOM + 3):
        found, wanted = writing.step([IDS[number % 200]])[0], step(model, expected, IDS[number % 200])
    assert off(found, wanted) < 2e-3


def test_torch_keeps_its_threads(pair: tuple[SoftmaxModel, Writer]) -> None:
    assert pair[1].together(0) == TOGETHER and torch.get_num_threads() == 1


def test_large_states_are_written_one_by_one(pair: tuple[SoftmaxModel, Writer]) -> None:
    _, fast = pair
    assert fast.together(1 << 20) == TOGETHER and fast.together(100 << 20) == 1


def test_a_half_written_or_damaged_file_is_made_again(tiny_folder: Path, tmp_path: Path) -> None:
    model, file = load_softmax(tiny_folder), tmp_path / "file.safetensors"
    state = state_after(model, IDS[:9], None)
    expected = writer(model, file, 1).begin([state.fork()]).step([5])
    content = file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 4
    for damaged in (content[:-1], content[:100], b"", b"nonsense" * 99, content + b"x", bytes(flipped)):
        file.write_bytes(damaged)
        assert torch.equal(writer(model, file, 1).begin([state.fork()]).step([5]), expected)
        assert file.read_bytes() == content


def test_what_was_compiled_may_be_damaged(tiny_folder: Path, tmp_path: Path) -> None:
    """As after a power loss."""
    model = load_softmax(tiny_folder)
    writer(model, tmp_path / "file.safetensors", 1)
    compiled = tmp_path / "compiled"
    shutil.copytree(os.environ["NUMBA_CACHE_DIR"], compiled)
    for file in compiled.rglob("*.nb?"):
        file.write_bytes(b"")
    code = (
        "import sys; from pathlib import Path; from mmxcli.models.load import load_softmax\n"
        "from mmxcli.models.writing import writer\n"
        "writer(load_softmax(Path(sys.argv[1])), Path(sys.argv[2]), 1)"
    )
    arguments = [sys.executable, "-c", code, str(tiny_folder), str(tmp_path / "file.safetensors")]
    subprocess.run(arguments, env=os.environ | {"NUMBA_CACHE_DIR": str(compiled)}, check=True, timeout=300)
    assert any(file.stat().st_size for file in compiled.rglob("*.nbi"))


def test_what_the_kernels_do_not_compute_is_written_all_the_same(tiny_folder: Path, tmp_path: Path) -> None:
    packed = load_model(tiny_folder, quant="int8")
    assert isinstance(packed, SoftmaxModel) and not fits(packed)
    slow = writer(packed, tmp_path / "file.safetensors", 1)
    state = packed.new_state()
    packed.advance(state, IDS[:9])
    assert slow.together(0) == 1 and list(tmp_path.iterdir()) == []
    assert torch.equal(slow.begin([state.fork()]).step([5])[0], step(packed, state.fork(), 5))


def test_texts_are_written_together_as_alone(tiny_folder: Path, tmp_path: Path) -> None:
    model, tokenizer = load_softmax(tiny_folder), Tokenizer(tiny_folder)
    fast, prompts = writer(model, tmp_path / "file.safetensors", 1), [IDS[:5], IDS[20:26], IDS[30:90], IDS[60:70]]
    texts = [""] * 4
    for number, piece in generate(model, fast, tokenizer, [model.new_state() for _ in prompts], prompts, 30, 16):
        texts[number] += piece
    for text, prompt in zip(texts, prompts, strict=True):
        alone = generate(model, fast, tokenizer, [model.new_state()], [prompt], 30, 16)
        assert text == "".join(piece for _, piece in alone)


@pytest.mark.weights
@pytest.mark.parametrize("name", ["smollm2-135m", "qwen2.5-coder-0.5b"])
def test_real_weights_lose_nothing_that_shows(name: str, weights_folder: Path, tmp_path: Path) -> None:
    """Of 30 tokens of a text, the surprise at each stays what it is in bfloat16."""
    folder = locate(name, weights_folder).path
    model, tokenizer = load_softmax(folder), Tokenizer(folder)
    ids = tokenizer.encode((Path(__file__).parents[2] / "LICENSE").read_text())[:130]
    state = state_after(model, ids[:100], None)
    writing, plain = writer(model, tmp_path / "file.safetensors", 1).begin([state.fork()]), PlainWriting(model, [state])
    losses = []
    for token, following in pairwise(ids[100:]):
        both = [way.step([token]).log_softmax(dim=1)[0, following] for way in (writing, plain)]
        losses.append(both)
    fast, slow = torch.tensor(losses).mean(dim=0)
    assert abs(float(fast - slow)) < 0.03
