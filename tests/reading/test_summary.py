"""What a summary is made of, with a model of random weights: nothing that it says passes for what a file is for."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mmxcli.config import Settings
from mmxcli.errors import InputError
from mmxcli.reading import scribe
from mmxcli.reading.summary import Wanted
from mmxcli.tasks.events import Event, PartSummary, SummaryDone
from mmxcli.tasks.summarize import summarize

STORY = (
    "The harbour of Husvik was built by Ingrid Solheim. The harbour had a pier of stone. It was cold.\n\n"
    "A storm broke the pier of the harbour. Mats Olsen built the pier of the harbour again with stone.\n\n"
)
FILLER = "The grey water went on and on below the wall, and nobody said a word about it that was worth a penny.\n\n"
SILENT = ("boat", "wave", "pier", "tide", "mast", "keel")  # files that say nothing about themselves
FISH = "The fish market sells herring to the boats. Herring is what the market of the town lives on.\n\n"


def done(folder: Path, settings: Settings, wanted: Wanted) -> SummaryDone:
    last: Event | None = None
    for event in summarize([str(folder)], settings, wanted):
        last = event
    assert isinstance(last, SummaryDone)
    return last


def all_of(part: PartSummary) -> Iterator[PartSummary]:
    yield part
    for inner in part.parts:
        yield from all_of(inner)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    file = tmp_path / "book.md"
    file.write_text(f"# The pier\n\n{STORY * 4}# The fish\n\n{FISH * 6}")
    return file


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "harbour"
    (folder / "pkg").mkdir(parents=True)
    (folder / "README.md").write_text("# Harbour\n\nHarbour counts the boats that come in.\n")
    (folder / "pkg" / "__init__.py").write_text('"""Boats, counted."""\n')
    for name in SILENT:
        (folder / "pkg" / f"{name}.py").write_text(
            f"class {name.title()}:\n    pass\n\n\ndef {name}_of(x):\n    return x\n"
        )
    return folder


def test_the_parts_of_a_book_each_with_what_the_text_says_there(book: Path, settings: Settings) -> None:
    summary = done(book, settings, Wanted(40, 1)).summary
    pier, fish = summary.parts
    assert (summary.title, pier.title, fish.title) == ("book.md", "The pier", "The fish")
    assert summary.words == pier.words + fish.words
    text = book.read_text()
    for part in all_of(summary):
        assert part.told
        for one in part.told:
            assert one.origin == "extract" and one.citation.verified
            assert " ".join(text[one.citation.start : one.citation.end].split()) == one.text
    assert any("herring" in one.text.lower() for one in fish.told)
    assert done(book, settings, Wanted(40)).summary.parts == ()


@pytest.fixture
def novel(tmp_path: Path) -> Path:
    """Eight chapters in which the same two persons do something else each time."""
    titles = ("The Pier", "The Storm", "The Stone", "The Herring", "The Ice", "The Ferry", "The Fire", "The Return")
    chapters = (
        f"CHAPTER {n}. {title}\n\n" + FILLER * 12 + f"On that day Ingrid Solheim told Mats Olsen of {title.lower()} of"
        f" the harbour, and so Mats Olsen went to Husvik with the old rope number{n} of the boat.\n\n"
        for n, title in enumerate(titles, 1)
    )
    who = "Ingrid Solheim was a pilot of the harbour, and she was born in the north.\n\n"
    file = tmp_path / "novel.txt"
    file.write_text(f"THE HARBOUR\n\nBY ADA QUILL\n\n\n\n\n{''.join(chapters)}{who}")
    return file


def test_a_long_text_is_told_by_what_it_is_and_whom_it_is_about(novel: Path, settings: Settings) -> None:
    told = done(novel, settings, Wanted(150)).summary.told
    lines = [one.text for one in told]
    assert lines[:2] == [
        "THE HARBOUR. BY ADA QUILL.",
        "8 chapters: The Pier; The Storm; The Stone; The Herring; The Ice; The Ferry; The Fire; The Return.",
    ]
    assert lines[2].startswith("Named most: Mats Olsen, Ingrid Solheim, Husvik")
    assert "Ingrid Solheim was a pilot of the harbour, and she was born in the north." in lines
    assert [one.origin for one in told[:3]] == ["found"] * 3
    assert sum(len(line.split()) for line in lines) <= 150
    text = novel.read_text()
    assert all(one.citation.verified and len(one.citation.quote) < 300 for one in told)
    assert all(one.text in " ".join(text.split()) for one in told if one.origin == "extract")
    about = done(novel, settings, Wanted(40, 0, "the rope of the boat")).summary.told
    assert about and {one.origin for one in about} == {"extract"}
    listed = done(novel, settings, Wanted(150, 1)).summary
    assert listed.told[0].text == lines[0] and not any("8 chapters" in one.text for one in listed.told)


def test_a_focus_leaves_only_what_is_about_it(book: Path, settings: Settings) -> None:
    found = done(book, settings, Wanted(40, 0, "the herring market"))
    assert found.found and all("herring" in one.text.lower() for one in found.summary.told)
    absent = done(book, settings, Wanted(40, 0, "licensing terms"))
    assert not absent.found and absent.summary.told == ()


def test_a_file_that_says_nothing_about_itself_is_asked_once(
    repository: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts: list[object] = []
    generate = scribe.generate

    def counted(*arguments: object) -> object:
        prompts.extend(arguments[3])  # type: ignore[call-overload]
        return generate(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(scribe, "generate", counted)
    first = done(repository, settings, Wanted(60))
    assert len(prompts) == len(SILENT)
    lines = {part.title: part.told[0] for part in all_of(first.summary) if part.title.endswith(".py")}
    assert lines["boat.py"].text == "defines Boat, boat_of" and lines["boat.py"].origin == "found"
    assert lines["__init__.py"].text == "Boats, counted." and lines["__init__.py"].origin == "extract"
    prompts.clear()
    assert done(repository, settings, Wanted(60)).summary == first.summary
    assert prompts == []
    (repository / "pkg" / "boat.py").write_text("class Ferry:\n    pass\n")
    again = done(repository, settings, Wanted(60))
    assert len(prompts) == 1
    assert {part.told[0].text for part in all_of(again.summary) if part.title == "boat.py"} == {"defines Ferry"}


def test_an_interrupted_run_goes_on(repository: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    generate, written = scribe.generate, list[int]()

    def stopped(*arguments: object) -> Iterator[tuple[int, str]]:
        written.append(len(arguments[3]))  # type: ignore[arg-type]
        if len(written) == 2:
            raise KeyboardInterrupt
        return generate(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(scribe, "generate", stopped)
    settings = replace(settings, quant="none")
    with pytest.raises(KeyboardInterrupt):
        done(repository, settings, Wanted(60))
    before = written[0]
    done(repository, settings, Wanted(60))
    assert sum(written[2:]) == len(SILENT) - before


def test_without_a_cache_nothing_is_kept(repository: Path, settings: Settings) -> None:
    done(repository, replace(settings, cache=False), Wanted(60))
    assert not settings.home.exists() or not list(settings.home.rglob("*.sqlite"))


def test_strict_fails_after_the_summary(book: Path, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 40)
    events: list[Event] = []
    with pytest.raises(InputError, match="strict"):
        events.extend(summarize([str(book), str(tmp_path / "noise.bin")], replace(settings, strict=True), Wanted(40)))


@pytest.mark.parametrize("times", [1_000, 5_000])
@pytest.mark.parametrize(
    "sentence", ["港口建于一八二三年。石头来自山上的采石场。", "The boats of Husvik are late again. "]
)
def test_what_a_long_text_says_is_told_whatever_its_sentences_are(
    sentence: str, times: int, tmp_path: Path, settings: Settings
) -> None:
    (tmp_path / "boats.txt").write_text(f"Boats\n\n{sentence * times}")
    told = done(tmp_path / "boats.txt", settings, Wanted(60)).summary.told
    assert [one.origin for one in told[:2]] == ["found", "extract"]
    assert len({one.text for one in told}) == len(told)


@pytest.mark.parametrize("text", ["word", "!!! ... ???", "a " * 50_000, "港口建于一八二三年。" * 50, "\n" * 100 + "x"])
def test_odd_texts_are_told_or_not(text: str, tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "odd.txt").write_text(text)
    summary = done(tmp_path / "odd.txt", settings, Wanted(40, 2)).summary
    json.dumps([one.text for part in all_of(summary) for one in part.told])


def test_what_holds_nothing_to_read_is_one_clear_line(tmp_path: Path, settings: Settings) -> None:
    empty, generated = tmp_path / "empty", tmp_path / "generated"
    (empty / "src").mkdir(parents=True)
    with pytest.raises(InputError, match="without files"):
        done(empty, settings, Wanted(40))
    generated.mkdir()
    (generated / "tables.py").write_text("# Code generated by makers. DO NOT EDIT.\n" + "X = 1\n" * 100_000)
    with pytest.raises(InputError, match="generated"):
        done(generated, settings, Wanted(40))


def test_many_small_files_in_several_languages(tmp_path: Path, settings: Settings) -> None:
    texts = (
        "The harbour was built by Ada Quill in the year of the storm.\n",
        "Le port fut construit par Ada Quill pendant l'année de la tempête.\n",
        "港口由艾达在风暴之年建成。\n",
        "Гавань построила Ада Квилл в год великой бури.\n",
    )
    for number in range(240):
        folder = tmp_path / "papers" / str(number % 12)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.txt").write_text(f"{number}. {texts[number % 4]}")
        alike = tmp_path / "notes" / str(number % 12)
        alike.mkdir(parents=True, exist_ok=True)
        (alike / f"{number}.txt").write_text(
            f"The keeper of light {number} saw {number % 7} ships in the bay of birds.\n"
        )
    for number in range(101):
        (tmp_path / "notes" / f"{number}.txt").write_text(f"The bay of birds had {number} ships that year.\n")
    assert not done(tmp_path / "notes", settings, Wanted(60)).summary.parts  # too many to be told unasked
    assert len(done(tmp_path / "notes", settings, Wanted(60, 1)).summary.parts) > 100
    assert done(tmp_path / "notes", settings, Wanted(60)).summary.told  # though no two share what others do not
    event = done(tmp_path / "papers", settings, Wanted(60, 3))
    said = [one for part in all_of(event.summary) for one in part.told]
    assert said and all(one.citation.verified for one in said)
    assert event.summary.words > 240 * 5


def test_one_file_of_code_is_told_by_what_it_defines(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "boats.py").write_text("".join(f"def moor_{n}(x):\n    return x\n\n\n" for n in range(4000)))
    event = done(tmp_path / "boats.py", settings, Wanted(60))
    assert any("defines moor_0, moor_1" in one.text for part in all_of(event.summary) for one in part.told)


def test_what_has_no_sentences_is_not_found(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "odd.txt").write_text("!!! ... ???")
    assert not done(tmp_path / "odd.txt", settings, Wanted(40)).found
