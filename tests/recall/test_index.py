import random
import sqlite3
import stat
import tracemalloc
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from indexes import opened, segments, write

from mmxcli.errors import DamagedError, MmxError
from mmxcli.recall import writer
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.select import select
from mmxcli.recall.writer import BLOCK, IndexWriter
from mmxcli.sources.segment import Place, Segment

LETTERS = random.Random(7)
NONSENSE = ["".join(LETTERS.choices("abcdefghijklmnop", k=6)) for _ in range(3000)]


def nonsense(words: int, seed: int) -> str:
    return " ".join(random.Random(seed).choices(NONSENSE, k=words)) + ". "


surrogates = st.text(st.characters(exclude_categories=()), max_size=40)  # lone surrogates too
texts = st.lists(
    st.one_of(surrogates, st.sampled_from(["line\n" * 1000, "z" * (BLOCK + 3), "\r\n\0é" * 50])), max_size=5
)


@settings(max_examples=60, deadline=None)
@given(texts, texts, st.booleans(), st.data())
def test_any_range_is_given_back_exactly_with_line_and_page(one, two, pages, data):
    documents = {"one \udc80?#": one, "two": two}
    with opened(documents, pages) as index:
        for source, pieces in documents.items():
            text = "".join(pieces)
            assert index.text(source, 0, len(text) + 5) == text
            start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
            assert index.text(source, start, end) == text[start:end]
            if start < len(text):
                line, page, place = index.origin(source, start)
                assert place is None
                assert line == 1 + text.count("\n", 0, start)
                ends = [len("".join(pieces[:n])) for n in range(1, len(pieces) + 1)]
                assert page == (next(n for n, e in enumerate(ends, 1) if start < e) if pages else None)
            with pytest.raises(KeyError):
                index.origin(source, len(text))
        assert index.text("three", 0, 10) == ""


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_no_question_is_an_operator(shared_index, question):
    for hit in shared_index.search(question, 5):
        assert shared_index.text("a", hit.passage.start, hit.passage.end) == hit.passage.text


@pytest.fixture(scope="module")
def shared_index():
    with opened({"a": ["Call me Ishmael. NEAR the sea, OR AND NOT words: headings."]}) as index:
        yield index


@pytest.mark.parametrize(
    "question",
    ['"', "ishmael OR", "NEAR(ishmael, 3)", "words:ishmael*", "((ishmael", "ishmael^2 - {a b}: c", "'; DROP TABLE x"],
)
def test_hostile_questions_find_words_only(shared_index, question):
    assert bool(shared_index.search(question, 3)) == ("ishmael" in question)


def test_a_question_without_telling_words_finds_nothing(shared_index):
    assert shared_index.search("", 3) == shared_index.search("Who is he?!", 3) == []
    assert select(shared_index, "Who is he?!", 3) == []


def test_a_very_long_question_is_bounded(shared_index):
    question = " ".join(NONSENSE * 2) + " Ishmael"
    assert len(shared_index.question_weights(question)) == 64
    assert shared_index.search(question, 3)[0].passage.text.startswith("Call me Ishmael")


def test_a_needle_is_found_among_thousands_of_passages():
    text = [nonsense(80, seed) for seed in range(2000)]
    text[1234] += "The harbour master of Ravenport hid the brass key under a lamp. "
    with opened({"hay": text}) as index:
        for find in (index.search, lambda question, limit: select(index, question, limit)):
            hit = find("Under what did Ravenport's harbour masters hide the key?", 1)[0]
            assert "brass key under a lamp" in hit.passage.text


def test_names_in_code_are_found_by_their_parts():
    documents = {
        "a.py": ["class HelpFormatter:\n    def write_dl(self):\n        pass\n"],
        "b.py": ["class Other:\n    def read(self):\n        pass\n"],
        "c.txt": ["黒い猫はマットの上に座った。犬は外にいる。"],
    }
    with opened(documents) as index:
        assert [hit.passage.source for hit in index.search("the help formatter", 3)] == ["a.py"]
        assert [hit.passage.source for hit in index.search("writeDl and write_dl", 3)] == ["a.py"]
        assert [hit.passage.source for hit in index.search("猫はどこ", 3)] == ["c.txt"]


def test_contents_come_after_what_they_list():
    prose = "The Chart lay before Ahab. He traced the currents upon the chart with a slow pencil every night. "
    contents = "".join(
        f"Chapter {n}. The {name} . . . . . {n * 9}\n" for n, name in enumerate(("Chart", "Ahab", "Currents") * 5, 1)
    )
    with opened(
        {"contents": [contents], "book": [prose + nonsense(60, 1)], "more": [nonsense(90, s) for s in range(30)]}
    ) as index:
        assert select(index, "What did Ahab trace upon the chart with the currents?", 2)[0].passage.source == "book"


