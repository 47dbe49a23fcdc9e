"""Whatever happens to the process that parses, the reader goes on."""

import os
import signal
import time
from pathlib import Path

import pytest
from everything import everything
from formats import docx, html, zipped
from pdfs import pdf, showing

from mmxcli.sources import worker
from mmxcli.sources.document import Document
from mmxcli.sources.open import open_sources
from mmxcli.sources.segment import Gap, Segment
from mmxcli.sources.worker import Isolated, _Worker

BOOK = [("The harbour", ["Ingrid Solheim built it."])]


@pytest.fixture
def page(tmp_path: Path) -> Document:
    (tmp_path / "page.html").write_bytes(html(BOOK * 200))
    (found,) = open_sources([str(tmp_path / "page.html")])
    assert isinstance(found, Document)
    return found


def test_one_process_reads_one_document_after_another(page: Document) -> None:
    first = list(page.segments())
    process = _Worker.current()._process.pid
    assert list(page.segments()) == first and _Worker.current()._process.pid == process


def test_one_that_is_killed_is_told_and_replaced(page: Document) -> None:
    found = page.segments()
    got = [next(found)]
    _Worker.current()._process.send_signal(signal.SIGSTOP)
    os.kill(_Worker.current()._process.pid, signal.SIGKILL)
    got += list(found)
    assert isinstance(got[-1], Gap) and "the parser crashed" in got[-1].reason
    assert not any(isinstance(item, Gap) for item in page.segments())


def test_one_that_is_silent_is_ended(page: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SILENCE", 0.5)
    list(page.segments())
    process = _Worker.current()._process
    process.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    (gap,) = page.segments()
    assert isinstance(gap, Gap) and gap.reason.endswith("nothing new came for 0 s")
    assert time.monotonic() - begun < 10 and process.poll() is not None


def test_who_has_seen_enough_leaves_nothing_behind(page: Document) -> None:
    found = page.segments()
    next(found)
    process = _Worker.current()._process
    found.close()  # type: ignore[attr-defined]
    assert process.poll() is not None
    assert [item.text for item in page.segments() if isinstance(item, Segment)]


def test_memory_is_limited(tmp_path: Path) -> None:
    """A document that unpacks to far more than it may: the process dies, the reader does not."""
    body = b"<w:p><w:r><w:t>" + b"x" * (240 << 20) + b"</w:t></w:r></w:p>"
    space = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    document = b"<w:document " + space + b"><w:body>" + body + b"</w:body></w:document>"
    (tmp_path / "bomb.docx").write_bytes(zipped({"word/document.xml": document}))
    (tmp_path / "good.docx").write_bytes(docx(BOOK))
    segments, gaps = everything(open_sources([str(tmp_path / "bomb.docx"), str(tmp_path / "good.docx")]))
    assert sum(len(segment.text) for segment in segments if segment.source.endswith("bomb.docx")) in (
        0,
        (240 << 20) + 1,
    )
    assert gaps or segments
    assert any("Ingrid Solheim" in segment.text for segment in segments)


def test_entities_do_not_multiply(tmp_path: Path) -> None:
    lines = [f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12)]
    bomb = f'<!DOCTYPE w [<!ENTITY e0 "lol">{"".join(lines)}]>'
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    text = f"{bomb}<w:document {space}><w:body><w:p><w:r><w:t>a&e12;b</w:t></w:r></w:p></w:body></w:document>"
    (tmp_path / "bomb.docx").write_bytes(zipped({"word/document.xml": text}))
    begun = time.monotonic()
    segments, gaps = everything(open_sources([str(tmp_path / "bomb.docx")]))
    assert sum(len(segment.text) for segment in segments) < 1000 and (segments or gaps)
    assert time.monotonic() - begun < 20


def test_nothing_is_fetched_from_outside(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret")
    entity = f'<!DOCTYPE w [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    text = f"{entity}<w:document {space}><w:body><w:p><w:r><w:t>a&e;b</w:t></w:r></w:p></w:body></w:document>"
    (tmp_path / "leak.docx").write_bytes(zipped({"word/document.xml": text}))
    segments, _ = everything(open_sources([str(tmp_path / "leak.docx")]))
    assert "secret" not in "".join(segment.text for segment in segments)


def test_pages_read_before_the_end_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "book.pdf").write_bytes(pdf(*[showing(f"Page {n}") for n in range(1, 400)]))
    (document,) = open_sources([str(tmp_path / "book.pdf")])
    assert isinstance(document, Document) and isinstance(document.reader, Isolated)
    found = document.segments()
    items = [next(found) for _ in range(5)]
    _Worker.current()._process.kill()
    items += list(found)
    assert isinstance(items[-1], Gap) and items[-1].reason.startswith("reading stopped after page ")


def test_modules_in_the_working_folder_are_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lxml", "psutil", "socket", "zipfile"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    (tmp_path / "good.docx").write_bytes(docx(BOOK))
    monkeypatch.chdir(tmp_path)
    _Worker.current().end()
    segments, gaps = everything(open_sources(["good.docx"]))
    assert any("Ingrid Solheim" in segment.text for segment in segments) and not gaps
    assert not (tmp_path / "ran").exists()
