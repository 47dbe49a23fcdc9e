"""Lines out of bytes: every one is there or counted, however the bytes come."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmxcli.errors import UsageError
from mmxcli.sources.lines import LONGEST, Line, LineCutter

LINES = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.integers(LONGEST - 2, 2 * LONGEST).map(lambda size: "é".encode() * (size // 2)),
    ).map(lambda line: line.replace(b"\n", b"")),
    max_size=8,
)


def cut(pieces: list[bytes]) -> tuple[list[Line], LineCutter]:
    cutter = LineCutter()
    lines = [line for piece in pieces for line in cutter.feed(piece)]
    return [*lines, *cutter.rest()], cutter


@given(LINES, st.booleans(), st.lists(st.integers(0, 60_000), max_size=8))
def test_every_line_is_there_once_with_its_number_wherever_the_bytes_part(
    lines: list[bytes], ended: bool, places: list[int]
) -> None:
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    ends = sorted({0, len(data), *(place for place in places if place < len(data))})
    found, cutter = cut([data[start:end] for start, end in pairwise(ends)])
    whole, at_once = cut([data])
    assert (found, cutter.lost) == (whole, at_once.lost)
    expected = data.split(b"\n")[: data.count(b"\n") + (not data.endswith(b"\n"))] if data else []
    assert [line.number for line in found] == list(range(1, len(expected) + 1))
    assert cutter.end == len(data)
    assert cutter.lost.cut_bytes == sum(max(0, len(line) - LONGEST) for line in expected)
    assert cutter.lost.cut_lines == sum(len(line) > LONGEST for line in expected)
    for line, raw in zip(found, expected, strict=True):
        if len(raw) <= LONGEST and not cutter.lost.undecoded_bytes and line.readable:
            assert line.text == raw.decode().removesuffix("\r")


def test_a_line_without_end_takes_no_more_memory_than_a_long_one() -> None:
    cutter = LineCutter()
    for _ in range(1000):
        assert not list(cutter.feed(b"x" * 65536))
    assert len(cutter._begun) == LONGEST
    (line,) = cutter.feed(b"\n")
    assert line.text == "x" * LONGEST
    assert cutter.lost.cut_bytes == 1000 * 65536 - LONGEST


def test_what_is_no_text_is_counted_and_the_rest_goes_on() -> None:
    found, cutter = cut([bytes(range(32)) * 4, b"\n", "caf\xe9 and more\n".encode("latin-1"), b"fine\n"])
    assert [line.readable for line in found][-2:] == [True, True]
    assert [line.text for line in found][-2:] == ["caf\ufffd and more", "fine"]
    assert cutter.lost.undecoded_bytes == 1
    assert cutter.lost.binary_lines >= 1


def test_an_encoding_with_other_ends_of_lines_is_refused() -> None:
    with pytest.raises(UsageError, match="utf-16"):
        LineCutter("utf-16-le")
