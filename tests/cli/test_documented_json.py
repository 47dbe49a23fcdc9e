"""docs/json.md names the fields that there are, and no others."""

import json
import re
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from canned import Run

from mmxcli.models.certificate import Certificate
from mmxcli.render import json as render
from mmxcli.state.conversations import StoredConversation
from mmxcli.state.record import StoredReading
from mmxcli.tasks.doctor import Check
from mmxcli.tasks.events import Finding, Followed, MoreFound, Skipped
from mmxcli.tasks.models import ModelCard
from mmxcli.tasks.plan import Plan
from mmxcli.tasks.states import Verdict

PAGE = Path(__file__).parents[2] / "docs" / "json.md"
OPTIONAL = {"matched", "before", "after", "upto", "id", "focus", "nearest"}  # told of in words


def documented() -> list[Any]:
    """The objects on the page, in their order."""
    text = "".join(re.findall(r"^```json\n(.*?)^```", PAGE.read_text(), re.M | re.S)).strip()
    decoder, found = json.JSONDecoder(), list[Any]()
    while text:
        one, end = decoder.raw_decode(text)
        found.append(one)
        text = text[end:].strip()
    return found


def keys(value: Any, path: str = "") -> Iterator[str]:
    """The fields of an object and of what is in it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{path}{name}"
            yield from keys(inner, f"{path}{name}.")
    elif isinstance(value, list | tuple) and value:
        yield from keys(value[0], path)


def different(page: Any, told: Any, path: str = "") -> Iterator[str]:
    """Fields that one of the two has alone. What the page leaves empty, or ends with an ellipsis, is told elsewhere."""
    if isinstance(page, list) and page and told:
        yield from different(page[0], told[0], path)
    elif isinstance(page, dict) and page and "…" not in page:
        yield from (f"{path}{name}" for name in (page.keys() ^ told.keys()) - OPTIONAL)
        for name in page.keys() & told.keys():
            yield from different(page[name], told[name], f"{path}{name}.")


def declared(kind: Any, path: str = "") -> Iterator[str]:
    """The fields of a dataclass and of those in it."""
    hints = typing.get_type_hints(kind)
    for one in fields(kind):
        yield f"{path}{one.name}"
        for inner in (hints[one.name], *typing.get_args(hints[one.name])):
            if is_dataclass(inner) and one.name != "snapshots":  # of which only the positions are told
                yield from declared(inner, f"{path}{one.name}.")


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("resume_bitwise", Certificate),
        ("kv_cache", Plan),
        ("licence", ModelCard),
        ("maker", StoredReading),
        ("whole", Verdict),
        ("own_name", StoredConversation),
        ("advice", Check),
    ],
)
def test_what_a_listing_tells_is_documented(field: str, kind: Any) -> None:
    one = next(one for one in documented() if field in one and (kind is not Check or "detail" in one))
    weights = {"weight_bytes.none", "weight_bytes.int8", "weight_bytes.nf4"}  # a mapping by quantisation
    assert set(keys(one)) - weights == set(declared(kind))


def test_what_following_tells_is_documented() -> None:
    events = (
        Finding("?", "app.log", 1, "x", None, 0, Skipped()),
        MoreFound(1, 2, 3),
        Followed("?", "app.log", 9, 9, 1, 1, 0, Skipped(), None),
    )
    for event in map(render.followed, events):
        (one,) = (one for one in documented() if one.get("event") == event["event"])
        assert not set(different(one, event))


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("question", ("ask", "moby_dick.txt", "Who?")),
        ("summary", ("summarize", "moby_dick.txt")),
        ("documents", ("count", "moby_dick.txt")),
    ],
)
def test_what_a_command_tells_is_documented(canned: Run, field: str, arguments: tuple[str, ...]) -> None:
    one = next(one for one in documented() if field in one)
    told = json.loads(canned(*arguments, "--json").stdout)
    assert set(different(one, told)) <= {"read_s.recall", "memory_bytes.recall"}  # modes, as far as they can be told
