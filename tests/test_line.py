"""Messages between a command and the warm process."""

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmxcli.line import MOST_BYTES, Broken, receive, send

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(5)
        yield ours, theirs


@given(message=st.dictionaries(st.text(), JSON, max_size=5))
def test_what_is_sent_arrives(message: dict[str, Any]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send(ours, message)
        assert receive(theirs) == (message, [])


def test_bytes_of_a_name_that_is_no_text_arrive(line: tuple[socket.socket, socket.socket]) -> None:
    name = os.fsdecode(b"caf\xe9 \xff")
    send(line[0], {"folder": name})
    assert os.fsencode(receive(line[1])[0]["folder"]) == b"caf\xe9 \xff"


def test_open_files_arrive(line: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        send(line[0], {}, [file.fileno()])
    _, (came,) = receive(line[1], 3)
    os.write(came, b"through it")
    os.close(came)
    assert (tmp_path / "file").read_bytes() == b"through it"


@given(data=st.binary(max_size=64) | st.binary(max_size=40).map(lambda data: struct.pack(">I", len(data)) + data))
def test_what_is_no_message_is_broken_and_nothing_else(data: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(data)
        ours.close()
        try:
            message, files = receive(theirs, 3)
        except Broken:
            return
        assert isinstance(message, dict) and not files


def test_a_message_of_any_length_is_not_waited_for(line: tuple[socket.socket, socket.socket]) -> None:
    line[0].sendall(struct.pack(">I", MOST_BYTES + 1))
    with pytest.raises(Broken, match="too long"):
        receive(line[1])
