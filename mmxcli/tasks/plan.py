"""What reading a text of some length would take, from a model's config alone: the model need not be here."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import psutil

from mmxcli.config import Settings
from mmxcli.models.anatomy import QUANTS
from mmxcli.models.blueprint import Blueprint, find_blueprint
from mmxcli.models.registry import REGISTRY
from mmxcli.reading.outlook import DISK_BYTES_PER_S, look_ahead
from mmxcli.reading.policy import Policy
from mmxcli.tasks.events import Event, Note


@dataclass(frozen=True, slots=True)
class Plan:
    """A full reading of `tokens` tokens on this machine. Sizes are in bytes, times in seconds.

    `memory` is recurrent, hybrid, windowed or full. `weight_bytes` are those of the weights in memory by quantisation,
    `quant` the one that would be used. `state_bytes` do not grow with the text; `kv_bytes` are those of the keys and
    values that are kept at its end, of the last `window` tokens or, where that is None, of all. `peak_bytes` is the
    memory of it all, `budget_bytes` what there is now or what --memory allows, of the machine's `machine_bytes`.
    `fits` says that the one holds the other; `possible` that it can be read here, if need be with weights that are
    read from disk again for each chunk. `read_s` is the sum of `compute_s` and `disk_s`, the latter at
    `disk_bytes_per_s`, which is assumed. `advice` tells what would fit.
    """

    model: str
    family: str
    memory: str
    parameters: int
    tokens: int
    weight_bytes: dict[str, int]
    quant: str
    state_bytes: int
    kv_bytes: int
    kv_cache: str
    window: int | None
    chunk: int
    peak_bytes: int
    budget_bytes: int
    machine_bytes: int
    fits: bool
    possible: bool
    read_s: float
    compute_s: float
    disk_s: float
    disk_bytes_per_s: int
    tokens_per_s: float
    advice: tuple[str, ...]


def plan(settings: Settings, name: str, tokens: int) -> Generator[Event, None, Plan]:
    """Of the processor. Fetches nothing and reads no weights.

    Raises UsageError for a model that is not known, ModelError for a family that mmx does not run.
    """
    settings = replace(settings, device="cpu")
    blueprint = find_blueprint(name, settings.weights_folder)
    yield Note("timing the operations of one chunk on this machine")
    anatomy, policy = blueprint.anatomy, _policy(blueprint, settings)
    ahead = look_ahead(blueprint, policy, tokens, anew=True)
    store = policy.store(tokens)
    return Plan(
        model=name,
        family=anatomy.family,
        memory=policy.memory("full", tokens),
        parameters=anatomy.parameters,
        tokens=tokens,
        weight_bytes={quant: anatomy.weight_bytes(quant) for quant in dict.fromkeys((policy.quant, *QUANTS))},
        quant=policy.quant,
        state_bytes=anatomy.state_bytes_fixed,
        kv_bytes=policy.kept_bytes(tokens, store),
        kv_cache=store,
        window=policy.window(tokens),
        chunk=policy.chunk,
        peak_bytes=ahead.peak_bytes,
        budget_bytes=policy.budget,
        machine_bytes=psutil.virtual_memory().total,
        fits=ahead.fits,
        possible=ahead.possible,
        read_s=ahead.seconds,
        compute_s=ahead.compute_s,
        disk_s=ahead.disk_s,
        disk_bytes_per_s=DISK_BYTES_PER_S,
        tokens_per_s=tokens / ahead.seconds,
        advice=() if ahead.fits else tuple(_advice(blueprint, settings, tokens)),
    )


def _policy(blueprint: Blueprint, settings: Settings) -> Policy:
    return Policy(settings, blueprint.anatomy, blueprint.stored_bytes, widens=blueprint.widens)


def _advice(blueprint: Blueprint, settings: Settings, tokens: int) -> Iterator[str]:
    """What would fit, one change at a time; the first of each kind."""

    def fits(blueprint: Blueprint, **changes: Any) -> bool:
        policy = _policy(blueprint, replace(settings, **changes))
        return policy.peak_bytes(tokens, policy.store(tokens)) <= policy.budget

    for quant in QUANTS[1:]:
        if fits(blueprint, quant=quant):
            yield f"--quant {quant} would fit"
            break
    for store in ("disk", "int8"):
        if blueprint.anatomy.memory != "recurrent" and fits(blueprint, kv_cache=store):
            yield f"--kv-cache {store} would fit"
            break
    for power in range(20, 9, -1):
        if blueprint.anatomy.memory != "recurrent" and fits(blueprint, window=1 << power):
            yield f"--window {1 << power} would fit"
            break
    smaller = (entry for entry in reversed(REGISTRY.values()) if entry.shape is not None)
    for entry in smaller:
        if entry.shape and fits(Blueprint(entry.name, entry.shape, entry.shape.anatomy())):
            yield f"another model would fit: -m {entry.name}"
            break
