"""How a text will be read follows from its length, the model and the settings."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmxcli.config import Settings
from mmxcli.errors import BudgetError
from mmxcli.models import gpu
from mmxcli.models.minimax.known import TEXT_01
from mmxcli.models.shape import Shape
from mmxcli.reading.policy import GPU_CHUNK, ROOM_FOR_ANSWER, SOFTMAX_WINDOW, Policy

SHAPE = Shape("llama", 30, 576, 9, 3, 64, 1536, 49152, 8192, 1e5, 1e-5, True).anatomy()


def policy(**values: object) -> Policy:
    return Policy(replace(Settings(), **values), SHAPE, 269_000_000)  # type: ignore[arg-type]


@given(tokens=st.integers(1, 10**7), window=st.integers(16, 10**5), read=st.sampled_from(["auto", "full", "recall"]))
def test_what_is_seen_stays_in_the_trained_window(tokens: int, window: int, read: str) -> None:
    chosen = policy(window=window, read=read)
    seen = chosen.window(tokens) or tokens
    assert seen + ROOM_FOR_ANSWER <= SHAPE.trained_window
    assert seen <= max(window, tokens)
    if read != "auto":
        assert chosen.mode(tokens) == read
    elif chosen.mode(tokens) == "full":
        assert chosen.window(tokens) is None


@given(tokens=st.integers(1, 10**7))
def test_memory_does_not_grow_beyond_the_window(tokens: int) -> None:
    chosen = policy(read="full")
    assert chosen.peak_bytes(tokens) <= chosen.peak_bytes(SOFTMAX_WINDOW)


def test_the_budget_is_kept() -> None:
    """A copy of the weights to write with is made only where there is room for it too."""
    needed = policy(memory=1).peak_bytes(5000)
    assert not policy(memory=needed).writes_in_8_bits(5000)
    assert policy(memory=2 * needed).writes_in_8_bits(5000) and policy(memory=2 * needed).peak_bytes(5000) > needed
    policy(memory=needed).check_budget(5000)
    with pytest.raises(BudgetError, match="smaller model"):
        policy(memory=needed - 1).check_budget(5000)


def test_chunks_are_larger_where_a_token_uses_few_experts() -> None:
    minimax = Policy(Settings(memory=2**41), TEXT_01.anatomy(), 2 * TEXT_01.anatomy().parameters)
    assert policy().chunk == 512
    assert minimax.chunk == 4096  # 32 experts, two of them for each token
    assert replace(minimax, settings=Settings(memory=2**30)).chunk == 8192  # read from disk for every chunk
    assert policy(chunk=7).chunk == replace(minimax, settings=Settings(chunk=7)).chunk == 7


@pytest.mark.parametrize(("gib", "quant"), [(6, "float32"), (3, "none"), (2, "int8"), (1, "nf4")])
def test_what_is_computed_sooner_in_float32_is_kept_so_where_it_fits(gib: int, quant: str) -> None:
    """Twice as wide, and so are its keys and values; nobody has asked for it to be rounded then."""
    anatomy = replace(SHAPE, parameters=10**9, parameters_per_token=10**9, family="bamba", memory="hybrid")
    chosen = Policy(Settings(memory=gib << 30), anatomy, 2 * 10**9, widens=True)
    assert chosen.quant == quant
    narrow = replace(chosen, widens=False)
    wide = 2 if quant == "float32" else 1
    assert chosen.kept_bytes(1000) == wide * narrow.kept_bytes(1000)
    assert replace(chosen, settings=Settings(memory=gib << 30, quant="none")).quant == "none"
    assert chosen.peak_bytes(0) <= chosen.budget


@pytest.mark.parametrize(("billions", "quant"), [(1, "none"), (3, "int8"), (6, "nf4")])
def test_what_a_gpu_has_no_room_for_is_packed(billions: int, quant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "memory_of", lambda _: (4 << 30, 6 << 30))
    anatomy = replace(SHAPE, parameters=billions * 10**9, parameters_per_token=billions * 10**9)
    chosen = Policy(Settings(device="cuda"), anatomy, 2 * billions * 10**9)
    assert chosen.quant == quant
    assert chosen.chunk == GPU_CHUNK
    assert not chosen.writes_in_8_bits(1000)  # the processor does not write beside a GPU
