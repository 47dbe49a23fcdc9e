"""Units that people read, and words that arrive in pieces."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mmxcli.render.units import ago, counted, duration, size
from mmxcli.render.wrap import WordWrap


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (491_400_064, "469 MiB"),
        (1 << 40, "1.0 TiB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (9.94, "9.9 s"), (12.3, "12 s"), (59.6, "1:00 min"), (185, "3:05 min"), (7830, "2:10 h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_ages() -> None:
    now = time.time()
    assert [ago(now - back) for back in (-5, 61, 7300, 86401 * 3)] == [
        "just now",
        "1 minute ago",
        "2 hours ago",
        "3 days ago",
    ]
    assert counted(1, "document") == "1 document"


PIECES = st.lists(st.text("ab é日 \n", max_size=9), max_size=20)


@given(PIECES, st.integers(4, 30))
def test_wrapped_lines_fit_and_keep_every_word(pieces: list[str], width: int) -> None:
    wrap = WordWrap(width)
    written = "".join(map(wrap.fed, pieces)) + wrap.rest()
    assert written.split() == "".join(pieces).split() or any(
        cell_len(word) >= width for word in "".join(pieces).split()
    )
    assert "".join(written.split()) == "".join("".join(pieces).split())
    for line in written.split("\n"):
        assert cell_len(line) <= width or any(cell_len(word) >= width for word in line.split())


@given(PIECES)
def test_without_a_width_nothing_changes(pieces: list[str]) -> None:
    wrap = WordWrap(None)
    assert "".join(map(wrap.fed, pieces)) + wrap.rest() == "".join(pieces)


def test_a_line_that_is_just_full_is_not_followed_by_an_empty_one() -> None:
    wrap = WordWrap(10)
    assert wrap.fed("the Coffin now ") + wrap.rest() == "the Coffin\nnow"
