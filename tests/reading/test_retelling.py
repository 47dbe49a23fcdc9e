"""What a model writes about parts: only where it can, held to the part, after all that came before where it carries
that. The models of these tests write what the tests want."""

import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import contents
import pytest
import torch
from generators import ended
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from indexes import opened
from tiny import make_model

from mmxcli.config import Settings
from mmxcli.errors import Interrupted
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.reading import scribe
from mmxcli.reading.corpus import Corpus
from mmxcli.reading.cuts import pieces
from mmxcli.reading.divisions import Divisions
from mmxcli.reading.prefill import prefill
from mmxcli.reading.prompts import reading_prompt
from mmxcli.reading.retelling import held
from mmxcli.reading.session import Session
from mmxcli.reading.stops import Stops
from mmxcli.reading.summary import Wanted
from mmxcli.reading.tokens import TokenStream
from mmxcli.reading.trials import PASSAGES
from mmxcli.recall.backing import claims, names_in
from mmxcli.recall.gist import Statement, length
from mmxcli.recall.stems import Stemmer
from mmxcli.render.json import summary as as_json
from mmxcli.state.model_state import ModelState
from mmxcli.tasks.ask import ask
from mmxcli.tasks.events import Note, PartSummary, Progress, SummaryDone
from mmxcli.tasks.summarize import summarize

RIGHT = (
    "Jon opened the sluice in the night, though Marta had told him otherwise. By the morning the mill was saved.",
    "Requests are handed in at least ten days before. A request is granted by the head of the section. Who falls ill"
    " gets those days back with a note.",
    "The Heron was lost with all hands off the cape. The Gannet reached the colony after forty days.",
    "The sexton's widow found the silver behind the organ. The parish put a stone on her grave.",
    "The cache holds the last two hundred pages. A page that has changed is not taken from the cache, but read again."
    " The page goes that was not used for longest.",
    "The first cases of fever came on Sunday. Doctor Hale stayed until October. Eleven of ninety were dead.",
    "Wounds healed in nine days with the new salve. The difference was not larger than chance may bring. Itching was"
    " more frequent with the new salve.",
    "A lawyer said that her uncle had left his shipyard not to Erik, but to her. Clara sold the shipyard.",
)
TWISTED = (
    "Marta Lund opened the sluice in the night.",
    "A request is granted by the office.",
    "Both ships were lost with all hands off the cape.",
    "Ada Voss had stolen the silver of the church.",
    "A page that has changed on the disk is taken from the cache.",
    "Doctor Hale left for the coast on Monday.",
    "The difference was larger than chance alone may bring.",
    "The uncle had left his shipyard to his son Erik.",
)


@pytest.mark.parametrize(("passage", "right", "twisted"), list(zip(PASSAGES, RIGHT, TWISTED, strict=True)))
def test_every_passage_can_be_told_rightly_and_wrongly(passage: Any, right: str, twisted: str) -> None:
    assert passage.done(right) == (True, False)
    assert not passage.done(f"{right} {twisted}")[0]
    assert passage.done(passage.text)[0] is False  # a copy
    assert passage.done("") == (False, False)
    assert not passage.done(f"{right} All of it was made up by Zork.")[0]


def test_what_is_twisted_goes_astray_where_words_alone_do_not_tell() -> None:
    astray = [passage.done(twisted)[1] for passage, twisted in zip(PASSAGES, TWISTED, strict=True)]
    assert sum(astray) >= len(PASSAGES) - 2  # the others are borne out by no sentence


OWN = (
    "The harbour of Husvik was built by Ingrid Solheim, who came from Bergen in the spring.",
    "A storm broke the pier of the harbour in 1871, and eleven boats were lost.",
    "Mats Olsen built the pier again with stone from the quarry above the town.",
    "Herring is what the market of the town lives on.",
)
SAID = (
    *OWN,
    "The harbour of Husvik was built by Ingrid Solheim.",
    "A storm broke the pier in 1871.",
    "Mats Olsen built the pier with stone, while the market lives on herring.",
    "A storm broke the pier in 1923.",
    "Zork built the pier again with stone.",
    "He built the pier again.",
    "The market lives on nothing but hope and whales.",
    "the pier of",
)


