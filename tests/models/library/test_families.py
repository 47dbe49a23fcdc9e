"""Every family continues exactly: the certificate is green for each, and red where a repair is left out."""

from pathlib import Path

import pytest
import torch
from contents import contents
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import FAMILIES, make_model
from tiny_families import LIBRARY_FAMILIES
from transformers import CONFIG_MAPPING, AutoModelForCausalLM

from mmxcli.errors import ModelError
from mmxcli.models.certificate import certify
from mmxcli.models.families.family import Family
from mmxcli.models.families.registry import FAMILIES as REGISTERED
from mmxcli.models.library.attention import NAME
from mmxcli.models.library.model import LibraryModel
from mmxcli.models.load import anatomy_of, load_model
from mmxcli.models.runner import Model
from mmxcli.models.softmax import SoftmaxModel
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.models.writing import Writer
from mmxcli.reading.generate import generate
from mmxcli.state.mixed import MixedState
from mmxcli.state.pages import PagedState

IDS = [(i * 7919 + 13) % 250 for i in range(200)]
REPAIRED = ("mamba", "falcon_mamba", "jamba", "zamba", "recurrent_gemma", "nemotron_h", "zamba2")


@pytest.fixture(scope="module", params=LIBRARY_FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param not in CONFIG_MAPPING:
        pytest.skip(f"the installed transformers does not know {request.param}")
    return make_model(tmp_path_factory.mktemp("family") / request.param, request.param)


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return load_model(folder)


def logits(model: Model, ids: list[int], sizes: list[int], window: int | None = None) -> torch.Tensor:
    """All logits, read in chunks of these sizes."""
    state, found, start = model.new_state(window), [], 0
    for size in sizes:
        found.append(model.advance(state, ids[start : start + size], "all"))
        start += size
    assert state.position == start == len(ids)
    return torch.cat([rows for rows in found if rows is not None])


def largest(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


def test_every_family_has_a_tiny_checkpoint() -> None:
    assert set(REGISTERED) - {"mistral"} == set(LIBRARY_FAMILIES)


def test_certificate_in_float32(folder: Path, model: Model) -> None:
    certificate = certify(model, anatomy_of(folder), folder.name)
    assert certificate.good, certificate
    assert certificate.max_logit_diff <= 1e-4 and certificate.spread is None


def test_certificate_in_bfloat16(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over half the text, since the narrow weights are compared in float32 too, with all that was tried above."""
    monkeypatch.setattr("mmxcli.models.certificate.TOKENS", 100)
    certificate = certify(load_model(folder, torch.bfloat16), anatomy_of(folder), folder.name)
    assert certificate.good, certificate
    assert certificate.spread is not None and certificate.spread <= 1.5
    assert certify(load_model(folder, torch.bfloat16), anatomy_of(folder), folder.name, short=True).good


@pytest.mark.parametrize("family", REPAIRED)
def test_without_its_repair_the_short_certificate_is_red(family: str, tmp_path: Path) -> None:
    """What transformers does by itself: the scan begins again at every chunk, the state stays in the module, a
    single token's step has no limit."""
    folder = make_model(tmp_path, family)
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation=NAME)
    certificate = certify(LibraryModel(network, Family()), anatomy_of(folder), family, short=True)
    assert not certificate.exact, certificate


@settings(max_examples=5, deadline=None)
@given(cuts=st.lists(st.integers(1, len(IDS) - 1), unique=True, max_size=12).map(sorted))
def test_cuts_change_nothing(folder: Path, model: Model, cuts: list[int]) -> None:
    sizes = [stop - start for start, stop in zip([0, *cuts], [*cuts, len(IDS)], strict=True)]
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    with torch.inference_mode():
        expected = reference(torch.tensor([IDS]), use_cache=False).logits[0]
    assert largest(logits(model, IDS, sizes), expected) <= 1e-4


def test_sums_are_float32_whatever_the_weights_are(folder: Path) -> None:
    model = load_model(folder, torch.bfloat16)
    state = model.new_state()
    model.advance(state, IDS)
    for layer in state.layers:
        assert isinstance(layer, MixedState)
        sums = contents(layer.parts["recurrence"]) if "recurrence" in layer.parts else {}
        assert all(tensor.dtype == torch.float32 for tensor in sums.values())


def test_a_fork_leaves_the_state_alone(model: Model) -> None:
    state = model.new_state()
    model.advance(state, IDS[:100])
    before = [{name: t.clone() for name, t in contents(layer).items()} for layer in state.layers]
    fork = state.fork()
    model.advance(fork, IDS[100:150])
    model.advance(fork, IDS[150:151])
    for layer, kept in zip(state.layers, before, strict=True):
        for name, tensor in contents(layer).items():
            assert torch.equal(tensor, kept[name])


def test_memory_is_as_the_anatomy_says(folder: Path) -> None:
    """The anatomy comes from the config alone; here are the bytes of a state in bfloat16 after 64 and 128 tokens."""
    anatomy, model, sizes = anatomy_of(folder), load_model(folder, torch.bfloat16), []
    state = model.new_state()
    for start in (0, 64):
        model.advance(state, IDS[start : start + 64])
        growing = fixed = 0
        for layer in state.layers:
            assert isinstance(layer, MixedState)
            for part in layer.parts.values():
                held = sum(tensor.nbytes for tensor in contents(part).values())
                growing += held if isinstance(part, PagedState) else 0
                fixed += 0 if isinstance(part, PagedState) else held
        sizes.append((growing, fixed))
    assert [growing for growing, _ in sizes] == [
        64 * anatomy.state_bytes_per_token,
        128 * anatomy.state_bytes_per_token,
    ]
    # A window keeps what the next token may see: one token less than itself.
    assert 0 <= anatomy.state_bytes_fixed - sizes[1][1] <= anatomy.state_bytes_fixed / 24 + 1
    real = sum(weight.numel() for weight in model.network.parameters()) if isinstance(model, LibraryModel) else 0
    assert anatomy.parameters == real


def test_a_window_bounds_the_memory_and_sees_the_sinks(model: Model, folder: Path) -> None:
    if folder.name == "bailing_hybrid":
        with pytest.raises(ModelError, match="window"):
            model.new_state(20)
        return
    state, sizes = model.new_state(20), []
    for _ in range(30):
        model.advance(state, IDS)
        sizes.append(state.bytes)
    assert max(sizes[10:]) == sizes[10]
    assert largest(logits(model, IDS, [70, 1, 79, 50], 20), logits(model, IDS, [200], 20)) <= 1e-4


def test_it_writes(folder: Path) -> None:
    """The loop that answers questions runs on every family."""
    model, tokenizer = load_model(folder), Tokenizer(folder)
    state = model.new_state()
    prompt = tokenizer.encode("The captain of the whaling ship")
    text = "".join(piece for _, piece in generate(Writer(lambda: model), tokenizer, [state], [prompt], 8))
    assert isinstance(text, str) and state.position >= len(prompt)


@pytest.mark.parametrize("family", FAMILIES)
def test_our_own_and_the_librarys_layers_agree(family: str, tmp_path: Path) -> None:
    """The families that softmax.py computes, read through the library's classes with the same states and windows."""
    folder = make_model(tmp_path, family)
    ours = load_model(folder)
    assert isinstance(ours, SoftmaxModel)
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation=NAME)
    theirs = LibraryModel(network, Family())
    for window in (None, 20):
        assert largest(logits(theirs, IDS, [70, 1, 129], window), logits(ours, IDS, [200], window)) <= 1e-4


def test_a_mistral_with_its_own_window(tmp_path: Path) -> None:
    folder = make_model(tmp_path, "mistral", sliding_window=24)
    model = load_model(folder)
    assert isinstance(model, LibraryModel)
    assert certify(model, anatomy_of(folder), "mistral").good
    assert anatomy_of(folder).state_bytes_per_token == 0


@pytest.mark.parametrize("store", ["disk", "int8"])
def test_ways_to_keep_pages(tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Disk is bit for bit what memory is. int8 differs a little, and cuts change next to nothing: only a value at the
    border between two codes falls to the other side when rounding differs in its last bit."""
    monkeypatch.setattr("mmxcli.state.pages.PAGE", 32)
    model = load_model(make_model(tmp_path, "falcon_h1"))

    def read(store: str, sizes: list[int]) -> torch.Tensor:
        state, found, start = model.new_state(None, store), [], 0
        for size in sizes:
            found.append(model.advance(state, IDS[start : start + size], "all"))
            start += size
        return torch.cat([rows for rows in found if rows is not None])

    exact, whole = read("memory", [70, 1, 79, 50]), read(store, [70, 1, 79, 50])
    if store == "disk":
        assert torch.equal(exact, whole)
    else:
        assert 0 < largest(whole, exact) < 0.05
    assert largest(read(store, [1, 150, 49]), whole) <= (1e-4 if store == "disk" else 2e-3)
