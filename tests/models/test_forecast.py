"""What is predicted of a reading, against what reading does."""

import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import make_model
from tiny_families import LIBRARY_FAMILIES
from transformers import CONFIG_MAPPING

from mmxcli.models.anatomy import Quant
from mmxcli.models.blueprint import read_blueprint
from mmxcli.models.forecast import BEGUN, _example, _rehearsed, forecast
from mmxcli.models.foreseen import FILE, GOOD_S, Forecast, Point, foreseen
from mmxcli.models.load import load_model
from mmxcli.models.trace import Recorder, Trace, trace

FAMILIES = ("qwen2", "mamba2", "qwen3_next")
points = st.lists(st.integers(0, 50), min_size=1, max_size=4, unique=True).map(sorted)
seconds = st.lists(st.floats(0.1, 10), min_size=4, max_size=4)


@given(depths=points, heights=seconds, slope=st.floats(0, 0.1), chunks=st.integers(1, 40))
def test_a_reading_takes_the_sum_of_its_chunks(
    depths: list[int], heights: list[float], slope: float, chunks: int
) -> None:
    """Points lie where chunks begin, so that the line between two is exact but for its bend in the middle of one."""
    size = 64
    line = tuple(Point(depth * size + size / 2, height) for depth, height in zip(depths, heights, strict=False))
    found = Forecast(size, line, slope, 0)
    expected = sum(found.chunk_seconds(number * size) for number in range(chunks))
    assert found.seconds(chunks * size) == pytest.approx(expected, rel=1e-6)


def test_nothing_takes_no_time() -> None:
    assert Forecast(64, (Point(0, 1.0),), 0.5, 0, 3.0).seconds(0) == 0


def test_what_is_compiled_first_is_counted_once() -> None:
    with_it, without = (Forecast(64, (Point(0, 1.0),), 0.5, 0, begin_s) for begin_s in (3.0, 0.0))
    for tokens in (1, 64, 10_000):
        assert with_it.seconds(tokens) == pytest.approx(without.seconds(tokens) + 3)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_operations_are_those_that_run(family: str, tmp_path: Path) -> None:
    """The model on the meta device asks torch for what the real one asks for, whatever the second chunk's state."""
    folder = make_model(tmp_path, family)
    recorder, model = Recorder(), load_model(folder)
    state = model.new_state()
    model.advance(state, [1] * 16)
    with recorder:
        model.advance(state, [1] * 64)
    told = _second_chunk(folder)
    assert _named(told.counts) == _named(recorder.counts)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_weights_of_a_skeleton_take_no_memory(family: str, tmp_path: Path) -> None:
    model = read_blueprint(make_model(tmp_path, family), family).skeleton("none")
    network = getattr(model, "network", None)
    weights = network.parameters() if network is not None else model.weights.values()  # type: ignore[attr-defined]
    assert all(weight.device.type == "meta" for weight in weights)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_forecast_has_a_time_for_every_length(family: str, tmp_path: Path) -> None:
    found = forecast(read_blueprint(make_model(tmp_path, family), family), "none", None, "memory", 32)
    times = [found.seconds(tokens) for tokens in (32, 320, 32_000)]
    assert 0 < times[0] < times[1] < times[2]
    assert found.activation_bytes > 0
    assert found.slope == 0 or family != "mamba2"  # a recurrence does not slow down


@pytest.mark.parametrize("family", LIBRARY_FAMILIES)
def test_every_family_can_be_rehearsed(family: str, tmp_path: Path) -> None:
    """With random numbers, all of which stay numbers; what is compiled first is counted once."""
    if family not in CONFIG_MAPPING:
        pytest.skip(f"the installed transformers does not know {family}")
    blueprint = read_blueprint(make_model(tmp_path, family), family)
    example = _example(blueprint, "none", 32)
    assert example
    logits = example.model.advance(example.model.new_state(), [1, 2, 3], "last")
    assert logits is not None and logits.isfinite().all()
    begin_s, seconds = _rehearsed(example, None, "memory", [BEGUN, 40], 32)
    assert begin_s >= 0 and min(seconds) > 0
    assert (
        _example(replace(blueprint, anatomy=replace(blueprint.anatomy, parameters_per_token=10**12)), "none", 32)
        is None
    )


@pytest.mark.parametrize(("quant", "window"), [("none", 48), ("int8", 48), ("nf4", None)])
def test_a_forecast_of_a_llama_like_model_is_of_all_its_layers(
    quant: Quant, window: int | None, tmp_path: Path
) -> None:
    """Which read longer than the few that are rehearsed, with a full window longer than at the beginning."""
    blueprint = read_blueprint(make_model(tmp_path, "qwen2"), "qwen2")
    deeper = replace(blueprint, config=replace(blueprint.config, layers=40 * blueprint.config.layers))
    one, other = (forecast(given, quant, window, "memory", 32) for given in (blueprint, deeper))
    assert other.seconds(320) > 10 * one.seconds(320)


def test_a_forecast_is_made_once_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blueprint, made = read_blueprint(make_model(tmp_path / "model", "qwen2"), "tiny"), list[Forecast]()

    def make(*_: object) -> Forecast:
        made.append(Forecast(32, (Point(16, 0.1 + len(made)), Point(64, 0.25)), 1e-9, 12345))
        return made[-1]

    def ask(window: int = 64, threads: int = torch.get_num_threads(), *, anew: bool = False) -> Forecast:
        return foreseen(blueprint, "none", window, "memory", 32, folder=tmp_path, threads=threads, anew=anew)

    monkeypatch.setattr("mmxcli.models.forecast.forecast", make)
    assert ask() == ask() == made[0] and len(made) == 1
    assert ask(128) == ask(128) == made[1]
    assert ask(anew=True) == ask() == made[2]
    for damaged in (
        b"",
        b"[]",
        b"{",
        b'{"a": 1}',
        *(_without(tmp_path, name) for name in ("points", "slope", "begin_s", "at")),
    ):
        (tmp_path / FILE).write_bytes(damaged)
        count = len(made)
        assert ask() == ask() == made[count] and len(made) == count + 1
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + GOOD_S)
    assert ask() is made[-1] and len(made) == count + 2


def _without(folder: Path, name: str) -> bytes:
    kept = json.loads((folder / FILE).read_bytes())
    return json.dumps({key: {**value, name: None} for key, value in kept.items()}).encode()


def _second_chunk(folder: Path) -> Trace:
    model = read_blueprint(folder, folder.name).skeleton("none")
    with torch.device("meta"):
        state = model.new_state()
    trace(model, state, 16)
    return trace(model, state, 64)


def _named(counts: Counter[object]) -> dict[str, int]:
    """Products by name: what else torch does to get there differs from device to device."""
    names: Counter[str] = Counter()
    for operation, count in counts.items():
        name = operation.function._schema.name.removeprefix("aten::")  # type: ignore[attr-defined]
        if name in ("mm", "addmm", "bmm", "baddbmm", "embedding", "convolution", "exp", "rsqrt"):
            names[name] += count
    return dict(names)
