"""After a change only what changed is indexed, and all that is told is as if everything had been."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import make_tokenizer

from mmxcli.config import Settings
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.reading import indexing
from mmxcli.reading.indexing import DocumentTokens
from mmxcli.reading.progress import Note
from mmxcli.reading.session import Reading, Session
from mmxcli.reading.tokens import TokenStream

COUNT = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "papers"
    path.mkdir()
    for number in range(COUNT):
        write(path, f"{number}.txt", f"Ship {number} of captain {number**3} came in.\n" * 9, number)
    return path


def write(folder: Path, name: str, text: str, second: int) -> None:
    (folder / name).write_text(text)
    os.utime(folder / name, (second, second))


def read(settings: Settings, folder: Path) -> tuple[Reading, list[str]]:
    """The reading, and the notes that were told meanwhile."""
    notes: list[str] = []
    with Session(settings) as session:
        for _ in session.open_weights():
            pass
        work = session.read([str(folder)], None)
        while True:
            try:
                event = next(work)
            except StopIteration as stop:
                return stop.value, notes
            if isinstance(event, Note):
                notes.append(event.text)


def told(reading: Reading) -> tuple[object, ...]:
    index = reading.index
    hits = [(hit.passage.source, hit.passage.text, hit.score) for hit in index.search("captain 343 ship 7 new", 99)]
    return reading.stored.sources, reading.stored.tokens, reading.stored.skipped, index.sources, index.count, hits


def changes(folder: Path) -> Iterator[str]:
    """Changes a folder, again and again: what is told of it."""
    write(folder, "7.txt", "Ship 7 is new.\n", 3600)
    yield f"{COUNT - 1} of {COUNT + 1} documents"
    write(folder, "new.txt", "New words.\n", 0)
    yield f"{COUNT} of {COUNT + 2} documents"
    (folder / "3.txt").unlink()
    yield f"{COUNT} of {COUNT + 1} documents"
    write(folder, "0.txt", "Ship 0 is the oldest.\n", 0)  # it stands first
    yield f"{COUNT - 1} of {COUNT + 1} documents"
    for number in range(COUNT - 2):
        write(folder, f"{number}.txt", "Ships are new.\n", number)
    yield "indexed all"


def test_only_what_changed_is_indexed(settings: Settings, folder: Path, tmp_path: Path) -> None:
    settings = replace(settings, read="recall")
    read(settings, folder)
    for number, words in enumerate(changes(folder)):
        reading, notes = read(settings, folder)
        fresh, none = read(replace(settings, home=tmp_path / f"fresh {number}"), folder)
        assert told(reading) == told(fresh)
        assert [note for note in notes if "as they were" in note] == (
            [] if words == "indexed all" else [f"{words} are as they were: the others are indexed"]
        )
        assert not [note for note in none if "as they were" in note]


def test_a_text_that_is_read_in_full_now_has_its_chain(settings: Settings, folder: Path) -> None:
    read(replace(settings, read="recall"), folder)
    write(folder, "7.txt", "Ship 7 is new.\n", 100)
    reading, _ = read(replace(settings, read="full"), folder)
    assert reading.stored.mode == "full" and reading.stored.chain and reading.state is not None


def test_an_index_that_is_worn_is_made_anew(settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(settings, read="recall")
    read(settings, folder)
    monkeypatch.setattr(indexing, "is_worn", lambda _: True)
    write(folder, "7.txt", "Ship 7 is new.\n", 100)
    assert not [note for note in read(settings, folder)[1] if "as they were" in note]


def test_a_damaged_index_is_none_to_go_on_from(settings: Settings, folder: Path) -> None:
    settings = replace(settings, read="recall")
    first, _ = read(settings, folder)
    content = bytearray(first.stored.index_path.read_bytes())
    content[len(content) // 2] ^= 1
    first.stored.index_path.write_bytes(content)
    write(folder, "7.txt", "Ship 7 is new.\n", 100)
    reading, notes = read(settings, folder)
    assert reading.stored.complete and not [note for note in notes if "as they were" in note]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    folder = tmp_path_factory.mktemp("tokenizer")
    make_tokenizer(folder)
    return Tokenizer(folder)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text("ab \n=é日\r", max_size=50), min_size=1, max_size=6))
def test_the_tokens_of_each_document(tokenizer: Tokenizer, texts: list[str]) -> None:
    """What is counted of one is what it has before any other, so that the sum is right wherever it stands."""
    parts = [f"=== {number} ===\n{text}\n\n" for number, text in enumerate(texts)]
    counted, start = DocumentTokens(), 0
    for part in parts:
        counted.begin(start)
        start += len(part)
    for chunk in TokenStream(tokenizer).feed(parts):
        counted.add(chunk)
    assert counted.tokens == len(tokenizer.encode("".join(parts)))
    *known, last = counted.each()
    assert known == [len(tokenizer.encode(part + "===")) - len(tokenizer.encode("===")) for part in parts[:-1]]
    assert last is None
