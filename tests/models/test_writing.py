"""Writing by the kernels says what the model says, but for the rounding of the weights; alone and together."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import make_model

from mmxcli.models import writing as writing_module
from mmxcli.models.load import load_softmax
from mmxcli.models.softmax import SoftmaxModel
from mmxcli.models.softmax_writing import ENDLESS, ROOM, SoftmaxWriting
from mmxcli.models.step_attention import Floats
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.models.weights import locate
from mmxcli.models.writing import TOGETHER, PlainWriting, Writer, Writing, writer
from mmxcli.reading.generate import generate
from mmxcli.reading.lookup import Lookup
from mmxcli.state.model_state import ModelState
from mmxcli.state.sizes import SINKS

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
    path = make_model(folder / "model", request.param)
    model = load_softmax(path)
    return as_rounded(model), writer_of(model, path, folder / "weights" / "file.safetensors")


def writer_of(model: SoftmaxModel, folder: Path, file: Path) -> Writer:
    return writer(lambda: model, folder, file, 1)


def begun(fast: Writer, *states: ModelState) -> Writing:
    return fast.begin([state.fork() for state in states], [[]] * len(states), 16)


def state_after(model: SoftmaxModel, ids: Sequence[int], window: int | None, store: str = "memory") -> ModelState:
    state = model.new_state(window, store)
    model.advance(state, ids)
    return state


def step(model: SoftmaxModel, state: ModelState, token: int) -> torch.Tensor:
    logits = model.advance(state, [token], "last")
    assert logits is not None
    return logits[0]


def off(found: Floats, expected: torch.Tensor) -> float:
    return float(np.abs(found - expected.numpy()).max() / expected.abs().max())


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
    writing = begun(fast, *states)
    assert not isinstance(writing, PlainWriting)
    expected, going = [state.fork() for state in states], list(range(len(states)))
    for number in range(20):
        pieces = [IDS[number + text : number + text + 1] for text in going]
        found = writing.step(pieces)
        for row, text in enumerate(going):
            assert off(found[row], step(model, expected[text], pieces[row][0])) < 2e-3
        writing.keep([ends[text] > number for text in going])
        going = [text for text in going if ends[text] > number]
        if not going:
            break


@given(
    lengths=st.lists(st.integers(4, 60), min_size=1, max_size=3),
    window=st.sampled_from([None, 3, 9, 24]),
    sizes=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=6),
)
@settings(max_examples=25, deadline=None)
def test_tokens_that_are_tried_leave_nothing_behind(
    pair: tuple[SoftmaxModel, Writer], lengths: list[int], window: int | None, sizes: list[tuple[int, int]]
) -> None:
    """Several tokens of each text in one step, of which only the first stay, give what one after the other gives."""
    model, fast = pair
    states = [state_after(model, IDS[:length], window) for length in lengths]
    writing = begun(fast, *states)
    for size, kept in sizes:
        pieces = [IDS[size + text : 2 * size + text] for text in range(len(states))]
        found = iter(writing.step(pieces))
        for state, piece in zip(states, pieces, strict=True):
            trial = state.fork()
            for number, token in enumerate(piece):
                assert off(next(found), step(model, trial, token)) < 3e-3  # 2.3e-3 was seen
                if number < kept:
                    model.advance(state, [token])
        writing.keep([min(size, kept)] * len(states))


@given(
    pieces=st.lists(st.integers(1, 60), min_size=1, max_size=5), prompt=st.integers(1, 40), window=st.integers(5, 24)
)
@settings(max_examples=25, deadline=None)
def test_what_it_has_read_itself_goes_on_as_the_model_does(
    pair: tuple[SoftmaxModel, Writer], pieces: list[int], prompt: int, window: int
) -> None:
    """A conversation: read on piece after piece, and asked in between, which leaves it as it is."""
    model, fast = pair
    state, past, done = model.new_state(window), None, 0
    for size in [8, *pieces]:
        ids = [*(IDS * 2)[done : done + size]]
        model.advance(state, ids)
        past, done = fast.read_on(past, ids, window, ENDLESS, 16), done + size
        assert not isinstance(past, ModelState)
        assert past.pairs.shape[4] <= window - 1 + SINKS  # however much was read
        for token in (3, 5):
            asked = state.fork()
            model.advance(asked, IDS[:prompt])
            found = fast.begin([past], [IDS[:prompt]], 16).step([[token]])
            assert off(found[0], step(model, asked, token)) < 2e-3


@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5), most=st.integers(5, 60))
@settings(max_examples=25, deadline=None)
def test_of_a_conversation_the_last_tokens_and_the_first_stay_in_sight(
    pair: tuple[SoftmaxModel, Writer], sizes: list[int], most: int
) -> None:
    fast = pair[1]
    whole: Any = None
    kept: Any = None
    done = 0
    for size in [8, *sizes]:
        ids = (IDS * 3)[done : done + size]
        whole, kept = (fast.read_on(past, ids, 1000, some, 16) for past, some in ((whole, ENDLESS), (kept, most)))
        done += size
        assert kept.positions == whole.positions == done
        seen = kept.pairs.shape[4]
        assert seen == (done if done <= most + SINKS else most)
        assert (kept.sinks == whole.sinks).all()
    if done <= most + SINKS:
        assert (kept.pairs == whole.pairs).all()
    logits = fast.begin([kept], [[9]], 16).step([[9]])
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("store", ["memory", "disk", "int8"])
def test_it_goes_on_from_pages_however_they_are_kept(pair: tuple[SoftmaxModel, Writer], store: str) -> None:
    model, fast = pair
    state = state_after(model, IDS[:50], None, store)
    found = begun(fast, state).step([[7]])
    assert off(found[0], step(model, state.fork(), 7)) < 2e-3


def test_a_batch_gives_each_text_what_it_gets_alone(pair: tuple[SoftmaxModel, Writer]) -> None:
    model, fast = pair
    states = [state_after(model, IDS[:length], 16) for length in (5, 40, 17, 20)]
    together = begun(fast, *states).step([[1], [2], [3], [4]])
    alone = np.concatenate([begun(fast, state).step([[token]]) for token, state in enumerate(states, 1)])
    assert np.array_equal(together, alone)


def test_a_text_that_has_hardly_begun_is_written_too(pair: tuple[SoftmaxModel, Writer]) -> None:
    model, fast = pair
    for state in (model.new_state(3), state_after(model, IDS[:1], 3)):
        expected, writing = state.fork(), begun(fast, state)
        for token in IDS[:9]:
            assert off(writing.step([[token]])[0], step(model, expected, token)) < 0.2  # with weights as they are


def test_a_text_may_become_longer_than_anybody_thought(pair: tuple[SoftmaxModel, Writer]) -> None:
    model, fast = pair
    state = state_after(model, IDS[:9], 8)
    writing, expected = begun(fast, state), state
    for number in range(2 * ROOM + 3):
        found, wanted = writing.step([[IDS[number % 200]]])[0], step(model, expected, IDS[number % 200])
    assert off(found, wanted) < 2e-3


def test_torch_keeps_its_threads(pair: tuple[SoftmaxModel, Writer]) -> None:
    assert pair[1].together(0) == TOGETHER and torch.get_num_threads() == 1


def test_large_states_are_written_one_by_one(pair: tuple[SoftmaxModel, Writer]) -> None:
    _, fast = pair
    assert fast.together(1 << 20) == TOGETHER and fast.together(100 << 20) == 1


def test_a_half_written_or_damaged_file_is_made_again(tiny_folder: Path, tmp_path: Path) -> None:
    model, file = load_softmax(tiny_folder), tmp_path / "file.safetensors"
    state = state_after(model, IDS[:9], None)
    expected = begun(writer_of(model, tiny_folder, file), state).step([[5]])
    content = file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 4
    for damaged in (content[:-1], content[:100], b"", b"nonsense" * 99, content + b"x", bytes(flipped)):
        file.write_bytes(damaged)
        assert np.array_equal(begun(writer_of(model, tiny_folder, file), state).step([[5]]), expected)
        assert file.read_bytes() == content


def test_a_new_format_takes_the_place_of_earlier_ones(tiny_folder: Path, tmp_path: Path) -> None:
    """Of the same model, as soon as the new file is made; later ones stay, and so do those of other models."""
    there = {"ab-1.safetensors", "ab-1.sha256", "ab-2.safetensors", "ab-4.safetensors", "cd-1.safetensors", "ab-1.lock"}
    for name in there:
        (tmp_path / name).touch()
    writer_of(load_softmax(tiny_folder), tiny_folder, tmp_path / "ab-3.safetensors")
    left = {file.name for file in tmp_path.iterdir() if not file.name.startswith("ab-3")} - {"hashes.json"}
    assert left == {"ab-4.safetensors", "cd-1.safetensors", "ab-1.lock"}


def test_what_was_compiled_may_be_damaged(tiny_folder: Path, tmp_path: Path) -> None:
    """As after a power loss."""
    model = load_softmax(tiny_folder)
    writer_of(model, tiny_folder, tmp_path / "file.safetensors")
    compiled = tmp_path / "compiled"
    shutil.copytree(os.environ["NUMBA_CACHE_DIR"], compiled)
    for file in compiled.rglob("*.nb?"):
        file.write_bytes(b"")
    code = (
        "import sys; from pathlib import Path; from mmxcli.models.load import load_softmax\n"
        "from mmxcli.models.writing import writer\n"
        "folder = Path(sys.argv[1])\n"
        "writer(lambda: load_softmax(folder), folder, Path(sys.argv[2]), 1)"
    )
    arguments = [sys.executable, "-c", code, str(tiny_folder), str(tmp_path / "file.safetensors")]
    subprocess.run(arguments, env=os.environ | {"NUMBA_CACHE_DIR": str(compiled)}, check=True, timeout=300)
    assert any(file.stat().st_size for file in compiled.rglob("*.nbi"))


def test_what_the_kernels_do_not_compute_is_written_all_the_same(tiny_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"attention_bias": True}))
    model = load_softmax(tiny_folder)
    slow = writer_of(model, folder, tmp_path / "file.safetensors")
    state = state_after(model, IDS[:9], None)
    assert slow.together(0) == 1 and not (tmp_path / "file.safetensors").exists()
    assert torch.equal(torch.tensor(begun(slow, state).step([[5]])[0]), step(model, state.fork(), 5))


@given(
    prompts=st.lists(
        st.lists(st.tuples(st.integers(0, 1), st.integers(0, 300)), min_size=1, max_size=3), min_size=2, max_size=4
    )
)
@settings(max_examples=10, deadline=None)
def test_what_was_read_before_changes_nothing(
    pair: tuple[SoftmaxModel, Writer], prompts: list[list[tuple[int, int]]]
) -> None:
    """Prompts that begin alike, also with those before them, are read from where they differ: the same, bit for bit,
    and whatever was written meanwhile."""
    _, fast = pair
    for lot in prompts:
        texts = [[*IDS[:20], kind, *(IDS * 2)[:length]] for kind, length in lot]
        written = [fast.begin(len(texts), texts, 16) for _ in range(2)]
        first, second = (writing.step([[7]] * len(texts)) for writing in written)
        assert np.array_equal(first, second)
        for row, text in enumerate(texts):
            fast.read_ahead([IDS[-1]])  # as if nothing were known
            assert np.array_equal(first[row], fast.begin(1, [text], 16).step([[7]])[0])


def test_what_comes_next_can_be_read_ahead(pair: tuple[SoftmaxModel, Writer], monkeypatch: pytest.MonkeyPatch) -> None:
    """So the words of a chat template need not be read again for every question."""
    read: list[int] = []
    plain = SoftmaxWriting.read

    def counted(self: SoftmaxWriting, pieces: Sequence[Sequence[int]]) -> None:
        read.append(sum(map(len, pieces)))
        plain(self, pieces)

    _, fast = pair
    fast.read_ahead([IDS[-1]])  # as if nothing were known
    monkeypatch.setattr(SoftmaxWriting, "read", counted)
    fast.read_ahead(IDS[:30])
    fast.begin(1, [[*IDS[:30], 3, 4]], 16)
    fast.begin(2, [[*IDS[:30], 5], [*IDS[:30], 6]], 16)
    assert read == [30, 2, 0, 2]


@given(lengths=st.lists(st.integers(0, 300), min_size=1, max_size=4), cut=st.integers(1, 50))
@settings(max_examples=10, deadline=None)
def test_what_is_read_from_nothing_does_not_depend_on_how(
    pair: tuple[SoftmaxModel, Writer], lengths: list[int], cut: int
) -> None:
    """Together or alone, in pieces or token by token: the same, bit for bit; and what the model says."""
    model, fast = pair
    prompts = [(IDS * 2)[number : number + length] for number, length in enumerate(lengths)]
    together = fast.begin(len(prompts), prompts, 16).step([[7]] * len(prompts))
    for row, prompt in enumerate(prompts):
        alone = fast.begin(1, [prompt[:-cut]], 16)
        for token in prompt[-cut:] if len(prompt) > cut else prompt[len(prompt[:-cut]) :]:
            alone.step([[token]])
        assert np.array_equal(together[row], alone.step([[7]])[0])
        state = model.new_state()
        for piece in [prompt] * bool(prompt):
            model.advance(state, piece)
        assert off(together[row], step(model, state, 7)) < 2e-3


def test_many_tokens_from_nothing_are_left_to_the_model(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_softmax(tiny_folder)
    fast = writer_of(model, tiny_folder, tmp_path / "file.safetensors")
    monkeypatch.setattr(writing_module, "MOST_BYTES", 1000)
    assert isinstance(fast.begin(1, [IDS], 16), PlainWriting)


def test_texts_are_written_together_as_alone(tiny_folder: Path, tmp_path: Path) -> None:
    model, tokenizer = load_softmax(tiny_folder), Tokenizer(tiny_folder)
    fast = writer_of(model, tiny_folder, tmp_path / "file.safetensors")
    prompts = [IDS[:5], IDS[20:26], IDS[30:90], IDS[60:70]]
    texts = [""] * 4
    for number, piece in generate(fast, tokenizer, None, prompts, 30, 16):
        texts[number] += piece
    for text, prompt in zip(texts, prompts, strict=True):
        alone = generate(fast, tokenizer, None, [prompt], 30, 16)
        assert text == "".join(piece for _, piece in alone)


@pytest.mark.parametrize("texts", [1, 2])
def test_what_is_looked_up_changes_nothing(
    pair: tuple[SoftmaxModel, Writer], tiny_folder: Path, texts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tiny models repeat themselves: many tokens are found before, and tried."""
    _, fast = pair
    tokenizer, prompts = Tokenizer(tiny_folder), [IDS[number : number + 40] * 2 for number in range(texts)]
    monkeypatch.setattr(tokenizer, "stop_ids", frozenset())
    tried: list[int] = []
    draft = Lookup.draft

    def counted(self: Lookup, count: int) -> list[int]:
        found = draft(self, count)
        tried.append(len(found))
        return found

    def written() -> list[str]:
        found = [""] * texts
        for number, piece in generate(fast, tokenizer, None, prompts, 60):
            found[number] += piece
        return found

    monkeypatch.setattr(Lookup, "draft", counted)
    guessed, steps = written(), len(tried)
    monkeypatch.setattr(Lookup, "draft", lambda self, count: [])
    assert guessed == written()
    assert sum(tried) > 0 and steps <= 60 * texts


@pytest.mark.weights
@pytest.mark.parametrize("name", ["smollm2-135m", "qwen2.5-coder-0.5b"])
def test_real_weights_lose_nothing_that_shows(name: str, weights_folder: Path, tmp_path: Path) -> None:
    """Of 30 tokens of a text, the surprise at each stays what it is in bfloat16."""
    folder = locate(name, weights_folder).path
    model, tokenizer = load_softmax(folder), Tokenizer(folder)
    ids = tokenizer.encode((Path(__file__).parents[2] / "LICENSE").read_text())[:130]
    state = state_after(model, ids[:100], None)
    writing = begun(writer_of(model, folder, tmp_path / "file.safetensors"), state)
    plain = PlainWriting(model, [state], 16)
    losses = []
    for token, following in pairwise(ids[100:]):
        both = [torch.tensor(way.step([[token]])).log_softmax(dim=1)[0, following] for way in (writing, plain)]
        losses.append(both)
    fast, slow = torch.tensor(losses).mean(dim=0)
    assert abs(float(fast - slow)) < 0.03
