"""Stored readings, models and checks: a few lines each for a person, one object each for a program."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mmxcli.render import json
from mmxcli.render.escape import one_line
from mmxcli.render.output import Output
from mmxcli.render.units import ago, size

if TYPE_CHECKING:  # at run time a list needs only what it is given
    from mmxcli.tasks.doctor import Check
    from mmxcli.tasks.models import ModelCard
    from mmxcli.tasks.states import StoredReading

Item = TypeVar("Item", "StoredReading", "ModelCard", "Check")


def show(output: Output, items: Iterable[Item], describe: Callable[[Output, Item], None], *, as_json: bool) -> None:
    """Every item: as one object, or as `describe` writes it."""
    for item in items:
        if as_json:
            record = asdict(item)
            json.write(output, {key: str(v) if isinstance(v, Path) else v for key, v in record.items()})
        else:
            describe(output, item)


def reading(output: Output, item: "StoredReading") -> None:
    output.line(f"{item.id}  {', '.join(map(one_line, item.sources))}", "bold")
    part = f"{item.tokens:,}" if item.complete else f"{item.read_tokens:,} of {item.tokens:,}"
    output.line(f"{part} tokens, {item.mode}, {item.model}, {size(item.bytes)}, {ago(item.updated)}", indent=2)


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


def check(output: Output, item: "Check") -> None:
    word, style = {True: ("ok", "green"), False: ("no", "red"), None: ("--", "dim")}[item.ok]
    output.line(f"{word}  {item.name}: {one_line(item.detail)}", style)
    if item.advice:
        output.line(item.advice, indent=4)