@hypothesis(deadline=None)
@given(st.lists(st.sampled_from(SAID), max_size=8))
def test_whatever_is_written_each_line_is_borne_out_or_the_texts_own(written: list[str]) -> None:
    with opened({"a.txt": ["\n\n".join(OWN)]}) as index:
        places = [(index.text("a.txt", 0, 1_000).index(text), text) for text in OWN]
        own = [Statement(text, "a.txt", at, at + len(text)) for at, text in places]
        lines = held(index, "\n\n".join(written), own)
    assert lines
    assert [one.start for one in lines] == sorted(one.start for one in lines)
    seen: set[str] = set()
    for one in lines:
        if one.origin == "extract":
            assert one in own
            continue
        assert one.text in written and one.text not in OWN
        bearing = " ".join(text for at, text in places if at in {one.start, *(also[1] for also in one.also)})
        assert names_in(Stemmer(), one.text, bearing, 0.6)
        assert length(one.text) < length(bearing)
        assert not claims(Stemmer(), one.text) <= seen
        seen |= claims(Stemmer(), one.text)
    assert len(set(lines)) == len(lines)


def test_what_is_not_borne_out_is_replaced_and_what_is_said_again_is_not(tmp_path: Path) -> None:
    with opened({"a.txt": ["\n\n".join(OWN)]}) as index:
        text = index.text("a.txt", 0, 1_000)
        own = [Statement(one, "a.txt", text.index(one), text.index(one) + len(one)) for one in OWN]
        joined = "Mats Olsen built the pier with stone, while the market lives on herring."
        lines = held(index, f"- Ingrid Solheim built the harbour. {joined} {joined} Zork came.", own)
    assert [(one.text, one.origin) for one in lines] == [
        ("Ingrid Solheim built the harbour.", "written"),
        (OWN[1], "extract"),
        (joined, "written"),
    ]
    assert lines[2].also == ((own[3].source, own[3].start, own[3].end),)


# ---- the whole way ----

Writes = Callable[[str], str]
PARTS_TOO = Wanted(60, 1)
CHAPTERS = [
    f"The captain {name} sailed from {place} in {1800 + number} with a cargo of {goods}, and the weather was fair.\n\n"
    f"A storm near the cape took the mast of {name}, so that the ship lay still for {number + 3} days.\n\n"
    + "Nobody on the quay said a word about it that was worth a penny to anybody else in the town.\n\n"
    * 6
    for number, (name, place, goods) in enumerate(
        [("Aldo", "Bergen", "salt"), ("Brita", "Cadiz", "cloth"), ("Carl", "Delft", "timber"), ("Dora", "Elba", "iron")]
    )
]
BOOK = "".join(f"CHAPTER {number}\n\n{text}" for number, text in enumerate(CHAPTERS, 1))


class Scripted:
    """Stands for generate: what was asked, and after which states; `stop_at` is the asking that is interrupted."""

    def __init__(self, writes: Writes) -> None:
        self.writes = writes
        self.asked: list[str] = []
        self.states: list[list[torch.Tensor]] = []
        self.living: list[int] = []
        self.stop_at = 0
        self._refs: list[weakref.ref[Any]] = []

    def __call__(
        self, writer: Any, tokenizer: Tokenizer, states: Any, prompts: Sequence[Sequence[int]], *_: Any
    ) -> Iterator[tuple[int, str]]:
        self.living.append(sum(ref() is not None for ref in self._refs))
        for number, prompt in enumerate(prompts):
            text = tokenizer.decode(list(prompt))
            known = [right for passage, right in zip(PASSAGES, RIGHT, strict=True) if passage.text[:40] in text]
            if not known:
                self.asked.append(text)
                if len(self.asked) == self.stop_at:
                    self.stop_at = 0
                    raise KeyboardInterrupt
                if states:
                    self.states.append([one.clone() for one in contents.tensors(states[number])])
                    self._refs.append(weakref.ref(states[number].layers[0]))
            yield number, known[0] if known else self.writes(text)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Writes], Scripted]:
    def made(writes: Writes) -> Scripted:
        model = Scripted(writes)
        monkeypatch.setattr(scribe, "generate", model)
        return model

    return made


def storms(prompt: str) -> str:
    """Of each captain in the prompt that the mast was lost; and something of somebody who is not there."""
    names = [name for name in ("Aldo", "Brita", "Carl", "Dora") if name in prompt]
    said = (f"A storm took the mast of {name}. Captain {name} sailed with a cargo." for name in names or ["Aldo"])
    return " ".join(said) + " Zork ate the cargo."


