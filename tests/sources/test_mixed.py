"""A folder of everything that people have, good and bad: each file is read or told."""

import gzip
import os
from pathlib import Path

import pytest
from formats import docx, epub, html, mailbox, message, notebook, pptx, subtitles, xlsx, zipped
from pdfs import encrypted, pdf, showing, without_map

from mmxcli.sources.document import Document
from mmxcli.sources.open import open_sources
from mmxcli.sources.segment import Gap, Segment

BOOK = [("The harbour", ["Ingrid Solheim built it."]), ("The storm", ["The gale took the pier."])]
MAIL = message("Ship", "The gale took the pier.")


def nested(depth: int) -> bytes:
    data = zipped({"zeros": b"0" * (1 << 24)})
    for _ in range(depth):
        data = zipped({f"{number}.zip": data for number in range(8)})
    return data


def with_entities() -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    body = f'<!DOCTYPE x [<!ENTITY a0 "ha">{entities}]><w:document><w:body><w:p>&a9;</w:p></w:body></w:document>'
    return zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": body})


GOOD = {
    "text.txt": b"The gale took the pier.\n",
    "wrong name.jpg": b"The gale took the pier.\n",
    "chinese.txt": "北京是中华人民共和国的首都,港口在东边。\n".encode("gb18030") * 9,
    "page.html": html(BOOK),
    "book.epub": epub(BOOK),
    "report.docx": docx(BOOK),
    "report.pdf": docx(BOOK),  # the content says what it is
    "slides.pptx": pptx(BOOK),
    "prices.xlsx": xlsx({"Prices": [["Pier", 7.0]]}),
    "notes.ipynb": notebook(BOOK),
    "mail.eml": MAIL,
    "inbox.mbox": mailbox([MAIL] * 3),
    "film.srt": subtitles([(5, "The gale took the pier.")]),
    "manual.pdf": pdf(showing("The gale took the pier.")),
    "log.gz": gzip.compress(b"The gale took the pier.\n" * 9),
    "table.csv": b",".join(b"%d" % n for n in range(300_000)) + b"\n",
    "up.zip": zipped({"../../etc/passwd": "root", "/etc/shadow": "none"}),
}
BAD = {
    "locked.pdf": (encrypted(pdf(showing("secret")), "password"), "encrypted"),
    "cut.docx": (docx(BOOK)[:300], "broken|damaged|cut|archive"),
    "cut.pdf": (pdf(showing("One"))[:200], "broken PDF"),
    "bomb.zip": (nested(4), "times its size|deep"),
    "entities.docx": (with_entities(), "document.xml is damaged"),
    "circle.pdf": (pdf(showing("x")).replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]"), "broken PDF|no text layer"),
    "glyphs.pdf": (without_map("by glyph"), "garbled"),
    "out.ipynb": (notebook(BOOK, "0123456789" * 3_000_000), "its output beyond"),
    "picture.png": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "binary"),
}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mixed")
    for name, data in {**GOOD, **{name: data for name, (data, _) in BAD.items()}}.items():
        (folder / name).write_bytes(data)
    (folder / "nothing.txt").touch()  # in a folder there is nothing to tell of it
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt")).write_bytes(b"The gale took the pier.\n")
    return folder


def test_every_file_is_accounted_for(mixed: Path) -> None:
    read, gaps = dict[str, str](), list[Gap]()
    for item in open_sources([str(mixed)]):
        for part in item.segments() if isinstance(item, Document) else [item]:
            if isinstance(part, Segment):
                read[part.source] = read.get(part.source, "") + part.text
            elif isinstance(part, Gap):
                gaps.append(part)
    names = {name.removeprefix(f"{mixed}/").split("/")[0] for name in [*read, *(gap.source for gap in gaps)]}
    assert names == {*GOOD, *BAD, "caf\N{REPLACEMENT CHARACTER}.txt", " (tree)"}
    for name in GOOD:
        text = "".join(read[there] for there in read if there.removeprefix(f"{mixed}/").split("/")[0] == name)
        assert "gale" in text or name in ("chinese.txt", "prices.xlsx", "table.csv", "up.zip"), name
        assert not [gap for gap in gaps if gap.source == f"{mixed}/{name}"]
    for name, (_, reason) in BAD.items():
        told = [gap.reason for gap in gaps if gap.source.startswith(f"{mixed}/{name}")]
        assert told and any(part in one for one in told for part in reason.split("|")), (name, told)
