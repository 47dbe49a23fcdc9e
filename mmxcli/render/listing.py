"""Stored readings, models and checks: a few lines each for a person, one object each for a program."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mmxcli.render import json
from mmxcli.render.escape import one_line
from mmxcli.render.output import Output
from mmxcli.render.units import ago, duration, parameters, size
from mmxcli.sources.choice import few

if TYPE_CHECKING:  # at run time a list needs only what it is given
    from mmxcli.models.certificate import Certificate
    from mmxcli.state.conversations import StoredConversation
    from mmxcli.tasks.bench import Bench
    from mmxcli.tasks.doctor import Check
    from mmxcli.tasks.models import ModelCard
    from mmxcli.tasks.plan import Plan
    from mmxcli.tasks.states import StoredReading, Verdict

WIDTHS = {"float32": "in float32", "none": "in bfloat16", "int8": "in 8 bits", "nf4": "in 4"}
Item = TypeVar(
    "Item", "StoredReading", "ModelCard", "Certificate", "Plan", "Check", "Verdict", "Bench", "StoredConversation"
)


def show(output: Output, items: Iterable[Item], describe: Callable[[Output, Item], None], *, as_json: bool) -> None:
    """Every item: as one object, or as `describe` writes it."""
    for item in items:
        if as_json:
            record = asdict(item)
            if "snapshots" in record:  # which files hold them is for mmx alone
                record["snapshots"] = [snapshot["position"] for snapshot in record["snapshots"]]
            json.write(output, {key: str(v) if isinstance(v, Path) else v for key, v in record.items()})
        else:
            describe(output, item)


def reading(output: Output, item: "StoredReading") -> None:
    if not item.readable:
        output.line(f"{item.id}  cannot be read: `mmx states verify {item.id}` tells why", "bold")
        return
    until = f", up to {item.upto}" if item.upto else ""
    output.line(f"{item.id}  {one_line(few(item.sources))}{until}", "bold")
    part = f"{item.tokens:,}" if item.complete else f"{item.read_tokens:,} of {item.tokens:,}"
    output.line(f"{part} tokens, {item.mode}, {item.model}, {size(item.bytes)}, {ago(item.updated)}", indent=2)


def verdict(output: Output, item: "Verdict") -> None:
    word, style = ("whole", "green") if item.whole else ("DAMAGED", "bold red")
    output.line(f"{item.id}  {word}  {size(item.bytes)}  {one_line(few(item.sources))}", style)
    for line in item.damage:
        output.line(one_line(line), indent=2)


def model(output: Output, item: "ModelCard") -> None:
    there = size(item.bytes) + (" here" if item.installed else " to fetch")
    output.line(f"{one_line(item.name)}  {there}", "bold" if item.installed else "")
    output.line(f"{item.summary} ({item.licence})", indent=2)
    if item.family:
        window = f", trained window {item.trained_window:,} tokens" if item.trained_window else ""
        output.line(f"family {item.family}, memory {item.memory}{window}", indent=2)
    if item.state_bytes_per_token is not None:
        fixed = f"{size(item.state_bytes_fixed)} and " if item.state_bytes_fixed else ""
        output.line(f"state {fixed}{size(item.state_bytes_per_token)} a token", indent=2)
    if item.parameters is not None and item.weight_bytes is not None:
        sizes = ", ".join(f"{size(count)} {WIDTHS[quant]}" for quant, count in item.weight_bytes.items())
        output.line(f"{parameters(item.parameters)} parameters: {sizes}", indent=2)


def certificate(output: Output, item: "Certificate") -> None:
    verdict = "continues exactly" if item.good else "does NOT continue exactly: mmx will not use it"
    output.line(f"{one_line(item.checkpoint)}: {verdict}", "bold green" if item.good else "bold red")
    quant = "" if item.quant in ("none", item.dtype) else f", {item.quant}"
    output.line(f"family {item.family}, {item.dtype}{quant}, memory {item.memory}", indent=2)
    limits = f"{item.max_logit_diff:.1e} of the logits' scale, {item.tolerance:.0e} allowed"
    output.line(f"read in pieces against one pass: at most {limits}", indent=2)
    if item.spread is not None:
        output.line(f"distance from float32, against one pass in {item.dtype}: {item.spread:.2f} times", indent=2)
    resumed = "bit for bit" if item.resume_bitwise else "NOT bit for bit"
    output.line(f"a state that is stored and loaded goes on {resumed}", indent=2)
    if not item.finite:
        output.line("some logits are infinite or not numbers", "red", indent=2)
    sizes = ", ".join(str(piece) for piece in sorted({size for pieces in item.chunkings for size in pieces}))
    output.line(f"{len(item.chunkings)} ways to cut, pieces of {sizes} tokens", indent=2)
    output.line(f"state {size(item.state_bytes_fixed)} and {size(item.state_bytes_per_token)} a token", indent=2)


def plan(output: Output, item: "Plan") -> None:
    output.line(f"{one_line(item.model)}: {item.tokens:,} tokens, read in full", "bold")
    weights = ", ".join(f"{size(count)} {WIDTHS[quant]}" for quant, count in item.weight_bytes.items())
    output.line(f"weights      {weights}, of {parameters(item.parameters)} parameters", indent=2)
    kept = "all tokens" if item.window is None else f"the last {item.window:,} tokens"
    where = {"memory": "", "disk": ", mapped from disk", "int8": ", rounded to 8 bits"}[item.kv_cache]
    pairs = f"{size(item.kv_bytes)} keys and values of {kept}{where}" if item.kv_bytes else "of fixed size"
    output.line(
        f"state        {size(item.state_bytes)} and {pairs}" if item.state_bytes else f"state        {pairs}", indent=2
    )
    verdict = "fits" if item.fits else "does not fit"
    there = f"{size(item.budget_bytes)} there are, of {size(item.machine_bytes)}"
    output.line(f"peak memory  {size(item.peak_bytes)}: {verdict} the {there}", "" if item.fits else "yellow", indent=2)
    if item.possible:
        output.line(f"time         {duration(item.read_s)}, {item.tokens_per_s:,.3g} tokens a second", indent=2)
    else:
        output.line("time         it cannot be read here", indent=2)
    if item.disk_s:
        rate = f"{item.disk_bytes_per_s / 1e9:.0f} GB/s assumed"
        output.line(
            f"of which {duration(item.disk_s)} to read from disk again for every chunk what does not fit ({rate})",
            indent=15,
        )
    for line in item.advice:
        output.line(line, indent=2)


def check(output: Output, item: "Check") -> None:
    word, style = {True: ("ok", "green"), False: ("no", "red"), None: ("--", "dim")}[item.ok]
    output.line(f"{word}  {item.name}: {one_line(item.detail)}", style)
    if item.advice:
        output.line(item.advice, indent=4)