@given(texts, st.integers(0, 900))
@settings(max_examples=40, deadline=None)
def test_a_widened_passage_is_still_exact(pieces, characters):
    text = "".join(pieces) + "something to find"
    with opened({"a": [text]}) as index:
        for hit in index.search("something to find", 2):
            wide = index.widen(hit.passage, characters)
            assert text[wide.start : wide.end] == wide.text
            assert hit.passage.start - characters <= wide.start <= hit.passage.start
            assert hit.passage.end <= wide.end <= hit.passage.end + characters
            assert wide.line == 1 + text.count("\n", 0, wide.start)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return write(tmp_path_factory.mktemp("finished") / "index", {"a": [nonsense(300, s) for s in range(40)]})


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.3, 0.7, 0.999])
def test_a_truncated_index_is_called_damaged(finished, tmp_path, kept):
    data = finished.read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(DamagedError, match="delete it and read the source again") as caught:
        RecallIndex(path)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 5


@given(st.lists(st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=64)), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_changed_bytes_never_change_the_text_unnoticed(finished, tmp_path_factory, changes):
    data = bytearray(finished.read_bytes())
    whole = "".join(nonsense(300, s) for s in range(40))
    for place, new in changes:
        at = int(place * len(data))
        data[at : at + len(new)] = new[: len(data) - at]
    path = tmp_path_factory.mktemp("changed") / "index"
    path.write_bytes(data)
    try:
        with closing(RecallIndex(path)) as index:
            for hit in index.search(f"{NONSENSE[5]} {NONSENSE[6]}", 5):
                if hit.passage.source == "a":
                    assert whole[hit.passage.start : hit.passage.end] == hit.passage.text
    except DamagedError as error:
        assert "\n" not in str(error)


def test_a_file_that_is_no_index_is_called_damaged(tmp_path):
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(DamagedError):
            RecallIndex(path)
    with closing(sqlite3.connect(tmp_path / "other")) as other:
        other.execute("CREATE TABLE meta (key, value)")
    with pytest.raises(DamagedError, match="unfinished or of another version"):
        RecallIndex(tmp_path / "other")


def test_what_is_not_finished_leaves_nothing_behind(tmp_path):
    with pytest.raises(KeyboardInterrupt), IndexWriter(tmp_path / "index") as unfinished:
        unfinished.add(next(segments({"a": ["some text"]})))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_an_index_is_private_and_keeps_its_notes(tmp_path):
    path = write(tmp_path / "index", {"a": ["text"]})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with closing(RecallIndex(path)) as index:
        assert index.meta["by"] == "test"
    with pytest.raises(MmxError, match="File exists"):
        IndexWriter(path)


def test_sqlite_without_fts5_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_SCHEMA", "CREATE VIRTUAL TABLE found USING fts5000(words);")
    with pytest.raises(MmxError, match="fts5"):
        IndexWriter(tmp_path / "index")
    assert list(tmp_path.iterdir()) == []


def test_a_long_document_is_indexed_in_bounded_memory(tmp_path):
    text = nonsense(2000, 3)
    tracemalloc.start()
    with IndexWriter(tmp_path / "index") as long:
        for segment in segments({"a": [text] * 100}):
            long.add(segment)
        long.finish()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * len(text)  # a fifth of the document


def test_places_are_given_back_with_the_number_of_the_line(tmp_path):
    rows = "".join(f"row {n}\n" for n in range(2000))
    parts = [
        Segment("a.xlsx", "# Prices\n", 0, 1, place=Place("sheet Prices")),
        Segment("a.xlsx", rows, 9, 2, place=Place("sheet Prices, row", 1)),
        Segment("a.xlsx", "last\n", 9 + len(rows), 2002, place=Place("sheet Prices, row", -3000)),
    ]
    with IndexWriter(tmp_path / "index") as made:
        for part in parts:
            made.add(part)
        made.finish()
    index = RecallIndex(tmp_path / "index")
    assert index.origin("a.xlsx", 0) == (1, None, "sheet Prices")
    for number in (0, 1, 700, 1999):
        at = 9 + rows.index(f"row {number}\n")
        assert index.origin("a.xlsx", at) == (2 + number, None, f"sheet Prices, row {number + 1}")
    assert index.origin("a.xlsx", 9 + len(rows)) == (2002, None, "sheet Prices, row 5002")


def test_folders_above_a_document_are_no_words_of_it(monkeypatch):
    monkeypatch.setenv("HOME", "/home/anna")
    told = "Berta told {} what the house would cost.\n"
    documents = {f"/home/anna/texts/{name}/notes.txt": [told.format(name)] for name in ("one", "two")}
    far = "/srv/work/long/way/down/to/three/notes.txt"
    documents[far] = ["Anna told Berta what the work would cost.\n"]
    with opened(documents) as index:
        weights = index.question_weights("What did Anna tell of the work?")
        assert weights["anna"] == weights["work"] > index.question_weights("Berta")["berta"]
        assert [hit.passage.source for hit in index.search("three", 3)] == [far]
