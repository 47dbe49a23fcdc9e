"""What stands out in a stream, without a model: nearness by letters, and an expectation that knows the answer."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmxcli.errors import UsageError
from mmxcli.reading import watch as module
from mmxcli.reading.every import Every, parse_every
from mmxcli.reading.meaning import Meaning
from mmxcli.reading.watch import Watch
from mmxcli.sources.lines import Line

QUESTION = "Was the disk on host 7 replaced?"
ORDINARY = [
    f"{verb} the {thing} of {n} users"
    for n, verb in enumerate(("reading", "sorting", "sending"))
    for thing in ("list", "menu", "report", "basket", "letter", "picture", "calendar", "ticket")
]
TOLD = "the old disk was replaced, host 7 is back"


def expectation(text: str) -> float:
    return -10.0 if "replaced" in text else -20.0


def fed(watch: Watch, lines: list[tuple[int, str]], every: int = 20) -> list[tuple[int, str]]:
    """The findings, asked after each `every` lines and at the end."""
    found = []
    for number, text in lines:
        watch.see(Line(number, text, 0))
        if number % every == 0:
            found += [(one.number, one.text) for one in watch.ask(None if watch.meaning.open else expectation)]
    return found


def stream(*planted: int, count: int = 200, text: str = TOLD) -> list[tuple[int, str]]:
    lines = [ORDINARY[number * 7 % len(ORDINARY)] for number in range(count)]
    for place in planted:
        lines[place - 1] = text
    return list(enumerate(lines, 1))


def test_the_line_is_found_and_repeats_are_counted() -> None:
    watch = Watch(Meaning(QUESTION))
    assert fed(watch, stream(50, 51, 52, 90)) == [(50, TOLD)]
    assert [(seen.first, seen.more, seen.last) for seen in watch.more()] == [(50, 3, 90)]
    assert not list(watch.more())


def test_after_a_long_silence_the_same_is_news_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET", 3)
    watch = Watch(Meaning(QUESTION))
    assert [number for number, _ in fed(watch, stream(50, 60, 190))] == [50, 190]


def test_a_number_that_the_question_names_makes_a_line_another() -> None:
    watch = Watch(Meaning(QUESTION))
    lines = stream(50) + [(number, text.replace("host 7", "host 8")) for number, text in stream(1, count=20)]
    fed(watch, [(number, text) for number, (_, text) in enumerate(lines, 1)])
    assert [seen.more for seen in watch.reported.values()] == [0, 0]


@settings(max_examples=25)
@given(st.lists(st.integers(1, 200), max_size=6), st.integers(0, 199))
def test_going_on_from_a_checkpoint_is_as_if_nothing_had_happened(planted: list[int], place: int) -> None:
    meaning = Meaning(QUESTION)
    lines = stream(*planted)
    whole, first = Watch(meaning), Watch(meaning)
    expected = fed(whole, lines)
    found = fed(first, lines[:place])
    again = Watch.of(meaning, json.loads(json.dumps(first.learnt())))
    assert found + fed(again, lines[place:]) == expected
    assert again.learnt() == whole.learnt()


@pytest.mark.parametrize("junk", [-1, 1 << 70, True, 1.5, "text", None, [None], ["x"], {"x": None}, {"x": -1}])
@pytest.mark.parametrize(
    "name", ["lines", "words", "kinds", "ranks", "early", "reported", "asking", "unasked", "waiting"]
)
def test_a_checkpoint_that_makes_no_sense_is_refused(name: str, junk: object) -> None:
    meaning = Meaning(QUESTION)
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        Watch.of(meaning, Watch(meaning).learnt() | {name: junk})


def test_all_of_it_is_bounded_and_what_has_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("KINDS", 50), ("WAITING", 4), ("FEW", 10_000)):
        monkeypatch.setattr(module, name, most)
    watch = Watch(Meaning("Is the disk full?"))
    watch.kinds._most = 50
    for number in range(2000):
        word = "".join(chr(97 + number // 26**place % 26) for place in range(3))
        watch.see(Line(number + 1, f"the disk of {word} is full", 0))
    assert (len(watch.waiting), len(watch.kinds)) == (4, 50)
    assert watch.unasked == 2000 - module.LEARNING


def test_an_open_question_asks_for_what_is_new_after_a_while() -> None:
    watch = Watch(Meaning("Anything unusual?"))
    assert watch.meaning.open
    assert fed(watch, stream(700, count=800, text="kernel panic, fatal exception inside interrupt")) == [
        (700, "kernel panic, fatal exception inside interrupt")
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2000", Every(2000, "tokens")),
        ("20k", Every(20_000, "tokens")),
        ("500lines", Every(500, "lines")),
        ("1 line", Every(1, "lines")),
        ("30s", Every(30, "seconds")),
        ("10m", Every(600, "seconds")),
        ("1h", Every(3600, "seconds")),
    ],
)
def test_intervals(text: str, expected: Every) -> None:
    assert parse_every(text) == expected


@pytest.mark.parametrize("text", ["", "0", "0lines", "0s", "-3", "soon", "lines", "5 days", "1e3", "９"])
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--every"):
        parse_every(text)