def all_storms(_: str) -> str:
    return storms("Aldo Brita Carl Dora")


def done(settings: Settings, *sources: Path, wanted: Wanted = PARTS_TOO) -> SummaryDone:
    *_, last = summarize([str(source) for source in sources], settings, wanted)
    assert isinstance(last, SummaryDone)
    return last


def lines(part: PartSummary) -> list[tuple[str, str]]:
    return [(one.text, one.origin) for one in part.told]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    file = tmp_path / "book.txt"
    file.write_text(BOOK)
    return file


def test_parts_are_told_by_a_model_that_can_and_parents_from_their_parts(
    book: Path, settings: Settings, scripted: Callable[[Writes], Scripted]
) -> None:
    model = scripted(storms)
    summary = done(settings, book).summary
    for part, name in zip(summary.parts, ("Aldo", "Brita", "Carl", "Dora"), strict=True):
        assert (f"A storm took the mast of {name}.", "written") in lines(part)
        assert {origin for _, origin in lines(part)} <= {"written", "extract"}
        assert all(one.citation.verified for one in part.told)
        assert not any("Zork" in text for text, _ in lines(part))
    assert any(origin == "written" for _, origin in lines(summary))
    assert len(model.asked) == 5  # each part, and the whole of what was said of them
    assert "mast of Aldo" in model.asked[1]  # what came before, in short
    assert all(f"mast of {name}" in model.asked[4] for name in ("Aldo", "Brita", "Carl", "Dora"))
    again = done(settings, book)
    assert again.summary == summary and len(model.asked) == 5


def test_all_places_that_bear_out_what_is_written_are_cited(
    book: Path, settings: Settings, scripted: Callable[[Writes], Scripted]
) -> None:
    scripted(lambda _: "A storm took the mast of Aldo, while nobody on the quay said a word about it.")
    record = as_json(done(settings, book))
    (said,) = [one for part in record["summary"]["parts"] for one in part["said"] if one["origin"] == "written"]
    quotes = [citation["quote"] for citation in (said["citation"], *said["also"])]
    assert quotes[0].startswith("A storm near the cape took the mast of Aldo") and quotes[1].startswith(
        "Nobody on the quay"
    )


@pytest.mark.parametrize("writes", ["", "A storm took the mast."], ids=["nothing", "little"])
def test_a_model_that_cannot_is_tried_once_and_changes_nothing(
    book: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, writes: str
) -> None:
    asked: list[int] = []

    def poor(_writer: Any, _tokenizer: Any, _states: Any, prompts: Sequence[Sequence[int]], *_: Any) -> Any:
        asked.append(len(prompts))
        yield from ((number, writes) for number in range(len(prompts)))

    monkeypatch.setattr(scribe, "generate", poor)
    first = done(settings, book)
    tried = sum(asked)
    assert 0 < tried <= 3
    told = [one for part in (first.summary, *first.summary.parts) for one in part.told]
    assert told and {one.origin for one in told} <= {"extract", "found"}
    events = list(summarize([str(book)], replace(settings, read="full"), PARTS_TOO))
    assert sum(asked) == tried
    assert any(isinstance(event, Note) and "by its own sentences" in event.text for event in events)
    assert isinstance(events[-1], SummaryDone)
    assert events[-1].summary == first.summary and events[-1].coverage.mode == "recall"


def test_a_changed_file_is_told_again_and_no_other(
    tmp_path: Path, settings: Settings, scripted: Callable[[Writes], Scripted]
) -> None:
    model = scripted(storms)
    folder = tmp_path / "papers"
    folder.mkdir()
    for number, text in enumerate(CHAPTERS):
        (folder / f"{number}.txt").write_text(text)
    done(settings, folder)
    before = len(model.asked)
    (folder / "2.txt").write_text(CHAPTERS[2].replace("timber", "tar"))
    done(settings, folder)
    assert len(model.asked) == before + 1 and " tar" in model.asked[-1]


def test_with_a_focus_the_text_is_told_by_its_own_sentences(
    book: Path, settings: Settings, scripted: Callable[[Writes], Scripted]
) -> None:
    model = scripted(storms)
    told = done(settings, book, wanted=Wanted(60, 0, "a storm near the cape")).summary.told
    assert told and {one.origin for one in told} == {"extract"} and not model.asked


# ---- with the state carried along ----


