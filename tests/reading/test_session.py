"""From sources to a reading: stored once, found again, gone on with, never wrong."""

import io
import itertools
import os
import tempfile
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import contents
import pytest
import torch
from tiny import make_model, make_tokenizer
from tiny_minimax import make_original

from mmxcli.config import Settings
from mmxcli.errors import BudgetError, DamagedError, InputError, Interrupted
from mmxcli.models import gpu
from mmxcli.models.library.model import LibraryModel
from mmxcli.models.minimax.model import MiniMaxModel
from mmxcli.models.softmax import SoftmaxModel
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.reading import corpus, keeper
from mmxcli.reading.corpus import Corpus
from mmxcli.reading.progress import Note, Progress
from mmxcli.reading.session import Reading, Session
from mmxcli.reading.upto import Upto
from mmxcli.state.record import write_record
from mmxcli.state.saving import load_snapshot
from mmxcli.state.store import ReadingStore
from mmxcli.tasks.ask import ask
from mmxcli.tasks.events import Answer

Result = TypeVar("Result")
TEXT = "".join(f"Line {n}: the ship of captain {n * n} sailed on day {n % 31}.\n" for n in range(40))


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.txt"
    path.write_text(TEXT)
    return path


def result_of(work: Generator[object, None, Result]) -> Result:
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


def read(settings: Settings, *sources: str | Path, stdin: bytes | None = None, upto: Upto | None = None) -> Reading:
    with Session(settings) as session:
        for _ in session.open_weights():
            pass
        stream = io.BytesIO(stdin) if stdin is not None else None
        return result_of(session.read([str(source) for source in sources], stream, upto))


def tensors(reading: Reading) -> list[torch.Tensor]:
    assert reading.state is not None
    return contents.tensors(reading.state)


