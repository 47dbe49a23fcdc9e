"""An index that goes on from an earlier one finds what one made from nothing finds."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from indexes import segments, write

from mmxcli.errors import MmxError
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.renewal import is_worn, renewed
from mmxcli.recall.writer import Contained, IndexWriter

WORDS = (
    "harbour",
    "lighthouse",
    "col_max",
    "HelpFormatter",
    "gulls",
    "8.1.3",
    "\ud800",
    "漢字かな",
    "naïve",
    "of\n\n# Sea\n\n",
)
NAMES = ("a.txt", "b.py", "c é.md", "d\udc80.txt", "e.txt")
DOCUMENTS = st.dictionaries(
    st.sampled_from(NAMES),
    st.lists(st.lists(st.sampled_from(WORDS), max_size=300).map(" ".join), max_size=3),
    min_size=1,
)


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, st.sets(st.sampled_from(NAMES)), DOCUMENTS, st.booleans(), st.randoms())
def test_it_is_the_same_as_one_made_from_nothing(before, gone, after, pages, random):
    kept = {name: pieces for name, pieces in before.items() if name not in gone}
    added = {f"new {name}": pieces for name, pieces in after.items()}
    every = list((kept | added).items())
    random.shuffle(every)
    with tempfile.TemporaryDirectory() as folder:
        base = RecallIndex(write(Path(folder, "base"), before, pages))
        with closing(base), renewed(base, Path(folder, "new"), kept.keys()) as writer:
            for segment in segments(added, pages):
                writer.add(segment)
            writer.finish(documents=[Contained(name, "", None) for name, _ in every])
        expected = RecallIndex(write(Path(folder, "expected"), dict(every), pages))
        with closing(RecallIndex(Path(folder, "new"))) as index, closing(expected):
            assert index.sources == expected.sources
            assert index.count == expected.count
            for source in index.sources:
                assert list(index.blocks(source)) == list(expected.blocks(source))
            for question in ("harbour gulls", "col_max 8.1.3 formatter", "漢字", "Sea naïve lighthouse", "txt new"):
                assert found(index, question) == found(expected, question)
        with closing(sqlite3.connect(Path(folder, "new"))) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def found(index: RecallIndex, question: str) -> list[tuple[object, ...]]:
    hits = index.search(question, 10_000)
    return [(hit.passage.source, hit.passage.start, hit.passage.text, hit.passage.headings, hit.score) for hit in hits]


def test_documents_and_what_they_were(tmp_path: Path) -> None:
    with IndexOf(tmp_path / "base", {"a": ["one"], "b": [], "c": ["two"]}) as base:
        assert base.documents == (Contained("a", "a!", 1), Contained("b", "b!", 1), Contained("c", "c!", 1))
        with renewed(base, tmp_path / "new", {"b", "c"}) as writer:
            writer.finish(documents=[Contained("d", "4", 4), Contained("c", "c!", 1)])
    with closing(RecallIndex(tmp_path / "new")) as index:
        assert index.documents == (Contained("d", "4", 4), Contained("c", "c!", 1))
        assert index.sources == ("c",) and is_worn(index)  # the one that was taken out is as many as there are
    assert not (tmp_path / "new").stat().st_mode & 0o077


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with IndexOf(tmp_path / "base", {"a": ["one"]}) as base:
        with renewed(base, tmp_path / "left", {"a"}):
            pass  # never finished
        monkeypatch.setattr("shutil.copyfileobj", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(MmxError, match="No space left"):
            renewed(base, tmp_path / "full", {"a"})
    assert [file.name for file in tmp_path.iterdir()] == ["base"]


class IndexOf:
    """An index over these documents, each with a fingerprint and a token."""

    def __init__(self, path: Path, documents: dict[str, list[str]]) -> None:
        with IndexWriter(path) as writer:
            for segment in segments(documents):
                writer.add(segment)
            writer.finish(documents=[Contained(name, f"{name}!", 1) for name in documents])
        self.index = RecallIndex(path)

    def __enter__(self) -> RecallIndex:
        return self.index

    def __exit__(self, *_: object) -> None:
        self.index.close()