@pytest.fixture
def hybrid(settings: Settings, tmp_path: Path) -> Settings:
    folder = make_model(tmp_path / "hybrid", "granitemoehybrid")
    return replace(settings, model=str(folder), window=None, read="full")


def state_after(settings: Settings, book: Path, place: int) -> ModelState:
    """Of a reading of the tokens before that place, and of no others."""
    with Session(settings) as session:
        list(session.open_weights())
        corpus, divisions = Corpus.open([str(book)], None), Divisions()
        (chunk,) = TokenStream(session.tokenizer).feed(divisions.follow(corpus.items()))
        before = replace(
            chunk, ids=[token for token, (_, end) in zip(chunk.ids, chunk.spans, strict=True) if end <= place]
        )
        state, prompt = session.model.new_state(session.policy.window(len(chunk.ids))), reading_prompt(session.template)
        cut = pieces([before], divisions, session.policy.chunk)
        list(prefill(session.model, state, prompt, cut, 1, lambda _: True, 64, Stops()))
    return state


def test_a_part_is_told_by_a_fork_of_the_state_that_a_reading_up_to_there_leaves(
    book: Path, hybrid: Settings, scripted: Callable[[Writes], Scripted]
) -> None:
    model = scripted(all_storms)
    event = done(hybrid, book)
    assert event.coverage.mode == "full" and event.coverage.read == event.coverage.tokens
    assert len(model.states) == 4
    for name, state in zip(("Aldo", "Brita", "Carl", "Dora"), model.states, strict=True):
        place = BOOK.find("CHAPTER", BOOK.index(f"captain {name}"))
        expected = contents.tensors(state_after(hybrid, book, place if place >= 0 else len(BOOK)))
        assert len(state) == len(expected)
        assert all(torch.equal(one, other) for one, other in zip(state, expected, strict=True))
    assert max(model.living) <= 1  # the one at hand at most
    for part, name in zip(event.summary.parts, ("Aldo", "Brita", "Carl", "Dora"), strict=True):
        assert (f"A storm took the mast of {name}.", "written") in lines(part)


def test_what_was_read_before_changes_nothing_and_what_was_written_is_kept(
    book: Path, hybrid: Settings, scripted: Callable[[Writes], Scripted], tmp_path: Path
) -> None:
    model = scripted(all_storms)
    fresh = done(replace(hybrid, home=tmp_path / "other"), book)
    states, asked = list(model.states), len(model.asked)
    model.states.clear()
    with Session(hybrid) as session:
        list(session.open_weights())
        ended(session.read([str(book)], None))
    assert done(hybrid, book).summary == fresh.summary
    assert all(
        torch.equal(one, other)
        for ours, theirs in zip(model.states, states, strict=True)
        for one, other in zip(ours, theirs, strict=True)
    )
    again = done(hybrid, book)
    assert again.summary == fresh.summary and len(model.asked) == 2 * asked
    assert again.state.reused_tokens == again.coverage.tokens
    book.write_text(BOOK.replace("iron", "lead"))  # in the last chapter
    model.states.clear()
    changed = done(hybrid, book)
    assert len(model.states) == 1 and changed.state.reused_tokens > 0


def test_an_interrupted_run_goes_on_where_it_was(
    book: Path, hybrid: Settings, scripted: Callable[[Writes], Scripted], tmp_path: Path
) -> None:
    model = scripted(all_storms)
    expected = done(replace(hybrid, home=tmp_path / "other"), book).summary
    model.asked.clear()
    model.stop_at = 3
    with pytest.raises((KeyboardInterrupt, Interrupted)):
        done(hybrid, book)
    stages = [event.stage for event in summarize([str(book)], hybrid, PARTS_TOO) if isinstance(event, Progress)]
    assert {"read", "summarise"} <= set(stages)
    assert sum("mast" not in prompt for prompt in model.asked) == 3 + 2  # two were written, the third was not
    assert done(hybrid, book).summary == expected


def test_a_question_after_it_is_asked_of_the_same_reading(
    book: Path, hybrid: Settings, scripted: Callable[[Writes], Scripted]
) -> None:
    scripted(all_storms)
    told = done(hybrid, book)
    *_, answer = ask([str(book)], ["Who sailed from Cadiz?"], hybrid)
    assert answer.state.id == told.state.id and answer.state.reused_tokens == told.coverage.tokens