def test_a_long_text_is_indexed_and_a_short_one_read(settings: Settings, book: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.txt"
    short.write_text("Four words, no more.")
    assert (read(settings, book).stored.mode, read(settings, short).stored.mode) == ("recall", "full")


def test_a_second_time_nothing_is_read_again(settings: Settings, book: Path) -> None:
    for mode in ("recall", "full"):
        wanted = replace(settings, read=mode)
        first, second = read(wanted, book), read(wanted, book)
        assert (first.reused_tokens, second.reused_tokens) == (0, first.stored.tokens)
        assert first.stored.id == second.stored.id


def test_auto_uses_a_full_reading_that_is_there(settings: Settings, book: Path) -> None:
    full = read(replace(settings, read="full"), book)
    assert read(settings, book).stored.id == full.stored.id


def test_what_changes_the_state_changes_the_id(settings: Settings, book: Path) -> None:
    full = replace(settings, read="full")
    identifiers = [read(full, book).stored.id, read(replace(full, window=80), book).stored.id]
    identifiers.append(read(replace(full, read="recall"), book).stored.id)
    book.write_text(TEXT + "one line more\n")
    identifiers.append(read(full, book).stored.id)
    assert len(set(identifiers)) == 4


class Kill(BaseException):
    """Stands for the end of the process: nothing catches it."""


def killed_and_continued(
    settings: Settings, book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type, steps: int
) -> Reading:
    """A full reading by a model of this `kind`, dead after so many chunks, and run again: held against one that was
    never interrupted, in another home."""
    expected = read(replace(settings, home=tmp_path / "other"), book)
    advance, count = kind.advance, itertools.count()

    def dying(self: object, *arguments: object, **named: object) -> object:
        if next(count) == steps:
            raise Kill
        return advance(self, *arguments, **named)

    monkeypatch.setattr(kind, "advance", dying)
    with pytest.raises(Kill):
        read(settings, book)
    assert next(count) == steps + 1
    monkeypatch.setattr(kind, "advance", advance)
    resumed = read(settings, book)
    assert resumed.stored.id == expected.stored.id
    assert resumed.reused_tokens <= steps * settings.chunk
    assert all(torch.equal(a, b) for a, b in zip(tensors(resumed), tensors(expected), strict=True))
    assert resumed.stored.snapshots[-1].chain == expected.stored.snapshots[-1].chain
    return resumed


@pytest.mark.parametrize("steps", [1, 5, 30])
def test_killed_and_run_again_it_ends_in_the_same_state(
    settings: Settings, book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    killed_and_continued(replace(settings, read="full"), book, tmp_path, monkeypatch, SoftmaxModel, steps)


@pytest.mark.parametrize("family", ["mamba", "granitemoehybrid", "recurrent_gemma", "rwkv", "minimax"])
def test_a_recurrent_or_hybrid_model_reads_everything_and_continues(
    settings: Settings, book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    """In auto mode: its memory carries the text. No window, whatever is the default of softmax models."""
    kind: type = LibraryModel
    if family == "minimax":
        folder, kind = tmp_path / "model", MiniMaxModel
        folder.mkdir()
        make_original(folder, vocab_size=make_tokenizer(folder))
    else:
        folder = make_model(tmp_path / "model", family)
    wanted = replace(settings, model=str(folder), window=None)
    reading = killed_and_continued(wanted, book, tmp_path, monkeypatch, kind, 20)
    recurrent = family in ("mamba", "rwkv")
    assert (reading.stored.mode, reading.stored.memory) == ("full", "recurrent" if recurrent else "hybrid")
    kinds = {part.kind for layer in reading.state.layers for part in getattr(layer, "parts", {"": layer}).values()}  # type: ignore[union-attr]
    assert ("pages" in kinds) == (family in ("granitemoehybrid", "minimax"))
    again = read(wanted, book)
    assert again.reused_tokens == again.stored.tokens


def test_a_hybrid_with_a_window_keeps_no_pages(settings: Settings, book: Path, tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", "granitemoehybrid")
    reading = read(replace(settings, model=str(folder), window=64, read="full"), book)
    assert reading.state is not None and reading.stored.tokens > 64
    kinds = {part.kind for layer in reading.state.layers for part in layer.parts.values()}  # type: ignore[attr-defined]
    assert "window" in kinds and "pages" not in kinds


def test_packed_weights_are_another_reading(settings: Settings, book: Path) -> None:
    full = replace(settings, read="full")
    found = [read(replace(full, quant=quant), book) for quant in ("none", "int8", "nf4")]
    assert len({reading.stored.id for reading in found}) == 3


def close(one: Reading, other: Reading) -> bool:
    """The same but for rounding: they were cut at other places."""
    pairs = list(zip(tensors(one), tensors(other), strict=True))
    return all(torch.allclose(a.float(), b.float(), atol=1e-3, rtol=1e-3) for a, b in pairs)


@pytest.fixture
def hybrid(settings: Settings, tmp_path: Path) -> Settings:
    """With a model that keeps keys and values of every token, and a recurrent state beside them."""
    folder = make_model(tmp_path / "hybrid", "granitemoehybrid")
    return replace(settings, model=str(folder), window=None, read="full", checkpoint_tokens=64)


def test_what_is_appended_is_all_that_is_read(hybrid: Settings, book: Path, tmp_path: Path) -> None:
    before = read(hybrid, book)
    book.write_text(TEXT + "And on the last day the captain came home.\n")
    after = read(hybrid, book)
    assert before.stored.tokens - hybrid.chunk <= after.reused_tokens < after.stored.tokens
    assert after.stored.id != before.stored.id
    assert close(after, read(replace(hybrid, home=tmp_path / "other"), book))


def test_an_edit_is_read_from_there_on(hybrid: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    folder.mkdir()
    for name, part in (("a", TEXT[:600]), ("b", TEXT[600:900]), ("c", TEXT[900:1500])):
        (folder / f"{name}.txt").write_text(part)
    whole = read(hybrid, folder)
    (folder / "c.txt").write_text("changed " + TEXT[900:1500])
    changed = read(hybrid, folder)
    parts = f"=== {folder}/a.txt ===\n{TEXT[:600]}\n\n=== {folder}/b.txt ===\n{TEXT[600:900]}"
    least, most = (len(Tokenizer(Path(hybrid.model)).encode(t)) for t in (parts, f"{parts}\n\n=== {folder}/c.txt ==="))
    assert least - hybrid.chunk <= changed.reused_tokens <= most
    assert close(changed, read(replace(hybrid, home=tmp_path / "other"), folder))
    assert read(hybrid, folder).reused_tokens == changed.stored.tokens
    # What is shared stays as long as anyone needs it.
    store = ReadingStore(hybrid.home)
    assert store.remove(whole.stored.id)
    assert all((store.states / name).exists() for name in changed.stored.files)
    assert store.remove(changed.stored.id)
    assert not list(store.states.iterdir())


def test_of_a_folder_to_which_a_file_is_added_only_the_file_and_the_tree_are_read(
    hybrid: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.txt").write_text(TEXT[number * 400 : number * 400 + 400])
        os.utime(folder / f"{number}.txt", (number * 3600, number * 3600))
    before = read(hybrid, folder)
    (folder / "0 new.txt").write_text("A new ship came in.\n")  # first by its name, last by its time
    after = read(hybrid, folder)
    tree = "".join(passage.text for passage in before.index.passages([f"{folder}/ (tree)"]))
    about = len(Tokenizer(Path(hybrid.model)).encode(f"=== {folder}/ (tree) ===\n{tree}")) + 2 * hybrid.chunk
    assert before.stored.tokens - about <= after.reused_tokens < before.stored.tokens
    assert close(after, read(replace(hybrid, home=tmp_path / "other"), folder))


def test_the_same_text_by_another_name_is_not_read_again(hybrid: Settings, book: Path) -> None:
    first = read(hybrid, book)
    second = read(hybrid, book.rename(book.with_name("renamed.txt")))
    assert second.stored.id != first.stored.id
    assert second.reused_tokens == second.stored.tokens and second.stored.complete


@pytest.mark.parametrize("offline", [True, False])
def test_without_the_encoder_questions_go_on_and_it_is_said_once(settings: Settings, book: Path, offline: bool) -> None:
    questions = ["Which captain wrecked the beacon near the quay?"] * 2
    events = list(ask([str(book)], questions, replace(settings, offline=offline)))
    told = [event.text for event in events if isinstance(event, Note) and "all-minilm-l6-v2" in event.text]
    assert sum(isinstance(event, Answer) for event in events) == 2
    assert ["fetched once" in text for text in told] == ([False] if offline else [True, False])


@pytest.mark.parametrize("whole_first", [True, False])
def test_as_of_a_place(hybrid: Settings, book: Path, tmp_path: Path, whole_first: bool) -> None:
    """From the nearest state, whichever was read first; and nothing after the place can be found."""
    place = Upto("line", 20)
    found = [read(hybrid, book, upto=upto) for upto in ((None, place) if whole_first else (place, None))]
    short, whole = (found[1], found[0]) if whole_first else (found[0], found[1])
    assert found[1].reused_tokens >= short.stored.tokens - 2 * hybrid.checkpoint_tokens
    assert short.stored.upto == "line:20" and short.stored.tokens < whole.stored.tokens
    assert short.index.text(str(book), 0, 10**6) == "".join(TEXT.splitlines(keepends=True)[:20])
    assert close(short, read(replace(hybrid, home=tmp_path / "other"), book, upto=place))
    assert read(hybrid, book, upto=place).reused_tokens == short.stored.tokens


def test_a_state_of_another_text_that_is_damaged_is_left_alone(hybrid: Settings, book: Path) -> None:
    """The next shorter one serves."""
    first = read(hybrid, book)
    path = hybrid.home / "states" / first.stored.snapshots[-1].file
    path.write_bytes(b"nonsense")
    book.write_text(TEXT + "more\n")
    assert 0 < read(hybrid, book).reused_tokens < first.stored.tokens


def test_interrupted_it_saves_what_it_has(settings: Settings, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = replace(settings, read="full")
    with monkeypatch.context() as patch:
        patch.setattr("mmxcli.reading.interrupt.Interrupt.asked", True, raising=False)
        patch.setattr("mmxcli.reading.interrupt.Interrupt.__init__", lambda self: None)
        with pytest.raises(Interrupted, match="the same command goes on"):
            read(full, book)
    (kept,) = ReadingStore(settings.home).readings()
    assert not kept.complete
    assert kept.read_tokens == full.chunk
    assert load_snapshot(kept.snapshots[-1], full.home / "states", kept.stream).position > full.chunk
    resumed = read(full, book)
    assert resumed.reused_tokens == full.chunk
    assert resumed.stored.complete


def test_a_damaged_state_is_not_used(settings: Settings, book: Path) -> None:
    full = replace(settings, read="full")
    path = full.home / "states" / read(full, book).stored.snapshots[-1].file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DamagedError, match="mmx states rm"):
        read(full, book)


def test_a_state_of_another_text_is_not_gone_on_with(settings: Settings, book: Path, tmp_path: Path) -> None:
    """Nor when a record says that it is: the tokens decide."""
    full = replace(settings, read="full")
    other = tmp_path / "other.txt"
    other.write_text(TEXT.replace("captain", "servant"))
    mine, theirs = read(full, book), read(full, other)
    write_record(replace(mine.stored, snapshots=theirs.stored.snapshots, complete=False, read_tokens=3))
    again = read(full, book)
    assert again.stored.complete and again.reused_tokens < again.stored.tokens
    assert all(torch.equal(a, b) for a, b in zip(tensors(again), tensors(mine), strict=True))


def test_a_damaged_record_is_told(settings: Settings, book: Path) -> None:
    (read(settings, book).stored.path / "reading.json").write_text("{")
    with pytest.raises(DamagedError, match="mmx states rm"):
        read(settings, book)


def test_standard_input_is_a_source(settings: Settings) -> None:
    reading = read(settings, "-", stdin=TEXT.encode())
    assert reading.index.text("<stdin>", 0, 10) == TEXT[:10]


def test_standard_input_that_takes_a_while_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "WAIT", 0.0)
    with Session(settings) as session:
        for _ in session.open_weights():
            pass
        told = [event for event in session.read(["-"], io.BytesIO(TEXT.encode() * 99)) if isinstance(event, Progress)]
    size = len(TEXT.encode() * 99)
    received = [(event.done, event.total) for event in told if event.stage == "receive"]
    assert received[-1] == (size, size)
    assert len(received) > 2 and received == sorted(received, key=lambda pair: pair[0])
    assert all(total is None for _, total in received[:-1])


@pytest.mark.parametrize("content", [b"", b" \n\t\n", b"\x00\x01\x02" * 99])
def test_nothing_to_read(settings: Settings, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "nothing"
    path.write_bytes(content)
    with pytest.raises(InputError, match="nothing to read"):
        read(settings, path)
    readings = settings.home / "readings"
    assert not readings.exists() or not list(readings.iterdir())


def test_a_budget_that_is_too_small(settings: Settings, book: Path) -> None:
    with pytest.raises(BudgetError, match="budget"):
        read(replace(settings, memory=1 << 20), book)


def test_without_cache_nothing_stays(
    settings: Settings, book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither after a reading nor, once another has begun, after one that was killed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    memory = Path("/dev/shm") if Path("/dev/shm").is_dir() else tmp_path / "temporary"
    nobody = 2**22 + 5  # beyond the largest process id
    (memory / f"mmx-{nobody}-left").mkdir()
    before = set(tmp_path.rglob("*"))
    read(replace(settings, cache=False, read="full"), book)
    read(replace(settings, cache=False), "-", stdin=TEXT.encode())
    made = {path for path in set(tmp_path.rglob("*")) - before if path.is_file()}
    assert {path.parent for path in made} == {settings.weights_folder}  # what is known of the model
    assert not list(memory.glob(f"mmx-{os.getpid()}-*")) and not list(memory.glob(f"mmx-{nobody}-*"))


def test_folders_and_files_are_private(settings: Settings, book: Path) -> None:
    stored = read(replace(settings, read="full"), book).stored
    assert stored.path.stat().st_mode & 0o777 == 0o700
    assert (settings.home / "states").stat().st_mode & 0o777 == 0o700
    files = [*stored.path.iterdir(), *(settings.home / "states").iterdir()]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_what_a_killed_process_left_is_removed(settings: Settings, book: Path) -> None:
    folder = settings.home / "readings"
    folder.mkdir(parents=True)
    nobody = 2**22 + 5  # beyond the largest process id
    left, alive = folder / f".building-{nobody}-x", folder / f".building-{os.getpid()}-y"
    left.mkdir()
    alive.mkdir()
    stored = read(settings, book).stored
    assert {path.name for path in folder.iterdir()} == {stored.id, alive.name}


@pytest.mark.parametrize("when", ["index", "prefill"])
def test_a_text_that_changes_while_it_is_read_is_not_taken_for_the_old_one(
    settings: Settings, book: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    full = replace(settings, read="full")
    original = Session._index if when == "index" else Session._read_through

    def changing(self: Session, corpus: Corpus, *more: Any) -> Any:
        _ = corpus.digest  # which is that of the old text
        book.write_text(TEXT.replace("captain", "servant"))
        return (yield from original(self, corpus, *more))

    with monkeypatch.context() as patch:
        patch.setattr(Session, original.__name__, changing)
        with pytest.raises(InputError, match="changed while it was read"):
            read(full, book)
    assert not any(reading.complete for reading in ReadingStore(full.home).readings())
    for text in (TEXT, TEXT.replace("captain", "servant")):
        book.write_text(text)
        again = read(full, book)
        assert again.stored.complete and again.index.text(str(book), 0, len(text)) == text
        alone = read(replace(full, home=full.home / text[27:31]), book)
        assert all(torch.equal(a, b) for a, b in zip(tensors(again), tensors(alone), strict=True))


def test_where_nothing_can_be_stored_the_reading_is_whole_all_the_same(
    settings: Settings, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def full_disk(*_: object, **__: object) -> None:
        tried.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ReadingStore, "keep", full_disk)
    reading = read(replace(settings, read="full"), book)
    assert reading.stored.read_tokens == reading.stored.tokens and not reading.stored.complete
    assert len(tried) <= reading.stored.tokens // settings.checkpoint_tokens + 1


def test_a_text_up_to_a_place_tells_what_it_lacks(settings: Settings, book: Path) -> None:
    book.write_bytes(b"One.\nTw\xff.\nThree.\n")
    reading = read(replace(settings, encoding="utf-8"), book, upto=Upto("line", 2))
    assert [gap.reason for gap in reading.gaps] == ["1 bytes are not utf-8, the first on line 2"]


def test_it_is_told_by_the_name_of_the_place_that_was_asked_for(settings: Settings, book: Path) -> None:
    places = [Upto("line", 1), Upto("token", len(Tokenizer(Path(settings.model)).encode(TEXT.split("\n")[0] + "\n")))]
    readings = [read(settings, book, upto=place) for place in places]
    assert len({reading.stored.id for reading in readings}) == 1
    assert [reading.stored.upto for reading in readings] == list(map(str, places))


def test_where_the_fast_way_to_write_fails_answers_are_written_all_the_same(
    settings: Settings, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise EOFError("Ran out of input")

    monkeypatch.setattr("mmxcli.models.writing.fast_writer", fails)
    events = list(ask([str(book)], ["Who sailed on day 3?", "Which captain sailed on day 7?"], settings))
    answers = [event for event in events if isinstance(event, Answer)]
    assert len(answers) == 2 and all(answer.text for answer in answers)
    warnings = [event.text for event in events if isinstance(event, Note) and event.warning]
    assert warnings == ["answers are written more slowly: EOFError: Ran out of input"]


def test_answers_that_are_written_together_come_in_order(settings: Settings, book: Path) -> None:
    """Those that the text does not give among them."""
    questions = ["Which captain sailed on day 7?", "xyzzy plugh?", *(f"Who sailed on day {n}?" for n in range(5))]
    together = [event for event in ask([str(book)], questions, settings) if isinstance(event, Answer)]
    alone = [event for one in questions for event in ask([str(book)], [one], settings) if isinstance(event, Answer)]
    assert [answer.question for answer in together] == questions
    assert [(one.text, one.found, one.citations) for one in together] == [
        (one.text, one.found, one.citations) for one in alone
    ]
    assert {answer.found for answer in together} == {True, False}


@pytest.mark.parametrize("family", ["llama", "mamba2"])
def test_a_reading_goes_on_with_another_device(
    family: str, settings: Settings, book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processor stands for the GPU, so that both compute the same."""
    monkeypatch.setattr(gpu, "device_named", lambda _: torch.device("cpu"))
    monkeypatch.setattr(gpu, "memory_of", lambda _: (4 << 30, 6 << 30))
    asked: list[object] = []
    monkeypatch.setattr(keeper, "load_snapshot", lambda *given: asked.append(given[-1]) or load_snapshot(*given[:-1]))
    wanted = replace(settings, model=str(make_model(tmp_path / family, family)), read="full")
    by_gpu = replace(wanted, device="cuda")
    there = read(by_gpu, book)
    here = read(wanted, book)
    assert there.reused_tokens == 0 and here.reused_tokens == here.stored.tokens
    assert all(map(torch.equal, tensors(there), tensors(here)))
    question = [event for event in ask([str(book)], ["Who sailed on day 7?"], by_gpu) if isinstance(event, Answer)]
    assert len(question) == 1 and asked == ["cpu", "cuda"]
