"""Messages between two processes of one user: a length, and so many bytes of JSON, with open files beside them."""

import json
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

Message = dict[str, Any]
MOST_BYTES = 8 << 20  # of a message: more than the arguments and the environment of a process, or a segment, can be
_LENGTH = struct.Struct(">I")


class Broken(Exception):
    """The other end has gone, or does not speak as we do, or, where `silent`, has not spoken in time."""

    silent = False


def send(connection: socket.socket, message: Message, files: Sequence[int] = ()) -> None:
    """`files`: descriptors of open files that the other end gets too. Raises Broken."""
    data = json.dumps(message).encode()
    try:
        socket.send_fds(connection, [_LENGTH.pack(len(data))], files)
        connection.sendall(data)
    except OSError as error:
        raise Broken(str(error)) from error


def receive(connection: socket.socket, files: int = 0) -> tuple[Message, list[int]]:
    """A message and the open files that came with it, `files` at most. Raises Broken."""
    came: list[int] = []
    try:
        head, came, _, _ = socket.recv_fds(connection, _LENGTH.size, files)
        head += _exactly(connection, _LENGTH.size - len(head))
        (length,) = _LENGTH.unpack(head)
        if length > MOST_BYTES:
            raise Broken("a message is too long")
        message = json.loads(_exactly(connection, length))
    except (OSError, ValueError, RecursionError) as error:
        close(came)
        broken = Broken(str(error))
        broken.silent = isinstance(error, TimeoutError)
        raise broken from error
    except Broken:
        close(came)
        raise
    if not isinstance(message, dict):
        close(came)
        raise Broken("a message is no object")
    return message, came


def close(files: Sequence[int]) -> None:
    for file in files:
        os.close(file)


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise Broken("the other end has gone")
        data += part
    return bytes(data)
